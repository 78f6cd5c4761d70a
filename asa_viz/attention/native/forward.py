"""The forward pass by compiled kernels: similarities by PyTorch, decisions and sums in C.

PyTorch multiplies blocks of whole rows; C evaluates each block while it is in the cache. Of n x n
only one bit a pair is held. The result equals `definition.adaptive_sparse_weights` times the
values, except for pairs whose affinity equals the threshold to the last bits.
"""

import math
from ctypes import byref
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from asa_viz.attention.definition import log_scale, tie_slack
from asa_viz.attention.native.library import Image, Kernels

# Rows of similarities at a time: more leave the cache, fewer are multiplied more slowly.
BLOCK_ROWS = 256
# Vectors are padded with zeros to the widest registers.
_WIDEST = 16


class Found(NamedTuple):
    """One image's attended values, and the intermediate results that the backward pass needs.

    `log_mass` is the logarithm of the kept affinity, `log_strongest` that of the strongest kept
    key; a query that keeps nothing counts itself as kept for both. `kept` is the number of kept
    keys, `local` a bit mask of the window's local keys. The log-sum-exp of the similarities is
    `highest` + `log_total`.
    """

    output: Float[Tensor, "n c"]
    highest: Float[Tensor, " n"]
    log_total: Float[Tensor, " n"]
    log_mass: Float[Tensor, " n"]
    log_strongest: Float[Tensor, " n"]
    kept: Float[Tensor, " n"]
    local: Int[Tensor, "n words"]


def forward(
    kernels: Kernels,
    query: Float[Tensor, "n d"],
    key: Float[Tensor, "n d"],
    value: Float[Tensor, "n c"],
    nonlocal_scale: Float[Tensor, " n"],
    local_scale: Float[Tensor, " n"],
    shape: tuple[int, int, int],
    similarity_scale: float,
) -> Found:
    """Return one image's attended values; `shape` is height, width, window."""
    n, channels = value.shape
    query, key, value = (filled_up(tensor) for tensor in (query, key, value))
    depth, window = query.shape[1], shape[2]
    words = math.ceil(n / 64)
    log_threshold, log_local = log_scale(torch.stack((nonlocal_scale, local_scale)))
    log_threshold -= math.log(n)
    chosen = torch.empty(n, words, dtype=torch.int64)
    local = torch.zeros(n, math.ceil(window**2 / 64), dtype=torch.int64)
    highest, log_total, reference, mass, strongest, kept = query.new_zeros(6, n)
    output = torch.zeros_like(value)
    arrays = (
        query, key, value, log_threshold, log_local, chosen, local, highest, log_total, reference,
        mass, strongest, kept, output,
    )  # fmt: skip
    image = Image(
        n, depth, value.shape[1], *shape, words, torch.get_num_threads(),
        *(array.data_ptr() for array in arrays), similarity_scale, tie_slack(torch.float32),
    )  # fmt: skip

    similarity = query.new_empty(min(n, BLOCK_ROWS), n)
    keys = key.mT
    for first in range(0, n, BLOCK_ROWS):
        rows = query[first : first + BLOCK_ROWS]
        block = similarity[: len(rows)]
        torch.addmm(block, rows, keys, beta=0, alpha=similarity_scale, out=block)
        kernels.block(byref(image), block.data_ptr(), first, len(rows))
    kernels.finish(byref(image), BLOCK_ROWS)
    if not math.isfinite(value.sum().item()):
        cells: Int[Tensor, " m"] = (~value.isfinite()).any(1).nonzero()[:, 0]
        kernels.spread(byref(image), cells.data_ptr(), len(cells))
    return Found(output[:, :channels], highest, log_total, mass, strongest, kept, local)


def filled_up(tensor: Float[Tensor, "n m"]) -> Float[Tensor, "n m_"]:
    """Return contiguous rows padded with zeros to whole vectors."""
    missing = -tensor.shape[1] % _WIDEST
    return F.pad(tensor, (0, missing)) if missing else tensor.contiguous()
