"""The answer of one query, or of a set of cells as one query: arrays over the grid of keys."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Bool, Float


@dataclass(frozen=True, eq=False)
class AttentionRow:
    """One query's weights over the grid, and how the clean rule arrives at them.

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


@dataclass(frozen=True, eq=False)
class MeanRow:
    """The mean row of a set of cells.

    `dense`, `incoming` and `weights` are means over the set; the others are the share of the set's
    cells for which it holds: choosing a key, being chosen back, both, local, kept.
    """

    dense: Float[np.ndarray, "h w"]
    incoming: Float[np.ndarray, "h w"]
    weights: Float[np.ndarray, "h w"]
    chosen: Float[np.ndarray, "h w"]
    chooses_back: Float[np.ndarray, "h w"]
    reciprocal: Float[np.ndarray, "h w"]
    local: Float[np.ndarray, "h w"]
    support: Float[np.ndarray, "h w"]

    @classmethod
    def of(cls, rows: Sequence[AttentionRow]) -> "MeanRow":
        """Return the mean of several rows."""
        names = [each.name for each in fields(cls)]
        return cls(**{name: np.mean([getattr(r, name) for r in rows], axis=0) for name in names})
