"""Adaptive sparse attention of one map in three steps over blocks of whole rows, in plain torch.

1. `choose`: one matrix product a block of rows. The softmax of whole rows is final, which gives who
chooses whom (one bit a pair) and which keys of the window are local (one bool a place).
2. `support_of`: the bit matrix AND its transpose gives reciprocity; local keys are added.
3. `read`: similarities of the kept keys, their softmax, and the weighted sum of values.
No n x n array of numbers is held. The result is that of `definition.adaptive_sparse_weights` times
the values; `gradients` has the backward pass.
"""

import math
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

from asa_viz.attention.blockwise import cut
from asa_viz.attention.definition import log_scale, passes
from asa_viz.attention.neighbourhood import window_keys
from asa_viz.attention.pair_bits import columns_of, no_pairs, rows_of, set_rows

# Rows a block: large enough for a fast product, small enough for the cache.
ROWS = 256


class Map(NamedTuple):
    """One map's queries (already scaled), its keys, and the thresholds of the rule.

    A query chooses a key whose log affinity reaches its `log_threshold`; a key of its window is
    local if its log affinity reaches the log mean of the window plus `log_local_scale`. Without
    `reciprocity` a key needs only be chosen. `neighbours` are the keys of each window, n for places
    outside the map.
    """

    query: Float[Tensor, "n d"]
    key: Float[Tensor, "n d"]
    log_threshold: Float[Tensor, " n"]
    log_local_scale: Float[Tensor, " n"]
    neighbours: Int[Tensor, "n k"]
    reciprocity: bool = True

    @classmethod
    def of(
        cls,
        query: Float[Tensor, "n d"],
        key: Float[Tensor, "n d"],
        nonlocal_scale: Float[Tensor, " n"],
        local_scale: Float[Tensor, " n"],
        shape: tuple[int, int, int],
    ) -> "Map":
        """Return the map with learned scales; `shape` is height, width, window."""
        log_threshold = log_scale(nonlocal_scale) - math.log(len(query))
        neighbours = window_keys(*shape, query.device)
        return cls(query, key, log_threshold, log_scale(local_scale), neighbours)


class Choice(NamedTuple):
    """Who chooses whom (`pair_bits`), the windows' local keys, and the rows' log-sum-exp."""

    bits: UInt8[Tensor, "g rows n"]
    local: Bool[Tensor, "n k"]
    log_normaliser: Float[Tensor, " n"]


def forward(
    query: Float[Tensor, "n d"],
    key: Float[Tensor, "n d"],
    value: Float[Tensor, "n c"],
    nonlocal_scale: Float[Tensor, " n"],
    local_scale: Float[Tensor, " n"],
    shape: tuple[int, int, int],
) -> tuple[Float[Tensor, "n c"], Float[Tensor, " n"], Choice]:
    """Return the attended values, the number of kept keys, and the `Choice` of every query."""
    image = Map.of(query, key, nonlocal_scale, local_scale, shape)
    choice = choose(image)
    return *read(image, choice, value), choice


def choose(image: Map) -> Choice:
    """Return for every pair whether the query chooses the key, and windows' local keys."""
    n = len(image.query)
    rows = min(ROWS, n)
    bits = no_pairs(n, rows, image.query.device)
    local = torch.empty_like(image.neighbours, dtype=torch.bool)
    log_normaliser = torch.empty_like(image.log_threshold)
    space = image.query.new_empty(2, rows, n)
    for block in cut(n, rows):
        similarity, log_affinity = space[:, : block.stop - block.start]
        torch.mm(image.query[block], image.key.mT, out=similarity)
        torch.log_softmax(similarity, -1, out=log_affinity)
        # Rounding is least at the largest affinity, which is at most log n away.
        log_normaliser[block] = similarity.amax(-1) - log_affinity.amax(-1)
        set_rows(bits, block, passes(log_affinity, image.log_threshold[block, None]))
        local[block] = local_of(image, block, log_affinity)
    return Choice(bits, local, log_normaliser)


def local_of(image: Map, block: slice, log_affinity: Float[Tensor, "r n"]) -> Bool[Tensor, "r k"]:
    """Return which keys in a block's windows are local; places outside the map never are."""
    near, log_mean = in_window(log_affinity, image.neighbours[block])
    passed = passes(near, image.log_local_scale[block, None] + log_mean)
    return passed & (image.neighbours[block] < len(image.query))


def in_window(
    log_affinity: Float[Tensor, "r n"], keys: Int[Tensor, "r k"]
) -> tuple[Float[Tensor, "r k"], Float[Tensor, "r 1"]]:
    """Return the log affinities of each row's window, and the logarithm of their mean.

    `keys` holds n for places outside the map: they get minus infinity and do not count in the mean.
    """
    n = log_affinity.shape[-1]
    outside = keys == n
    near = log_affinity.gather(1, keys.clamp_max(n - 1)).masked_fill(outside, -torch.inf)
    count = (~outside).sum(-1, keepdim=True, dtype=near.dtype)
    return near, near.logsumexp(-1, keepdim=True) - count.log()


def support_of(image: Map, choice: Choice, block: slice) -> Bool[Tensor, "r n"]:
    """Return the support of a block's queries: reciprocal or local keys."""
    support = rows_of(choice.bits, block)
    if image.reciprocity:
        support &= columns_of(choice.bits, block)
    lay(choice.local[block], image.neighbours[block], support)
    return support


def lay(near: Bool[Tensor, "r k"], keys: Int[Tensor, "r k"], rows: Bool[Tensor, "r n"]) -> None:
    """Set the window's true entries in whole rows."""
    row, place = near.nonzero(as_tuple=True)
    rows[row, keys[row, place]] = True


def read(
    image: Map, choice: Choice, value: Float[Tensor, "n c"]
) -> tuple[Float[Tensor, "n c"], Float[Tensor, " n"]]:
    """Return the weighted sum of the values for each query, and how many keys it keeps.

    A query with an empty support reads its own value.
    """
    output, support_size = value.new_empty(value.shape), value.new_empty(len(value))
    # 0 times infinity is NaN: by the definition every row reads a value that is not finite.
    unbounded = ~value.isfinite().all(-1)
    for block in cut(len(value), choice.bits.shape[1]):
        support = support_of(image, choice, block)
        support_size[block] = numbers(support, value).sum(-1)
        empty = (support_size[block] == 0).nonzero()[:, 0]
        support[empty, block.start + empty] = True
        # Only these columns are read by any query of the block.
        columns = (support.view(torch.uint8).amax(0).bool() | unbounded).nonzero()[:, 0]
        left_out, keys, values = numbers(~support, image.query), image.key, value
        if len(columns) < len(keys):
            left_out = left_out.index_select(1, columns)
            keys, values = keys[columns], values[columns]
        similarity = image.query[block] @ keys.mT
        similarity.sub_(left_out, alpha=torch.finfo(similarity.dtype).max)
        weights = torch.softmax(similarity, -1).to(value)
        torch.mm(weights, values, out=output[block])
    # A row with a similarity that is not finite has no affinities; its output is NaN.
    output += 0 * choice.log_normaliser[:, None]
    return output, support_size


def numbers(mask: Bool[Tensor, "r n"], like: Tensor) -> Float[Tensor, "r n"]:
    """A float mask: torch vectorises products and sums of floats, not of bools."""
    return mask.view(torch.uint8).to(like.dtype)
