"""One query's row of adaptive sparse attention, from what is stored once per image."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from asa_viz.attention.blockwise import log_normalisers
from asa_viz.attention.definition import check_grid, log_scale, tie_slack
from asa_viz.attention.neighbourhood import window_keys
from asa_viz.geometry import Cell


@dataclass(frozen=True, eq=False)
class AttentionRow:
    """The weights of one query over the grid, and how the clean rule came to them.

    `dense` is the affinity P_ij of the query i with every key j, `incoming` P_ji, and
    `incoming_ratio` is P_ji over the threshold of key j (infinite where that threshold is 0).
    `local_threshold` is what the affinity of a key in the window must reach.
    """

    dense: Float[Tensor, "h w"]
    incoming: Float[Tensor, "h w"]
    incoming_ratio: Float[Tensor, "h w"]
    chosen: Bool[Tensor, "h w"]
    chooses_back: Bool[Tensor, "h w"]
    local: Bool[Tensor, "h w"]
    weights: Float[Tensor, "h w"]
    local_threshold: float

    @property
    def reciprocal(self) -> Bool[Tensor, "h w"]:
        """The keys that are chosen and choose back."""
        return self.chosen & self.chooses_back

    @property
    def support(self) -> Bool[Tensor, "h w"]:
        """The keys that are kept: reciprocal or local."""
        return self.reciprocal | self.local


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
    ) -> "SparseAttention":
        """Do the one costly step, O(n^2 d) time and O(n) memory, and keep all on the CPU."""
        check_grid(query, height, width, "clean")
        query = query * (query.shape[-1] ** -0.5 if scaled else 1.0)
        stored = (query, key, log_normalisers(query, key), nonlocal_scale, local_scale)
        q, k, log_normaliser, t1, t2 = (tensor.detach().cpu() for tensor in stored)
        return cls(q, k, log_normaliser, t1, t2, height, width, window)

    @property
    def size_in_bytes(self) -> int:
        """The memory that the stored tensors take."""
        tensors = [value for value in vars(self).values() if isinstance(value, Tensor)]
        return sum(tensor.numel() * tensor.element_size() for tensor in tensors)

    def row(self, query: Cell) -> AttentionRow:
        """Return one query's row under the clean rule, in O(n d)."""
        n = len(self.key)
        i = query.row * self.width + query.col
        slack = tie_slack(self.key.dtype)
        log_thresholds = log_scale(self.nonlocal_scale) - math.log(n)
        log_affinity = self.key @ self.query[i] - self.log_normaliser[i]
        log_incoming = self.query @ self.key[i] - self.log_normaliser
        chosen = log_affinity >= log_thresholds[i] - slack
        chooses_back = log_incoming >= log_thresholds - slack

        keys = window_keys(self.height, self.width, self.window, self.key.device)[i]
        keys = keys[keys < n]
        log_window_mean = log_affinity[keys].logsumexp(0) - math.log(len(keys))
        log_local_threshold = log_scale(self.local_scale[i]) + log_window_mean
        local = torch.zeros_like(chosen)
        local[keys] = log_affinity[keys] >= log_local_threshold - slack

        support = (chosen & chooses_back) | local
        if not support.any():
            support[i] = True
        weights = log_affinity.masked_fill(~support, -torch.inf).softmax(0)
        shape = (self.height, self.width)
        return AttentionRow(
            dense=log_affinity.exp().view(shape),
            incoming=log_incoming.exp().view(shape),
            incoming_ratio=(log_incoming - log_thresholds).exp().view(shape),
            chosen=chosen.view(shape),
            chooses_back=chooses_back.view(shape),
            local=local.view(shape),
            weights=weights.view(shape),
            local_threshold=log_local_threshold.exp().item(),
        )
