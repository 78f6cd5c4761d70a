"""The Triton kernels as a torch function, with torch as fallback.

A kernel that fails to compile or to launch raises a warning, and this process uses torch from then
on.
"""

import math
import warnings
from functools import cache
from importlib.util import find_spec
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from asa_viz.attention.checks import check_scales, is_eager
from asa_viz.attention.gradients import to_scale

Shape = tuple[int, int, int]

_failures: list[str] = []


def serves(*tensors: Tensor) -> bool:
    """Return whether the kernels support these tensors: plain float32 tensors on a GPU.

    Inputs that are not finite are left to torch, where NaN and infinity spread as in the
    definition.
    """
    return (
        not _failures
        and all(_on_gpu(tensor) and tensor.dtype == torch.float32 for tensor in tensors)
        and is_eager()
        and _has_triton()
        and all(math.isfinite(tensor.detach().sum()) for tensor in tensors)
    )


@cache
def _has_triton() -> bool:
    return find_spec("triton") is not None


def _on_gpu(tensor: Tensor) -> bool:
    return tensor.device.type == "cuda"


def attend(
    query: Float[Tensor, "b n d"],
    key: Float[Tensor, "b n d"],
    value: Float[Tensor, "b n c"],
    nonlocal_scale: Float[Tensor, "b n"],
    local_scale: Float[Tensor, "b n"],
    shape: Shape,
) -> tuple[Tensor, Tensor, Tensor] | None:
    """Return what each query reads, how many keys it keeps, the log-sum-exp of its similarities.

    Of tensors that pass `serves`, queries already scaled; `shape` is height, width, window. None
    where the kernels do not take their widths, or failed.
    """
    from asa_viz.attention.gpu import backward, forward

    check_scales(nonlocal_scale, local_scale)
    if not (forward.serves(query, key, value) and backward.serves(query, value)):
        return None
    try:
        made: tuple[Tensor, Tensor, Tensor] = _Attention.apply(
            query, key, value, nonlocal_scale, local_scale, shape
        )
    except Exception as error:
        _failed("forward", error)
        return None
    return made


def _failed(which: str, error: Exception) -> None:
    _failures.append(which)
    warnings.warn(
        f"The {which} kernels for GPUs failed, and torch computes in their place: {error}",
        RuntimeWarning,
        stacklevel=3,
    )


class _Attention(torch.autograd.Function):
    """A batch of maps."""

    @staticmethod
    def forward(context: Any, *inputs: Any) -> tuple[Tensor, Tensor, Tensor]:
        from asa_viz.attention.gpu import forward as first

        found = first.forward(*inputs)
        context.save_for_backward(*inputs[:5], *found)
        context.shape = inputs[5]
        context.mark_non_differentiable(found.support_size, found.log_normaliser)
        return found.output, found.support_size, found.log_normaliser

    @staticmethod
    @once_differentiable
    def backward(context: Any, *to_outputs: Tensor) -> tuple[Tensor | None, ...]:
        from asa_viz.attention.gpu import backward, forward

        inputs, found = context.saved_tensors[:5], forward.Found(*context.saved_tensors[5:])
        query, key, value, nonlocal_scale, local_scale = inputs
        try:
            *to_features, to_threshold, to_local = backward.backward(
                query, key, value, found, to_outputs[0], context.shape
            )
        except Exception as error:
            _failed("backward", error)
            return *_by_torch(inputs, to_outputs[0], context.shape), None
        scales = to_scale(to_threshold, nonlocal_scale), to_scale(to_local, local_scale)
        return *to_features, *scales, None


def _by_torch(
    inputs: tuple[Tensor, ...], to_output: Tensor, shape: Shape
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Return the gradients by torch's operators (`attend`), the forward pass done once more."""
    output, _, *choice = torch.ops.asa_viz.attend(*inputs, *shape)
    gradients: tuple[Tensor, Tensor, Tensor, Tensor, Tensor] = torch.ops.asa_viz.attend_backward(
        to_output, *inputs, output, *choice, *shape
    )
    return gradients
