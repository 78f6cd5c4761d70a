"""The backward pass of the clean rule in two Triton kernels; `gradients` has its formulas.

Both recompute every tile of similarities. One loops over keys and writes the gradients of queries
and of their thresholds as choosing cells; the other loops over queries and writes the gradients of
keys, of values, and of thresholds as cells that choose back.
"""

from typing import no_type_check

import torch
import triton
import triton.language as tl
from jaxtyping import Float
from torch import Tensor

from asa_viz.attention.definition import SURROGATE_WIDTH, tie_slack
from asa_viz.attention.gpu.forward import Found
from asa_viz.attention.gpu.tiles import (
    SMALLEST_BLOCK,
    block_of,
    in_window,
    load_tile,
    may_be_near,
    on,
    padded,
    settings_of,
    store_tile,
)

_SHARED_TILES = 8
_LAUNCH = {"num_warps": 4, "num_stages": 1}
_WIDTH = tl.constexpr(SURROGATE_WIDTH)
_SLACK = tl.constexpr(tie_slack(torch.float32))


def serves(query: Tensor, value: Tensor) -> bool:
    """Return whether the kernels support the width and the precision of these tensors."""
    fits = block_of(query, value, _SHARED_TILES) >= SMALLEST_BLOCK
    return fits and query.dtype == value.dtype == torch.float32


def backward(
    query: Float[Tensor, "b n d"],
    key: Float[Tensor, "b n d"],
    value: Float[Tensor, "b n c"],
    found: Found,
    to_output: Float[Tensor, "b n c"],
    shape: tuple[int, int, int],
    similarity_scale: float = 1.0,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Return the gradients of queries, keys, values and of both scales' logarithms.

    `found` is what `forward` returned for these tensors, for which `serves` must be true.
    """
    batch, n, channels = value.shape
    block = block_of(query, value, _SHARED_TILES)
    tiles = triton.cdiv(n, block)
    query, key, value, to_output = (
        tensor.contiguous() for tensor in (query, key, value, to_output)
    )
    mean = (to_output * found.output).sum(-1)
    # One row a number of each query: its four thresholds, then results of the forward pass.
    of_rows = torch.cat(
        [
            found.thresholds[..., :n],
            torch.stack([found.strongest, found.mass_kept, mean, found.support_size], 1),
        ],
        dim=1,
    ).contiguous()
    to_query, to_key, to_value = map(torch.empty_like, (query, key, value))
    to_threshold, to_threshold_back, to_local = (torch.empty_like(mean) for _ in range(3))
    settings = settings_of(query, shape, similarity_scale, block)
    settings |= {"channels": channels, "padded_channels": padded(channels)} | _LAUNCH
    with on(query.device):
        _of_queries[tiles, batch](
            query, key, value, to_output, of_rows, to_query, to_threshold, to_local, **settings
        )
        _of_keys[tiles, batch](
            query, key, value, to_output, of_rows, to_key, to_value, to_threshold_back, **settings
        )
    return to_query, to_key, to_value, to_threshold + to_threshold_back, to_local


@no_type_check
@triton.jit
def _of_queries(
    query, key, value, to_output, of_rows, to_query, to_threshold, to_local,
    n, width, similarity_scale,
    channels: tl.constexpr, padded_channels: tl.constexpr,
    window: tl.constexpr, depth: tl.constexpr, padded_depth: tl.constexpr, block: tl.constexpr,
    widen: tl.constexpr,
):  # fmt: skip
    tile, tiles, image = tl.program_id(0), tl.num_programs(0), tl.program_id(1).to(tl.int64)
    rows = tile * block + tl.arange(0, block)
    query, key = query + image * n * depth, key + image * n * depth
    value, to_output = value + image * n * channels, to_output + image * n * channels
    of_rows += image * 8 * n
    own_query = load_tile(query, rows, n, depth, padded_depth, widen)
    own_key = load_tile(key, rows, n, depth, padded_depth, widen)
    towards = load_tile(to_output, rows, n, channels, padded_channels, widen)
    read = tl.zeros([block, padded_depth], tl.float32)
    taught, taught_local = tl.zeros([block], tl.float32), tl.zeros([block], tl.float32)
    for other in range(tiles):
        cols = other * block + tl.arange(0, block)
        keys = load_tile(key, cols, n, depth, padded_depth, widen)
        queries = load_tile(query, cols, n, depth, padded_depth, widen)
        values = load_tile(value, cols, n, channels, padded_channels, widen)
        similarity = tl.dot(own_query, keys.T, input_precision="ieee") * similarity_scale
        back = tl.dot(own_key, queries.T, input_precision="ieee") * similarity_scale
        gain = tl.dot(towards, values.T, input_precision="ieee")
        margin, margin_back, near_margin, inside = _margins(
            similarity, back, rows, cols, tile, other, of_rows, n, width, window, block
        )
        support, local, _, change = _changes(
            similarity, gain, margin, margin_back, near_margin, inside, rows, cols, of_rows, n
        )
        read += tl.dot(tl.where(support, change, 0.0), keys, input_precision="ieee")
        alone = inside & ~((margin >= -_SLACK) & (margin_back >= -_SLACK))
        taught_local -= tl.sum(tl.where(alone, _slope(near_margin) * change, 0.0), 1)
        learned = (margin_back >= -_SLACK) & ~local
        taught -= tl.sum(tl.where(learned, _slope(margin) * change, 0.0), 1)
    store_tile(to_query + image * n * depth, rows, n, read * similarity_scale, depth, padded_depth)
    tl.store(to_threshold + image * n + rows, taught, mask=rows < n)
    tl.store(to_local + image * n + rows, taught_local, mask=rows < n)


@no_type_check
@triton.jit
def _of_keys(
    query, key, value, to_output, of_rows, to_key, to_value, to_threshold,
    n, width, similarity_scale,
    channels: tl.constexpr, padded_channels: tl.constexpr,
    window: tl.constexpr, depth: tl.constexpr, padded_depth: tl.constexpr, block: tl.constexpr,
    widen: tl.constexpr,
):  # fmt: skip
    tile, tiles, image = tl.program_id(0), tl.num_programs(0), tl.program_id(1).to(tl.int64)
    cols = tile * block + tl.arange(0, block)
    query, key = query + image * n * depth, key + image * n * depth
    value, to_output = value + image * n * channels, to_output + image * n * channels
    of_rows += image * 8 * n
    own_query = load_tile(query, cols, n, depth, padded_depth, widen)
    own_key = load_tile(key, cols, n, depth, padded_depth, widen)
    own_value = load_tile(value, cols, n, channels, padded_channels, widen)
    of_key = tl.zeros([block, padded_depth], tl.float32)
    of_value = tl.zeros([block, padded_channels], tl.float32)
    taught = tl.zeros([block], tl.float32)
    for other in range(tiles):
        rows = other * block + tl.arange(0, block)
        keys = load_tile(key, rows, n, depth, padded_depth, widen)
        queries = load_tile(query, rows, n, depth, padded_depth, widen)
        towards = load_tile(to_output, rows, n, channels, padded_channels, widen)
        similarity = tl.dot(queries, own_key.T, input_precision="ieee") * similarity_scale
        back = tl.dot(keys, own_query.T, input_precision="ieee") * similarity_scale
        gain = tl.dot(towards, own_value.T, input_precision="ieee")
        margin, margin_back, near_margin, inside = _margins(
            similarity, back, rows, cols, other, tile, of_rows, n, width, window, block
        )
        support, local, share, change = _changes(
            similarity, gain, margin, margin_back, near_margin, inside, rows, cols, of_rows, n
        )
        kept = tl.where(support, share, 0.0)
        of_value = tl.dot(kept.T, towards, of_value, input_precision="ieee")
        of_key = tl.dot(tl.where(support, change, 0.0).T, queries, of_key, input_precision="ieee")
        learned = (margin >= -_SLACK) & ~local
        taught -= tl.sum(tl.where(learned, _slope(margin_back) * change, 0.0), 0)
    store_tile(to_key + image * n * depth, cols, n, of_key * similarity_scale, depth, padded_depth)
    store_tile(to_value + image * n * channels, cols, n, of_value, channels, padded_channels)
    tl.store(to_threshold + image * n + cols, taught, mask=cols < n)


@no_type_check
@triton.jit
def _margins(
    similarity, back, rows, cols, tile, other, of_rows, n, width,
    window: tl.constexpr, block: tl.constexpr,
):  # fmt: skip
    """Return the pairs' margins at the thresholds of query, key and window, and the window.

    A pair passes if its margin is at least minus the tolerance of a tie; padding never passes.
    """
    real_row, real_col = rows < n, cols < n
    real = real_row[:, None] & real_col[None, :]
    peak = tl.load(of_rows + rows, mask=real_row, other=0.0)
    threshold = tl.load(of_rows + n + rows, mask=real_row, other=0.0) + _SLACK
    peak_back = tl.load(of_rows + cols, mask=real_col, other=0.0)
    threshold_back = tl.load(of_rows + n + cols, mask=real_col, other=0.0) + _SLACK
    near_peak = tl.load(of_rows + 2 * n + rows, mask=real_row, other=0.0)
    near_threshold = tl.load(of_rows + 3 * n + rows, mask=real_row, other=0.0) + _SLACK
    never = float("-inf")
    margin = tl.where(real, similarity - peak[:, None] - threshold[:, None], never)
    margin_back = tl.where(real, back - peak_back[None, :] - threshold_back[None, :], never)
    near_margin = tl.where(real, similarity - near_peak[:, None] - near_threshold[:, None], never)
    inside = tl.zeros([block, block], tl.int1)
    if may_be_near(tile, other, width, window, block):
        inside = in_window(rows, cols, n, width, window) & real
    return margin, margin_back, near_margin, inside


@no_type_check
@triton.jit
def _changes(
    similarity, gain, margin, margin_back, near_margin, inside, rows, cols, of_rows, n
):  # fmt: skip
    """Return who is kept, who is local, each pair's share of the mass, and its `change`."""
    real_row = rows < n
    strongest = tl.load(of_rows + 4 * n + rows, mask=real_row, other=0.0)
    mass = tl.load(of_rows + 5 * n + rows, mask=real_row, other=1.0)
    mean = tl.load(of_rows + 6 * n + rows, mask=real_row, other=0.0)
    empty = tl.load(of_rows + 7 * n + rows, mask=real_row, other=1.0) == 0
    local = inside & (near_margin >= -_SLACK)
    support = ((margin >= -_SLACK) & (margin_back >= -_SLACK)) | local
    support |= empty[:, None] & (rows[:, None] == cols[None, :])
    # Subtract the maximum first: adding the logarithm of the mass to it would lose precision.
    share = tl.exp(tl.minimum(similarity - strongest[:, None], 0.0)) / mass[:, None]
    share = tl.where(real_row[:, None] & (cols < n)[None, :], share, 0.0)
    return support, local, share, share * (gain - mean[:, None])


@no_type_check
@triton.jit
def _slope(margin):
    """Return the slope of sigmoid(margin / width), from |margin| so as not to overflow."""
    falling = tl.exp(-tl.abs(margin) / _WIDTH)
    return falling / ((1 + falling) * (1 + falling) * _WIDTH)
