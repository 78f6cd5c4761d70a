"""Dense attention by pairwise comparison of queries and keys."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from asa_viz.attention.base import Sum, flat, total
from asa_viz.attention.low_rank import LowRank, low_rank
from asa_viz.attention.rowwise import Rowwise, SoftmaxAttention, softmax_attention
from asa_viz.attention.shared import global_context
from asa_viz.geometry import Cell


def embedded_gaussian(
    query: Float[Tensor, "d h w"], key: Float[Tensor, "d h w"], *, scaled: bool = True
) -> SoftmaxAttention:
    """Return the non-local block's default: softmax of q . k, over the root of d if scaled.

    Unscaled it is the position branch of DANet and the attention of SAGAN.
    """
    return softmax_attention(query, key, query.shape[0] ** -0.5 if scaled else 1.0)


def gaussian(features: Float[Tensor, "c h w"]) -> SoftmaxAttention:
    """Return the non-local block without projections: softmax of x . x, unscaled."""
    return softmax_attention(features, features)


def dot_product(query: Float[Tensor, "d h w"], key: Float[Tensor, "d h w"]) -> LowRank:
    """Return the non-local block with q . k / n, signed; its rank is at most d."""
    return low_rank(query, key / key[0].numel())


@dataclass(frozen=True, eq=False)
class ConcatenationAttention(Rowwise):
    """ReLU(query number + key number) / n."""

    query: Float[Tensor, " n"]
    key: Float[Tensor, " n"]

    @property
    @override
    def like(self) -> Tensor:
        return self.key

    @override
    def weights(self, queries: slice) -> Float[Tensor, "r n"]:
        return (self.query[queries, None] + self.key).relu() / len(self.key)

    @override
    def column(self, key: Cell) -> Float[Tensor, "h w"]:
        summed = self.query + self.key[flat(key, self.key_shape)]
        return (summed.relu() / len(self.key)).view(self.shape)


def concatenation(query: Float[Tensor, "h w"], key: Float[Tensor, "h w"]) -> ConcatenationAttention:
    """Return the non-local block with ReLU(w . [q, k]) / n.

    `query` and `key` are the two halves of w times their maps, one number a cell.
    """
    shape = (query.shape[0], query.shape[1])
    return ConcatenationAttention(shape, shape, query.flatten(), key.flatten())


def disentangled(
    query: Float[Tensor, "d h w"],
    key: Float[Tensor, "d h w"],
    unary: Float[Tensor, "h w"],
    *,
    temperature: float,
    scaled: bool = True,
) -> Sum:
    """Return the disentangled non-local block: a whitened pairwise softmax plus a shared one.

    Both terms read the same values, so a row sums to 2. `unary` holds the shared logits.
    """
    scale = (query.shape[0] ** -0.5 if scaled else 1.0) / temperature
    white_query, white_key = (t - t.mean((1, 2), keepdim=True) for t in (query, key))
    return total([softmax_attention(white_query, white_key, scale), global_context(unary)])


def ocnet_base(feature: Float[Tensor, "d h w"]) -> SoftmaxAttention:
    """Return OCNet's object context: scaled softmax with one map as query and key."""
    return embedded_gaussian(feature, feature)


def heads(query: Float[Tensor, "m d h w"], key: Float[Tensor, "m d h w"]) -> list[SoftmaxAttention]:
    """Return the m heads of multi-head attention, each a scaled softmax.

    Each head has its own values, so no single matrix is exact; `base.mean_of` summarises them.
    """
    return [embedded_gaussian(q, k) for q, k in zip(query, key, strict=True)]
