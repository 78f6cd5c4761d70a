"""Benchmark of the attention alone, forward and backward, against fused dense attention."""

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from asa_viz.attention.definition import adaptive_sparse_weights
from asa_viz.attention.operator import adaptive_sparse_attention
from asa_viz.bench.inputs import Inputs, Options, cases, random
from asa_viz.bench.report import MEGABYTE, Goal, Line
from asa_viz.measuring import peak_bytes, seconds

OURS = "adaptive sparse attention"
FUSED = "fused dense attention"
DEFINED = "the definition, n x n"

# The definition holds several n x n arrays: for larger maps its memory is extrapolated from this
# grid.
_DEFINED = (45, 60)

Function = Callable[..., Tensor]
Step = Callable[[], Any]


def designs(inputs: Inputs) -> dict[str, tuple[Function, tuple[Tensor, ...]]]:
    """Return ASA, fused attention and the definition, each with the tensors that it takes."""
    return {
        OURS: (partial(adaptive_sparse_attention, **inputs.shape), inputs.tensors),
        FUSED: (fused, inputs.tensors[:3]),
        DEFINED: (partial(defined, **inputs.shape), inputs.tensors),
    }


def fused(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """PyTorch's attention; without the axis of heads it would form the n x n matrix."""
    query, key, value = (tensor[:, None] for tensor in (query, key, value))
    return scaled_dot_product_attention(query, key, value, scale=1.0)[:, 0]


def defined(query: Tensor, key: Tensor, value: Tensor, *scales: Tensor, **shape: Any) -> Tensor:
    """Adaptive sparse attention by its definition, with the whole matrix."""
    return adaptive_sparse_weights(query, key, *scales, **shape) @ value


def forward(function: Function, tensors: tuple[Tensor, ...]) -> Step:
    """Return a function that runs one forward pass without gradients."""
    return partial(torch.no_grad()(function), *tensors)


def training(function: Function, tensors: tuple[Tensor, ...]) -> Step:
    """Return a function that runs one forward and backward pass."""
    leaves = [tensor.detach().clone().requires_grad_() for tensor in tensors]
    gradient = torch.randn(tensors[2].shape, generator=torch.Generator().manual_seed(1))
    gradient = gradient.to(tensors[2].device)
    return lambda: torch.autograd.grad(function(*leaves), leaves, gradient)


def forward_lines(options: Options) -> Iterator[Line]:
    """Measure the forward pass."""
    return _lines("forward", forward, options, Goal(0.95), Goal(64 * MEGABYTE, of="ours"))


def training_lines(options: Options) -> Iterator[Line]:
    """Measure the forward and backward pass."""
    return _lines("with gradients", training, options, Goal(1.1), Goal(1 / 10))


def _lines(
    how: str, step: Callable[..., Step], options: Options, time: Goal, memory: Goal
) -> Iterator[Line]:
    for name, inputs in cases(options):
        what = f"{how}, {name}"
        ours, peer, _ = (step(*design) for design in designs(inputs).values())
        taken = seconds({"ours": ours, "peer": peer}, options.rounds)
        yield Line(what, "seconds", taken["ours"], taken["peer"], FUSED, time)
        most, most_name = _defined_bytes(step, inputs)
        yield Line(f"memory, {what}", "bytes", peak_bytes(ours), most, most_name, memory)


def _defined_bytes(step: Callable[..., Step], inputs: Inputs) -> tuple[float, str]:
    """Return the definition's peak memory, and whether it was measured or extrapolated."""
    size, how, device = inputs.size, "measured", inputs.query.device.type
    if size > math.prod(_DEFINED):
        inputs = random(*_DEFINED, inputs.value.shape[-1]).to(device)
        how = f"from n = {inputs.size}"
    peak = peak_bytes(step(*designs(inputs)[DEFINED]))
    return peak * (size / inputs.size) ** 2, f"definition, {how}"
