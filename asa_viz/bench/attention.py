"""The attention alone, forward and with its gradients, against fused dense attention."""

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from asa_viz.attention.attend import adaptive_sparse_attention
from asa_viz.attention.definition import adaptive_sparse_weights
from asa_viz.bench.inputs import Inputs, Options, cases, random
from asa_viz.bench.report import MEGABYTE, Goal, Line
from asa_viz.measuring import peak_bytes, seconds

OURS = "adaptive sparse attention"
FUSED = "fused dense attention"
DEFINED = "the definition, n x n"

# The definition holds several n x n arrays: larger maps than this are reckoned from one of its own.
_DEFINED = (45, 60)

Function = Callable[..., Tensor]
Step = Callable[[], Any]


def designs(inputs: Inputs) -> dict[str, tuple[Function, tuple[Tensor, ...]]]:
    """Return ours, its peer and its definition, each with the tensors that it is a function of."""
    return {
        OURS: (partial(adaptive_sparse_attention, **inputs.shape), inputs.tensors),
        FUSED: (fused, inputs.tensors[:3]),
        DEFINED: (partial(defined, **inputs.shape), inputs.tensors),
    }


def fused(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """PyTorch's attention over all keys: without an axis of heads it would form the matrix."""
    query, key, value = (tensor[:, None] for tensor in (query, key, value))
    return scaled_dot_product_attention(query, key, value, scale=1.0)[:, 0]


def defined(query: Tensor, key: Tensor, value: Tensor, *scales: Tensor, **shape: Any) -> Tensor:
    """Adaptive sparse attention as it is defined, by its whole matrix."""
    return adaptive_sparse_weights(query, key, *scales, **shape) @ value


def forward(function: Function, tensors: tuple[Tensor, ...]) -> Step:
    """Return one pass without gradient."""
    return partial(torch.no_grad()(function), *tensors)


def training(function: Function, tensors: tuple[Tensor, ...]) -> Step:
    """Return one pass and the gradients of everything that goes in."""
    leaves = [tensor.detach().clone().requires_grad_() for tensor in tensors]
    gradient = torch.randn(tensors[2].shape, generator=torch.Generator().manual_seed(1))
    gradient = gradient.to(tensors[2].device)
    return lambda: torch.autograd.grad(function(*leaves), leaves, gradient)


def forward_lines(options: Options) -> Iterator[Line]:
    """Measure one pass without gradient."""
    return _lines("forward", forward, options, Goal(0.95), Goal(64 * MEGABYTE, of="ours"))


def training_lines(options: Options) -> Iterator[Line]:
    """Measure one pass with gradients."""
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
    """Return the peak memory of the definition, and what to call it: measured or reckoned."""
    size, how, device = inputs.size, "measured", inputs.query.device.type
    if size > math.prod(_DEFINED):
        inputs = random(*_DEFINED, inputs.value.shape[-1]).to(device)
        how = f"from n = {inputs.size}"
    peak = peak_bytes(step(*designs(inputs)[DEFINED]))
    return peak * (size / inputs.size) ** 2, f"definition, {how}"
