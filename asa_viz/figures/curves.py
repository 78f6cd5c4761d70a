"""Lines from the query to its partners: where they run, and how wide and how opaque they are.

The page has the same in app/viewer/draw/curves.ts.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from asa_viz.figures.groups import strongest_partners
from asa_viz.geometry import Cell, Grid
from asa_viz.views import QueryView

# How far a curve lies from the straight line at its middle, in lengths of that line.
BEND = 0.1
THIN, WIDE = 1, 2.8
FAINT, CLEAR = 0.6, 0.95
# The opacity of the dark line, and what it is wider than the white one, both sides together.
DARK, CASING = 0.85, 1.6


class Point(NamedTuple):
    """A point of the picture, in shares of its width and height."""

    across: float
    along: float


class Line(NamedTuple):
    """A line to a key; `share` is the key's weight by the largest weight that has a line."""

    partner: Cell
    share: float


@dataclass(frozen=True)
class Curve:
    """A line as a quadratic curve; widths are in pixels of a panel of 640."""

    start: Point
    control: Point
    end: Point
    width: float
    casing: float
    opacity: float

    def points(self, count: int) -> Float[np.ndarray, "count 2"]:
        """Return points along the curve, both its ends among them."""
        t = np.linspace(0, 1, count)[:, None]
        start, control, end = np.array([self.start, self.control, self.end])
        return (1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end


def lines_of(view: QueryView) -> list[Line]:
    """Return the lines of a query to the partners with the largest weights, the largest first."""
    partners = strongest_partners(view)
    weights = [float(view.weights[partner]) for partner in partners]
    return [
        Line(partner, weight / (weights[0] or 1))
        for partner, weight in zip(partners, weights, strict=True)
    ]


def curves_of(grid: Grid, query: Cell, lines: Iterable[Line]) -> list[Curve]:
    """Return the curves to partners, the weakest first."""
    start, aspect = _middle(grid, query), grid.image_width / grid.image_height
    curves = []
    for partner, share in sorted(lines, key=lambda line: line.share):
        end, width = _middle(grid, partner), THIN + (WIDE - THIN) * share
        opacity = FAINT + (CLEAR - FAINT) * share
        control = _control(start, end, aspect)
        curves.append(Curve(start, control, end, width, width + CASING, opacity))
    return curves


def _middle(grid: Grid, cell: Cell) -> Point:
    return Point((cell.col + 0.5) / grid.width, (cell.row + 0.5) / grid.height)


def _control(start: Point, end: Point, aspect: float) -> Point:
    """Return the control point of the curve between two points.

    It bends to the left of its way, so that lines to neighbouring cells part from the query on;
    to the right where it would leave the picture on the left alone.
    """
    across = (end.along - start.along) / aspect * BEND
    along = (start.across - end.across) * aspect * BEND
    middle = Point((start.across + end.across) / 2, (start.along + end.along) / 2)

    def holds(side: int) -> bool:
        apex = middle.across + side * across, middle.along + side * along
        return min(apex) >= 0 and max(apex) <= 1

    side = -1 if not holds(1) and holds(-1) else 1
    # A quadratic curve passes halfway between the middle of its ends and its control point.
    return Point(middle.across + 2 * side * across, middle.along + 2 * side * along)
