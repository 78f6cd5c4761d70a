"""The decisions of queries on their keys, and a cache of thresholds."""

import threading
from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor


class Decisions(NamedTuple):
    """The decisions of r queries: the log affinity of every key, and which rules it passes."""

    log_affinity: Float[Tensor, "r n"]
    chosen: Bool[Tensor, "r n"]
    chooses_back: Bool[Tensor, "r n"]
    local: Bool[Tensor, "r n"]


class LastThresholds:
    """Caches the thresholds of the last k: a visitor keeps one k for many queries."""

    def __init__(self) -> None:
        self._k = 0
        self._thresholds = torch.empty(0)
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[type["LastThresholds"], tuple[()]]:
        # A cache, and its lock cannot be pickled: a copy starts empty.
        return LastThresholds, ()

    def get(self, k: int, compute: Callable[[int], Tensor]) -> Tensor:
        """Return the thresholds of `k`, computed once even if several threads ask."""
        with self._lock:
            if k != self._k:
                self._thresholds = compute(k)
                self._k = k
            return self._thresholds
