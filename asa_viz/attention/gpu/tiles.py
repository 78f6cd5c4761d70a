"""Functions shared by the kernels of both passes: tile sizes, loads and stores, windows.

A tile is `block` queries by `block` keys. In a kernel `rows` are indices of queries and `cols` of
keys; indices from n on are padding, which neither chooses nor is chosen.
"""

from contextlib import AbstractContextManager, nullcontext
from typing import Any, no_type_check

import torch
import triton
import triton.language as tl
from torch import Tensor

# Chosen for 256 channels in bfloat16 on a GPU with 228 KB of shared memory a multiprocessor, where
# four tiles of 64 rows take 128 KB as compiled for it. Not yet measured on a GPU.
LARGEST_BLOCK = 64
SMALLEST_BLOCK = 16  # `tl.dot` takes no side shorter
_SHARED_PART = 0.75  # the rest is for reductions and changes of layout


def block_of(query: Tensor, value: Tensor, shared_tiles: int) -> int:
    """Return the rows of a tile such that `shared_tiles` tiles fit into shared memory at once.

    Less than SMALLEST_BLOCK if none fits.
    """
    shared = 1 << 18
    if query.is_cuda:
        driver = triton.runtime.driver.active.utils
        shared = driver.get_device_properties(query.device.index)["max_shared_mem"]
    size = max(query.element_size(), value.element_size())
    row = max(padded(query.shape[-1]), padded(value.shape[-1])) * size
    block = LARGEST_BLOCK
    while block >= SMALLEST_BLOCK and shared_tiles * block * row > _SHARED_PART * shared:
        block //= 2
    return block


def padded(size: int) -> int:
    """Return the number of channels padded to a power of two, as kernels hold them."""
    return max(SMALLEST_BLOCK, triton.next_power_of_2(size))


def settings_of(
    query: Tensor, shape: tuple[int, int, int], similarity_scale: float, block: int
) -> dict[str, Any]:
    """Return the arguments common to all kernels; `shape` is height, width, window."""
    _, width, window = shape
    return {
        "n": query.shape[1],
        "width": width,
        "similarity_scale": similarity_scale,
        "window": window,
        "depth": query.shape[2],
        "padded_depth": padded(query.shape[2]),
        "block": block,
        # The interpreter multiplies bfloat16 as if its bits were an integer.
        "widen": triton.knobs.runtime.interpret,
    }


def on(device: torch.device) -> AbstractContextManager[Any]:
    """Return a context for launching on the tensors' device; the interpreter needs none."""
    return torch.cuda.device(device) if device.type == "cuda" else nullcontext()


@no_type_check
@triton.jit
def load_tile(start, rows, n, size: tl.constexpr, padded: tl.constexpr, widen: tl.constexpr):
    """Return rows of a matrix [n, size] as a tile, 0 in the padding."""
    columns = tl.arange(0, padded)
    real = (rows[:, None] < n) & (columns[None, :] < size)
    loaded = tl.load(start + rows[:, None] * size + columns[None, :], mask=real, other=0.0)
    if widen:
        loaded = loaded.to(tl.float32)
    return loaded


@no_type_check
@triton.jit
def store_tile(start, rows, n, tile, size: tl.constexpr, padded: tl.constexpr):
    """Write a tile to rows of a matrix [n, size]."""
    columns = tl.arange(0, padded)
    real = (rows[:, None] < n) & (columns[None, :] < size)
    tl.store(start + rows[:, None] * size + columns[None, :], tile, mask=real)


@no_type_check
@triton.jit
def may_be_near(tile, other, width, window: tl.constexpr, block: tl.constexpr):
    """Return whether a window around a cell of one tile can reach the other tile."""
    return tl.abs(tile - other) * block < (width + 1) * (window // 2) + block


@no_type_check
@triton.jit
def in_window(rows, cols, n, width, window: tl.constexpr):
    """Return which keys lie in which query's window."""
    down = tl.abs(rows[:, None] // width - cols[None, :] // width)
    right = tl.abs(rows[:, None] % width - cols[None, :] % width)
    return (down <= window // 2) & (right <= window // 2) & (cols[None, :] < n)
