"""Checks the arguments of adaptive sparse attention, and what is asked of them."""

from functools import reduce
from typing import Literal

import torch
from torch import Tensor
from torch.autograd import forward_ad

Rule = Literal["clean", "released"]


def check_map(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    scales: tuple[Tensor, Tensor],
    height: int,
    width: int,
    rule: str,
) -> None:
    """Check that the tensors fit each other and the map, and that the rule exists.

    Raises:
        ValueError: they do not, or it does not.
    """
    if rule not in ("clean", "released"):
        raise ValueError(f'The rule is "clean" or "released", not {rule!r}.')
    if query.ndim < 2 or query.numel() == 0:
        raise ValueError(f"Queries are [..., n, d] with no axis of 0; got {_shape(query)}.")
    if query.shape[-2] != height * width:
        raise ValueError(f"{query.shape[-2]} queries do not fill a {height} x {width} map.")
    if key.shape != query.shape:
        raise ValueError(
            f"Keys must have the shape of the queries, {_shape(query)}; got {_shape(key)}."
        )
    if value.shape[:-1] != query.shape[:-1]:
        raise ValueError(
            f"Values must have the axes of the queries but the last, {_shape(query)}; "
            f"got {_shape(value)}."
        )
    for scale in scales:
        if scale.shape != query.shape[:-1]:
            raise ValueError(
                f"Each scale must be one number a query, {_shape(query[..., 0])}; "
                f"got {_shape(scale)}."
            )


def check_scales(*scales: Tensor) -> None:
    """Check that every scale can be compared with affinities.

    Raises:
        ValueError: a scale is negative or not a number.
    """
    if not all(bool((scale >= 0).all()) for scale in scales):
        raise ValueError("Scales must be numbers from 0 on; one is negative or not a number.")


def widened(*tensors: Tensor) -> list[Tensor]:
    """Return tensors in the widest precision among them, at least float32."""
    precision = reduce(torch.promote_types, (each.dtype for each in tensors), torch.float32)
    return [each.to(precision) for each in tensors]


def _shape(tensor: Tensor) -> list[int]:
    return list(tensor.shape)


def is_eager() -> bool:
    """Return whether operators run at once: no tracing, no transform of `torch.func`."""
    return (
        not torch.compiler.is_compiling() and torch._C._functorch.peek_interpreter_stack() is None
    )


def asks_values_alone(*tensors: Tensor) -> bool:
    """Return whether plain torch code may stand for a custom operator: no derivative is asked for.

    The first call of a custom operator imports `torch._dynamo`: seconds, and 95 MB of memory.
    """
    return (
        is_eager()
        and all(type(tensor) in (Tensor, torch.nn.Parameter) for tensor in tensors)
        and not (torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors))
        and all(forward_ad.unpack_dual(tensor).tangent is None for tensor in tensors)
    )
