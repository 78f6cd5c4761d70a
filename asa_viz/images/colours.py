"""A decoded image as it is seen: upright 8-bit RGB, whatever its mode."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial

import numpy as np
from PIL import ExifTags, Image, ImageOps

from asa_viz.images.shapes import Picture, Resized, RGBImage
from asa_viz.images.words import ON_WHITE, STRETCHED, ImageError

STRIP_ROWS = 256


def picture_of(image: Image.Image, notes: Sequence[str] = ()) -> Picture:
    """Turn a loaded image into what is seen, a strip at a time to keep the memory small."""
    to_rgb, note = _rule(image)
    rgb = np.empty((image.height, image.width, 3), np.uint8)
    for top, strip in _strips(image):
        rgb[top : top + strip.height] = to_rgb(strip)
    upright = _upright(rgb, _orientation(image))
    return Picture(upright, (*notes, note) if note else tuple(notes))


def _rule(image: Image.Image) -> tuple[Callable[[Image.Image], RGBImage], str | None]:
    """Return how strips of this image become RGB, and what to tell about it."""
    if image.mode.startswith("I;16"):
        return partial(_grey, low=0.0, high=65535.0), None
    if image.mode in ("I", "F"):
        low, high = _extremes(image)
        return partial(_grey, low=low, high=high), STRETCHED
    if image.has_transparency_data and any(_alpha_of(strip) < 255 for _, strip in _strips(image)):
        return _on_white, ON_WHITE
    return _plain, None


def _strips(image: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    """Cut the image across; yields the first row of each strip and the strip."""
    for top in range(0, image.height, STRIP_ROWS):
        bottom = min(top + STRIP_ROWS, image.height)
        yield top, image.crop((0, top, image.width, bottom))


def _plain(strip: Image.Image) -> RGBImage:
    """Convert as Pillow does: palettes looked up, CMYK, YCbCr, LAB and the rest turned to RGB."""
    return np.asarray(strip.convert("RGB"))


def _on_white(strip: Image.Image) -> RGBImage:
    colours = strip.convert("RGBA")
    white = Image.new("RGB", strip.size, "white")
    white.paste(colours, mask=colours)
    return np.asarray(white)


def _grey(strip: Image.Image, low: float, high: float) -> RGBImage:
    """Spread low..high over 0..255; a picture of one value is black."""
    share = (np.asarray(strip, np.float64) - low) / ((high - low) or 1.0)
    grey = np.rint(255 * share).astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2)


def _alpha_of(strip: Image.Image) -> int:
    """Return the lowest alpha of the strip."""
    return int(np.asarray(strip.convert("RGBA").getchannel("A")).min())


def _extremes(image: Image.Image) -> tuple[float, float]:
    arrays = (np.asarray(strip) for _, strip in _strips(image))
    extremes = np.array([(array.min(), array.max()) for array in arrays], np.float64)
    if not np.isfinite(extremes).all():
        raise ImageError("IMG_NUMBERS")
    return float(extremes.min()), float(extremes.max())


def _upright(rgb: RGBImage, orientation: object) -> Resized:
    """Return the picture turned as its EXIF orientation says; any other value means as stored."""
    if orientation not in range(2, 9):
        return rgb
    stored = Image.fromarray(rgb)
    stored.getexif()[ExifTags.Base.Orientation] = orientation
    return np.array(ImageOps.exif_transpose(stored))


def _orientation(image: Image.Image) -> object:
    """Return the EXIF orientation; a broken EXIF block is as good as none."""
    with suppress(Exception):
        return image.getexif().get(ExifTags.Base.Orientation)
    return None
