"""The scale of a map: the values at both ends of its colours, and whether values are clipped.

Scales are those of app/viewer/core/scale.ts as the page starts with them, so that a value has the
same colour in both.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from asa_viz.views import FloatMap, QueryView
from asa_viz.views.dense_ends import ROUND, dense_ends, rounded

# From the largest number down to the lower end of a logarithmic scale at most.
MAP_SPAN = 1e4
KEPT_SPAN = 1e6


@dataclass(frozen=True)
class Scale:
    """Colours run from `low` to `high`, in even steps of the value or of its logarithm.

    `smallest` and `largest` are the ends of the values there are: beyond the colours they are
    clipped.
    """

    low: float
    high: float
    largest: float
    kind: Literal["linear", "log"] = "linear"
    smallest: float | None = None

    @property
    def clipped(self) -> bool:
        """Whether values lie above the upper end of the colours."""
        return self.largest > self.high * (1 + 1e-6)

    @property
    def clipped_below(self) -> bool:
        """Whether values lie below the lower end of the colours."""
        return self.smallest is not None and self.smallest < self.low * (1 - 1e-6)

    def fraction(self, values: FloatMap) -> Float[np.ndarray, "h w"]:
        """Return the position of each value on the scale, clipped to 0 to 1."""
        values = values.astype(float)
        if self.kind == "log":
            shares = np.log(np.maximum(values, self.low) / self.low) / math.log(
                self.high / self.low
            )
        else:
            shares = (values - self.low) / (self.high - self.low)
        return np.clip(shares, 0, 1)

    def ticks(self) -> list[float]:
        """Return round numbers that lie on the scale, about four."""
        return self._powers() if self.kind == "log" else self._steps(4)

    def _steps(self, count: int) -> list[float]:
        step = rounded((self.high - self.low) / count)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [i * step for i in range(first, last + 1)]

    def _powers(self) -> list[float]:
        first, last = math.log10(self.low), math.log10(self.high)
        if last - first >= 2:
            every = math.ceil((last - first) / 5)
            return [10.0**k for k in range(math.ceil(first), math.floor(last) + 1, every)]
        powers = [10.0**k for k in range(math.floor(first), math.floor(last) + 1)]
        ticks = [part * power for power in powers for part in ROUND]
        near = 1e-6
        held = [each for each in ticks if self.low * (1 - near) <= each <= self.high * (1 + near)]
        return held or self._steps(4)


def dense_scale(view: QueryView) -> Scale:
    """Return the scale of a dense row in multiples of the uniform weight, logarithmic.

    Its ends are those of all dense rows of the picture, or of this row where the picture's are not
    known, and further apart only where the query's threshold would not lie on it.
    """
    values, threshold = view.dense_times_uniform, view.nonlocal_scale
    known = view.image.dense_ends if view.image else None
    bottom, top = known() if known else dense_ends([values], [threshold] if threshold > 0 else [])
    low = min(bottom, threshold / 1.05) if threshold > 0 else bottom
    largest, smallest = float(values.max()), float(values.min())
    return Scale(low, max(top, 1.05 * threshold, 2 * low), largest, "log", smallest)


def kept_threshold(view: QueryView) -> float | None:
    """Return the query's threshold among the weights kept, which are divided by the kept mass.

    None where there is no threshold.
    """
    if not (view.nonlocal_scale > 0 and view.kept_mass > 0):
        return None
    return view.nonlocal_scale / view.kept_mass


def kept_scale(view: QueryView) -> Scale:
    """Return the scale of the weights kept, logarithmic between round numbers.

    The threshold among them lies on it.
    """
    mark = kept_threshold(view)
    kept = view.weights_times_uniform[view.weights > 0]
    largest = float(kept.max(initial=0)) or 1.0
    smallest = float(kept.min(initial=largest))
    low = rounded(
        max(smallest if mark is None else min(smallest, mark), largest / KEPT_SPAN), up=False
    )
    # One weight, or many that are the same, still need a scale with two ends.
    high = max(rounded(largest), rounded(1.01 * (mark or 0) or largest), 2 * low)
    return Scale(low, high, largest, "log", smallest)


def map_scale(values: FloatMap) -> Scale:
    """Return a scale from the smallest to the largest number, logarithmic where these differ.

    Nothing above 0 is clipped, but what is less than a ten-thousandth of the largest.
    """
    positive = values[values > 0].astype(float)
    if positive.size and positive.min() < positive.max():
        high = float(positive.max())
        return Scale(max(float(positive.min()), high / MAP_SPAN), high, high, "log")
    low, high = float(values.min()), float(values.max())
    # A constant map still needs two different ends.
    margin = 0.0 if high - low > 1e-3 * abs(high) else max(0.05 * abs(high), 0.05)
    return Scale(low - margin, high + margin, high)
