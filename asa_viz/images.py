"""Reads pictures: any file, Pillow image or array becomes upright 8-bit RGB or a clear error."""

import io
import math
import re
import struct
import threading
import warnings
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import ExifTags, Image, ImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

RGBImage = UInt8[np.ndarray, "height width 3"]
Resized = UInt8[np.ndarray, "new_height new_width 3"]

# Endings of readable formats; a file's format is found from its content, not from its name.
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif")

MAX_BYTES = 10 * 2**20
MAX_PIXELS = 40_000_000
MIN_SIDE = 8
MAX_ASPECT = 20
# A scan of a progressive JPEG takes a few bytes and is decoded over every pixel: a small file can
# take hours. Pictures in use have 20 scans at most.
MAX_SCANNED = 100 * MAX_PIXELS
# A TIFF of the largest size in the smallest tiles, 16 x 16.
MAX_TILES = MAX_PIXELS // 16**2
MAX_TIFF_TAGS = 1000
STRIP_ROWS = 256

SENTENCES = {
    "IMG_EMPTY": "The file is empty. Choose another picture.",
    "IMG_UNKNOWN": (
        "This is not a picture that can be read here. Use JPEG, PNG, WebP, BMP, TIFF or GIF."
    ),
    "IMG_HEIC": (
        "This is an HEIC photo, as iPhones take them. Save it as JPEG first, or send it to "
        "yourself as Most Compatible."
    ),
    "IMG_SVG": "SVG drawings cannot be read here. Export the drawing as PNG and retry.",
    "IMG_DAMAGED": (
        "The picture is damaged, was not fully copied, or is of a rare kind. Open it in a viewer, "
        "save it again, and retry."
    ),
    "IMG_PIXELS": (
        "The picture is {width} x {height}, more than 40 million pixels. Make it smaller and retry."
    ),
    "IMG_BYTES": "The file is larger than 10 MB. Save the picture smaller and retry.",
    "IMG_SHAPE": (
        "The picture is {width} x {height}. It must be at least 8 x 8 and no more than 20 times "
        "longer than wide. Choose another picture."
    ),
    "IMG_NUMBERS": (
        "The picture contains invalid numbers (infinite, or not a number). Replace them and retry."
    ),
    "IMG_ARRAY": (
        "An array must be uint8 RGB of shape [height, width, 3], not {dtype} of shape {shape}. "
        "Convert it and retry."
    ),
    "IMG_MEMORY": "There is not enough memory for this picture. Make it smaller and retry.",
}

FIRST_FRAME, ON_WHITE, STRETCHED = "first_frame", "on_white", "stretched"
# Notes on the attention rather than the picture, which a packet may carry.
SHARES, SIGNED, NOT_LEARNED = "shares", "signed", "not_learned"
NOTES = {
    FIRST_FRAME: "The file holds several frames; the first frame is used.",
    ON_WHITE: "Transparent parts are shown on white.",
    SHARES: "Each row of this attention is shown as shares: its weights over what they add up to.",
    SIGNED: (
        "Some weights of this attention are negative; each row is shown as shares of their sizes, "
        "without signs."
    ),
    NOT_LEARNED: "The thresholds were chosen by hand; this network has not learned them.",
    STRETCHED: (
        "The picture's numbers are stretched so that the lowest is black and the highest white."
    ),
}

_READERS: dict[bytes, type[ImageFile.ImageFile]] = {
    rb"\xff\xd8\xff": JpegImageFile,
    rb"\x89PNG\r\n\x1a\n": PngImageFile,
    rb"RIFF....WEBP": WebPImageFile,
    # The byte after the file header is the size of a known DIB header.
    rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0": BmpImageFile,
    rb"II[*+]\0|MM\0[*+]": TiffImageFile,
    rb"GIF8[79]a": GifImageFile,
}
_REFUSED = {
    rb".{4}ftyp.{0,40}?(?:hei|hev)[cmsx]": "IMG_HEIC",
    rb"(?:\xef\xbb\xbf)?\s*(?:<svg|<(?:\?xml|!--|!DOCTYPE svg).*<svg)": "IMG_SVG",
}

# TIFF's one-byte types: BYTE, ASCII, SBYTE, UNDEFINED.
_TIFF_BYTES = (1, 2, 6, 7)

# EXIF orientation -> the array operation that turns the picture upright; other values mean none.
_UPRIGHT: dict[object, Callable[[np.ndarray], np.ndarray]] = {
    2: np.fliplr,
    3: lambda rgb: np.rot90(rgb, 2),
    4: np.flipud,
    5: lambda rgb: rgb.swapaxes(0, 1),
    6: lambda rgb: np.rot90(rgb, -1),
    7: lambda rgb: np.rot90(rgb.swapaxes(0, 1), 2),
    8: np.rot90,
}

# Decoding is serialised: this bounds the memory, and the filters of `warnings` are global to all
# threads.
_decoding = threading.Lock()


class ImageError(ValueError):
    """A refused picture; the text says what to do and is meant for the visitor.

    It is the sentence `code` of SENTENCES, with `facts` filled in.
    """

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(SENTENCES[code].format(**facts))
        self.code = code
        self.facts = facts


@dataclass(frozen=True, eq=False)
class Picture:
    """An upright picture, and keys of NOTES on the decisions taken while reading it."""

    rgb: RGBImage
    notes: tuple[str, ...]


def read_image(source: Any) -> Picture:
    """Read a file (its path or its bytes), a Pillow image or a uint8 RGB array.

    Anything with an array interface, such as a tensor, counts as that array. A Pillow image is
    taken at its current frame. It may be loaded but is not changed: seeking its frames would undo
    what the caller drew on a GIF.

    Raises:
        ImageError: the picture cannot be used.
        OSError: there is no such file, or it may not be opened.
    """
    if not isinstance(source, Path | str | bytes | Image.Image):
        return Picture(_copied(_array(source)), ())
    if isinstance(source, str | Path):
        with Path(source).open("rb") as file:
            source = file.read(MAX_BYTES + 1)
    with _pillow():
        if isinstance(source, Image.Image):
            _check_kind(source)
            _check_size(source.height, source.width)
            source.load()
            return _picture(source)
        image = _opened(source)
        _check_size(image.height, image.width)
        _check_work(image, source)
        if isinstance(image, PngImageFile):
            _check_pixel_chunks(source)
        image.load()
        # JPEG has no animation: the depth map of a phone's photo (MPO) is not a second frame.
        several = getattr(image, "is_animated", False)
        return _picture(image, [FIRST_FRAME] if several else [])


def nearest_shape(height: int, width: int, shapes: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Return the (height, width) of `shapes` with the nearest logarithm of the aspect ratio."""
    return min(shapes, key=lambda shape: abs(math.log(shape[0] * width / (shape[1] * height))))


def resize(rgb: RGBImage, shape: tuple[int, int]) -> Resized:
    """Return the picture resized to `shape`, (height, width), with antialiasing."""
    height, width = shape
    image = Image.fromarray(rgb)
    return np.array(image.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=3.0))


def fit_within(rgb: RGBImage, longest: int) -> Resized:
    """Return the picture reduced so that no side exceeds `longest`; never enlarged."""
    height, width = rgb.shape[:2]
    scale = longest / max(height, width)
    if scale >= 1:
        return rgb
    return resize(rgb, (max(1, round(height * scale)), max(1, round(width * scale))))


@contextmanager
def _pillow() -> Iterator[None]:
    """Turn every error inside Pillow into an `ImageError`, and suppress its warnings."""
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


def _opened(data: bytes) -> ImageFile.ImageFile:
    """Read the header, with the reader that the first bytes call for, whatever the file's name."""
    if not data:
        raise ImageError("IMG_EMPTY")
    if len(data) > MAX_BYTES:
        raise ImageError("IMG_BYTES")
    start = data[:1024]
    for pattern, reader in _READERS.items():
        if re.match(pattern, start, re.DOTALL):
            if reader is TiffImageFile:
                _check_tiff_tags(data)
            return reader(io.BytesIO(data))
    for pattern, code in _REFUSED.items():
        if re.match(pattern, start, re.DOTALL):
            raise ImageError(code)
    raise ImageError("IMG_UNKNOWN")


def _check_kind(image: Image.Image) -> None:
    """Check a file that the caller opened against the same list of formats."""
    if isinstance(image, ImageFile.ImageFile) and not isinstance(image, tuple(_READERS.values())):
        raise ImageError("IMG_UNKNOWN")


def _check_size(height: int, width: int) -> None:
    """Refuse a picture that is too large to decode or too small to show."""
    if height * width > MAX_PIXELS:
        raise ImageError("IMG_PIXELS", height=height, width=width)
    short, long = sorted((height, width))
    if short < MIN_SIDE or long > MAX_ASPECT * short:
        raise ImageError("IMG_SHAPE", height=height, width=width)


def _check_work(image: ImageFile.ImageFile, data: bytes) -> None:
    """Refuse a small file that takes hours to decode because of its many scans or tiles."""
    # Inside coded JPEG data this marker cannot occur by chance, after them it hardly can.
    scans = data.count(b"\xff\xda") if isinstance(image, JpegImageFile) else 0
    if scans * image.height * image.width > MAX_SCANNED or len(image.tile) > MAX_TILES:
        raise ImageError("IMG_DAMAGED")


def _check_tiff_tags(data: bytes) -> None:
    """Refuse a TIFF whose first directory lists more strips or tiles than a picture may have.

    Pillow creates an object for each before it checks anything else.
    """
    order, is_big = "<" if data[:1] == b"I" else ">", data[2:4] in (b"+\0", b"\0+")
    place = (
        struct.unpack_from(order + "Q", data, 8)
        if is_big
        else struct.unpack_from(order + "L", data, 4)
    )
    count_kind, entry_kind = (
        (order + "Q", order + "HHQQ") if is_big else (order + "H", order + "HHLL")
    )
    (count,) = struct.unpack_from(count_kind, data, place[0])
    if count > MAX_TIFF_TAGS:
        raise ImageError("IMG_DAMAGED")
    start, size = place[0] + struct.calcsize(count_kind), struct.calcsize(entry_kind)
    for entry in range(count):
        _, kind, length, _ = struct.unpack_from(entry_kind, data, start + entry * size)
        # Text and bytes, such as a colour profile, may have any length.
        if kind not in _TIFF_BYTES and length > MAX_TILES:
            raise ImageError("IMG_DAMAGED")


def _check_pixel_chunks(data: bytes) -> None:
    """Check the pixel chunks of a PNG against their checksums, which Pillow ignores."""
    place, view = 8, memoryview(data)
    while place + 12 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, place)
        end = place + 8 + size
        if kind == b"IDAT" and zlib.crc32(view[place + 4 : end]).to_bytes(4) != view[end : end + 4]:
            raise ImageError("IMG_DAMAGED")
        place = end + 4


def _array(source: Any) -> np.ndarray:
    """Return the array of an object with an array interface."""
    if not hasattr(source, "__array__"):
        raise ImageError("IMG_ARRAY", dtype=type(source).__name__, shape="unknown")
    try:
        return np.asarray(source)
    # A tensor with a gradient, or on a GPU, raises an error of its own.
    except Exception as error:
        raise ImageError("IMG_ARRAY", dtype=type(source).__name__, shape="unknown") from error


def _copied(array: np.ndarray) -> RGBImage:
    """Return a copy, so that later changes of the caller's array have no effect."""
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3:
        raise ImageError("IMG_ARRAY", dtype=array.dtype, shape=list(array.shape))
    _check_size(*array.shape[:2])
    return np.array(array, order="C")


def _picture(image: Image.Image, notes: Sequence[str] = ()) -> Picture:
    """Turn a loaded image into upright RGB, in strips to limit the memory."""
    to_rgb, note = _rule(image)
    rgb = np.empty((image.height, image.width, 3), np.uint8)
    for top, strip in _strips(image):
        rgb[top : top + strip.height] = to_rgb(strip)
    upright = _UPRIGHT.get(_orientation(image), np.asarray)(rgb)
    return Picture(np.ascontiguousarray(upright), (*notes, note) if note else tuple(notes))


def _rule(image: Image.Image) -> tuple[Callable[[Image.Image], RGBImage], str | None]:
    """Return the conversion of this image's strips to RGB, and a note on it."""
    if image.mode.startswith("I;16"):
        return partial(_grey, low=0.0, high=65535.0), None
    if image.mode in ("I", "F"):
        low, high = _extremes(image)
        return partial(_grey, low=low, high=high), STRETCHED
    if image.has_transparency_data and any(_alpha_of(strip) < 255 for _, strip in _strips(image)):
        return _on_white, ON_WHITE
    return _plain, None


def _strips(image: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    """Yield horizontal strips of the image with the index of their first row."""
    for top in range(0, image.height, STRIP_ROWS):
        bottom = min(top + STRIP_ROWS, image.height)
        yield top, image.crop((0, top, image.width, bottom))


def _plain(strip: Image.Image) -> RGBImage:
    """Convert as Pillow does: indexed colours, CMYK, YCbCr, LAB and the rest become RGB."""
    return np.asarray(strip.convert("RGB"))


def _on_white(strip: Image.Image) -> RGBImage:
    colours = strip.convert("RGBA")
    white = Image.new("RGB", strip.size, "white")
    white.paste(colours, mask=colours)
    return np.asarray(white)


def _grey(strip: Image.Image, low: float, high: float) -> RGBImage:
    """Map low..high linearly to 0..255; a constant picture is black."""
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


def _orientation(image: Image.Image) -> object:
    """Return the EXIF orientation; a broken EXIF block counts as none."""
    with suppress(Exception):
        return image.getexif().get(ExifTags.Base.Orientation)
    return None
