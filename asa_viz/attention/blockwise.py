"""Exact adaptive sparse attention, differentiable, with no n x n array at any size.

Of the clean rule `tiled` and `tiled_gradient` do the work; here are the operator around them, and
blocks of whole rows: for the released rule, and for single rows that keep next to nothing. A block
is formed from one number a query, the log-sum-exp of its similarities: with it affinities are known
in both directions, so that reciprocity is decided without the whole matrix. The backward pass
forms each block anew instead of keeping it.
The result, and every gradient, is that of `definition.adaptive_sparse_weights` times the values.
"""

import math
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.function import once_differentiable

from asa_viz.attention.definition import (
    RELEASED_EPSILON,
    Rule,
    check_grid,
    half_step,
    log_scale,
    tie_slack,
)
from asa_viz.attention.neighbourhood import window_keys
from asa_viz.attention.tiled import Kept, second_pass
from asa_viz.attention.tiled_gradient import gradients
from asa_viz.attention.tiles import FirstPass, Map, first_pass

# A block holds about this many weights: 4 MB of float32, small enough for a processor's cache.
BLOCK_WEIGHTS = 1 << 20


def adaptive_sparse_attention(
    query: Float[Tensor, "b n d"],
    key: Float[Tensor, "b n d"],
    value: Float[Tensor, "b n c"],
    nonlocal_scale: Float[Tensor, "b n"],
    local_scale: Float[Tensor, "b n"],
    *,
    height: int,
    width: int,
    window: int = 3,
    scaled: bool = True,
    rule: Rule = "clean",
) -> Float[Tensor, "b n c"]:
    """Return each query's weighted sum of the values, by the weights of `adaptive_sparse_weights`.

    Differentiable in all five tensors; under rule "released" the scales get no gradient. Half
    precision is computed in float32.

    Raises:
        ValueError: `height * width` is not n, or the rule or the window does not exist.
    """
    return attend(
        query, key, value, nonlocal_scale, local_scale,
        height=height, width=width, window=window, scaled=scaled, rule=rule,
    ).output  # fmt: skip


class Attended(NamedTuple):
    """What every query reads, how many keys it keeps, the log-sum-exp of its similarities.

    Only the output has a gradient.
    """

    output: Float[Tensor, "b n c"]
    support_size: Float[Tensor, "b n"]
    log_normaliser: Float[Tensor, "b n"]


def attend(
    query: Float[Tensor, "b n d"],
    key: Float[Tensor, "b n d"],
    value: Float[Tensor, "b n c"],
    nonlocal_scale: Float[Tensor, "b n"],
    local_scale: Float[Tensor, "b n"],
    *,
    height: int,
    width: int,
    window: int = 3,
    scaled: bool = True,
    rule: Rule = "clean",
) -> Attended:
    """Return `adaptive_sparse_attention` and what else it finds on its way."""
    check_grid(query, height, width, rule)
    precision = torch.promote_types(value.dtype, torch.float32)
    query, key, wide_value, nonlocal_scale, local_scale = (
        tensor.to(precision) for tensor in (query, key, value, nonlocal_scale, local_scale)
    )
    if scaled:
        query = query * query.shape[-1] ** -0.5
    function = _CleanAttention if rule == "clean" else _ReleasedAttention
    images = zip(query, key, wide_value, nonlocal_scale, local_scale, strict=True)
    with torch.autocast(query.device.type, enabled=False):
        made = [function.apply(*image, height, width, window) for image in images]
    output, *found = (torch.stack(parts) for parts in zip(*made, strict=True))
    return Attended(output.to(value.dtype), *found)


def log_normalisers(query: Float[Tensor, "n d"], key: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
    """Return the log-sum-exp of each query's similarities; queries already scaled."""
    return torch.cat([(query[rows] @ key.mT).logsumexp(-1) for rows in blocks(len(query))])


def kth_largest(
    query: Float[Tensor, "n d"], key: Float[Tensor, "n d"], k: int
) -> Float[Tensor, " n"]:
    """Return the k-th largest of each query's similarities; queries already scaled."""
    n = len(key)
    return torch.cat(
        [(query[rows] @ key.mT).kthvalue(n - k + 1).values for rows in blocks(len(query))]
    )


def blocks(n: int) -> list[slice]:
    """Cut n queries into runs small enough for their rows to be held at once."""
    rows = max(1, BLOCK_WEIGHTS // n)
    return [slice(start, min(start + rows, n)) for start in range(0, n, rows)]


class Stored(NamedTuple):
    """What the blocks of one image have in common; queries are already scaled."""

    query: Float[Tensor, "n d"]
    key: Float[Tensor, "n d"]
    log_normaliser: Float[Tensor, " n"]
    nonlocal_scale: Float[Tensor, " n"]
    local_scale: Float[Tensor, " n"]
    neighbours: Int[Tensor, "n k"]
    rule: Rule


class _Block(NamedTuple):
    """A block of r queries: log affinities to every key, what is kept, the weights."""

    log_affinity: Float[Tensor, "r n"]
    support_size: Float[Tensor, " r"]
    log_kept_mass: Float[Tensor, "r 1"]
    weights: Float[Tensor, "r n"]


def block_of(image: Stored, rows: slice) -> _Block:
    """Decide who is kept for the queries `rows`, and renormalise over them."""
    n = len(image.key)
    similarity = image.query[rows] @ image.key.mT
    log_affinity = similarity - image.log_normaliser[rows, None]
    log_incoming = image.key[rows] @ image.query.mT - image.log_normaliser
    keys = image.neighbours[rows]
    near, log_window_mean = in_window(log_affinity, keys)

    if image.rule == "released":
        affinity = log_affinity.exp()
        chosen = half_step(affinity - image.nonlocal_scale[rows, None] / n)
        chooses_back = half_step(log_incoming.exp() - image.nonlocal_scale / n)
        local_threshold = image.local_scale[rows, None] * log_window_mean.exp()
        everywhere = half_step(-local_threshold).expand(-1, n)
        local = over_rows(half_step(near.exp() - local_threshold), keys, everywhere)
        kept = torch.maximum(chosen * chooses_back, local) * affinity
        support_size = (kept > 0).sum(-1).to(similarity)
        mass = kept.sum(-1, keepdim=True) + RELEASED_EPSILON
        return _Block(log_affinity, support_size, mass.log(), kept / mass)

    slack = tie_slack(similarity.dtype)
    log_nonlocal = log_scale(image.nonlocal_scale) - math.log(n)
    chosen = log_affinity >= log_nonlocal[rows, None] - slack
    chooses_back = log_incoming >= log_nonlocal - slack
    local_margin = near - log_window_mean - log_scale(image.local_scale)[rows, None]
    # Outside the map there is nothing to pass, not even where the scale is 0.
    local_margin = local_margin.masked_fill(keys == n, -torch.inf)
    local = over_rows(local_margin >= -slack, keys, torch.zeros_like(chosen))
    support = (chosen & chooses_back) | local
    support_size = support.sum(-1).to(similarity)
    empty = support_size == 0
    own = torch.arange(rows.start, rows.stop, device=support.device)
    support[own[empty] - rows.start, own[empty]] = True
    log_kept = log_affinity.masked_fill(~support, -torch.inf)
    log_kept_mass = log_kept.logsumexp(-1, keepdim=True)
    weights = (log_kept - log_kept_mass).exp()
    return _Block(log_affinity, support_size, log_kept_mass, weights)


def in_window(
    log_affinity: Float[Tensor, "r n"], keys: Int[Tensor, "r k"]
) -> tuple[Float[Tensor, "r k"], Float[Tensor, "r 1"]]:
    """Return the log affinities of each row's window, and the logarithm of their mean.

    `keys` holds n for a place outside the map: minus infinity here, and not part of the mean.
    """
    n = log_affinity.shape[-1]
    outside = keys == n
    near = log_affinity.gather(1, keys.clamp_max(n - 1)).masked_fill(outside, -torch.inf)
    return near, near.logsumexp(-1, keepdim=True) - (~outside).sum(-1, keepdim=True).log()


def over_rows(near: Tensor, keys: Int[Tensor, "r k"], everywhere: Tensor) -> Tensor:
    """Lay the windows' entries over a whole row; what falls outside the map is dropped."""
    row = torch.nn.functional.pad(everywhere, (0, 1))
    return row.scatter(1, keys, near)[:, :-1]


def forward_tiles(image: Map) -> tuple[Kept, FirstPass]:
    """Return what one image's queries keep under the clean rule, and the pass it came from."""
    first = first_pass(image.query, image.key)
    kept, few = second_pass(image, first)
    if not bool(few.any()):
        return kept, first
    stored = _stored(image, first.log_normaliser, "clean")
    for row in few.nonzero()[:, 0].tolist():
        at = slice(row, row + 1)
        block = block_of(stored, at)
        kept.output[at] = block.weights @ image.value
        kept.log_mass[at] = block.log_kept_mass[:, 0]
        kept.log_strongest[at] = block.log_kept_mass[:, 0] + block.weights.amax(-1).log()
    return kept, first


def _stored(image: Map, log_normaliser: Float[Tensor, " n"], rule: Rule = "released") -> Stored:
    neighbours = window_keys(image.height, image.width, image.window, image.query.device)
    scales = (image.nonlocal_scale, image.local_scale)
    return Stored(image.query, image.key, log_normaliser, *scales, neighbours, rule)


class _CleanAttention(torch.autograd.Function):
    """One image under the clean rule, in tiles."""

    @staticmethod
    def forward(context: Any, *inputs: Any) -> tuple[Tensor, Tensor, Tensor]:
        image = Map(*inputs)
        kept, first = forward_tiles(image)
        context.save_for_backward(*image[:5], *kept, *first)
        context.shape = image[5:]
        context.mark_non_differentiable(kept.support_size, first.log_normaliser)
        return kept.output, kept.support_size, first.log_normaliser

    @staticmethod
    @once_differentiable
    def backward(context: Any, *to_outputs: Tensor) -> tuple[Tensor | None, ...]:
        saved = context.saved_tensors
        image = Map(*saved[:5], *context.shape)
        kept, first = Kept(*saved[5:-3]), FirstPass(*saved[-3:])
        return (*gradients(image, kept, first, to_outputs[0]), None, None, None)


class _ReleasedAttention(torch.autograd.Function):
    """One image under the released rule, in blocks of rows; the scales get no gradient."""

    @staticmethod
    def forward(context: Any, *inputs: Any) -> tuple[Tensor, Tensor, Tensor]:
        image = Map(*inputs)
        stored = _stored(image, log_normalisers(image.query, image.key))
        output, support_size = torch.empty_like(image.value), torch.empty_like(image.local_scale)
        for rows in blocks(len(image.query)):
            block = block_of(stored, rows)
            output[rows], support_size[rows] = block.weights @ image.value, block.support_size
        context.save_for_backward(*image[:5], stored.log_normaliser)
        context.shape = image[5:]
        context.mark_non_differentiable(support_size, stored.log_normaliser)
        return output, support_size, stored.log_normaliser

    @staticmethod
    @once_differentiable
    def backward(context: Any, *to_outputs: Tensor) -> tuple[Tensor | None, ...]:
        *parts, log_normaliser = context.saved_tensors
        image = Map(*parts, *context.shape)
        stored, (query, key, value) = _stored(image, log_normaliser), image[:3]
        to_query, to_key, to_value = map(torch.zeros_like, image[:3])
        for rows in blocks(len(query)):
            block = block_of(stored, rows)
            to_output = to_outputs[0][rows]
            to_value += block.weights.mT @ to_output
            to_weights = to_output @ value.mT
            mean = (block.weights * to_weights).sum(-1, keepdim=True)
            # The epsilon keeps a row from summing to one: the normaliser shows again.
            leak = 1 - block.weights.sum(-1, keepdim=True)
            to_similarity = block.weights * (to_weights - mean)
            to_similarity -= block.log_affinity.exp() * (mean * leak)
            to_query[rows] = to_similarity @ key
            to_key += to_similarity.mT @ query[rows]
        to_scales = torch.zeros_like(image.local_scale)
        return to_query, to_key, to_value, to_scales, to_scales, None, None, None
