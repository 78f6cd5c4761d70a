"""Attention that the content makes sparse: ASA, the released rule, and displaced samples."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from asa_viz.attention.few_keys import FewKeys
from asa_viz.attention.operator import released_rows
from asa_viz.attention.row import SparseAttention
from asa_viz.attention.rowwise import Rowwise
from asa_viz.attention.what_if import AS_TRAINED, WhatIf


@dataclass(frozen=True, eq=False)
class AdaptiveAttention(Rowwise):
    """The weights of one image's adaptive sparse attention, as trained or under a changed rule."""

    sparse: SparseAttention
    what_if: WhatIf

    @property
    @override
    def like(self) -> Tensor:
        return self.sparse.key

    @override
    def weights(self, queries: slice) -> Float[Tensor, "r n"]:
        return self.sparse.weights(queries, self.what_if).to(self.sparse.key)


def adaptive_attention(sparse: SparseAttention, what_if: WhatIf = AS_TRAINED) -> AdaptiveAttention:
    """Return `sparse` as an `Attention`."""
    shape = (sparse.height, sparse.width)
    return AdaptiveAttention(shape, shape, sparse, what_if)


@dataclass(frozen=True, eq=False)
class ReleasedAttention(Rowwise):
    """The weights of one image's attention under the rule of the published block.

    Rows need not sum to one. Only the five tensors of `sparse` are used, not its rule.
    """

    sparse: SparseAttention

    @property
    @override
    def like(self) -> Tensor:
        return self.sparse.key

    @override
    def weights(self, queries: slice) -> Float[Tensor, "r n"]:
        of = self.sparse
        shape = (of.height, of.width, of.window)
        tensors = (of.query, of.key, of.nonlocal_scale, of.local_scale, of.log_normaliser)
        return released_rows(*tensors, shape, queries)


def released_attention(sparse: SparseAttention) -> ReleasedAttention:
    """Return the attention of an image under rule "released"."""
    shape = (sparse.height, sparse.width)
    return ReleasedAttention(shape, shape, sparse)


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
