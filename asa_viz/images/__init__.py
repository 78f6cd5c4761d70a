"""Pictures in, as the network and the page take them."""

from asa_viz.images.files import MAX_BYTES, SUFFIXES
from asa_viz.images.reading import read_image
from asa_viz.images.shapes import (
    MAX_PIXELS,
    Picture,
    fit_within,
    framed,
    nearest_shape,
    resize,
)
from asa_viz.images.words import NOT_LEARNED, NOTES, SENTENCES, SHARES, SIGNED, ImageError

__all__ = [
    "MAX_BYTES",
    "MAX_PIXELS",
    "NOTES",
    "NOT_LEARNED",
    "SENTENCES",
    "SHARES",
    "SIGNED",
    "SUFFIXES",
    "ImageError",
    "Picture",
    "fit_within",
    "framed",
    "nearest_shape",
    "read_image",
    "resize",
]
