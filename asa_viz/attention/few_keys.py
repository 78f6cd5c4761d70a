"""Attention in which each query reads a few listed keys: windows, crosses, displaced samples."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor
from typing_extensions import override

from asa_viz.attention.base import Attention, flat
from asa_viz.geometry import Cell


@dataclass(frozen=True, eq=False)
class FewKeys(Attention):
    """Attention given by k keys of each query and their weights.

    `keys` are row-major indices into the keys' grid; the index n (one past the last) marks a place
    outside, with nothing to read. The weights of a key listed twice add up.
    """

    keys: Int[Tensor, "n k"]
    weights: Float[Tensor, "n k"]

    @property
    @override
    def like(self) -> Tensor:
        return self.weights

    @override
    def mix(self, values: Float[Tensor, "c kh kw"]) -> Float[Tensor, "c h w"]:
        table = F.pad(values.flatten(1), (0, 1)).mT.contiguous()
        read = F.embedding_bag(
            self.keys, table, mode="sum", per_sample_weights=self.weights.to(values)
        )
        return read.mT.reshape(-1, *self.shape)

    @override
    def adjoint(self, sent: Float[Tensor, "c h w"]) -> Float[Tensor, "c kh kw"]:
        keys, weights = self.keys.flatten(), self.weights.to(sent)
        received = sent.new_zeros(len(sent), self.key_shape[0] * self.key_shape[1] + 1)
        for into, channel in zip(received, sent.flatten(1), strict=True):
            into.index_add_(0, keys, (channel[:, None] * weights).flatten())
        return received[:, :-1].view(-1, *self.key_shape)

    @override
    def row(self, query: Cell) -> Float[Tensor, "kh kw"]:
        i = flat(query, self.shape)
        row = self.weights.new_zeros(self.key_shape[0] * self.key_shape[1] + 1)
        return row.index_add_(0, self.keys[i], self.weights[i])[:-1].view(self.key_shape)

    @override
    def column(self, key: Cell) -> Float[Tensor, "h w"]:
        here = self.keys == flat(key, self.key_shape)
        return (self.weights * here).sum(-1).view(self.shape)


def softmax_over(
    logits: Float[Tensor, "n k"], keys: Int[Tensor, "n k"], shape: tuple[int, int]
) -> FewKeys:
    """Return the softmax of logits over each query's keys, without places outside the map."""
    outside = keys == shape[0] * shape[1]
    return FewKeys(shape, shape, keys, logits.masked_fill(outside, -torch.inf).softmax(-1))
