"""Results for display as frozen numpy arrays: a query's attention, an image's segmentation.

`h w` is the grid of cells, n = h * w of them. The weights of a row sum to one; the page shows them
in multiples of the uniform weight 1 / n, which every key has in uniform attention.
"""

from asa_viz.views.image import (
    Change,
    Flips,
    FloatMap,
    ImageView,
    LabelMap,
    MaskMap,
    SegmentationView,
    WholeImageView,
    cells_along,
    flips,
    labels_at,
)
from asa_viz.views.method import DEAD_BELOW, AgreementView, MethodView
from asa_viz.views.query import MeanView, QueryView

__all__ = [
    "DEAD_BELOW",
    "AgreementView",
    "Change",
    "Flips",
    "FloatMap",
    "ImageView",
    "LabelMap",
    "MaskMap",
    "MeanView",
    "MethodView",
    "QueryView",
    "SegmentationView",
    "WholeImageView",
    "cells_along",
    "flips",
    "labels_at",
]
