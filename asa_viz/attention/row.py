"""Rows of adaptive sparse attention, one or all, from what is stored once per image."""

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from asa_viz.attention.blockwise import (
    blocks,
    forward_tiles,
    in_window,
    kth_largest,
    log_normalisers,
    over_rows,
)
from asa_viz.attention.definition import check_grid, log_scale, tie_slack
from asa_viz.attention.neighbourhood import window_keys
from asa_viz.attention.tiles import Map
from asa_viz.attention.what_if import AS_TRAINED, WhatIf
from asa_viz.geometry import Cell


@dataclass(frozen=True, eq=False)
class AttentionRow:
    """The weights of one query over the grid, and how the clean rule came to them.

    `dense` is the affinity P_ij of the query i with every key j, `incoming` P_ji, and
    `incoming_ratio` is P_ji over the threshold of key j (infinite where that threshold is 0). The
    scales are the query's own: the non-local one is its threshold in multiples of 1 / n, the local
    one multiplies the mean of its window, and `local_threshold` is what the affinity of a key there
    must reach. Without `reciprocity` a key needs only be chosen.
    """

    dense: Float[np.ndarray, "h w"]
    incoming: Float[np.ndarray, "h w"]
    incoming_ratio: Float[np.ndarray, "h w"]
    chosen: Bool[np.ndarray, "h w"]
    chooses_back: Bool[np.ndarray, "h w"]
    local: Bool[np.ndarray, "h w"]
    weights: Float[np.ndarray, "h w"]
    nonlocal_scale: float
    local_scale: float
    local_threshold: float
    reciprocity: bool = True

    @property
    def reciprocal(self) -> Bool[np.ndarray, "h w"]:
        """The keys that are chosen and choose back."""
        return self.chosen & self.chooses_back

    @property
    def support(self) -> Bool[np.ndarray, "h w"]:
        """The keys that are kept: reciprocal or local; without reciprocity, chosen or local."""
        return (self.reciprocal if self.reciprocity else self.chosen) | self.local


class _LastThresholds:
    """The thresholds of the k asked for last: a visitor stays with one for many queries."""

    def __init__(self) -> None:
        self._k = 0
        self._thresholds = torch.empty(0)
        self._lock = threading.Lock()

    def get(self, k: int, compute: Callable[[int], Tensor]) -> Tensor:
        """Return the thresholds of `k`, computed once also where several threads ask."""
        with self._lock:
            if k != self._k:
                self._thresholds = compute(k)
                self._k = k
            return self._thresholds


@dataclass(frozen=True, eq=False)
class SparseAttention:
    """Adaptive sparse attention of one image with its projections fixed; made by `of`.

    Queries are already scaled, so that a similarity is a plain dot product. `log_normaliser` is the
    log-sum-exp of each query's similarities. Scales of 0 everywhere make it dense attention.
    """

    query: Float[Tensor, "n d"]
    key: Float[Tensor, "n d"]
    log_normaliser: Float[Tensor, " n"]
    nonlocal_scale: Float[Tensor, " n"]
    local_scale: Float[Tensor, " n"]
    height: int
    width: int
    window: int = 3
    _top_k: _LastThresholds = field(default_factory=_LastThresholds, init=False, repr=False)

    @classmethod
    def of(
        cls,
        query: Float[Tensor, "n d"],
        key: Float[Tensor, "n d"],
        nonlocal_scale: Float[Tensor, " n"],
        local_scale: Float[Tensor, " n"],
        *,
        height: int,
        width: int,
        window: int = 3,
        scaled: bool = True,
        log_normaliser: Float[Tensor, " n"] | None = None,
    ) -> "SparseAttention":
        """Keep all on the CPU; the normalisers, unless given, take O(n^2 d) time, O(n) memory."""
        check_grid(query, height, width, "clean")
        query = query * (query.shape[-1] ** -0.5 if scaled else 1.0)
        if log_normaliser is None:
            log_normaliser = log_normalisers(query, key)
        stored = (query, key, log_normaliser, nonlocal_scale, local_scale)
        q, k, normaliser, t1, t2 = (tensor.detach().cpu() for tensor in stored)
        return cls(q, k, normaliser, t1, t2, height, width, window)

    @property
    def size_in_bytes(self) -> int:
        """The memory that the stored tensors take."""
        # What is derived later does not count: a store adds this number now and subtracts it then.
        values = [getattr(self, each.name) for each in fields(self)]
        return sum(value.nbytes for value in values if isinstance(value, Tensor))

    # The ratio to a threshold of next to nothing leaves the range of numbers, and is infinite.
    @np.errstate(over="ignore")
    def row(self, query: Cell, what_if: WhatIf = AS_TRAINED) -> AttentionRow:
        """Return one query's row, in O(n d); the first under another k takes O(n^2 d).

        The arithmetic is that of `weights`, in numpy: torch takes twice as long for a matrix times
        a vector, and to start each step on vectors this short.
        """
        i, grid = query.row * self.width + query.col, (self.height, self.width)
        slack = tie_slack(self.key.dtype)
        arrays = self._trained if what_if is AS_TRAINED else self._arrays(what_if)
        queries, keys, log_normaliser, log_thresholds, nonlocal_scales, local_scales = arrays
        log_affinity = keys @ queries[i] - log_normaliser[i]
        log_incoming = queries @ keys[i] - log_normaliser
        chosen = log_affinity >= log_thresholds[i] - slack
        log_ratio = log_incoming - log_thresholds
        chooses_back = log_ratio >= -slack

        reach = (what_if.window or self.window) // 2
        window = tuple(slice(max(0, at - reach), at + reach + 1) for at in query)
        near = log_affinity.reshape(grid)[window]
        local_scale = float(local_scales[i]) * what_if.local_factor
        log_window_mean = float(np.logaddexp.reduce(near, axis=None)) - math.log(near.size)
        log_local_threshold = log_window_mean + _log(local_scale)
        local = np.zeros(grid, bool)
        local[window] = (near >= log_local_threshold - slack) & what_if.local_rule

        support = (chosen & chooses_back if what_if.reciprocity else chosen) | local.ravel()
        (kept,) = support.nonzero()
        if not len(kept):
            kept = np.array([i])
        log_kept = log_affinity[kept]
        share = np.exp(log_kept - log_kept.max())
        weights = np.zeros(len(keys), log_normaliser.dtype)
        weights[kept] = share / share.sum()
        if what_if.top_k is None:
            nonlocal_scale = float(nonlocal_scales[i]) * what_if.nonlocal_factor
        else:
            nonlocal_scale = math.exp(log_thresholds[i]) * len(keys)

        def exp(values: np.ndarray) -> np.ndarray:
            return np.exp(values, dtype=log_normaliser.dtype).reshape(grid)

        return AttentionRow(
            dense=exp(log_affinity),
            incoming=exp(log_incoming),
            incoming_ratio=exp(log_ratio),
            chosen=chosen.reshape(grid),
            chooses_back=chooses_back.reshape(grid),
            local=local,
            weights=weights.reshape(grid),
            nonlocal_scale=nonlocal_scale,
            local_scale=local_scale,
            local_threshold=local_scale * math.exp(log_window_mean),
            reciprocity=what_if.reciprocity,
        )

    def mix(
        self, values: Float[Tensor, "n c"], what_if: WhatIf = AS_TRAINED
    ) -> Float[Tensor, "n c"]:
        """Return what every query reads of the values: exact, in blocks, never n x n at once."""
        return torch.cat(
            [self.weights(rows, what_if).to(values) @ values for rows in blocks(len(values))]
        )

    def whole_image(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return every query's support size, in-degree and kept mass, in one pass: O(n^2 d)."""
        nothing = self.key.new_empty(len(self.key), 0)
        kept, _ = forward_tiles(
            Map(
                self.query, self.key, nothing, self.nonlocal_scale, self.local_scale,
                self.height, self.width, self.window,
            )
        )  # fmt: skip
        mass = kept.log_mass.exp().masked_fill(kept.support_size == 0, 0)
        return kept.support_size, kept.in_degree, mass

    def weights(self, queries: slice, what_if: WhatIf = AS_TRAINED) -> Float[Tensor, "r n"]:
        """Return the rows of the queries in `queries`, counted along the rows of the map."""
        slack = tie_slack(self.key.dtype)
        query, key = self._projections(what_if)
        log_affinity = query[queries] @ key.mT - self.log_normaliser[queries, None]
        log_incoming = key[queries] @ query.mT - self.log_normaliser
        log_thresholds = self._log_thresholds(what_if)
        chosen = log_affinity >= log_thresholds[queries, None] - slack
        chooses_back = log_incoming >= log_thresholds - slack

        window = what_if.window or self.window
        keys = window_keys(self.height, self.width, window, key.device)[queries]
        near, log_window_mean = in_window(log_affinity, keys)
        log_local_scale = log_scale(self.local_scale[queries, None] * what_if.local_factor)
        passed = (near >= log_local_scale + log_window_mean - slack) & what_if.local_rule
        local = over_rows(passed, keys, torch.zeros_like(chosen))

        support = (chosen & chooses_back if what_if.reciprocity else chosen) | local
        own = torch.arange(queries.start, queries.stop, device=key.device)
        support[own - queries.start, own] |= ~support.any(-1)
        return log_affinity.masked_fill(~support, -torch.inf).softmax(-1)

    def _projections(self, what_if: WhatIf) -> tuple[Tensor, Tensor]:
        """Return queries and keys, precise enough to compare.

        Under top-k one key of every row lies exactly at the threshold, which another order of
        summation may move by more than a tie is allowed; in double precision it does not.
        """
        if what_if.top_k is None:
            return self.query, self.key
        return self.query.double(), self.key.double()

    @cached_property
    def _trained(self) -> tuple[np.ndarray, ...]:
        return self._arrays(AS_TRAINED)

    def _arrays(self, what_if: WhatIf) -> tuple[np.ndarray, ...]:
        """Return queries, keys, their normalisers and thresholds as logarithms, both scales."""
        parts = (*self._projections(what_if), self.log_normaliser, self._log_thresholds(what_if))
        return tuple(part.numpy() for part in (*parts, self.nonlocal_scale, self.local_scale))

    def _log_thresholds(self, what_if: WhatIf) -> Float[Tensor, " n"]:
        """Return the logarithm of the affinity from which each query chooses a key."""
        n = len(self.key)
        if what_if.top_k is None:
            return log_scale(self.nonlocal_scale) - math.log(n) + _log(what_if.nonlocal_factor)
        query, key = self._projections(what_if)
        return self._top_k.get(
            min(what_if.top_k, n), lambda k: kth_largest(query, key, k) - self.log_normaliser
        )


def _log(scale: float) -> float:
    return math.log(scale) if scale > 0 else -math.inf
