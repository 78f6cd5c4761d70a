"""Splits a map into square blocks, in row-major order.

Where the side does not divide the map, the blocks at its right and lower border are smaller.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor


def square_count(height: int, width: int, side: int) -> int:
    """Return the number of blocks of a map."""
    return -(-height // side) * -(-width // side)


def square_of(height: int, width: int, side: int, device: torch.device) -> Int[Tensor, " n"]:
    """Return the index of the block that contains each cell.

    >>> square_of(2, 5, 2, torch.device("cpu")).view(2, 5).tolist()
    [[0, 0, 1, 1, 2], [0, 0, 1, 1, 2]]
    """
    rows = torch.arange(height, device=device)[:, None] // side
    cols = torch.arange(width, device=device) // side
    return (rows * -(-width // side) + cols).flatten()


def square_keys(height: int, width: int, side: int, device: torch.device) -> Int[Tensor, "m k"]:
    """Return the cells of each of the m blocks; places outside the map are `height * width`."""
    place = torch.arange(side, device=device)
    rows, cols = (
        torch.arange(0, size, side, device=device)[:, None] + place for size in (height, width)
    )
    rows, cols = rows[:, None, :, None], cols[None, :, None, :]
    keys = torch.where((rows < height) & (cols < width), rows * width + cols, height * width)
    return keys.reshape(-1, side**2)


def square_means(features: Float[Tensor, "d h w"], side: int) -> Float[Tensor, "m d"]:
    """Return the mean of the features over the cells of each block."""
    return F.avg_pool2d(features, side, ceil_mode=True).flatten(1).mT
