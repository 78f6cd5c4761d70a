"""The square window of cells around each cell, clipped at the borders of the map."""

from functools import lru_cache

import torch
from jaxtyping import Int
from torch import Tensor


# Without inference mode: the cached tensor may later be saved for a backward pass.
@lru_cache(maxsize=32)
@torch.inference_mode(mode=False)
def window_keys(height: int, width: int, window: int, device: torch.device) -> Int[Tensor, "n k"]:
    """Return the keys in each query's window; places outside the map are `height * width`.

    Raises:
        ValueError: `window` is not odd and positive.
    """
    check_window(window)
    reach = torch.arange(window, device=device) - window // 2
    rows = torch.arange(height, device=device)[:, None, None, None] + reach[:, None]
    cols = torch.arange(width, device=device)[None, :, None, None] + reach
    inside = (rows >= 0) & (rows < height) & (cols >= 0) & (cols < width)
    keys = torch.where(inside, rows * width + cols, height * width)
    return keys.view(height * width, window * window)


def check_window(window: int) -> None:
    """Check that a window has a central cell.

    Raises:
        ValueError: it is not odd and positive.
    """
    if window < 1 or window % 2 == 0:
        raise ValueError(f"The window must be an odd number of cells; got {window}.")
