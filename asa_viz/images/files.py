"""Files of pictures: known by their first bytes, and refused where they would cost too much."""

import io
import re
import struct
import zlib

from PIL import Image, ImageFile
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from asa_viz.images.shapes import MAX_PIXELS
from asa_viz.images.words import ImageError

# Of the files that can be read; a file is judged by its content, not by its name.
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".avif")

MAX_BYTES = 10 * 2**20
MIN_SIDE = 8
MAX_ASPECT = 20
# A scan of a progressive JPEG takes a few bytes and walks over every pixel: a small file can hold
# hours of work. Pictures in use have 20 scans at most.
MAX_SCANNED = 100 * MAX_PIXELS
# A TIFF of the largest size in the smallest tiles, 16 x 16.
MAX_TILES = MAX_PIXELS // 16**2
MAX_TIFF_TAGS = 1000

_READERS: dict[bytes, type[ImageFile.ImageFile]] = {
    rb"\xff\xd8\xff": JpegImageFile,
    rb"\x89PNG\r\n\x1a\n": PngImageFile,
    rb"RIFF....WEBP": WebPImageFile,
    # The byte after the file header is the size of one of the known DIB headers.
    rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0": BmpImageFile,
    rb"II[*+]\0|MM\0[*+]": TiffImageFile,
    rb"GIF8[79]a": GifImageFile,
    rb".{4}ftypavi[fs]": AvifImageFile,
}
_REFUSED = {
    rb".{4}ftyp.{0,40}?(?:hei|hev)[cmsx]": "IMG_HEIC",
    rb"(?:\xef\xbb\xbf)?\s*(?:<svg|<(?:\?xml|!--|!DOCTYPE svg).*<svg)": "IMG_SVG",
}

# TIFF's types of one byte: BYTE, ASCII, SBYTE, UNDEFINED.
_TIFF_BYTES = (1, 2, 6, 7)


def opened(data: bytes) -> ImageFile.ImageFile:
    """Read the header, with the reader that the first bytes name whatever the file was called."""
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


def check_kind(image: Image.Image) -> None:
    """Hold a file that the caller opened to the same list of formats."""
    if isinstance(image, ImageFile.ImageFile) and not isinstance(image, tuple(_READERS.values())):
        raise ImageError("IMG_UNKNOWN")


def check_size(height: int, width: int) -> None:
    """Refuse what is too large to decode, or no picture to look at."""
    if height * width > MAX_PIXELS:
        raise ImageError("IMG_PIXELS", height=height, width=width)
    short, long = sorted((height, width))
    if short < MIN_SIDE or long > MAX_ASPECT * short:
        raise ImageError("IMG_SHAPE", height=height, width=width)


def check_work(image: ImageFile.ImageFile, data: bytes) -> None:
    """Refuse a small file made to take hours: a picture scanned, or tiled, again and again."""
    # Inside a JPEG's coded pixels this marker cannot occur by chance; behind them it hardly does.
    scans = data.count(b"\xff\xda") if isinstance(image, JpegImageFile) else 0
    if scans * image.height * image.width > MAX_SCANNED or len(image.tile) > MAX_TILES:
        raise ImageError("IMG_DAMAGED")


def _check_tiff_tags(data: bytes) -> None:
    """Refuse a TIFF whose first directory lists more strips or tiles than a picture may have.

    Pillow makes an object of each before anything of the picture is known.
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
        # Text and bytes, such as a colour profile, are as long as they are.
        if kind not in _TIFF_BYTES and length > MAX_TILES:
            raise ImageError("IMG_DAMAGED")


def check_pixel_chunks(data: bytes) -> None:
    """Hold the pixels of a PNG to their checksums; Pillow shows them whatever these say."""
    place, view = 8, memoryview(data)
    while place + 12 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, place)
        end = place + 8 + size
        if kind == b"IDAT" and zlib.crc32(view[place + 4 : end]).to_bytes(4) != view[end : end + 4]:
            raise ImageError("IMG_DAMAGED")
        place = end + 4
