"""Adaptive sparse attention as a torch operator: exact, differentiable, batched.

Compiled C kernels or Triton kernels compute the inputs that they support, and `engine` in plain
torch all others; there `asa_viz::attend` is a single operator to autograd, `torch.compile` and
`torch.func`. It has no second derivative.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from asa_viz.attention import engine, native
from asa_viz.attention.blockwise import blocks, log_normalisers
from asa_viz.attention.checks import Rule, asks_values_alone, check_map, check_scales, widened
from asa_viz.attention.definition import released_weights
from asa_viz.attention.gpu import operator as gpu
from asa_viz.attention.gradients import gradients, to_scale
from asa_viz.attention.neighbourhood import window_keys

Shape = tuple[int, int, int]


def adaptive_sparse_attention(
    query: Float[Tensor, "*b n d"],
    key: Float[Tensor, "*b n d"],
    value: Float[Tensor, "*b n c"],
    nonlocal_scale: Float[Tensor, "*b n"],
    local_scale: Float[Tensor, "*b n"],
    *,
    height: int,
    width: int,
    window: int = 3,
    scaled: bool = True,
    rule: Rule = "clean",
) -> Float[Tensor, "*b n c"]:
    """Return each query's weighted sum of the values, by the weights of `adaptive_sparse_weights`.

    The leading axes are images, or images and heads. Differentiable in all five tensors; under rule
    "released" the scales get no gradient. Half precision is computed in float32.

    Raises:
        ValueError: the shapes do not fit each other, a scale is negative or not a number, or the
            rule or the window does not exist.
    """
    return attend(
        query, key, value, nonlocal_scale, local_scale,
        height=height, width=width, window=window, scaled=scaled, rule=rule,
    ).output  # fmt: skip


class Attended(NamedTuple):
    """For each query: attended values, number of kept keys, log-sum-exp of similarities.

    Only the output has a gradient.
    """

    output: Float[Tensor, "*b n c"]
    support_size: Float[Tensor, "*b n"]
    log_normaliser: Float[Tensor, "*b n"]


def attend(
    query: Float[Tensor, "*b n d"],
    key: Float[Tensor, "*b n d"],
    value: Float[Tensor, "*b n c"],
    nonlocal_scale: Float[Tensor, "*b n"],
    local_scale: Float[Tensor, "*b n"],
    *,
    height: int,
    width: int,
    window: int = 3,
    scaled: bool = True,
    rule: Rule = "clean",
) -> Attended:
    """Return the result of `adaptive_sparse_attention` with support sizes and log-sum-exps."""
    check_map(query, key, value, (nonlocal_scale, local_scale), height, width, rule)
    dtype, leading = value.dtype, query.shape[:-2]
    wide = widened(query, key, value, nonlocal_scale, local_scale)
    q, k, v, t, s = (each.reshape(-1, *each.shape[len(leading) :]) for each in wide)
    if scaled:
        q = q * q.shape[-1] ** -0.5
    found: Sequence[Tensor] | None = None
    if rule == "released":
        found = _released(q, k, v, t, s, height, width, window)
    elif native.serves(q, k, v, t, s):
        check_scales(t, s)
        found = native.attend(
            q, k, v, t, s, height=height, width=width, window=window, scaled=False
        )
    elif gpu.serves(q, k, v, t, s):
        found = gpu.attend(q, k, v, t, s, (height, width, window))
    if found is None:
        exact = _attend_maps if asks_values_alone(*wide) else _Attention.apply
        found = exact(q, k, v, t, s, height, width, window)[:3]
    output, support_size, log_normaliser = found
    return Attended(
        output.to(dtype).view(value.shape),
        support_size.view(*leading, -1),
        log_normaliser.view(*leading, -1),
    )


def _attend_maps(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    nonlocal_scale: Tensor,
    local_scale: Tensor,
    height: int,
    width: int,
    window: int,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Return outputs, support sizes and `Choice` tensors of each map of a batch."""
    check_scales(nonlocal_scale, local_scale)
    tensors = [each.contiguous() for each in (query, key, value, nonlocal_scale, local_scale)]
    made = []
    with torch.autocast(query.device.type, enabled=False):
        for q, k, v, t, s in zip(*tensors, strict=True):
            output, support_size, choice = engine.forward(q, k, v, t, s, (height, width, window))
            made.append((output, support_size, choice.log_normaliser, choice.bits, choice.local))
    stacked = [torch.stack(parts) for parts in zip(*made, strict=True)]
    return stacked[0], stacked[1], stacked[2], stacked[3], stacked[4]


_attend = torch.library.custom_op("asa_viz::attend", _attend_maps, mutates_args=())


@_attend.register_fake
def _(
    query: Tensor, key: Tensor, value: Tensor, nonlocal_scale: Tensor, local_scale: Tensor,
    height: int, width: int, window: int,
) -> tuple[Tensor, ...]:  # fmt: skip
    batch, n = nonlocal_scale.shape
    rows = min(engine.ROWS, n)
    bits = value.new_empty((batch, -(-n // (8 * rows)), rows, n), dtype=torch.uint8)
    local = value.new_empty((batch, n, window**2), dtype=torch.bool)
    numbers = nonlocal_scale.new_empty(batch, n), nonlocal_scale.new_empty(batch, n)
    return value.new_empty(value.shape), *numbers, bits, local


@torch.library.custom_op("asa_viz::attend_backward", mutates_args=())
def _attend_backward(
    to_output: Tensor,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    nonlocal_scale: Tensor,
    local_scale: Tensor,
    output: Tensor,
    log_normaliser: Tensor,
    bits: Tensor,
    local: Tensor,
    height: int,
    width: int,
    window: int,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Return the gradients of the five tensors of `_attend` for each map of a batch."""
    inputs = (to_output, query, key, value, nonlocal_scale, local_scale)
    found = (output, log_normaliser, bits, local)
    made = []
    with torch.autocast(query.device.type, enabled=False):
        for image in zip(*(each.contiguous() for each in (*inputs, *found)), strict=True):
            towards, q, k, v, t, s, read, normaliser, chosen, near = image
            mapped = engine.Map.of(q, k, t, s, (height, width, window))
            choice = engine.Choice(chosen, near, normaliser)
            made.append(gradients(mapped, v, choice, read, towards))
    stacked = [torch.stack(parts) for parts in zip(*made, strict=True)]
    scales = to_scale(stacked[3], nonlocal_scale), to_scale(stacked[4], local_scale)
    return stacked[0], stacked[1], stacked[2], *scales


@_attend_backward.register_fake
def _(to_output: Tensor, *rest: Any) -> tuple[Tensor, ...]:
    return tuple(each.new_empty(each.shape) for each in rest[:5])


def _over_maps(operator: Any) -> Any:
    """Return the batching rule for `torch.func.vmap`: the mapped axis becomes a batch axis."""

    def rule(info: Any, axes: tuple[int | None, ...], *arguments: Any) -> tuple[Any, Any]:
        flat = [
            each if not isinstance(each, Tensor)
            else each.expand(info.batch_size, *each.shape).flatten(0, 1) if axis is None
            else each.movedim(axis, 0).flatten(0, 1)
            for each, axis in zip(arguments, axes, strict=True)
        ]  # fmt: skip
        found = operator(*flat)
        return tuple(each.unflatten(0, (info.batch_size, -1)) for each in found), (0,) * len(found)

    return rule


for _operator in (_attend, _attend_backward):
    _operator.register_vmap(_over_maps(_operator))


class _Attention(torch.autograd.Function):
    """`_attend` with its gradient; a second derivative and forward mode raise an error."""

    generate_vmap_rule = True

    @staticmethod
    def forward(*inputs: Any) -> tuple[Tensor, ...]:
        return _attend(*inputs)

    @staticmethod
    def setup_context(context: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        context.save_for_backward(*inputs[:5], output[0], *output[2:])
        context.shape = inputs[5:]
        context.mark_non_differentiable(*output[1:])

    @staticmethod
    def backward(context: Any, *to_outputs: Any) -> tuple[Tensor | None, ...]:
        inputs = (to_outputs[0], *context.saved_tensors, *context.shape)
        # Dynamo cannot trace a Function inside a Function, and there is no second derivative
        # anyway.
        gradient = _attend_backward if torch.compiler.is_compiling() else _Gradient.apply
        return *gradient(*inputs), None, None, None


class _Gradient(torch.autograd.Function):
    """`_attend_backward`; its own derivative raises an error."""

    generate_vmap_rule = True

    @staticmethod
    def forward(*inputs: Any) -> tuple[Tensor, ...]:
        return _attend_backward(*inputs)

    @staticmethod
    def setup_context(context: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        """Save nothing."""

    @staticmethod
    def backward(context: Any, *to_outputs: Any) -> tuple[None, ...]:
        raise NotImplementedError("Adaptive sparse attention has no second derivative.")


def _released(
    query: Float[Tensor, "b n d"],
    key: Float[Tensor, "b n d"],
    value: Float[Tensor, "b n c"],
    nonlocal_scale: Float[Tensor, "b n"],
    local_scale: Float[Tensor, "b n"],
    height: int,
    width: int,
    window: int,
) -> list[Tensor]:
    """Return outputs, support sizes and log-sum-exps under rule "released", in blocks of rows."""
    check_scales(nonlocal_scale, local_scale)
    made = []
    with torch.autocast(query.device.type, enabled=False):
        for q, k, v, t, s in zip(query, key, value, nonlocal_scale, local_scale, strict=True):
            normaliser = log_normalisers(q.detach(), k.detach())
            shape = (height, width, window)
            of_block = partial(_released_block, q, k, v, t, s, normaliser, shape)
            read = [checkpoint(of_block, rows, use_reentrant=False) for rows in blocks(len(q))]
            made.append((*map(torch.cat, zip(*read, strict=True)), normaliser))
    return [torch.stack(parts) for parts in zip(*made, strict=True)]


def _released_block(
    query: Tensor, key: Tensor, value: Tensor, nonlocal_scale: Tensor, local_scale: Tensor,
    log_normaliser: Tensor, shape: Shape, rows: slice,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    weights = released_rows(query, key, nonlocal_scale, local_scale, log_normaliser, shape, rows)
    return weights @ value, (weights > 0).sum(-1).to(value)


def released_rows(
    query: Float[Tensor, "n d"],
    key: Float[Tensor, "n d"],
    nonlocal_scale: Float[Tensor, " n"],
    local_scale: Float[Tensor, " n"],
    log_normaliser: Float[Tensor, " n"],
    shape: Shape,
    rows: slice,
) -> Float[Tensor, "r n"]:
    """Return the weights of the queries `rows` under rule "released"; queries already scaled."""
    n = len(key)
    affinity = (query[rows] @ key.mT).log_softmax(-1).exp()
    incoming = (key[rows] @ query.mT - log_normaliser).exp()
    inside = torch.zeros(len(affinity), n + 1, dtype=torch.bool, device=key.device)
    inside.scatter_(1, window_keys(*shape, key.device)[rows], True)
    return released_weights(affinity, incoming, nonlocal_scale, local_scale, inside[:, :n], rows)
