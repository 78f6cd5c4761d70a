"""Sizes and shapes of pictures: reduced, stretched, or framed for a network."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from asa_viz.geometry import Box
from asa_viz.images.words import ENLARGED, FRAMED

RGBImage = UInt8[np.ndarray, "height width 3"]
Resized = UInt8[np.ndarray, "new_height new_width 3"]

MAX_PIXELS = 40_000_000
# A picture that would be squeezed more than this is framed instead.
MOST_SQUEEZED = 2.0
# One that is enlarged more than this for a network is said to be.
MOST_ENLARGED = 2.0
# The mean of the photographs that backbones were trained on: after normalisation it is nearly 0.
GREY = (124, 116, 104)


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture as it is seen, upright, and what had to be decided on the way: keys of NOTES.

    `inner` is the part of `rgb` that is the picture itself, where it was framed.
    """

    rgb: RGBImage
    notes: tuple[str, ...]
    inner: Box | None = None


def nearest_shape(height: int, width: int, shapes: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Return the (height, width) of `shapes` whose aspect ratio is nearest, in the logarithm."""
    return min(shapes, key=lambda shape: abs(math.log(shape[0] * width / (shape[1] * height))))


def resize(rgb: RGBImage, shape: tuple[int, int]) -> Resized:
    """Return the picture stretched to `shape`, (height, width), antialiased."""
    height, width = shape
    image = Image.fromarray(rgb)
    return np.array(image.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=3.0))


def fit_within(rgb: RGBImage, longest: int) -> Resized:
    """Return the picture reduced so that no side is over `longest`; never enlarged."""
    height, width = rgb.shape[:2]
    scale = longest / max(height, width)
    if scale >= 1:
        return rgb
    return resize(rgb, (max(1, round(height * scale)), max(1, round(width * scale))))


def framed(picture: Picture, shapes: Sequence[tuple[int, int]]) -> Picture:
    """Return the picture as a network of these shapes may take it, with what is to be said of it.

    One that would be squeezed more than MOST_SQUEEZED gets grey bars to the nearest shape, unless
    there would be more than MAX_PIXELS of them.
    """
    height, width = picture.rgb.shape[:2]
    rows, cols = nearest_shape(height, width, shapes)
    notes = picture.notes
    if min(rows / height, cols / width) > MOST_ENLARGED:
        notes = (*notes, ENLARGED)
    squeezed = (width * rows) / (height * cols)
    outer_height = max(height, round(width * rows / cols))
    outer_width = max(width, round(height * cols / rows))
    if max(squeezed, 1 / squeezed) <= MOST_SQUEEZED or outer_height * outer_width > MAX_PIXELS:
        return replace(picture, notes=notes)
    top, left = (outer_height - height) // 2, (outer_width - width) // 2
    rgb = np.empty((outer_height, outer_width, 3), np.uint8)
    rgb[:] = GREY
    rgb[top : top + height, left : left + width] = picture.rgb
    return Picture(rgb, (*notes, FRAMED), Box(left, top, left + width, top + height))
