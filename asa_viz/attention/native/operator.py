"""The compiled kernels as a torch function, for the tensors that they support."""

import math
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from asa_viz.attention.checks import is_eager
from asa_viz.attention.native.backward import backward
from asa_viz.attention.native.forward import Found, forward
from asa_viz.attention.native.library import Kernels, compiled
from asa_viz.attention.neighbourhood import check_window


def serves(*tensors: Tensor) -> bool:
    """Return whether kernels exist and support these tensors: plain float32 tensors on the CPU.

    Tensors under tracing or vmap have no memory. Inputs that are not finite are left to torch,
    where NaN and infinity and their gradients spread as in the definition.
    """
    return (
        is_eager()
        and bool(compiled())
        and all(
            type(tensor) in (Tensor, torch.nn.Parameter)
            and tensor.device.type == "cpu"
            and tensor.dtype == torch.float32
            and tensor.numel() > 0
            and math.isfinite(tensor.detach().sum())
            for tensor in tensors
        )
    )


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
    kernels: Kernels | None = None,
) -> tuple[Float[Tensor, "b n c"], Float[Tensor, "b n"], Float[Tensor, "b n"]]:
    """Return what each query reads, how many keys it keeps, the log-sum-exp of its similarities.

    `serves` must be true for the tensors; `kernels` defaults to the fastest here.

    Raises:
        ValueError: `height * width` is not n, or the window is not odd and positive.
    """
    if query.shape[1] != height * width:
        raise ValueError(f"{query.shape[1]} queries do not fill a {height} x {width} map.")
    check_window(window)
    similarity_scale = query.shape[-1] ** -0.5 if scaled else 1.0
    settings = (kernels or compiled()[0], (height, width, window), similarity_scale)
    tensors = (query, key, value, nonlocal_scale, local_scale)
    taught = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors)
    function = _Attention.apply if taught else _read
    made = [function(*image, *settings) for image in zip(*tensors, strict=True)]
    if len(made) == 1:  # by far the most frequent case, and stacking copies
        return made[0][0][None], made[0][1][None], made[0][2][None]
    output, kept, log_normaliser = (torch.stack(parts) for parts in zip(*made, strict=True))
    return output, kept, log_normaliser


def _found(*inputs: Any) -> Found:
    tensors, (kernels, *settings) = inputs[:5], inputs[5:]
    if not torch.is_autocast_enabled("cpu"):  # entering the context takes time
        return forward(kernels, *tensors, *settings)
    with torch.autocast("cpu", enabled=False):
        return forward(kernels, *tensors, *settings)


def _read(*inputs: Any) -> tuple[Tensor, Tensor, Tensor]:
    found = _found(*inputs)
    return found.output, found.kept, found.highest + found.log_total


class _Attention(torch.autograd.Function):
    """One image."""

    @staticmethod
    def forward(context: Any, *inputs: Any) -> tuple[Tensor, Tensor, Tensor]:
        found = _found(*inputs)
        context.save_for_backward(*inputs[:5], *found)
        context.settings = inputs[5:]
        log_normaliser = found.highest + found.log_total
        context.mark_non_differentiable(found.kept, log_normaliser)
        return found.output, found.kept, log_normaliser

    @staticmethod
    @once_differentiable
    def backward(context: Any, *to_outputs: Tensor) -> tuple[Tensor | None, ...]:
        saved = context.saved_tensors
        kernels, *settings = context.settings
        with torch.autocast("cpu", enabled=False):
            gradients = backward(kernels, saved[:5], Found(*saved[5:]), to_outputs[0], *settings)
        return *gradients, None, None, None
