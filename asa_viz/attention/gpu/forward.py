"""The forward pass of the clean rule in two Triton kernels.

The first visits every tile of similarities once and writes each query's log-sum-exp, that of its
window, and its largest similarity in each tile. From these follow the tiles that may contain kept
pairs. The second visits only those, computes similarities in both directions, and accumulates the
values of kept pairs relative to the running maximum, so that nothing underflows. Weights are never
stored: extra memory is one number a query and tile.

The running maximum is that of Dao: FlashAttention-2, arXiv 2307.08691.
"""

import math
from typing import NamedTuple, no_type_check

import torch
import triton
import triton.language as tl
from jaxtyping import Bool, Float, Int
from torch import Tensor

from asa_viz.attention.definition import log_scale, tie_slack
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
from asa_viz.attention.neighbourhood import check_window

_SHARED_TILES = 4
_FIRST_LAUNCH = {"num_warps": 4, "num_stages": 2}
_SECOND_LAUNCH = {"num_warps": 8, "num_stages": 1}

# Similarities in both directions may differ in the last bits: visiting a tile too many is harmless.
_ROUNDING = 1e-3
_DTYPES = (torch.float32, torch.bfloat16, torch.float16)
# Below every similarity and finite, so that the difference of two of them is 0, not NaN.
_LOWEST = tl.constexpr(-1e38)


class Found(NamedTuple):
    """The results of the forward pass in float32; only the output has a gradient.

    A query chooses a key if similarity - `peak` >= `threshold`; a key of its window is local if
    similarity - the window's peak >= the window's threshold. `thresholds` are these four, for tiles
    of `block` queries. `strongest` is the largest kept similarity, `mass_kept` the sum of
    exp(similarity - strongest) over kept keys; a query that keeps nothing counts itself as kept.
    """

    output: Float[Tensor, "b n c"]
    support_size: Float[Tensor, "b n"]
    log_normaliser: Float[Tensor, "b n"]
    strongest: Float[Tensor, "b n"]
    mass_kept: Float[Tensor, "b n"]
    thresholds: Float[Tensor, "b 4 padded"]


def serves(query: Tensor, key: Tensor, value: Tensor) -> bool:
    """Return whether the kernel supports these tensors: their precision, width and number."""
    alike = query.dtype == key.dtype and {query.dtype, value.dtype} <= set(_DTYPES)
    fits = block_of(query, value, _SHARED_TILES) >= SMALLEST_BLOCK
    return alike and fits and query.numel() > 0 and value.numel() > 0


def forward(
    query: Float[Tensor, "b n d"],
    key: Float[Tensor, "b n d"],
    value: Float[Tensor, "b n c"],
    nonlocal_scale: Float[Tensor, "b n"],
    local_scale: Float[Tensor, "b n"],
    shape: tuple[int, int, int],
    similarity_scale: float = 1.0,
) -> Found:
    """Return the attended values of each query: `adaptive_sparse_weights` times the values.

    Similarities are float32 sums times `similarity_scale`, so that half precision inputs stay
    exact. `shape` is height, width, window; `serves` must be true for the tensors.

    Raises:
        ValueError: the window is not odd and positive.
    """
    _, _, window = shape
    check_window(window)
    batch, n, _ = query.shape
    channels = value.shape[-1]
    block = block_of(query, value, _SHARED_TILES)
    tiles = triton.cdiv(n, block)
    query, key, value = (tensor.contiguous() for tensor in (query, key, value))
    slack = tie_slack(torch.float32)
    log_threshold = (log_scale(nonlocal_scale.float()) - math.log(n) - slack).contiguous()
    log_local_scale = (log_scale(local_scale.float()) - slack).contiguous()

    output = query.new_empty(batch, n, channels, dtype=torch.float32)
    support_size, log_normaliser, strongest, mass_kept = (
        torch.empty_like(log_threshold) for _ in range(4)
    )
    thresholds = log_threshold.new_empty(batch, 4, tiles * block)
    highest = log_threshold.new_empty(batch, tiles, tiles, block)
    common = settings_of(query, shape, similarity_scale, block)
    with on(query.device):
        _first_pass[tiles, batch](
            query, key, log_threshold, log_local_scale, thresholds, log_normaliser, highest,
            **common, **_FIRST_LAUNCH,
        )  # fmt: skip
        visited = _may_keep(highest, thresholds, (shape[1] + 1) * (window // 2))
        order, counts = _compact(visited)
        _second_pass[tiles, batch](
            query, key, value, thresholds, order, counts,
            output, support_size, strongest, mass_kept,
            channels=channels, padded_channels=padded(channels), **common, **_SECOND_LAUNCH,
        )  # fmt: skip
    return Found(output, support_size, log_normaliser, strongest, mass_kept, thresholds)


def _may_keep(
    highest: Float[Tensor, "b tiles tiles block"],
    thresholds: Float[Tensor, "b 4 padded"],
    reach: int,
) -> Bool[Tensor, "b tiles tiles"]:
    """Return which pairs of tiles may contain a kept pair of cells; overwrites `highest`.

    Those that choose each other, and those within `reach`, the farthest a window extends.
    """
    tiles, block = highest.shape[-2:]
    peak, threshold = (thresholds[:, at].view(-1, 1, tiles, block) for at in (0, 1))
    chooses = (highest.sub_(peak) >= threshold - _ROUNDING).any(-1)
    tile = torch.arange(tiles, device=highest.device)
    near = (tile[:, None] - tile).abs() * block < reach + block
    return (chooses & chooses.mT) | near


def _compact(
    visited: Bool[Tensor, "b tiles tiles"],
) -> tuple[Int[Tensor, "b tiles tiles"], Int[Tensor, "b tiles"]]:
    """Return for each row of tiles the tiles to visit, packed in order, and their number."""
    order = visited.byte().sort(dim=-1, descending=True, stable=True).indices
    return order.int(), visited.sum(-1, dtype=torch.int32)


@no_type_check
@triton.jit
def _first_pass(
    query, key, log_threshold, log_local_scale, thresholds, log_normaliser, highest,
    n, width, similarity_scale,
    window: tl.constexpr, depth: tl.constexpr, padded_depth: tl.constexpr, block: tl.constexpr,
    widen: tl.constexpr,
):  # fmt: skip
    # A query's log affinity is S - peak - log(total), subtracted in two steps so that huge
    # similarities lose no precision; log(total) is added to the threshold instead. Likewise for the
    # window's mean.
    tile, tiles, image = tl.program_id(0), tl.num_programs(0), tl.program_id(1).to(tl.int64)
    rows = tile * block + tl.arange(0, block)
    here = load_tile(query + image * n * depth, rows, n, depth, padded_depth, widen)
    peak, near_peak = tl.full([block], _LOWEST, tl.float32), tl.full([block], _LOWEST, tl.float32)
    total, near_total = tl.zeros([block], tl.float32), tl.zeros([block], tl.float32)
    near_count = tl.zeros([block], tl.float32)
    for other in range(tiles):
        cols = other * block + tl.arange(0, block)
        there = load_tile(key + image * n * depth, cols, n, depth, padded_depth, widen)
        similarity = tl.dot(here, there.T, input_precision="ieee") * similarity_scale
        similarity = tl.where(cols[None, :] < n, similarity, float("-inf"))
        strongest = tl.max(similarity, 1)
        tl.store(highest + (image * tiles + other) * tiles * block + rows, strongest)
        risen = tl.maximum(peak, strongest)
        total = total * tl.exp(peak - risen) + tl.sum(tl.exp(similarity - risen[:, None]), 1)
        peak = risen
        if may_be_near(tile, other, width, window, block):
            inside = in_window(rows, cols, n, width, window)
            similarity = tl.where(inside, similarity, float("-inf"))
            risen = tl.maximum(near_peak, tl.max(similarity, 1))
            near_total *= tl.exp(near_peak - risen)
            near_total += tl.sum(tl.exp(similarity - risen[:, None]), 1)
            near_count += tl.sum(inside.to(tl.float32), 1)
            near_peak = risen
    at = image * n + rows
    real = rows < n
    tl.store(log_normaliser + at, peak + tl.log(total), mask=real)
    # Padding rows choose nothing and are not chosen.
    threshold = tl.load(log_threshold + at, mask=real, other=float("inf")) + tl.log(total)
    near_threshold = tl.load(log_local_scale + at, mask=real, other=float("inf"))
    near_threshold += tl.log(tl.maximum(near_total, 1.0)) - tl.log(tl.maximum(near_count, 1.0))
    stride = tiles * block
    at = thresholds + image * 4 * stride + rows
    tl.store(at, peak)
    tl.store(at + stride, threshold)
    tl.store(at + 2 * stride, near_peak)
    tl.store(at + 3 * stride, near_threshold)


@no_type_check
@triton.jit
def _second_pass(
    query, key, value, thresholds, order, counts, output, support_size, highest_kept, mass_kept,
    n, width, similarity_scale,
    channels: tl.constexpr, padded_channels: tl.constexpr,
    window: tl.constexpr, depth: tl.constexpr, padded_depth: tl.constexpr, block: tl.constexpr,
    widen: tl.constexpr,
):  # fmt: skip
    tile, tiles, image = tl.program_id(0), tl.num_programs(0), tl.program_id(1).to(tl.int64)
    rows = tile * block + tl.arange(0, block)
    query += image * n * depth
    key += image * n * depth
    value += image * n * channels
    stride = tiles * block
    thresholds += image * 4 * stride
    own_query = load_tile(query, rows, n, depth, padded_depth, widen)
    own_key = load_tile(key, rows, n, depth, padded_depth, widen)
    peak, threshold = tl.load(thresholds + rows), tl.load(thresholds + stride + rows)
    near_peak = tl.load(thresholds + 2 * stride + rows)
    near_threshold = tl.load(thresholds + 3 * stride + rows)
    strongest = tl.full([block], _LOWEST, tl.float32)
    mass, count = tl.zeros([block], tl.float32), tl.zeros([block], tl.float32)
    read = tl.zeros([block, padded_channels], tl.float32)
    line = image * tiles + tile
    for index in range(tl.load(counts + line)):
        other = tl.load(order + line * tiles + index)
        cols = other * block + tl.arange(0, block)
        keys = load_tile(key, cols, n, depth, padded_depth, widen)
        queries = load_tile(query, cols, n, depth, padded_depth, widen)
        similarity = tl.dot(own_query, keys.T, input_precision="ieee") * similarity_scale
        back = tl.dot(own_key, queries.T, input_precision="ieee") * similarity_scale
        back -= tl.load(thresholds + cols)[None, :]
        kept = similarity - peak[:, None] >= threshold[:, None]
        kept &= back >= tl.load(thresholds + stride + cols)[None, :]
        if may_be_near(tile, other, width, window, block):
            strong = similarity - near_peak[:, None] >= near_threshold[:, None]
            kept |= strong & in_window(rows, cols, n, width, window)
        if tl.max(tl.max(kept.to(tl.int32), 1), 0) > 0:
            values = load_tile(value, cols, n, channels, padded_channels, widen)
            similarity = tl.where(kept, similarity, float("-inf"))
            risen = tl.maximum(strongest, tl.max(similarity, 1))
            before = tl.exp(strongest - risen)
            # The mass sums the rounded weights that are multiplied, so that they sum to one
            # exactly.
            weights = tl.exp(similarity - risen[:, None]).to(values.dtype)
            mass = mass * before + tl.sum(weights.to(tl.float32), 1)
            read = tl.dot(weights, values, read * before[:, None], input_precision="ieee")
            count += tl.sum(kept.to(tl.float32), 1)
            strongest = risen
    # A query that keeps nothing reads its own value.
    empty = count == 0
    own = load_tile(value, rows, n, channels, padded_channels, widen).to(tl.float32)
    read = tl.where(empty[:, None], own, read / tl.where(empty, 1.0, mass)[:, None])
    own_key, own_query = own_key.to(tl.float32), own_query.to(tl.float32)
    itself = tl.sum(own_query * own_key, 1) * similarity_scale
    strongest = tl.where(empty, itself, strongest)
    mass = tl.where(empty, 1.0, mass)
    store_tile(output + image * n * channels, rows, n, read, channels, padded_channels)
    real, at = rows < n, image * n + rows
    tl.store(support_size + at, count, mask=real)
    tl.store(highest_kept + at, strongest, mask=real)
    tl.store(mass_kept + at, mass, mask=real)
