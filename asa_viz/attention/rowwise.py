"""Attention computed a block of rows at a time."""

from abc import abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from asa_viz.attention.base import Attention, flat
from asa_viz.attention.blockwise import blocks, log_normalisers
from asa_viz.geometry import Cell


@dataclass(frozen=True, eq=False)
class Rowwise(Attention):
    """Attention defined by the rows of any slice of queries."""

    @abstractmethod
    def weights(self, queries: slice) -> Float[Tensor, "r m"]:
        """Return the rows of a slice of queries, in row-major order."""

    @override
    def rows_of(self, queries: slice) -> Float[Tensor, "r m"]:
        return self.weights(queries)

    @override
    def mix(self, values: Float[Tensor, "c kh kw"]) -> Float[Tensor, "c h w"]:
        read = [values.flatten(1) @ self.weights(rows).to(values).mT for rows in self._blocks()]
        return torch.cat(read, -1).view(-1, *self.shape)

    @override
    def adjoint(self, sent: Float[Tensor, "c h w"]) -> Float[Tensor, "c kh kw"]:
        received = sent.new_zeros(len(sent), self.key_shape[0] * self.key_shape[1])
        for rows in self._blocks():
            received += sent.flatten(1)[:, rows] @ self.weights(rows).to(sent)
        return received.view(-1, *self.key_shape)

    @override
    def row(self, query: Cell) -> Float[Tensor, "kh kw"]:
        i = flat(query, self.shape)
        return self.weights(slice(i, i + 1)).view(self.key_shape)

    @override
    def column(self, key: Cell) -> Float[Tensor, "h w"]:
        j = flat(key, self.key_shape)
        return torch.cat([self.weights(rows)[:, j] for rows in self._blocks()]).view(self.shape)

    def _blocks(self) -> list[slice]:
        return blocks(self.height * self.width)


@dataclass(frozen=True, eq=False)
class SoftmaxAttention(Rowwise):
    """Softmax of the dot products of a query with every key; queries already scaled.

    With `log_normaliser`, the log-sum-exp of each query's products, a row or a column takes one
    matrix-vector product.
    """

    query: Float[Tensor, "n d"]
    key: Float[Tensor, "n d"]
    log_normaliser: Float[Tensor, " n"]

    @property
    @override
    def like(self) -> Tensor:
        return self.key

    @override
    def weights(self, queries: slice) -> Float[Tensor, "r n"]:
        similarity = self.query[queries] @ self.key.mT
        return (similarity - self.log_normaliser[queries, None]).exp()

    @override
    def column(self, key: Cell) -> Float[Tensor, "h w"]:
        similarity = self.query @ self.key[flat(key, self.key_shape)]
        return (similarity - self.log_normaliser).exp().view(self.shape)


def softmax_attention(
    query: Float[Tensor, "d h w"], key: Float[Tensor, "d h w"], scale: float = 1.0
) -> SoftmaxAttention:
    """Return softmax(scale x query . key) over all keys, after one pass of O(n^2 d) time."""
    queries, keys = (tensor.flatten(1).mT.contiguous() for tensor in (query * scale, key))
    shape = (query.shape[1], query.shape[2])
    return SoftmaxAttention(shape, shape, queries, keys, log_normalisers(queries, keys))
