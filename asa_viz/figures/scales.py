"""The scale of a map: the values at both ends of its colours, and whether values are clipped."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from asa_viz.views import FloatMap, QueryView

# A few keys, first the query itself, have far larger weights; the colours are for the others.
CEILING_PERCENTILE = 99.5


@dataclass(frozen=True)
class Scale:
    """Colours run from `low` to `high`; `largest` is the largest value there is."""

    low: float
    high: float
    largest: float

    @property
    def clipped(self) -> bool:
        """Whether values lie above the upper end of the colours."""
        return self.largest > self.high

    def fraction(self, values: FloatMap) -> Float[np.ndarray, "h w"]:
        """Return the position of each value on the scale, clipped to 0 to 1."""
        return (values - self.low) / (self.high - self.low)

    def position(self, value: float) -> float:
        """Return the position of `value` on the scale, clipped to 0 to 1."""
        return min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)

    def ticks(self, count: int = 4) -> list[float]:
        """Return about `count` round numbers that lie on the scale."""
        step = _round_step((self.high - self.low) / count)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [i * step for i in range(first, last + 1)]


def row_scale(view: QueryView) -> Scale:
    """Return the common scale of both rows of a query, in multiples of the uniform weight.

    It runs from zero to a high percentile of the dense row, or higher where half of the kept
    weights would be clipped, but not beyond the largest dense weight: a few kept keys with all the
    weight would leave the dense row dark. The query's threshold always lies on it.
    """
    dense, kept = view.dense_times_uniform, view.weights_times_uniform[view.weights > 0]
    largest = float(dense.max())
    ceiling = max(float(np.percentile(dense, CEILING_PERCENTILE)), float(np.median(kept)))
    ceiling = max(min(ceiling, largest), 1.25 * view.nonlocal_scale)
    return Scale(0.0, ceiling, max(largest, float(kept.max())))


def threshold_scale(scales: FloatMap) -> Scale:
    """Return a scale from the smallest to the largest learned number; nothing is clipped."""
    low, high = float(scales.min()), float(scales.max())
    # A constant scale still needs two different ends.
    margin = 0.0 if high - low > 1e-3 * abs(high) else max(0.05 * abs(high), 0.05)
    return Scale(low - margin, high + margin, high)


def _round_step(least: float) -> float:
    """Return the smallest of 1, 2, 5 times a power of ten that is not below `least`."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= least * (1 - 1e-9))
