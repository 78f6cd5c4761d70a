"""The attention alone, forward and with its gradients, against fused dense attention."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from asa_viz.attention.blockwise import adaptive_sparse_attention, attend
from asa_viz.attention.definition import adaptive_sparse_weights
from asa_viz.bench.inputs import Inputs, Options, cases, random
from asa_viz.bench.report import MEGABYTE, Goal, Line
from asa_viz.measuring import peak_bytes, seconds

FUSED = "fused dense attention"
FORWARD = Goal(1.2)
FORWARD_BYTES = Goal(64 * MEGABYTE, of="ours")
TRAINING = Goal(2.5)
TRAINING_BYTES = Goal(1 / 8)

# The definition holds several n x n arrays: larger maps than this are reckoned from one of its own.
_DEFINED = (45, 60)

Step = Callable[[], Any]


def fused(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """PyTorch's attention over all keys, on queries that are already scaled."""
    return scaled_dot_product_attention(query, key, value, scale=1.0)


def defined(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    nonlocal_scale: Tensor,
    local_scale: Tensor,
    **shape: Any,
) -> Tensor:
    """Adaptive sparse attention as it is defined, by its whole matrix."""
    return adaptive_sparse_weights(query, key, nonlocal_scale, local_scale, **shape) @ value


def forward_lines(options: Options) -> Iterator[Line]:
    """Measure one pass without gradient."""
    for name, inputs in cases(options):
        ours, peer = partial(attend, *inputs.tensors, **inputs.shape), partial(fused, *inputs.dense)
        with torch.no_grad():
            taken = seconds({"ours": ours, "peer": peer}, options.rounds)
            held = peak_bytes(ours)
            most, most_name = _defined_bytes(
                lambda these: partial(defined, *these.tensors, **these.shape), inputs
            )
        what = f"forward, {name}"
        yield Line(what, "seconds", taken["ours"], taken["peer"], FUSED, FORWARD)
        yield Line(f"memory, {what}", "bytes", held, most, most_name, FORWARD_BYTES)


def training_lines(options: Options) -> Iterator[Line]:
    """Measure a pass and the gradients of everything that goes in."""
    for name, inputs in cases(options):
        ours = _training(partial(adaptive_sparse_attention, **inputs.shape), inputs.tensors)
        peer = _training(fused, inputs.dense)
        taken = seconds({"ours": ours, "peer": peer}, options.rounds)
        held = peak_bytes(ours)
        most, most_name = _defined_bytes(
            lambda these: _training(partial(defined, **these.shape), these.tensors), inputs
        )
        what = f"with gradients, {name}"
        yield Line(what, "seconds", taken["ours"], taken["peer"], FUSED, TRAINING)
        yield Line(f"memory, {what}", "bytes", held, most, most_name, TRAINING_BYTES)


def _training(function: Callable[..., Tensor], tensors: Sequence[Tensor]) -> Step:
    """Return a step that computes an output and the gradients of all `tensors`."""
    leaves = [tensor.detach().clone().requires_grad_() for tensor in tensors]
    gradient = torch.randn(tensors[2].shape, generator=torch.Generator().manual_seed(1))
    return lambda: torch.autograd.grad(function(*leaves), leaves, gradient)


def _defined_bytes(step: Callable[[Inputs], Step], inputs: Inputs) -> tuple[float, str]:
    """Return the peak memory of the definition, and what to call it: measured or reckoned."""
    height, width = _DEFINED
    if inputs.size <= height * width:
        return peak_bytes(step(inputs)), "definition, measured"
    smaller = random(height, width, inputs.value.shape[-1])
    peak = peak_bytes(step(smaller)) * (inputs.size / smaller.size) ** 2
    return peak, f"definition, from n = {smaller.size}"
