"""Splits queries into blocks of rows, and computes row statistics block by block."""

import torch
from jaxtyping import Float
from torch import Tensor

# A block holds about this many weights: 4 MB of float32, which fits into a processor's cache.
BLOCK_WEIGHTS = 1 << 20


def blocks(n: int, held: int | None = None) -> list[slice]:
    """Split n queries into slices small enough to hold a whole slice in memory.

    Each query takes `held` numbers; by default a row of n weights.
    """
    return cut(n, max(1, BLOCK_WEIGHTS // (held or n)))


def cut(n: int, rows: int) -> list[slice]:
    """Split n queries into slices of `rows`; the last may be shorter."""
    return [slice(start, min(start + rows, n)) for start in range(0, n, rows)]


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
