"""Bit matrix over pairs of n cells, readable by rows and by columns; n^2 / 8 bytes.

Cells are split into blocks of `rows` cells, and eight blocks share one byte array: bit b of
`bits[g, r, j]` is the pair of cell (8 g + b) * rows + r with cell j.
"""

import torch
from jaxtyping import Bool, UInt8
from torch import Tensor


def no_pairs(n: int, rows: int, device: torch.device) -> UInt8[Tensor, "g rows n"]:
    """Return an empty bit matrix for n cells in blocks of `rows`."""
    return torch.zeros(-(-n // (8 * rows)), rows, n, dtype=torch.uint8, device=device)


def set_rows(bits: UInt8[Tensor, "g rows n"], block: slice, pairs: Bool[Tensor, "r n"]) -> None:
    """Set the rows of a block of cells, each of which may be set once."""
    plane, bit = divmod(block.start // bits.shape[1], 8)
    bits[plane, : len(pairs)] |= pairs.view(torch.uint8) << bit


def rows_of(bits: UInt8[Tensor, "g rows n"], block: slice) -> Bool[Tensor, "r n"]:
    """Return the pairs of a block's cells with every cell."""
    plane, bit = divmod(block.start // bits.shape[1], 8)
    return (bits[plane, : block.stop - block.start] & (1 << bit)).bool()


def columns_of(bits: UInt8[Tensor, "g rows n"], block: slice) -> Bool[Tensor, "r n"]:
    """Return the transposed pairs of every cell with a block's cells: the block's cells first."""
    n = bits.shape[-1]
    each_bit = 1 << torch.arange(8, dtype=torch.uint8, device=bits.device)
    columns = bits[:, :, block].permute(2, 0, 1).contiguous()
    return (columns[:, :, None] & each_bit[:, None]).bool().flatten(1)[:, :n]
