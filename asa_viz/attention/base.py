"""The base class of all attention: a linear map over positions with fixed weights.

Row i holds the weights with which query i reads every key, column j the weights with which every
query reads key j. A subclass must define `mix`; rows and columns follow from it and are overridden
where there is a cheaper way. No method holds an n x n array.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from asa_viz.geometry import Cell


@dataclass(frozen=True, eq=False)
class Attention(ABC):
    """One image's attention: queries on a grid of `shape` read keys on a grid of `key_shape`."""

    shape: tuple[int, int]
    key_shape: tuple[int, int]

    @property
    def height(self) -> int:
        """The number of rows of queries."""
        return self.shape[0]

    @property
    def width(self) -> int:
        """The columns of queries."""
        return self.shape[1]

    @property
    @abstractmethod
    def like(self) -> Tensor:
        """A tensor with the dtype and device of the weights."""

    @abstractmethod
    def mix(self, values: Float[Tensor, "c kh kw"]) -> Float[Tensor, "c h w"]:
        """Return the weighted sum of values for every query; linear in the values."""

    def adjoint(self, sent: Float[Tensor, "c h w"]) -> Float[Tensor, "c kh kw"]:
        """Apply the transposed matrix: the weighted sum over queries for every key."""
        with torch.enable_grad():
            values = sent.new_zeros(len(sent), *self.key_shape, requires_grad=True)
            (received,) = torch.autograd.grad(self.mix(values), values, sent)
        return received

    def row(self, query: Cell) -> Float[Tensor, "kh kw"]:
        """Return the weights with which `query` reads every key.

        Raises:
            ValueError: the query lies outside its grid.
        """
        return self.adjoint(self._one_hot(query, self.shape))[0]

    def rows_of(self, queries: slice) -> Float[Tensor, "r m"]:
        """Return the rows of a slice of queries, in row-major order."""
        return self.adjoint(one_hot(self.like, queries, self.shape)).flatten(1)

    def column(self, key: Cell) -> Float[Tensor, "h w"]:
        """Return the weights with which every query reads `key`.

        Raises:
            ValueError: the key lies outside its grid.
        """
        return self.mix(self._one_hot(key, self.key_shape))[0]

    def _one_hot(self, cell: Cell, shape: tuple[int, int]) -> Float[Tensor, "1 h w"]:
        one_hot = self.like.new_zeros(1, shape[0] * shape[1])
        one_hot[0, flat(cell, shape)] = 1
        return one_hot.view(1, *shape)


def one_hot(like: Tensor, cells: slice, shape: tuple[int, int]) -> Float[Tensor, "r h w"]:
    """Return for each cell of a slice a map that is 1 there and 0 elsewhere."""
    maps = like.new_zeros(cells.stop - cells.start, shape[0] * shape[1])
    maps[torch.arange(len(maps)), torch.arange(cells.start, cells.stop)] = 1
    return maps.unflatten(1, shape)


def flat(cell: Cell, shape: tuple[int, int]) -> int:
    """Return the row-major index of `cell` on its grid.

    Raises:
        ValueError: the cell lies outside the grid.
    """
    height, width = shape
    if not (0 <= cell.row < height and 0 <= cell.col < width):
        raise ValueError(f"{cell} is outside the grid of {height} x {width}.")
    return cell.row * width + cell.col


@dataclass(frozen=True, eq=False)
class Residual(Attention):
    """Attention with a residual connection: I + gain x attention."""

    attention: Attention
    gain: float

    @property
    @override
    def like(self) -> Tensor:
        return self.attention.like

    @override
    def mix(self, values: Float[Tensor, "c h w"]) -> Float[Tensor, "c h w"]:
        return values + self.gain * self.attention.mix(values)

    @override
    def adjoint(self, sent: Float[Tensor, "c h w"]) -> Float[Tensor, "c h w"]:
        return sent + self.gain * self.attention.adjoint(sent)

    @override
    def rows_of(self, queries: slice) -> Float[Tensor, "r m"]:
        itself = one_hot(self.like, queries, self.shape).flatten(1)
        return itself + self.gain * self.attention.rows_of(queries)


@dataclass(frozen=True, eq=False)
class Sum(Attention):
    """A weighted sum of attentions over the same grids."""

    terms: tuple[Attention, ...]
    gains: tuple[float, ...]

    @property
    @override
    def like(self) -> Tensor:
        return self.terms[0].like

    @override
    def mix(self, values: Float[Tensor, "c kh kw"]) -> Float[Tensor, "c h w"]:
        return self._weighted(term.mix(values) for term in self.terms)

    @override
    def adjoint(self, sent: Float[Tensor, "c h w"]) -> Float[Tensor, "c kh kw"]:
        return self._weighted(term.adjoint(sent) for term in self.terms)

    @override
    def rows_of(self, queries: slice) -> Float[Tensor, "r m"]:
        return self._weighted(term.rows_of(queries) for term in self.terms)

    @override
    def row(self, query: Cell) -> Float[Tensor, "kh kw"]:
        return self._weighted(term.row(query) for term in self.terms)

    @override
    def column(self, key: Cell) -> Float[Tensor, "h w"]:
        return self._weighted(term.column(key) for term in self.terms)

    def _weighted(self, parts: Iterable[Tensor]) -> Tensor:
        weighted = (gain * part for gain, part in zip(self.gains, parts, strict=True))
        return reduce(torch.add, weighted)


@dataclass(frozen=True, eq=False)
class Product(Attention):
    """The matrix product of two attentions: `after` reads the output of `first`."""

    after: Attention
    first: Attention

    @property
    @override
    def like(self) -> Tensor:
        return self.after.like

    @override
    def mix(self, values: Float[Tensor, "c kh kw"]) -> Float[Tensor, "c h w"]:
        return self.after.mix(self.first.mix(values))

    @override
    def adjoint(self, sent: Float[Tensor, "c h w"]) -> Float[Tensor, "c kh kw"]:
        return self.first.adjoint(self.after.adjoint(sent))

    @override
    def row(self, query: Cell) -> Float[Tensor, "kh kw"]:
        return self.first.adjoint(self.after.row(query)[None])[0]

    @override
    def column(self, key: Cell) -> Float[Tensor, "h w"]:
        return self.after.mix(self.first.column(key)[None])[0]


@dataclass(frozen=True, eq=False)
class Resize(Attention):
    """Bilinear resizing from one grid to another, as in `torch.nn.functional.interpolate`."""

    like_tensor: Tensor
    align_corners: bool

    @property
    @override
    def like(self) -> Tensor:
        return self.like_tensor

    @override
    def mix(self, values: Float[Tensor, "c kh kw"]) -> Float[Tensor, "c h w"]:
        return F.interpolate(
            values[None], self.shape, mode="bilinear", align_corners=self.align_corners
        )[0]


def total(terms: Sequence[Attention], gain: float = 1.0) -> Sum:
    """Return the sum of attentions of the same grids, each times `gain`."""
    first = terms[0]
    return Sum(first.shape, first.key_shape, tuple(terms), (gain,) * len(terms))


def mean_of(attentions: Sequence[Attention]) -> Sum:
    """Return the mean of attentions over the same grids: heads, scales, groups of channels."""
    return total(attentions, 1 / len(attentions))


def chain(*attentions: Attention) -> Attention:
    """Return the product of attentions, the last to act first, as in matrix notation."""
    return reduce(
        lambda after, first: Product(after.shape, first.key_shape, after, first), attentions
    )


def residual(attention: Attention, gain: float) -> Residual:
    """Return I + gain x `attention`."""
    return Residual(attention.shape, attention.key_shape, attention, gain)


def resized(
    attention: Attention, height: int, width: int, *, align_corners: bool = False
) -> Attention:
    """Return the attention of a `height` x `width` map that is resized before and after."""
    shape, like = (height, width), attention.like
    down = Resize(attention.key_shape, shape, like, align_corners)
    up = Resize(shape, attention.shape, like, align_corners)
    return chain(up, attention, down)
