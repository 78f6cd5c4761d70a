"""Views of an image: its segmentation, what its queries share, and what they keep."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from asa_viz.geometry import Grid
from asa_viz.views.dense_ends import DenseEnds

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
    `dense_ends` returns the ends of the scale of all dense rows; without it each row has its own.
    """

    picture: UInt8[np.ndarray, "ph pw 3"]
    grid: Grid
    segmentation: SegmentationView
    nonlocal_scales: FloatMap | None
    dense_ends: Callable[[], DenseEnds] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Return the fields with the ends themselves, in place of the session that finds them."""
        ends = self.dense_ends and self.dense_ends()
        return vars(self) | {"dense_ends": ends and partial(DenseEnds, *ends)}


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
