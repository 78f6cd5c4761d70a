"""The answers of several methods on one image: rows or gates, and segmentations."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, UInt8

from asa_viz.views.image import LabelMap

# A mean's weights sum to 1. A row whose total magnitude is below this reads practically nothing.
DEAD_BELOW = 0.001


@dataclass(frozen=True, eq=False)
class MethodView:
    """One method's answer for one query.

    `row` holds the weights with which the query reads every key; they may be negative, and sum to
    `total`. It is None where the method has no matrix over cells: then `gates` holds its weights by
    what they multiply: "channels" [g, c], "cells" [h, w] or "matrix" [c, c]. `gain` is the learned
    factor on the block's output.
    """

    name: str
    row: Float[np.ndarray, "kh kw"] | None
    gates: Mapping[str, np.ndarray]
    gain: float = 1.0

    @property
    def total(self) -> float:
        """The sum of the weights; 0 without a row."""
        return 0.0 if self.row is None else float(self.row.sum(dtype=float))

    @property
    def support(self) -> int:
        """The number of keys whose weight is not 0."""
        return 0 if self.row is None else int(np.count_nonzero(self.row))

    @property
    def dead(self) -> bool:
        """Whether the row reads practically nothing; False without a row.

        True where the sum of the weights' absolute values, times the gain, is below DEAD_BELOW.
        """
        if self.row is None:
            return False
        return bool(np.abs(self.row).sum(dtype=float) * abs(self.gain) < DEAD_BELOW)

    @property
    def effective_support(self) -> float:
        """The effective number of keys: exp of the entropy of the weights' magnitudes."""
        if self.row is None or not self.row.any():
            return 0.0
        share = np.abs(self.row[self.row != 0].astype(float))
        share /= share.sum()
        return float(np.exp(-(share * np.log(share)).sum()))

    def own_class(self, labels: UInt8[np.ndarray, "kh kw"], query_class: int) -> float:
        """Return the share of the weights' absolute values on cells of the query's class.

        `labels` is the class of every key; 0 without a row.
        """
        if self.row is None or not self.row.any():
            return 0.0
        weights = np.abs(self.row.astype(float))
        return float(weights[labels == query_class].sum() / weights.sum())


@dataclass(frozen=True, eq=False)
class AgreementView:
    """The segmentations of one image by several heads, on the grid of cells."""

    labels: Mapping[str, LabelMap]

    @property
    def agreeing(self) -> Int[np.ndarray, "h w"]:
        """For each cell, the number of heads that agree with the majority's class."""
        stack = np.stack(list(self.labels.values()))
        votes = [(stack == index).sum(0) for index in range(int(stack.max()) + 1)]
        return np.max(votes, axis=0)

    def share_with(self, labels: LabelMap) -> dict[str, float]:
        """Return for each head the share of the cells where its class is that of `labels`."""
        return {name: float((own == labels).mean()) for name, own in self.labels.items()}
