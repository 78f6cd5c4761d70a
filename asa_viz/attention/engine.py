"""Adaptive sparse attention of one map in three steps over blocks of whole rows, in plain torch.

1. `choose`: one product a block. With the whole row at hand its softmax is final, and with it who
   chooses whom, one bit a pair, and which keys of its window are local, one bool a place.
2. `kept_of`: reciprocity is the matrix of bits and its transpose; local keys are added.
3. `read`: the similarities of the keys that remain, their softmax, and the weighted values.

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

# A block of rows: large enough for a quick product, small enough for a cache.
ROWS = 256


class Map(NamedTuple):
    """One map's queries, already scaled, its keys, and the rule that decides who is kept.

    A query chooses a key whose log affinity reaches its `log_threshold`; a key in its window is
    local from the logarithm of the window's mean plus `log_local_scale` on. Without `reciprocity` a
    key needs only be chosen. `neighbours` are the keys of each window, n for none.
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
    """Who chooses whom as `pair_bits`, who is local in each window, the log-sum-exp of each row."""

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
    """Return what each query reads, how many keys it keeps, and the choice that this comes from."""
    image = Map.of(query, key, nonlocal_scale, local_scale, shape)
    choice = choose(image)
    return *read(image, choice, value), choice


def choose(image: Map) -> Choice:
    """Decide for every pair whether the query chooses the key, and for windows who is local."""
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
        # Largest numbers lose least: one of these is at most log n.
        log_normaliser[block] = similarity.amax(-1) - log_affinity.amax(-1)
        set_rows(bits, block, passes(log_affinity, image.log_threshold[block, None]))
        local[block] = local_of(image, block, log_affinity)
    return Choice(bits, local, log_normaliser)


def local_of(image: Map, block: slice, log_affinity: Float[Tensor, "r n"]) -> Bool[Tensor, "r k"]:
    """Tell which keys in a block's windows are local; a place outside the map never is."""
    near, log_mean = in_window(log_affinity, image.neighbours[block])
    passed = passes(near, image.log_local_scale[block, None] + log_mean)
    return passed & (image.neighbours[block] < len(image.query))


def in_window(
    log_affinity: Float[Tensor, "r n"], keys: Int[Tensor, "r k"]
) -> tuple[Float[Tensor, "r k"], Float[Tensor, "r 1"]]:
    """Return the log affinities of each row's window, and the logarithm of their mean.

    `keys` holds n for a place outside the map: minus infinity here, and not part of the mean.
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
    """Set in whole rows what is true in their windows."""
    row, place = near.nonzero(as_tuple=True)
    rows[row, keys[row, place]] = True


def read(
    image: Map, choice: Choice, value: Float[Tensor, "n c"]
) -> tuple[Float[Tensor, "n c"], Float[Tensor, " n"]]:
    """Return the weighted sum of the values for each query, and how many keys it keeps.

    A query whose support is empty reads itself.
    """
    output, support_size = value.new_empty(value.shape), value.new_empty(len(value))
    # 0 times infinity is no number: by the definition all rows read a value that is not finite.
    unbounded = ~value.isfinite().all(-1)
    for block in cut(len(value), choice.bits.shape[1]):
        support = support_of(image, choice, block)
        support_size[block] = numbers(support, value).sum(-1)
        empty = (support_size[block] == 0).nonzero()[:, 0]
        support[empty, block.start + empty] = True
        # No query of the block reads any other column.
        columns = (support.view(torch.uint8).amax(0).bool() | unbounded).nonzero()[:, 0]
        left_out, keys, values = numbers(~support, image.query), image.key, value
        if len(columns) < len(keys):
            left_out = left_out.index_select(1, columns)
            keys, values = keys[columns], values[columns]
        similarity = image.query[block] @ keys.mT
        similarity.sub_(left_out, alpha=torch.finfo(similarity.dtype).max)
        weights = torch.softmax(similarity, -1).to(value)
        torch.mm(weights, values, out=output[block])
    # A row with a similarity that is not finite has no affinities.
    output += 0 * choice.log_normaliser[:, None]
    return output, support_size


def numbers(mask: Bool[Tensor, "r n"], like: Tensor) -> Float[Tensor, "r n"]:
    """Return 1 and 0: torch multiplies, sums and selects floats several times as fast as bools."""
    return mask.view(torch.uint8).to(like.dtype)
