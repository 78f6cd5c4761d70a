"""The backward pass of the compiled attention: products by PyTorch, the rest of each block in C."""

import math
from ctypes import byref

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from asa_viz.attention.definition import log_scale, tie_slack
from asa_viz.attention.native.forward import Found, filled_up
from asa_viz.attention.native.library import Gradient, Image, Kernels

# Four products of this many rows with all cells are held at a time.
BLOCK_ROWS = 256


def backward(
    kernels: Kernels,
    tensors: tuple[Tensor, ...],
    found: Found,
    to_output: Float[Tensor, "n c"],
    shape: tuple[int, int, int],
    similarity_scale: float,
) -> tuple[Tensor, ...]:
    """Return the gradients of one image's five `tensors`, the arguments of `forward`.

    Where a query's log-sum-exp or output is not finite, all gradients of the image are NaN.
    """
    query, key, value, to_output = (filled_up(each) for each in (*tensors[:3], to_output))
    n, words = len(query), math.ceil(len(query) / 64)
    mean = (to_output[:, : found.output.shape[1]] * found.output).sum(1)
    log_threshold = log_scale(tensors[3]) - math.log(n)
    log_local = log_scale(tensors[4])
    limit = found.log_strongest - found.log_mass
    numbers = (found.highest, found.log_total, log_threshold, found.log_mass, limit, mean)
    padded = F.pad(torch.stack(numbers), (0, 64 * words - n))
    rows = min(n, BLOCK_ROWS)
    products = query.new_empty(4, rows, 64 * words)
    bits = torch.empty(2, rows, words, dtype=torch.int64)
    made = [torch.zeros_like(each) for each in (query, key, value)]
    to_logs = [torch.empty_like(scale) for scale in tensors[3:]]
    image = Image(
        n=n, depth=query.shape[1], channels=value.shape[1],
        height=shape[0], width=shape[1], window=shape[2],
        words=words, threads=torch.get_num_threads(), scale=similarity_scale,
        query=query.data_ptr(), key=key.data_ptr(), value=value.data_ptr(),
        log_local=log_local.data_ptr(), local=found.local.data_ptr(),
        highest=found.highest.data_ptr(), slack=tie_slack(torch.float32),
    )  # fmt: skip
    arrays = (to_output, *padded, *products, *bits, *made, *to_logs)
    gradient = Gradient(64 * words, *(array.data_ptr() for array in arrays))
    for first in range(0, n, rows):
        block = slice(first, min(first + rows, n))
        count = block.stop - first
        factors = ((query, key), (key, query), (to_output, value), (value, to_output))
        for product, (left, right) in zip(products, factors, strict=True):
            scale = similarity_scale if left is query or left is key else 1.0
            out = product[:count, :n]
            torch.addmm(out, left[block], right.mT, beta=0, alpha=scale, out=out)
        kernels.backward(byref(image), byref(gradient), first, count)

    to_query, to_key, to_value = made
    to_query *= similarity_scale
    to_key *= similarity_scale
    # A query that keeps nothing has read its own value.
    to_value += to_output * (found.kept == 0)[:, None]
    to_scales = [
        to_log / scale.masked_fill(scale <= 0, torch.inf)
        for to_log, scale in zip(to_logs, tensors[3:], strict=True)
    ]
    gradients = [
        *(each[:, : like.shape[1]] for each, like in zip(made, tensors[:3], strict=True)),
        *to_scales,
    ]
    if not bool((found.log_mass + mean).sum().isfinite()):
        gradients = [torch.full_like(each, torch.nan) for each in gradients]
    return tuple(gradients)
