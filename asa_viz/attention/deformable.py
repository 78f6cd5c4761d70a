"""Attention to a few displaced positions, sampled bilinearly between cells."""

import torch
from jaxtyping import Float
from torch import Tensor

from asa_viz.attention.few_keys import FewKeys


def samples(
    rows: Float[Tensor, "k h w"], cols: Float[Tensor, "k h w"], weights: Float[Tensor, "k h w"]
) -> FewKeys:
    """Return attention to k fractional positions a query, each split bilinearly among four cells.

    Cells outside the map count as 0.
    """
    height, width = weights.shape[1:]
    top, left = rows.floor(), cols.floor()
    keys, shares = [], []
    for down in (0, 1):
        for right in (0, 1):
            row, col = top + down, left + right
            share = (1 - (rows - row).abs()) * (1 - (cols - col).abs())
            inside = (row >= 0) & (row < height) & (col >= 0) & (col < width)
            keys.append((row * width + col).where(inside, height * width).long())
            shares.append(share * weights)
    return FewKeys(
        (height, width),
        (height, width),
        torch.cat(keys).flatten(1).mT.contiguous(),
        torch.cat(shares).flatten(1).mT.contiguous(),
    )


def dynamic_graph(
    offsets: Float[Tensor, "k 2 h w"],
    filters: Float[Tensor, "k h w"],
    affinities: Float[Tensor, "k h w"],
    *,
    rate: int,
) -> FewKeys:
    """Return DGMN's attention at one sampling rate, from what it predicts at each cell.

    Its samples form a square grid with spacing `rate`, displaced by `offsets` (in cells, down and
    to the right). Their weights are the softmax of `filters` times the sigmoid of `affinities`. The
    network combines several rates, each with its own filters.
    """
    places, height, width = filters.shape
    side = round(places**0.5)
    reach = (torch.arange(side, device=filters.device) - side // 2).to(filters) * rate
    rows = torch.arange(height, device=filters.device).to(filters)[:, None]
    cols = torch.arange(width, device=filters.device).to(filters)
    down = reach.repeat_interleave(side)[:, None, None]
    right = reach.repeat(side)[:, None, None]
    weights = filters.softmax(0) * affinities.sigmoid()
    return samples(rows + down + offsets[:, 0], cols + right + offsets[:, 1], weights)
