"""Results for display as frozen numpy arrays: a query's attention, an image's segmentation.

`h w` is the grid of cells, n = h * w of them. The weights of a row sum to one; the page shows them
in multiples of the uniform weight 1 / n, which every key has in uniform attention.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from asa_viz.geometry import Cell, Grid

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from plotly.graph_objects import Figure as PlotlyFigure

FloatMap = Float[np.ndarray, "h w"]
MaskMap = Bool[np.ndarray, "h w"]
LabelMap = UInt8[np.ndarray, "h w"]


def cells_along(pixels: int, cells: int) -> Int[np.ndarray, " pixels"]:
    """Return the cell of each pixel along one side, consistent with `Grid.cell_at`."""
    return (2 * np.arange(pixels) + 1) * cells // (2 * pixels)


def labels_at(
    labels: UInt8[np.ndarray, "h w"], height: int, width: int
) -> UInt8[np.ndarray, "height width"]:
    """Return labels on another grid of the same image: each cell's where its centre lies."""
    rows, cols = cells_along(height, labels.shape[0]), cells_along(width, labels.shape[1])
    return labels[rows[:, None], cols[None, :]]


@dataclass(frozen=True, eq=False)
class QueryView:
    """One query's attention: its dense row, who is chosen, who chooses back, and the sparse row.

    `dense` is the softmax affinity of the query with every key; `incoming` the affinity of every
    key, as a query, with this one. `weights` is what the values are multiplied by in the network.
    `incoming_ratio` is `incoming` over the threshold that key holds it against: it chooses back
    where the ratio is at least one. The scales are the query's two learned numbers; the non-local
    one is its threshold in multiples of the uniform weight, the local one multiplies the mean of
    the query's window, and `local_threshold` is that product in multiples of the uniform weight.
    Without `reciprocity`, which no network is trained for, a key needs only be chosen to be kept.
    `image` is the image that the query lies in; without it nothing can be drawn.
    """

    query: Cell
    dense: FloatMap
    incoming: FloatMap
    incoming_ratio: FloatMap
    weights: FloatMap
    chosen: MaskMap
    chooses_back: MaskMap
    local: MaskMap
    nonlocal_scale: float
    local_scale: float
    local_threshold: float
    reciprocity: bool = True
    image: "ImageView | None" = None

    @property
    def reciprocal(self) -> MaskMap:
        """The reciprocal neighbours: keys that are chosen and choose back."""
        return self.chosen & self.chooses_back

    @property
    def support(self) -> MaskMap:
        """The keys kept: reciprocal or local. If there is none, the query reads itself."""
        return (self.reciprocal if self.reciprocity else self.chosen) | self.local

    @property
    def kept_mass(self) -> float:
        """The share of the dense row's mass on the support."""
        return float(self.dense[self.support].sum())

    @property
    def dense_times_uniform(self) -> FloatMap:
        """The dense row in multiples of the uniform weight."""
        return self.dense * self.dense.size

    @property
    def weights_times_uniform(self) -> FloatMap:
        """The sparse row in multiples of the uniform weight."""
        return self.weights * self.weights.size

    def figure(self) -> "PlotlyFigure":
        """Return the panels as one interactive Plotly figure.

        The maps have the grid's resolution, with row, column and value of the cell under the
        pointer; all panels zoom together. Needs the extra `notebook`.

        Raises:
            ValueError: the view has no image.
        """
        from asa_viz.figures.interactive import interactive_figure

        return interactive_figure(self)

    def panels(self, names: "Sequence[str] | None" = None, width: float = 7.0) -> "Figure":
        """Return the panels as a matplotlib figure, to be saved as PDF or SVG without a browser.

        `names` chooses among "photo", "dense", "sparse", "groups", "thresholds" and
        "segmentation", all of them by default; `width` is that of the figure in inches. Texts and
        axes are vectors, and texts stay texts. Needs the extra `notebook`.

            view.panels(["photo", "dense", "sparse"]).savefig("attention.pdf")

        Raises:
            ValueError: the view has no image, or there is no panel of a name.
        """
        from asa_viz.figures.paper import paper_figure

        return paper_figure(self, names, width)


@dataclass(frozen=True, eq=False)
class WholeImageView:
    """For every query of an image: the size of its support, its in-degree, and its kept mass.

    `kept_mass` is the share of the dense row's mass on the support, 0 where that is empty.
    """

    support_size: Int[np.ndarray, "h w"]
    in_degree: Int[np.ndarray, "h w"]
    kept_mass: Float[np.ndarray, "h w"]


@dataclass(frozen=True, eq=False)
class SegmentationView:
    """The segmentation of one image.

    `working_labels` is at the size the network worked at, `cell_labels` on the grid of cells;
    `labels` is resized to the image, of `image_height` x `image_width` pixels.
    """

    classes: tuple[str, ...]
    palette: tuple[tuple[int, int, int], ...]
    working_labels: UInt8[np.ndarray, "working_height working_width"]
    cell_labels: LabelMap
    image_height: int
    image_width: int

    @property
    def labels(self) -> UInt8[np.ndarray, "height width"]:
        """The class of every pixel of the image; resized at each call, so keep the result."""
        return labels_at(self.working_labels, self.image_height, self.image_width)

    def relabelled(
        self, working_labels: UInt8[np.ndarray, "working_height working_width"]
    ) -> "SegmentationView":
        """Return a segmentation of the image with other labels, a cell's taken at its centre."""
        cells = labels_at(working_labels, *self.cell_labels.shape)
        return replace(self, working_labels=working_labels, cell_labels=cells)

    def shares(self, weights: FloatMap) -> dict[str, float]:
        """Return the share of `weights` on each class, largest first, without zeros."""
        sums = np.bincount(
            self.cell_labels.ravel(), weights.ravel().astype(float), len(self.classes)
        )
        total = sums.sum()
        order = np.argsort(-sums, kind="stable")
        return {self.classes[i]: float(sums[i] / total) for i in order if sums[i] > 0}


@dataclass(frozen=True, eq=False)
class ImageView:
    """What all queries of one image share: picture, grid, classes and thresholds.

    `picture` is for display, possibly smaller than the image that `grid` refers to.
    `nonlocal_scales` are the learned thresholds of all cells, None where none are learned.
    """

    picture: UInt8[np.ndarray, "ph pw 3"]
    grid: Grid
    segmentation: SegmentationView
    nonlocal_scales: FloatMap | None


class Change(NamedTuple):
    """The number of pixels that changed from one class to another."""

    before: str
    after: str
    pixels: int


@dataclass(frozen=True, eq=False)
class Flips:
    """The pixels in which two segmentations differ, at working size; `changes` largest first."""

    changed: Bool[np.ndarray, "working_height working_width"]
    changes: tuple[Change, ...]

    @property
    def count(self) -> int:
        """The number of pixels whose class differs."""
        return int(self.changed.sum())

    @property
    def share(self) -> float:
        """The share of the pixels whose class differs."""
        return self.count / self.changed.size


def flips(before: SegmentationView, after: SegmentationView) -> Flips:
    """Return where `after` differs from `before`.

    Raises:
        ValueError: the classes or the sizes differ.
    """
    old, new = before.working_labels, after.working_labels
    if before.classes != after.classes or old.shape != new.shape:
        raise ValueError("Only segmentations of the same classes and size can be compared.")
    changed = old != new
    pairs, counts = np.unique(np.stack([old[changed], new[changed]]), axis=1, return_counts=True)
    changes = [
        Change(before.classes[i], before.classes[j], int(count))
        for (i, j), count in zip(pairs.T, counts, strict=True)
    ]
    return Flips(changed, tuple(sorted(changes, key=lambda change: -change.pixels)))


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
