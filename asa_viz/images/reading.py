"""Pictures in: any file, Pillow image or array becomes upright 8-bit RGB, or a sentence why not."""

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from asa_viz.images.colours import picture_of
from asa_viz.images.files import (
    MAX_BYTES,
    check_kind,
    check_pixel_chunks,
    check_size,
    check_work,
    opened,
)
from asa_viz.images.shapes import Picture, RGBImage
from asa_viz.images.words import FIRST_FRAME, ImageError

# One picture is decoded at a time: it bounds the memory, and the filters of `warnings` are shared
# by all threads.
_decoding = threading.Lock()


def read_image(source: Any) -> Picture:
    """Read a file (its path or its bytes), a Pillow image or a uint8 RGB array.

    Anything that gives an array, such as a tensor, counts as that array. A `Picture`
    is one already.

    A Pillow image is taken at the frame it stands at. It may be loaded, and is not changed: asking
    it for its frames would undo what the caller drew on a GIF.

    Raises:
        ImageError: the picture cannot be used.
        OSError: there is no such file, or it may not be opened.
    """
    if isinstance(source, Picture):
        return source
    if not isinstance(source, Path | str | bytes | Image.Image):
        return Picture(_copied(_array(source)), ())
    if isinstance(source, str | Path):
        with Path(source).open("rb") as file:
            source = file.read(MAX_BYTES + 1)
    with _pillow():
        if isinstance(source, Image.Image):
            check_kind(source)
            check_size(source.height, source.width)
            source.load()
            return picture_of(source)
        image = opened(source)
        check_size(image.height, image.width)
        check_work(image, source)
        if isinstance(image, PngImageFile):
            check_pixel_chunks(source)
        image.load()
        # JPEG has none: the depth map that a phone puts behind a photo is no second frame.
        several = getattr(image, "is_animated", False)
        return picture_of(image, [FIRST_FRAME] if several else [])


@contextmanager
def _pillow() -> Iterator[None]:
    """Turn whatever goes wrong inside Pillow into an `ImageError`, and keep its warnings in."""
    with _decoding, warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\b")
        try:
            yield
        except ImageError:
            raise
        except MemoryError as error:
            raise ImageError("IMG_MEMORY") from error
        # The decoders raise OSError, SyntaxError, struct.error, EOFError, SystemError and more.
        except Exception as error:
            raise ImageError("IMG_DAMAGED") from error


def _array(source: Any) -> np.ndarray:
    """Return what an object gives as an array."""
    if not hasattr(source, "__array__"):
        raise ImageError("IMG_ARRAY", dtype=type(source).__name__, shape="unknown")
    try:
        return np.asarray(source)
    # A tensor with a gradient, or on a GPU, says so in its own way.
    except Exception as error:
        raise ImageError("IMG_ARRAY", dtype=type(source).__name__, shape="unknown") from error


def _copied(array: np.ndarray) -> RGBImage:
    """Return a copy, so that what is shown does not change with the caller's array."""
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3:
        raise ImageError("IMG_ARRAY", dtype=array.dtype, shape=list(array.shape))
    check_size(*array.shape[:2])
    return np.array(array, order="C")
