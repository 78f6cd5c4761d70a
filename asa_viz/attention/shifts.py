"""The pairs of cells inside each other's windows, as shifts of the map: O(n d) in all."""

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor

Part = tuple[slice, slice]

# So many cells at a time are multiplied before they are summed.
_BAND = 2048


def shifts(height: int, width: int, window: int) -> Iterator[tuple[Part, Part]]:
    """Give for each place of the window the queries that have a key there, and those keys.

    Seen from its other end, a pair's place is as far from the last as here it is from the first.
    """
    reach = range(-(window // 2), window // 2 + 1)
    for down in reach:
        for right in reach:
            rows, cols = _overlap(height, down), _overlap(width, right)
            yield (rows[0], cols[0]), (rows[1], cols[1])


def window_affinities(
    query: Float[Tensor, "h w d"],
    key: Float[Tensor, "h w d"],
    log_normaliser: Float[Tensor, "h w"],
    window: int,
) -> tuple[Float[Tensor, "k h w"], Float[Tensor, "h w"]]:
    """Return the log affinities of each query's window, and the logarithm of their mean.

    Outside the map they are minus infinity, and not part of the mean.
    """
    height, width = query.shape[:2]
    near = query.new_full((window**2, height, width), -torch.inf)
    for place, (here, there) in enumerate(shifts(height, width, window)):
        near[place][here] = row_products(query[here], key[there])
    near -= log_normaliser
    return near, near.logsumexp(0) - (near > -torch.inf).sum(0).log()


def row_products(
    left: Float[Tensor, "h w d"], right: Float[Tensor, "h w d"]
) -> Float[Tensor, "h w"]:
    """Return the dot product of each cell's two vectors."""
    made = left.new_empty(left.shape[:2])
    band = max(1, _BAND // max(1, left.shape[1]))
    for start in range(0, len(left), band):
        rows = slice(start, start + band)
        made[rows] = (left[rows] * right[rows]).sum(-1)
    return made


def _overlap(size: int, shift: int) -> tuple[slice, slice]:
    """Return where a line lies on itself when shifted: before, and after."""
    length = max(0, size - abs(shift))
    start = min(max(0, -shift), size)
    return slice(start, start + length), slice(start + shift, start + shift + length)
