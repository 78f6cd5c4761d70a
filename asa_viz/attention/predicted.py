"""Attention weights predicted from one cell alone, without comparing two."""

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from asa_viz.attention.base import flat
from asa_viz.attention.blockwise import blocks
from asa_viz.attention.rowwise import Rowwise, SoftmaxAttention, softmax_attention
from asa_viz.geometry import Cell

Direction = Literal["collect", "distribute"]


@dataclass(frozen=True, eq=False)
class PointwiseAttention(Rowwise):
    """PSANet's attention in one direction.

    `mask` [place, cell] is a mask of `mask_shape` predicted at each cell and centred on it.
    Collect: a query's logit for a key is its own mask at the key's place; distribute: the key's
    mask at the query's place. Places outside the mask have logit 0, and the softmax is over all
    keys.
    """

    mask: Float[Tensor, "k n"]
    mask_shape: tuple[int, int]
    direction: Direction
    log_normaliser: Float[Tensor, " n"]

    @property
    @override
    def like(self) -> Tensor:
        return self.mask

    @override
    def weights(self, queries: slice) -> Float[Tensor, "r n"]:
        cells = torch.arange(self.mask.shape[1], device=self.mask.device)
        logits = _mask_logits(
            self.mask, self.mask_shape, self.direction, self.width, cells[queries, None], cells
        )
        return (logits - self.log_normaliser[queries, None]).exp()

    @override
    def column(self, key: Cell) -> Float[Tensor, "h w"]:
        cells = torch.arange(self.mask.shape[1], device=self.mask.device)
        logits = _mask_logits(
            self.mask,
            self.mask_shape,
            self.direction,
            self.width,
            cells[:, None],
            cells[flat(key, self.key_shape), None],
        )
        return (logits[:, 0] - self.log_normaliser).exp().view(self.shape)


def _mask_logits(
    mask: Tensor,
    mask_shape: tuple[int, int],
    direction: Direction,
    width: int,
    queries: Tensor,
    keys: Tensor,
) -> Tensor:
    """Return the logits of queries [r, 1] and keys [m]."""
    at, to = (queries, keys) if direction == "collect" else (keys, queries)
    rows = to // width - at // width + (mask_shape[0] - 1) // 2
    cols = to % width - at % width + (mask_shape[1] - 1) // 2
    on_mask = (rows >= 0) & (rows < mask_shape[0]) & (cols >= 0) & (cols < mask_shape[1])
    places = (rows * mask_shape[1] + cols).where(on_mask, 0)
    return mask[places, at.expand_as(places)].where(on_mask, 0)


def pointwise(
    mask: Float[Tensor, "k h w"], mask_shape: tuple[int, int], direction: Direction
) -> PointwiseAttention:
    """Return PSANet's attention to collect or to distribute, after one pass of O(n^2) time.

    The network does this on a map of half the size; `base.resized` says it for the whole one.
    """
    shape, flat_mask = (mask.shape[1], mask.shape[2]), mask.flatten(1)
    cells = torch.arange(flat_mask.shape[1], device=mask.device)
    logits = (
        _mask_logits(flat_mask, mask_shape, direction, shape[1], cells[rows, None], cells)
        for rows in blocks(len(cells))
    )
    log_normaliser = torch.cat([block.logsumexp(-1) for block in logits])
    return PointwiseAttention(shape, shape, flat_mask, mask_shape, direction, log_normaliser)


def dense_synthesizer(
    hidden: Float[Tensor, "d h w"], weight: Float[Tensor, "n d"], bias: Float[Tensor, " n"]
) -> SoftmaxAttention:
    """Return the dense Synthesizer: each cell's hidden layer predicts its whole row of logits.

    `weight` and `bias` are those of the last linear layer, one output for each of the n cells: a
    dot product with a key that depends on the place alone.
    """
    key = torch.cat([weight, bias[:, None]], -1).mT.view(-1, *hidden.shape[1:])
    return softmax_attention(F.pad(hidden, (0, 0, 0, 0, 0, 1), value=1.0), key)


def random_synthesizer(
    left: Float[Tensor, "k h w"], right: Float[Tensor, "k h w"]
) -> SoftmaxAttention:
    """Return the random Synthesizer, factorised: logits that depend on the two places alone.

    Of the matrix of logits these are the factors, left over queries and right over keys; with an
    identity for one of them the other is the whole matrix, for small maps.
    """
    return softmax_attention(left, right)
