"""Rows of adaptive sparse attention, one or all, from what is stored once per image."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from itertools import islice

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from asa_viz.attention.base import flat
from asa_viz.attention.blockwise import cut, kth_largest, log_normalisers
from asa_viz.attention.checks import check_map
from asa_viz.attention.decisions import Decisions, LastThresholds
from asa_viz.attention.definition import log_scale, passes, tie_slack
from asa_viz.attention.engine import Map, choose, lay, local_of, numbers, read, support_of
from asa_viz.attention.neighbourhood import window_keys
from asa_viz.attention.what_if import AS_TRAINED, WhatIf
from asa_viz.geometry import Cell
from asa_viz.views import MeanView, QueryView


@dataclass(frozen=True, eq=False)
class SparseAttention:
    """One image's adaptive sparse attention with fixed projections; made by `of`.

    Queries are already scaled: similarities are plain dot products. `log_normaliser` is the
    log-sum-exp of each query's similarities. Where all scales are 0 it is dense attention.
    """

    query: Float[Tensor, "n d"]
    key: Float[Tensor, "n d"]
    log_normaliser: Float[Tensor, " n"]
    nonlocal_scale: Float[Tensor, " n"]
    local_scale: Float[Tensor, " n"]
    height: int
    width: int
    window: int = 3
    _top_k: LastThresholds = field(default_factory=LastThresholds, init=False, repr=False)

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
        check_map(query, key, query, (nonlocal_scale, local_scale), height, width, "clean")
        query = query * (query.shape[-1] ** -0.5 if scaled else 1.0)
        if log_normaliser is None:
            log_normaliser = log_normalisers(query, key)
        stored = (query, key, log_normaliser, nonlocal_scale, local_scale)
        q, k, normaliser, t, s = (tensor.detach().cpu() for tensor in stored)
        return cls(q, k, normaliser, t, s, height, width, window)

    def with_thresholds(
        self, nonlocal_scale: float, local_scale: float, window: int
    ) -> "SparseAttention":
        """Return the same affinities under one pair of thresholds for all cells."""
        full = torch.ones_like(self.nonlocal_scale)
        return replace(
            self, nonlocal_scale=nonlocal_scale * full, local_scale=local_scale * full,
            window=window,
        )  # fmt: skip

    @property
    def decides(self) -> bool:
        """Whether there are thresholds."""
        return bool(self.nonlocal_scale.any() or self.local_scale.any())

    @property
    def size_in_bytes(self) -> int:
        """The memory of the stored tensors."""
        # Derived tensors do not count: a cache adds this number at one time and subtracts it at
        # another.
        values = [getattr(self, each.name) for each in fields(self)]
        return sum(value.nbytes for value in values if isinstance(value, Tensor))

    def row(self, query: Cell, what_if: WhatIf = AS_TRAINED) -> QueryView:
        """Return one query's row, in O(n d); the first one under another k takes O(n^2 d).

        The arithmetic is that of `weights`, in numpy: torch takes twice as long for a matrix-vector
        product and for each operation on vectors this short.
        """
        arrays = self._trained if what_if is AS_TRAINED else self._arrays(what_if)
        queries, keys, i = arrays[0], arrays[1], query.row * self.width + query.col
        return self._row(query, keys @ queries[i], queries @ keys[i], arrays, what_if)

    def rows(
        self, queries: Sequence[Cell | Collection[Cell]], what_if: WhatIf = AS_TRAINED
    ) -> list[QueryView | MeanView]:
        """Return the row of each query or set of cells; two matrix products for all.

        Raises:
            ValueError: a cell lies outside the grid, or a set is empty.
        """
        sets = [(query,) if isinstance(query, Cell) else tuple(query) for query in queries]
        if not all(sets):
            raise ValueError("A set of cells that is one query must not be empty.")
        cells = [cell for each in sets for cell in each]
        index = [flat(cell, (self.height, self.width)) for cell in cells]
        arrays = self._trained if what_if is AS_TRAINED else self._arrays(what_if)
        outgoing, incoming = arrays[0][index] @ arrays[1].T, arrays[1][index] @ arrays[0].T
        each_row = iter(
            self._row(cell, out, back, arrays, what_if)
            for cell, out, back in zip(cells, outgoing, incoming, strict=True)
        )
        return [
            next(each_row)
            if isinstance(query, Cell)
            else MeanView.of(list(islice(each_row, len(of))))
            for query, of in zip(queries, sets, strict=True)
        ]

    # The ratio to a tiny threshold may overflow to infinity.
    @np.errstate(over="ignore")
    def _row(
        self,
        query: Cell,
        similarity: Float[np.ndarray, " n"],
        incoming: Float[np.ndarray, " n"],
        arrays: tuple[np.ndarray, ...],
        what_if: WhatIf,
    ) -> QueryView:
        """Return one query's row from its similarities with all keys and theirs with it."""
        i, grid = query.row * self.width + query.col, (self.height, self.width)
        slack = tie_slack(self.key.dtype)
        _, _, log_normaliser, log_thresholds, nonlocal_scales, local_scales = arrays
        log_affinity = similarity - log_normaliser[i]
        log_incoming = incoming - log_normaliser
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
        weights = np.zeros(log_affinity.size, log_normaliser.dtype)
        weights[kept] = share / share.sum()
        if what_if.top_k is None:
            nonlocal_scale = float(nonlocal_scales[i]) * what_if.nonlocal_factor
        else:
            nonlocal_scale = math.exp(log_thresholds[i]) * log_affinity.size

        def exp(values: np.ndarray) -> np.ndarray:
            return np.exp(values, dtype=log_normaliser.dtype).reshape(grid)

        return QueryView(
            query=query,
            dense=exp(log_affinity),
            incoming=exp(log_incoming),
            incoming_ratio=exp(log_ratio),
            chosen=chosen.reshape(grid),
            chooses_back=chooses_back.reshape(grid),
            local=local,
            weights=weights.reshape(grid),
            nonlocal_scale=nonlocal_scale,
            local_scale=local_scale,
            local_threshold=local_scale * math.exp(log_window_mean) * log_affinity.size,
            reciprocity=what_if.reciprocity,
        )

    def mix(
        self, values: Float[Tensor, "n c"], what_if: WhatIf = AS_TRAINED
    ) -> Float[Tensor, "n c"]:
        """Return the weighted sum of values for every query, without an n x n array."""
        image = self._map(what_if)
        return read(image, choose(image), values)[0]

    def whole_image(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return every query's support size, in-degree and kept mass, in O(n^2 d)."""
        image, n = self._map(AS_TRAINED), len(self.key)
        choice = choose(image)
        support_size, in_degree, mass = torch.zeros_like(self.log_normaliser).repeat(3, 1)
        for block in cut(n, choice.bits.shape[1]):
            support = numbers(support_of(image, choice, block), self.key)
            similarity = self.query[block] @ self.key.mT
            affinity = similarity.sub_(choice.log_normaliser[block, None]).exp_()
            support_size[block] = support.sum(1)
            in_degree += support.sum(0)
            mass[block] = affinity.mul_(support).sum(1)
        return support_size, in_degree, mass

    def weights(self, queries: slice, what_if: WhatIf = AS_TRAINED) -> Float[Tensor, "r n"]:
        """Return the rows of a slice of queries, in row-major order."""
        parts = self.decisions(queries, what_if)
        chosen = parts.chosen & parts.chooses_back if what_if.reciprocity else parts.chosen
        support = chosen | parts.local
        own = torch.arange(queries.start, queries.stop, device=support.device)
        support[own - queries.start, own] |= ~support.any(-1)
        return parts.log_affinity.masked_fill(~support, -torch.inf).softmax(-1)

    def decisions(self, queries: slice, what_if: WhatIf = AS_TRAINED) -> Decisions:
        """Return who is chosen by a slice of queries, who chooses them back, and who is local."""
        image = self._map(what_if)
        log_affinity = image.query[queries] @ image.key.mT - self.log_normaliser[queries, None]
        log_incoming = image.key[queries] @ image.query.mT - self.log_normaliser
        local = torch.zeros_like(log_affinity, dtype=torch.bool)
        lay(local_of(image, queries, log_affinity), image.neighbours[queries], local)
        chosen = passes(log_affinity, image.log_threshold[queries, None])
        return Decisions(log_affinity, chosen, passes(log_incoming, image.log_threshold), local)

    def _map(self, what_if: WhatIf) -> Map:
        """Return the map under another rule."""
        query, key = self._projections(what_if)
        window = what_if.window or self.window
        local_scale = self.local_scale * what_if.local_factor
        if not what_if.local_rule:
            local_scale = torch.full_like(local_scale, math.inf)
        return Map(
            query,
            key,
            self._log_thresholds(what_if),
            log_scale(local_scale),
            window_keys(self.height, self.width, window, key.device),
            what_if.reciprocity,
        )

    def _projections(self, what_if: WhatIf) -> tuple[Tensor, Tensor]:
        """Return queries and keys in a precision that decides ties.

        Under top-k one key of every row equals the threshold exactly, and summing in another order
        may move it by more than the tolerance of a tie; in double precision it does not.
        """
        if what_if.top_k is None:
            return self.query, self.key
        return self.query.double(), self.key.double()

    @cached_property
    def _trained(self) -> tuple[np.ndarray, ...]:
        return self._arrays(AS_TRAINED)

    def _arrays(self, what_if: WhatIf) -> tuple[np.ndarray, ...]:
        """Return queries, keys, log normalisers, log thresholds and both scales as numpy arrays."""
        parts = (*self._projections(what_if), self.log_normaliser, self._log_thresholds(what_if))
        return tuple(part.numpy() for part in (*parts, self.nonlocal_scale, self.local_scale))

    def _log_thresholds(self, what_if: WhatIf) -> Float[Tensor, " n"]:
        """Return the log affinity from which on each query chooses a key."""
        n = len(self.key)
        if what_if.top_k is None:
            return log_scale(self.nonlocal_scale) - math.log(n) + _log(what_if.nonlocal_factor)
        query, key = self._projections(what_if)
        return self._top_k.get(
            min(what_if.top_k, n), lambda k: kth_largest(query, key, k) - self.log_normaliser
        )


def _log(scale: float) -> float:
    return math.log(scale) if scale > 0 else -math.inf
