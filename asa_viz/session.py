"""One encoded image, which answers queries."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8
from torch import Tensor

from asa_viz.attention.row import SparseAttention
from asa_viz.attention.what_if import AS_TRAINED, WhatIf
from asa_viz.geometry import Cell, Grid, Pixel
from asa_viz.views import QueryView, SegmentationView, WholeImageView


@dataclass(frozen=True, eq=False)
class Session:
    """What one network made of one image. Never changed, so any number of clicks may share it.

    `picture` is for display: upright, possibly smaller than the image that `grid` speaks of.
    `notes` say what was done to the image on its way in. `thresholds_learned` is False for a dense
    network, which keeps every cell. `features` are the last two stages of its backbone, the
    deepest first: what heads on that backbone, and no others, can be run on.
    """

    network: str
    picture: UInt8[np.ndarray, "ph pw 3"]
    notes: tuple[str, ...]
    grid: Grid
    segmentation: SegmentationView
    attention: SparseAttention
    thresholds_learned: bool = True
    features: tuple[Float[Tensor, "1 _ _ _"], ...] = ()

    @property
    def scales(self) -> tuple[Float[np.ndarray, "h w"], Float[np.ndarray, "h w"]]:
        """The learned scales of every cell.

        The non-local one is a threshold in multiples of the uniform weight 1 / n; the local one
        multiplies the mean of the cell's window.
        """
        shape = (self.grid.height, self.grid.width)
        return (
            self.attention.nonlocal_scale.view(shape).numpy(),
            self.attention.local_scale.view(shape).numpy(),
        )

    @property
    def size_in_bytes(self) -> int:
        """The memory that the session takes."""
        segmentation = self.segmentation
        arrays = (self.picture, segmentation.working_labels, segmentation.cell_labels)
        features = sum(stage.nbytes for stage in self.features)
        return self.attention.size_in_bytes + features + sum(array.nbytes for array in arrays)

    def query(self, pixel: Pixel, what_if: WhatIf = AS_TRAINED) -> QueryView:
        """Return what the cell under `pixel` attends to; `pixel` counts in the original image.

        Raises:
            ValueError: the pixel lies outside the image.
        """
        return self.query_cell(self.grid.cell_at(pixel), what_if)

    def query_cell(self, cell: Cell, what_if: WhatIf = AS_TRAINED) -> QueryView:
        """Return what `cell` attends to, or would under another rule.

        Raises:
            ValueError: the cell lies outside the grid.
        """
        self.grid.box_of(cell)
        row = self.attention.row(cell, what_if)
        told = vars(row) | {"local_threshold": row.local_threshold * self.grid.size}
        return QueryView(query=cell, **told)

    def whole_image(self) -> WholeImageView:
        """Return what every cell keeps, and by how many it is kept: one pass, not n queries."""
        shape = (self.grid.height, self.grid.width)
        size, degree, mass = (part.view(shape).numpy() for part in self.attention.whole_image())
        return WholeImageView(size.astype(int), degree.astype(int), mass)
