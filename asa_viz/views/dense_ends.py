"""Where the logarithmic scale of a picture's dense rows begins and ends, for all queries alike.

As `surveyOf` in app/viewer/core/opening.ts finds it, so that both draw a row in the same colours.
"""

import math
from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

from asa_viz.geometry import Box, Cell

# Rows and columns of cells that are looked at.
SIDE = 8
# A picture's rows are looked at up to this percentile, which leaves out the few largest weights.
CEILING_PERCENTILE = 99.5
# From the top of a logarithmic scale down to its bottom at most.
SPAN = 1e7
# Rows without any weight above 0 need a scale too.
LEAST = 1e-12
ROUND = (1.0, 2.0, 5.0)
FINE = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0)


class DenseEnds(NamedTuple):
    """The ends of the scale of a picture's dense rows, in multiples of the uniform weight."""

    bottom: float
    top: float


def dense_ends(rows: Sequence[np.ndarray], thresholds: Sequence[float] = ()) -> DenseEnds:
    """Return the ends that fit most of the dense `rows`, as round numbers.

    The top is above the largest weight of nine rows in ten, the bottom not above the smallest of
    the learned `thresholds`; all in multiples of the uniform weight.
    """
    ordered = [np.sort(row, axis=None) for row in rows]
    high = math.ceil(CEILING_PERCENTILE / 100 * ordered[0].size) - 1
    highs = sorted(float(row[high]) for row in ordered)
    tops = sorted(float(row[-1]) for row in ordered)
    learned = sorted(thresholds) or [0.0]
    ceiling = rounded(max(_at(highs, 0.6), 1.05 * _at(learned, 0.9), LEAST), parts=FINE)
    top = rounded(max(_at(tops, 0.9), 2 * ceiling))
    least = min(learned[0] or 1.0, 0.2)
    return DenseEnds(rounded(max(least, top / SPAN), up=False), top)


def cells_all_over(part: Box) -> list[Cell]:
    """Return cells in rows and columns all over a box of cells, none at its border if it can be."""
    rows, columns = _places(part.top, part.bottom), _places(part.left, part.right)
    return [Cell(row, column) for row, column in product(rows, columns)]


def rounded(value: float, *, up: bool = True, parts: Sequence[float] = ROUND) -> float:
    """Return `value` rounded up, or down, to the next of `parts` times a power of ten."""
    power, near = 10.0 ** math.floor(math.log10(value) + 1e-9), 1e-6
    every = [part * power for part in (*parts, 10.0)]
    if up:
        return next((each for each in every if each >= value * (1 - near)), value)
    return next((each for each in reversed(every) if each <= value * (1 + near)), value)


def _at(ordered: Sequence[float], share: float) -> float:
    """Return the number that lies at a share of the way through numbers in order."""
    return ordered[math.floor(share * len(ordered))]


def _places(first: int, end: int) -> list[int]:
    count = end - first
    within = max(count - 2, 1)
    of = min(SIDE, within)
    start = first + (1 if count > 2 else 0)
    return [start + (2 * k + 1) * within // (2 * of) for k in range(of)]
