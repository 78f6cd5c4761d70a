"""Any attention with fixed weights, optionally under thresholds that it was not trained with.

`row.SparseAttention` has softmax affinities of queries and keys; `FixedAttention` holds all other
attention: rows that are signed, have another sum than one, or are products of several passes.
Without thresholds a row is shown as the network computes it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor
from typing_extensions import override

from asa_viz.attention.base import Attention, one_hot
from asa_viz.attention.blockwise import blocks
from asa_viz.attention.decisions import Decisions
from asa_viz.attention.definition import tie_slack
from asa_viz.attention.neighbourhood import window_keys
from asa_viz.attention.rowwise import Rowwise
from asa_viz.attention.what_if import AS_TRAINED, WhatIf
from asa_viz.geometry import Cell
from asa_viz.views import QueryView


@dataclass(frozen=True, eq=False)
class Under(Rowwise):
    """The rows of a fixed attention under a changed rule."""

    fixed: "FixedAttention"
    what_if: WhatIf

    @property
    @override
    def like(self) -> Tensor:
        return self.fixed.rows.like

    @override
    def weights(self, queries: slice) -> Float[Tensor, "r m"]:
        return self.fixed.weights(queries, self.what_if)


@dataclass(frozen=True, eq=False)
class FixedAttention:
    """Attention of one image, queries and keys on one grid; made by `of`.

    The scales are thresholds as in `SparseAttention`: a key is chosen where its weight reaches the
    scale times the row's mean weight; it is kept where it is chosen and chooses back, or is local.
    Kept rows are rescaled to the sum of the original row. Where all scales are 0 no key is removed:
    every row is the network's own.

    Raises:
        ValueError: queries and keys lie on different grids.
    """

    rows: Attention
    nonlocal_scale: Float[Tensor, " n"]
    local_scale: Float[Tensor, " n"]
    window: int = 1

    def __post_init__(self) -> None:
        if self.rows.shape != self.rows.key_shape:
            raise ValueError(f"{self.rows.shape} queries read {self.rows.key_shape} keys.")

    @classmethod
    def of(cls, rows: Attention) -> "FixedAttention":
        """Return the rows as the network computes them, without thresholds."""
        nothing = rows.like.new_zeros(rows.height * rows.width, dtype=torch.float32).cpu()
        return cls(rows, nothing, nothing)

    @property
    def height(self) -> int:
        """The number of rows of cells."""
        return self.rows.height

    @property
    def width(self) -> int:
        """The columns of cells."""
        return self.rows.width

    @property
    def size_in_bytes(self) -> int:
        """The memory of the tensors behind the rows, as far as known."""
        return sum(tensor.nbytes for tensor in _tensors(self.rows))

    @property
    def decides(self) -> bool:
        """Whether there are thresholds."""
        return bool(self.nonlocal_scale.any() or self.local_scale.any())

    @cached_property
    def signed(self) -> bool:
        """Whether some weights are negative."""
        return any(bool((block < 0).any()) for block in map(self._raw, self._blocks()))

    def shares(self) -> Float[Tensor, "n n"]:
        """Return the magnitudes of all weights, each row divided by its sum; n x n, for small maps.

        A row of zeros stays unchanged.
        """
        matrix = torch.cat([self._raw(block).abs() for block in self._blocks()])
        return matrix / matrix.sum(-1, keepdim=True).masked_fill(~matrix.any(-1, keepdim=True), 1)

    def with_thresholds(
        self, nonlocal_scale: float, local_scale: float, window: int
    ) -> "FixedAttention":
        """Return the same rows under one threshold of each kind for all cells.

        Raises:
            ValueError: some weights are negative, for which thresholds are not defined.
        """
        if self.signed:
            raise ValueError("Some weights are negative; thresholds apply to shares alone.")
        full = torch.ones_like(self.nonlocal_scale)
        return replace(
            self, nonlocal_scale=nonlocal_scale * full, local_scale=local_scale * full,
            window=window,
        )  # fmt: skip

    def row(self, query: Cell, what_if: WhatIf = AS_TRAINED) -> QueryView:
        """Return one query's row."""
        i, n = query.row * self.width + query.col, self.height * self.width
        one = slice(i, i + 1)
        thresholds = self._thresholds(what_if)
        dense, incoming = self._raw(one)[0], self._incoming(one)[0]
        parts = self._decisions(one, what_if)
        mean = float(dense[self._near(one, what_if)[0]].mean())
        grid = (self.height, self.width)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = incoming.numpy() / thresholds.numpy()
        total = float(self._totals[i])
        local_scale = float(self.local_scale[i]) * what_if.local_factor
        return QueryView(
            query=query,
            dense=dense.view(grid).numpy(),
            incoming=incoming.view(grid).numpy(),
            incoming_ratio=np.where(np.isnan(ratio), np.inf, ratio).reshape(grid),
            chosen=parts.chosen.view(grid).numpy(),
            chooses_back=parts.chooses_back.view(grid).numpy(),
            local=parts.local.view(grid).numpy(),
            weights=self.weights(one, what_if).view(grid).numpy(),
            nonlocal_scale=float(thresholds[i]) * n / total if total else 0.0,
            local_scale=local_scale,
            local_threshold=local_scale * mean * n,
            reciprocity=what_if.reciprocity,
        )

    def weights(self, queries: slice, what_if: WhatIf = AS_TRAINED) -> Float[Tensor, "r n"]:
        """Return the rows of a slice of queries, in row-major order."""
        dense = self._raw(queries)
        if not self._cut(what_if):
            return dense
        parts = self._decisions(queries, what_if)
        chosen = parts.chosen & parts.chooses_back if what_if.reciprocity else parts.chosen
        support = chosen | parts.local
        own = torch.arange(queries.start, queries.stop)
        itself = torch.zeros_like(support)
        itself[own - queries.start, own] = ~support.any(-1)
        kept = torch.where(itself, torch.ones_like(dense), dense * support)
        whole, left = dense.sum(-1, keepdim=True), kept.sum(-1, keepdim=True)
        return torch.where(support.all(-1, keepdim=True), dense, kept * (whole / left))

    def mix(
        self, values: Float[Tensor, "n c"], what_if: WhatIf = AS_TRAINED
    ) -> Float[Tensor, "n c"]:
        """Return the weighted sum of the values for every query, computed in blocks."""
        mixed = self.under(what_if).mix(values.mT.unflatten(1, self.rows.shape))
        return mixed.flatten(1).mT

    def under(self, what_if: WhatIf) -> Attention:
        """Return the rows under a changed rule as an `Attention`."""
        if not self._cut(what_if):
            return self.rows
        return Under(self.rows.shape, self.rows.key_shape, self, what_if)

    def decisions(self, queries: slice, what_if: WhatIf = AS_TRAINED) -> Decisions:
        """Return who is chosen by a slice of queries, who chooses them back, and who is local.

        Raises:
            ValueError: some weights are negative and have no logarithm.
        """
        dense = self._raw(queries)
        if (dense < 0).any():
            raise ValueError("Some weights are negative, and are no shares of what is read.")
        return self._decisions(queries, what_if)._replace(log_affinity=dense.log())

    def whole_image(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return every query's support size, in-degree and kept mass, in one pass."""
        sizes, masses = [], []
        degree = torch.zeros(self.height * self.width)
        for block in self._blocks():
            parts = self._decisions(block, AS_TRAINED)
            support = (parts.chosen & parts.chooses_back) | parts.local
            dense = self._raw(block)
            sizes.append(support.sum(-1).float())
            masses.append((dense * support).sum(-1) / dense.sum(-1))
            degree += support.sum(0)
        return torch.cat(sizes), degree, torch.cat(masses)

    def _cut(self, what_if: WhatIf) -> bool:
        """Return whether any threshold applies."""
        return self.decides or what_if.top_k is not None

    def _decisions(self, queries: slice, what_if: WhatIf) -> Decisions:
        dense = self._raw(queries)
        everything = torch.ones_like(dense, dtype=torch.bool)
        near = self._near(queries, what_if)
        if not self._cut(what_if):
            return Decisions(dense, everything, everything, near & what_if.local_rule)
        slack = 1 - tie_slack(dense.dtype)
        thresholds = self._thresholds(what_if) * slack
        chosen = dense >= thresholds[queries, None]
        chooses_back = self._incoming(queries) >= thresholds
        mean = (dense * near).sum(-1, keepdim=True) / near.sum(-1, keepdim=True)
        local_scale = self.local_scale[queries, None] * what_if.local_factor
        local = near & (dense >= local_scale * mean * slack) & what_if.local_rule
        return Decisions(dense, chosen, chooses_back, local)

    def _thresholds(self, what_if: WhatIf) -> Float[Tensor, " n"]:
        """Return the weight from which on each query chooses a key."""
        n = self.height * self.width
        if what_if.top_k is None:
            return self.nonlocal_scale * what_if.nonlocal_factor * self._totals / n
        k = min(what_if.top_k, n)
        return torch.cat([self._raw(block).topk(k).values[:, -1] for block in self._blocks()])

    @cached_property
    def _totals(self) -> Float[Tensor, " n"]:
        """The sum of each row."""
        # The sums are the attention applied to a map of ones, one pass.
        ones = self.rows.like.new_ones(1, *self.rows.key_shape)
        with torch.no_grad():
            return self.rows.mix(ones).flatten().float().cpu()

    def _near(self, queries: slice, what_if: WhatIf) -> Bool[Tensor, "r n"]:
        """Return which keys lie in the windows of the queries."""
        n = self.height * self.width
        window = what_if.window or self.window
        keys = window_keys(self.height, self.width, window, torch.device("cpu"))[queries]
        return torch.zeros(len(keys), n + 1, dtype=torch.bool).scatter_(1, keys, True)[:, :n]

    def _raw(self, queries: slice) -> Float[Tensor, "r n"]:
        """Return rows as the network computes them."""
        return self.rows.rows_of(queries).float().cpu()

    def _incoming(self, queries: slice) -> Float[Tensor, "r n"]:
        """Return columns: the weights of every query for a slice of keys."""
        with torch.no_grad():
            if queries.stop - queries.start == 1:
                # Many attentions compute a single column more cheaply.
                column = self.rows.column(Cell(*divmod(queries.start, self.width)))
                return column.flatten()[None].float().cpu()
            sent = one_hot(self.rows.like, queries, self.rows.shape)
            return self.rows.mix(sent).flatten(1).float().cpu()

    def _blocks(self) -> list[slice]:
        return blocks(self.height * self.width)


def _tensors(part: object) -> Iterator[Tensor]:
    """Yield the tensors of an attention, nested ones included."""
    if isinstance(part, Tensor):
        yield part
    elif isinstance(part, tuple):
        for item in part:
            yield from _tensors(item)
    elif isinstance(part, Attention):
        yield from _tensors(tuple(vars(part).values()))
