"""ASA and the released rule with the common interface `Attention`."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

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
