"""Attention with the identity as its matrix, and attention whose matrix is stored."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from asa_viz.attention.base import Attention
from asa_viz.attention.rowwise import Rowwise


@dataclass(frozen=True, eq=False)
class OwnValue(Attention):
    """Attention in which every cell reads its own value alone: row i is e_i."""

    like_tensor: Tensor

    @property
    @override
    def like(self) -> Tensor:
        return self.like_tensor

    @override
    def mix(self, values: Float[Tensor, "c h w"]) -> Float[Tensor, "c h w"]:
        return values


@dataclass(frozen=True, eq=False)
class Stored(Rowwise):
    """Attention whose matrix is stored."""

    matrix: Float[Tensor, "n m"]

    @property
    @override
    def like(self) -> Tensor:
        return self.matrix

    @override
    def weights(self, queries: slice) -> Float[Tensor, "r m"]:
        return self.matrix[queries]
