"""Dense attention restricted to a fixed pattern: blocks, interlaced blocks, crosses."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from asa_viz.attention.base import Attention, chain, flat, residual
from asa_viz.attention.few_keys import FewKeys
from asa_viz.attention.rowwise import softmax_attention
from asa_viz.geometry import Cell


@dataclass(frozen=True, eq=False)
class Blocks(Attention):
    """Attention inside each part of a map; a part is a pair of slices of rows and columns."""

    parts: tuple[tuple[slice, slice, Attention], ...]

    @property
    @override
    def like(self) -> Tensor:
        return self.parts[0][2].like

    @override
    def mix(self, values: Float[Tensor, "c h w"]) -> Float[Tensor, "c h w"]:
        mixed = torch.empty_like(values)
        for rows, cols, attention in self.parts:
            mixed[:, rows, cols] = attention.mix(values[:, rows, cols])
        return mixed

    @override
    def adjoint(self, sent: Float[Tensor, "c h w"]) -> Float[Tensor, "c h w"]:
        received = torch.empty_like(sent)
        for rows, cols, attention in self.parts:
            received[:, rows, cols] = attention.adjoint(sent[:, rows, cols])
        return received

    @override
    def row(self, query: Cell) -> Float[Tensor, "h w"]:
        return self._within(query, lambda attention, cell: attention.row(cell))

    @override
    def column(self, key: Cell) -> Float[Tensor, "h w"]:
        return self._within(key, lambda attention, cell: attention.column(cell))

    def _within(self, cell: Cell, read: Callable[[Attention, Cell], Tensor]) -> Tensor:
        """Return the row or column of the part that holds `cell`, placed in the whole map."""
        flat(cell, self.shape)
        answer = self.like.new_zeros(self.shape)
        for rows, cols, attention in self.parts:
            row_range = range(*rows.indices(self.height))
            col_range = range(*cols.indices(self.width))
            if cell.row in row_range and cell.col in col_range:
                inner = Cell(row_range.index(cell.row), col_range.index(cell.col))
                answer[rows, cols] = read(attention, inner)
        return answer


@dataclass(frozen=True, eq=False)
class Padded(Attention):
    """Attention on a zero-padded map, in which this map starts at (top, left).

    The cells of the padding are keys with a share of the mass, so that rows sum to less than the
    padded map's rows.
    """

    padded: Attention
    top: int
    left: int

    @property
    @override
    def like(self) -> Tensor:
        return self.padded.like

    @override
    def mix(self, values: Float[Tensor, "c h w"]) -> Float[Tensor, "c h w"]:
        return self._crop(self.padded.mix(self._pad(values)))

    @override
    def adjoint(self, sent: Float[Tensor, "c h w"]) -> Float[Tensor, "c h w"]:
        return self._crop(self.padded.adjoint(self._pad(sent)))

    @override
    def row(self, query: Cell) -> Float[Tensor, "h w"]:
        return self._crop(self.padded.row(self._shift(query)))

    @override
    def column(self, key: Cell) -> Float[Tensor, "h w"]:
        return self._crop(self.padded.column(self._shift(key)))

    def _pad(self, values: Tensor) -> Tensor:
        bottom = self.padded.height - self.height - self.top
        right = self.padded.width - self.width - self.left
        return F.pad(values, (self.left, right, self.top, bottom))

    def _crop(self, values: Tensor) -> Tensor:
        rows = slice(self.top, self.top + self.height)
        return values[..., rows, self.left : self.left + self.width]

    def _shift(self, cell: Cell) -> Cell:
        flat(cell, self.shape)
        return Cell(cell.row + self.top, cell.col + self.left)


def softmax_in_blocks(
    query: Float[Tensor, "d h w"],
    key: Float[Tensor, "d h w"],
    parts: Sequence[tuple[slice, slice]],
    scale: float,
) -> Blocks:
    """Return softmax attention inside each of the parts, which partition the map."""
    inside = tuple(
        (rows, cols, softmax_attention(query[:, rows, cols], key[:, rows, cols], scale))
        for rows, cols in parts
    )
    shape = (query.shape[1], query.shape[2])
    return Blocks(shape, shape, inside)


def ocnet_pyramid(feature: Float[Tensor, "d h w"], splits: int) -> Blocks:
    """Return OCNet's attention in `splits` x `splits` blocks; the last ones take the remainder.

    Queries and keys are the same map. The network combines several splits, each with its own
    values.

    Raises:
        ValueError: the map has fewer rows or columns than there are splits.
    """
    _, height, width = feature.shape
    if splits > min(height, width):
        raise ValueError(f"A {height} x {width} map cannot be split {splits} times.")
    parts = list(product(_split(height, splits), _split(width, splits)))
    return softmax_in_blocks(feature, feature, parts, feature.shape[0] ** -0.5)


def _split(size: int, splits: int) -> list[slice]:
    step = size // splits
    stops = [*range(step, step * splits, step), size]
    return [slice(start, stop) for start, stop in zip([0, *stops], stops, strict=False)]


def isa_padding(height: int, width: int, block: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return the padding to whole blocks: (top, bottom, left, right)."""
    rows, cols = -height % block[0], -width % block[1]
    return rows // 2, rows - rows // 2, cols // 2, cols - cols // 2


def interlaced(
    long: tuple[Float[Tensor, "d kh kw"], Float[Tensor, "d kh kw"]],
    short: tuple[Float[Tensor, "d kh kw"], Float[Tensor, "d kh kw"]],
    *,
    height: int,
    width: int,
    block: tuple[int, int],
) -> Attention:
    """Return interlaced sparse self-attention from queries and keys of both passes.

    In the long-range pass cells at equal places of all blocks attend to each other, in the
    short-range pass the cells of one block. The four maps are padded by `isa_padding`.

    Raises:
        ValueError: the blocks do not divide the padded map.
    """
    top, bottom, left, right = isa_padding(height, width, block)
    shape = (height + top + bottom, width + left + right)
    for tensor in (*long, *short):
        if tensor.shape[1:] != shape:
            raise ValueError(f"A {height} x {width} map is padded to {shape[0]} x {shape[1]}.")
    scale = long[0].shape[0] ** -0.5
    places = [
        (slice(r, None, block[0]), slice(c, None, block[1]))
        for r, c in product(range(block[0]), range(block[1]))
    ]
    squares = [
        (slice(r, r + block[0]), slice(c, c + block[1]))
        for r, c in product(range(0, shape[0], block[0]), range(0, shape[1], block[1]))
    ]
    passes = chain(
        softmax_in_blocks(*short, squares, scale), softmax_in_blocks(*long, places, scale)
    )
    return Padded((height, width), (height, width), passes, top, left)


def criss_cross(query: Float[Tensor, "d h w"], key: Float[Tensor, "d h w"]) -> FewKeys:
    """Return one pass of criss-cross attention: unscaled softmax over a cell's column and row."""
    _, height, width = query.shape
    along_column = torch.einsum("dhw,diw->hwi", query, key)
    along_row = torch.einsum("dhw,dhj->hwj", query, key)
    # The cell itself lies on both arms; it counts in the row only.
    own = torch.eye(height, dtype=torch.bool, device=query.device)[:, None]
    logits = torch.cat([along_column.masked_fill(own, -torch.inf), along_row], -1)
    cells = torch.arange(height * width, device=query.device).view(height, width)
    column_keys = cells.mT.expand(height, width, height)
    row_keys = cells[:, None].expand(height, width, width)
    keys = torch.cat([column_keys, row_keys], -1).flatten(0, 1)
    return FewKeys((height, width), (height, width), keys, logits.softmax(-1).flatten(0, 1))


def recurrent_criss_cross(
    passes: Sequence[tuple[Float[Tensor, "d h w"], Float[Tensor, "d h w"]]],
    gain: float | None = None,
) -> Attention:
    """Return the product of criss-cross passes, queries and keys of the first pass first.

    With a `gain` each pass has a residual connection, as in the network: I + gain A. Without, it is
    the product of the passes alone.
    """
    crosses: list[Attention] = [criss_cross(query, key) for query, key in passes]
    if gain is not None:
        crosses = [residual(cross, gain) for cross in crosses]
    return chain(*reversed(crosses))
