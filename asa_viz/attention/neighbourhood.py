"""The square window of cells around each cell, clipped at the borders of the map."""

from functools import lru_cache

import torch
from jaxtyping import Int
from torch import Tensor


@lru_cache(maxsize=32)
def window_keys(height: int, width: int, window: int, device: torch.device) -> Int[Tensor, "n k"]:
    """Return the keys in each query's window; places outside the map hold `height * width`.

    Raises:
        ValueError: `window` is not odd and positive.
    """
    if window < 1 or window % 2 == 0:
        raise ValueError(f"The window must be an odd number of cells; got {window}.")
    reach = torch.arange(window, device=device) - window // 2
    rows = torch.arange(height, device=device)[:, None, None, None] + reach[:, None]
    cols = torch.arange(width, device=device)[None, :, None, None] + reach
    inside = (rows >= 0) & (rows < height) & (cols >= 0) & (cols < width)
    keys = torch.where(inside, rows * width + cols, height * width)
    return keys.view(height * width, window * window)
