"""Blocks of whole rows, and what each row says by itself: its log-sum-exp, its k-th largest."""

import torch
from jaxtyping import Float
from torch import Tensor

# A block holds about this many weights: 4 MB of float32, small enough for a processor's cache.
BLOCK_WEIGHTS = 1 << 20


def blocks(n: int, held: int | None = None) -> list[slice]:
    """Cut n queries into runs small enough for all of a run to be held at once.

    Of each query `held` numbers are held; by default a row, one for each of n keys.
    """
    return cut(n, max(1, BLOCK_WEIGHTS // (held or n)))


def cut(n: int, rows: int) -> list[slice]:
    """Cut n queries into runs of `rows`; the last may be shorter."""
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
