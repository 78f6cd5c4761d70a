"""One encoded image that answers queries."""

from dataclasses import dataclass, replace
from functools import cached_property
from html import escape

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn.functional import interpolate

from asa_viz.attention.fixed import FixedAttention
from asa_viz.attention.row import SparseAttention
from asa_viz.attention.what_if import AS_TRAINED, WhatIf
from asa_viz.geometry import Box, Cell, Grid, Pixel
from asa_viz.views import ImageView, QueryView, SegmentationView, WholeImageView
from asa_viz.views.dense_ends import DenseEnds, cells_all_over, dense_ends


@dataclass(frozen=True, eq=False)
class Affine:
    """One layer behind a block, for one cell: weight x + bias, rectified or not."""

    weight: Float[Tensor, "to from_"]
    bias: Float[Tensor, " to"]
    rectified: bool

    def __call__(self, x: Float[Tensor, "n from_"]) -> Float[Tensor, "n to"]:
        """Apply the layer to every cell."""
        y = x @ self.weight.mT + self.bias
        return y.relu() if self.rectified else y


@dataclass(frozen=True, eq=False)
class Readout:
    """The layers of a read only head that turn attended values into class logits.

    `values` are those of every cell. The weighted sum of values that a query reads, a vector of d
    numbers, goes through the `layers`; nothing else decides its class.
    """

    values: Float[Tensor, "n d"]
    layers: tuple[Affine, ...]

    def logits(self, read: Float[Tensor, "r d"]) -> Float[Tensor, "r classes"]:
        """Return the class logits of cells that read these weighted sums of values."""
        for layer in self.layers:
            read = layer(read)
        return read


@dataclass(frozen=True, eq=False, repr=False)
class Session:
    """One network's output on one image: immutable, so that concurrent requests may share it.

    `picture` is for display: upright, possibly smaller than the image that `grid` refers to.
    `notes` are keys of the decisions taken while reading the image. `thresholds_learned` is False
    for a dense network, which keeps every cell. `own_value_logits` are the network's logits on the
    grid if every cell reads its own value alone; `align_corners` is how it upsamples logits.
    `readout` exists for read only networks: how a row becomes a class. `features` are the last two
    stages of its backbone, the deepest first, on which heads trained on that backbone can be run.
    `shown` names the attention shown where a network has several. `own_value` replaces
    `own_value_logits` where classes depend on more than logits; without either the head cannot be
    run under other rows. `source` is the image on which such a network is run again.
    `inner` is the part of a framed image that is not a bar.
    """

    network: str
    picture: UInt8[np.ndarray, "ph pw 3"]
    notes: tuple[str, ...]
    grid: Grid
    segmentation: SegmentationView
    attention: SparseAttention | FixedAttention
    own_value_logits: Float[Tensor, "1 classes h w"] | None
    readout: Readout | None = None
    align_corners: bool = False
    thresholds_learned: bool = True
    features: tuple[Float[Tensor, "1 _ _ _"], ...] = ()
    shown: str = ""
    own_value: SegmentationView | None = None
    source: UInt8[np.ndarray, "height width 3"] | None = None
    inner: Box | None = None

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
        """The memory of the session's arrays."""
        segmentation = self.segmentation
        arrays = (self.picture, segmentation.working_labels, segmentation.cell_labels)
        tensors = [*self.features]
        if self.own_value_logits is not None:
            tensors.append(self.own_value_logits)
        if self.readout is not None:
            tensors.append(self.readout.values)
        kept = sum(array.nbytes for array in arrays) + sum(tensor.nbytes for tensor in tensors)
        if self.source is not None:
            kept += self.source.nbytes
        if self.own_value is not None:
            kept += self.own_value.working_labels.nbytes
        return self.attention.size_in_bytes + kept

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
        return replace(self.attention.row(cell, what_if), image=self.image)

    def _repr_html_(self) -> str:
        """Return the session as a page in a frame, which notebooks show and export.

        Where it cannot be packed, return a sentence that says why.
        """
        from asa_viz.notebook.standalone import framed, page

        try:
            return framed(page(self))
        except ValueError as error:
            return f"<p>{escape(str(error))}</p>"

    def __repr__(self) -> str:
        """Return one line: the network, the size of the image, and the grid of cells."""
        grid = self.grid
        return (
            f"<Session of {self.network}: {grid.image_width} x {grid.image_height} pixels, "
            f"{grid.height} x {grid.width} cells>"
        )

    @property
    def image(self) -> ImageView:
        """The picture, classes and thresholds that all queries of the session share."""
        thresholds = self.scales[0] if self.thresholds_learned else None
        # The ends are found when a row is drawn.
        return ImageView(
            self.picture, self.grid, self.segmentation, thresholds, lambda: self.dense_ends
        )

    @cached_property
    def dense_ends(self) -> DenseEnds:
        """The ends of the scale of all dense rows, found from 64 of them at most."""
        part = Box(0, 0, self.grid.width, self.grid.height)
        if self.inner:
            part = self.grid.cells_in(self.inner)
        views = [self.attention.row(cell) for cell in cells_all_over(part)]
        thresholds = [view.nonlocal_scale for view in views] if self.thresholds_learned else []
        return dense_ends([view.dense_times_uniform for view in views], thresholds)

    @cached_property
    def without_attention(self) -> SegmentationView:
        """The segmentation if every cell read its own value alone (row i = e_i).

        Backbone, values and the layers behind the block are the same; nothing is retrained.

        Raises:
            ValueError: the head cannot be run under other rows.
        """
        if self.own_value is not None:
            return self.own_value
        if self.own_value_logits is None:
            raise ValueError(f"The head of {self.network} cannot be run under other rows.")
        return segmentation_of(
            self.own_value_logits, self.segmentation, align_corners=self.align_corners
        )

    def whole_image(self) -> WholeImageView:
        """Return every cell's support size, in-degree and kept mass, in one pass."""
        shape = (self.grid.height, self.grid.width)
        size, degree, mass = (part.view(shape).numpy() for part in self.attention.whole_image())
        return WholeImageView(size.astype(int), degree.astype(int), mass)


def segmentation_of(
    logits: Float[Tensor, "1 classes h w"], like: SegmentationView, *, align_corners: bool
) -> SegmentationView:
    """Return the classes that logits on the grid of cells say, for the same image as `like`."""
    working = like.working_labels.shape
    enlarged = interpolate(logits, working, mode="bilinear", align_corners=align_corners)
    return replace(like, working_labels=labels_of(enlarged), cell_labels=labels_of(logits))


def labels_of(logits: Float[Tensor, "1 classes h w"]) -> UInt8[np.ndarray, "h w"]:
    """Return the class of the largest logit at each place."""
    # As argmax, ten times as fast: torch does not vectorise that over channels.
    return logits[0].max(0).indices.to(torch.uint8).cpu().numpy()
