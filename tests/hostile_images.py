"""Pictures of every kind a visitor may upload, valid and damaged; the same bytes at every run."""

import gzip
import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

OK = "accepted"
EITHER = "accepted, or refused with a sentence"
WIDTH, HEIGHT = 96, 64


@dataclass(frozen=True, eq=False)
class Case:
    """A file, what must become of it (OK, EITHER or a code), and the pixels it must show."""

    name: str
    data: bytes
    outcome: str
    rgb: np.ndarray | None = None
    tolerance: int = 0
    note: str | None = None


def base() -> np.ndarray:
    """Return a gradient whose channels all differ, so that a turn or a swap shows."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.stack([x * 255 // (WIDTH - 1), y * 255 // (HEIGHT - 1), (x + y) // 2], 2).astype("u1")


def saved(image: Image.Image | np.ndarray, file_format: str, **settings: Any) -> bytes:
    """Return the bytes of the image as a file of this format."""
    file = io.BytesIO()
    if isinstance(image, np.ndarray):
        image = Image.fromarray(image)
    image.save(file, file_format, **settings)
    return file.getvalue()


def cut(data: bytes, percent: float) -> bytes:
    return data[: int(len(data) * percent / 100)]


def flipped(data: bytes, *places: int) -> bytes:
    """Invert the bytes at these places; negative ones count from the end."""
    changed = bytearray(data)
    for place in places:
        changed[place] ^= 0xFF
    return bytes(changed)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def ihdr(width: int, height: int, depth: int = 8, colour: int = 2, interlace: int = 0) -> bytes:
    sizes = struct.pack(">II", width, height)
    return chunk(b"IHDR", sizes + bytes([depth, colour, 0, 0, interlace]))


PNG_START = b"\x89PNG\r\n\x1a\n"
IEND = chunk(b"IEND", b"")


def png(header: bytes, rows: bytes, *before: bytes) -> bytes:
    """Join a PNG from its header, its filtered rows and the chunks before them."""
    return PNG_START + header + b"".join(before) + chunk(b"IDAT", zlib.compress(rows)) + IEND


def filtered(rows: np.ndarray) -> bytes:
    """Put the filter byte, none, before each row."""
    return b"".join(b"\0" + row.tobytes() for row in rows)


def zeros(size: int) -> bytes:
    """Return `size` zero bytes, compressed by zlib, without making them."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    first, block = (packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH) for _ in "ab")
    rest = zlib.compressobj(9, zlib.DEFLATED, -15)
    end = rest.compress(bytes(size % 2**20)) + rest.flush()
    check = struct.pack(">I", size % 65521 << 16 | 1)
    return b"\x78\xda" + first + block * (size // 2**20 - 1) + end + check


def bomb(width: int, height: int, depth: int, colour: int) -> bytes:
    """Return a black PNG of any size in a small file."""
    row = (width * depth * {0: 1, 2: 3}[colour] + 7) // 8 + 1
    return (
        PNG_START + ihdr(width, height, depth, colour) + chunk(b"IDAT", zeros(row * height)) + IEND
    )


def adam7(rgb: np.ndarray) -> bytes:
    """Return an interlaced PNG: seven passes, coarse to fine."""
    starts = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2))
    passes = [rgb[row::down, col::right] for row, col, down, right in (*starts, (1, 0, 2, 1))]
    return png(ihdr(WIDTH, HEIGHT, interlace=1), b"".join(filtered(part) for part in passes))


def tiff(*entries: tuple[int, int, int, int], tail: bytes = b"") -> bytes:
    """Return a TIFF of one directory; `tail` lies right behind it."""
    fields = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + fields + bytes(4) + tail


def bmp(width: int, height: int, pixels: bytes) -> bytes:
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, len(pixels), 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(pixels), 0, 0, 54) + header + pixels


def exif(**tags: Any) -> Image.Exif:
    """Return an EXIF block: `orientation` and `gps`."""
    block = Image.Exif()
    block[0x0112] = tags.get("orientation", 1)
    if "gps" in tags:
        block[0x8825] = {1: "N", 2: tags["gps"]}
    return block


def with_segment(jpeg: bytes, marker: int, data: bytes, times: int = 1) -> bytes:
    """Put segments behind the first marker of a JPEG."""
    segment = bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data
    return jpeg[:2] + segment * times + jpeg[2:]


def jpeg_sized(jpeg: bytes, width: int, height: int) -> bytes:
    """Let the frame header claim another size."""
    place = jpeg.index(b"\xff\xc0") + 5
    return jpeg[:place] + struct.pack(">HH", height, width) + jpeg[place + 4 :]


def stored(upright: np.ndarray, orientation: int) -> np.ndarray:
    """Return how a camera held that way stores the picture."""
    inverse = {6: 8, 8: 6}.get(orientation, orientation)
    names = "FLIP_LEFT_RIGHT ROTATE_180 FLIP_TOP_BOTTOM TRANSPOSE ROTATE_270 TRANSVERSE ROTATE_90"
    turns = dict(zip(range(2, 9), names.split(), strict=True))
    if inverse not in turns:
        return upright
    return np.array(Image.fromarray(upright).transpose(Image.Transpose[turns[inverse]]))


def cases() -> Iterator[Case]:
    """Yield every case."""
    yield from whole()
    yield from foreign()
    yield from broken()
    yield from png_surgery()
    yield from other_surgery()
    yield from sizes()
    yield from frames()
    yield from modes()
    yield from metadata()


def whole() -> Iterator[Case]:
    rgb = base()
    for file_format in ("PNG", "BMP", "TIFF"):
        yield Case(f"ok {file_format}", saved(rgb, file_format), OK, rgb)
    yield Case("ok JPEG", saved(rgb, "JPEG", quality=95), OK, rgb, 12)
    yield Case("ok WebP", saved(rgb, "WEBP", lossless=True), OK, rgb)
    yield Case("ok AVIF", saved(rgb, "AVIF", quality=95), OK, rgb, 12)
    yield Case(
        "AVIF on its side",
        saved(np.rot90(rgb), "AVIF", quality=95, exif=exif(orientation=6)),
        OK,
        rgb,
        12,
    )
    yield Case("ok GIF", saved(rgb, "GIF"), OK)
    grey = np.repeat(rgb[:, :, :1], 3, 2)
    yield Case("grey JPEG", saved(rgb[:, :, 0], "JPEG", quality=95), OK, grey, 4)
    yield Case("interlaced PNG", adam7(rgb), OK, rgb)
    progressive = saved(rgb, "JPEG", quality=95, progressive=True)
    yield Case("progressive JPEG", progressive, OK, rgb, 12)
    yield Case("TIFF with LZW", saved(rgb, "TIFF", compression="tiff_lzw"), OK, rgb)
    yield Case("TIFF, big-endian", saved(rgb, "TIFF", big_tiff=True), OK, rgb)
    for value in (0, 255):
        flat = np.full_like(rgb, value)
        yield Case(f"constant {value}", saved(flat, "PNG"), OK, flat)
    noise = np.random.default_rng(0).integers(0, 256, (500, 500), "u1")
    yield Case("12 MP of noise", saved(np.tile(noise, (6, 8)), "JPEG", quality=70), OK)
    yield Case("40 MP", bomb(8000, 5000, 8, 0), OK)


def foreign() -> Iterator[Case]:
    rgb = base()
    yield Case("empty", b"", "IMG_EMPTY")
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
    yield Case("SVG", svg, "IMG_SVG")
    yield Case(
        "SVG with prologue", b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- x -->' + svg, "IMG_SVG"
    )
    yield Case("HEIC", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99), "IMG_HEIC")
    yield Case("HEIF that names HEIC second", b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "IMG_HEIC")
    unknown = {
        "one byte": b"\xff",
        "plain text": b"Not a picture.",
        "text that begins like a BMP": b"BMW built this text, which is long enough for a header.",
        "random": np.random.default_rng(1).bytes(4096),
        "zeros": bytes(4096),
        "HTML": b"<!DOCTYPE html><html><script>alert(1)</script></html>",
        "PDF": b"%PDF-1.7\n" + bytes(200),
        "ZIP": b"PK\x03\x04" + bytes(200),
        "gzipped PNG": gzip.compress(saved(rgb, "PNG"), mtime=0),
        "pickle": b"\x80\x04\x95\x10\0\0\0\0\0\0\0\x8c\x05posix\x94.",
        "MP4": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(99),
        "WAV": b"RIFF\x24\0\0\0WAVEfmt " + bytes(99),
        "EPS": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        "WMF": b"\xd7\xcd\xc6\x9a" + bytes(200),
        "PSD": b"8BPS\0\x01" + bytes(200),
        "ICNS": b"icns" + bytes(200),
        "JPEG 2000": saved(rgb, "JPEG2000"),
        "ICO": saved(rgb, "ICO"),
        "PPM": saved(rgb, "PPM"),
        "TGA": saved(rgb, "TGA"),
    }
    for name, data in unknown.items():
        yield Case(name, data, "IMG_UNKNOWN")


def broken() -> Iterator[Case]:
    rgb = base()
    files = {name: saved(rgb, name) for name in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")}
    yield Case("AVIF cut at half", cut(saved(rgb, "AVIF"), 50), "IMG_DAMAGED")
    for percent in (1, 10, 50, 90, 99):
        outcome = "IMG_UNKNOWN" if len(cut(files["JPEG"], percent)) < 3 else "IMG_DAMAGED"
        yield Case(f"JPEG cut at {percent} %", cut(files["JPEG"], percent), outcome)
    for name in ("PNG", "WEBP", "GIF", "BMP", "TIFF"):
        for percent in (10, 50, 90):
            yield Case(f"{name} cut at {percent} %", cut(files[name], percent), "IMG_DAMAGED")
    yield Case("PNG without IEND", files["PNG"][:-12], OK, rgb)
    tails = {"garbage": bytes(range(256)) * 20, "script": b"<script>alert(1)</script>"}
    for name, tail in tails.items():
        yield Case(f"PNG with a tail of {name}", files["PNG"] + tail, OK, rgb)
    yield Case("JPEG with a ZIP behind it", files["JPEG"] + b"PK\x03\x04" + bytes(999), OK)
    yield Case("over 10 MB", files["PNG"] + bytes(10 * 2**20), "IMG_BYTES")


def png_surgery() -> Iterator[Case]:
    rgb = base()
    rows, file = filtered(rgb), saved(rgb, "PNG")
    idat = file.index(b"IDAT")
    damaged = {
        "IHDR with a wrong checksum": flipped(file, 29),
        "a wrong byte in IDAT": flipped(file, idat + 200),
        "IDAT that is not zlib": PNG_START
        + ihdr(WIDTH, HEIGHT)
        + chunk(b"IDAT", b"not zlib at all")
        + IEND,
        "too little data": png(ihdr(512, 512), bytes(100)),
        "width 0": png(ihdr(0, HEIGHT), rows),
        "height 0": png(ihdr(WIDTH, 0), rows),
        "bit depth 3": png(ihdr(WIDTH, HEIGHT, depth=3), rows),
        "colour type 5": png(ihdr(WIDTH, HEIGHT, colour=5), rows),
        "no IDAT": PNG_START + ihdr(WIDTH, HEIGHT) + IEND,
        "only a signature": PNG_START,
        "zTXt bomb": png(ihdr(WIDTH, HEIGHT), rows, chunk(b"zTXt", b"a\0\0" + zeros(80 * 10**6))),
        "iCCP bomb": png(ihdr(WIDTH, HEIGHT), rows, chunk(b"iCCP", b"a\0\0" + zeros(80 * 10**6))),
    }
    for name, data in damaged.items():
        yield Case(f"PNG: {name}", data, "IMG_DAMAGED")
    either = {
        "two headers": png(ihdr(WIDTH, HEIGHT), rows, ihdr(WIDTH, HEIGHT)),
        "palette without PLTE": png(ihdr(WIDTH, HEIGHT, colour=3), filtered(rgb[:, :, 0])),
        "a 16-bit transparent colour": png(ihdr(WIDTH, HEIGHT), rows, chunk(b"tRNS", b"\xff" * 6)),
    }
    for name, data in either.items():
        yield Case(f"PNG: {name}", data, EITHER)
    no_frames = png(ihdr(WIDTH, HEIGHT), rows, chunk(b"acTL", bytes(8)))
    yield Case("PNG: an animation of no frames", no_frames, OK, rgb, note="")
    texts = [chunk(b"tEXt", b"key%d\0text" % number) for number in range(3000)]
    yield Case("PNG with 3000 texts", png(ihdr(WIDTH, HEIGHT), rows, *texts), OK, rgb)


def other_surgery() -> Iterator[Case]:
    rgb = base()
    jpeg = saved(rgb, "JPEG")
    scan = jpeg.index(b"\xff\xda")
    yield Case("JPEG: three wrong bytes", flipped(jpeg, *range(scan + 60, scan + 63)), EITHER)
    yield Case("JPEG without its end", jpeg[:-2], "IMG_DAMAGED")
    yield Case("JPEG of start and end", b"\xff\xd8\xff\xd9", "IMG_DAMAGED")
    yield Case("JPEG 0 x 0", jpeg_sized(jpeg, 0, 0), "IMG_DAMAGED")
    yield Case("JPEG 65535 x 65535", jpeg_sized(jpeg, 65535, 65535), "IMG_PIXELS")
    yield Case("JPEG of 12 bits", flipped(jpeg, jpeg.index(b"\xff\xc0") + 4), "IMG_DAMAGED")
    yield Case("JPEG with 2.6 MB of comments", with_segment(jpeg, 0xFE, bytes(65000), 40), OK)
    progressive = saved(Image.new("L", (2000, 2000), 90), "JPEG", progressive=True)
    last = progressive[progressive.rindex(b"\xff\xda") : -2]
    endless = progressive[:-2] + last * 1000 + b"\xff\xd9"
    yield Case("JPEG of a thousand scans", endless, "IMG_DAMAGED")
    upside_down = np.ascontiguousarray(rgb[:, :, ::-1]).tobytes()
    yield Case("BMP of negative height", bmp(WIDTH, -HEIGHT, upside_down), OK, rgb)
    yield Case("BMP of 2**30 squared", bmp(2**30, 2**30, bytes(99)), "IMG_PIXELS")
    yield Case("GIF 0 x 0", b"GIF89a" + bytes(7) + b";", "IMG_DAMAGED")
    yield Case("GIF without frames", b"GIF89a\x60\0\x40\0\0\0\0;", "IMG_DAMAGED")
    yield Case("GIF 65535 x 65535", b"GIF89a" + b"\xff" * 4 + saved(rgb, "GIF")[10:], "IMG_PIXELS")
    yield Case("WebP shell", b"RIFF\x04\0\0\0WEBP", "IMG_DAMAGED")
    yield Case("TIFF with an empty directory", tiff(), "IMG_DAMAGED")
    yield Case("TIFF of one header", b"II*\0\xff\xff\xff\x7f", "IMG_DAMAGED")
    strips, behind = 5000, 8 + 2 + 9 * 12 + 4
    entries = [(256, 4, 1, 64), (257, 4, 1, 64), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)]
    entries += [(273, 4, strips, behind), (277, 3, 1, 1), (278, 4, 1, 1), (279, 4, strips, behind)]
    offsets = struct.pack("<I", 8) * strips
    yield Case("TIFF of many strips", tiff(*entries, tail=offsets), EITHER)


def sizes() -> Iterator[Case]:
    for width, height in ((1, 1), (2, 2), (7, 8), (1, 4000), (4000, 1), (8, 161)):
        data = saved(Image.new("RGB", (width, height)), "PNG")
        yield Case(f"{width} x {height}", data, "IMG_SHAPE")
    for width, height in ((8, 8), (8, 160), (160, 8)):
        data = saved(Image.new("RGB", (width, height)), "PNG")
        yield Case(f"{width} x {height}", data, OK, np.zeros((height, width, 3), "u1"))
    yield Case("12000 x 12000 grey", bomb(12000, 12000, 8, 0), "IMG_PIXELS")
    yield Case("12000 x 12000 RGB", bomb(12000, 12000, 8, 2), "IMG_PIXELS")
    yield Case("20000 x 20000 grey", bomb(20000, 20000, 8, 0), "IMG_PIXELS")
    yield Case("30000 x 30000 of one bit", bomb(30000, 30000, 1, 0), "IMG_PIXELS")
    for width, height in ((50000, 50000), (2**31 - 1, 2**31 - 1), (2**32 - 1, 8), (89 * 10**6, 1)):
        yield Case(f"header of {width} x {height}", png(ihdr(width, height), b""), "IMG_PIXELS")
    for width, height in ((100_000, 1), (1, 100_000)):
        yield Case(f"header of {width} x {height}", png(ihdr(width, height), b""), "IMG_SHAPE")


def frames() -> Iterator[Case]:
    rgb = base()
    several = [Image.fromarray(np.roll(rgb, 3 * step, axis=1)) for step in range(50)]
    note = "first frame"
    more = {"save_all": True, "append_images": several[1:]}
    yield Case("APNG of 50", saved(several[0], "PNG", **more), OK, rgb, note=note)
    webp = saved(several[0], "WEBP", lossless=True, method=0, **more)
    yield Case("WebP of 50", webp, OK, rgb, note=note)
    yield Case("TIFF of 50", saved(several[0], "TIFF", **more), OK, rgb, note=note)
    dots = [Image.new("L", (16, 16), step % 256) for step in range(400)]
    gif = saved(dots[0], "GIF", save_all=True, append_images=dots[1:])
    yield Case("GIF of 400", gif, OK, np.zeros((16, 16, 3), "u1"), note=note)
    mpo = saved(several[0], "MPO", quality=95, save_all=True, append_images=several[1:2])
    yield Case("MPO of two", mpo, OK, rgb, 12, note="")


def modes() -> Iterator[Case]:
    rgb = base()
    image = Image.fromarray(rgb)
    ramp = np.tile(np.arange(WIDTH, dtype="u1") * 2, (HEIGHT, 1))
    for mode in ("1", "L", "P"):
        converted = image.convert(mode)
        expected = np.array(converted.convert("RGB"))
        yield Case(f"mode {mode}", saved(converted, "PNG"), OK, expected, note="")
        if mode != "1":
            yield Case(f"GIF of mode {mode}", saved(converted, "GIF"), OK, expected)
    alpha = ramp[:, :, None].astype(int)
    over_white = ((rgb * alpha + 255 * (255 - alpha)) / 255).round().astype("u1")
    with_alpha = Image.fromarray(np.dstack([rgb, ramp]))
    white = "white"
    for file_format, settings in (("PNG", {}), ("TIFF", {}), ("WEBP", {"lossless": True})):
        data = saved(with_alpha, file_format, **settings)
        name = f"{file_format} with alpha"
        yield Case(name, data, OK, over_white if file_format != "WEBP" else None, 1, white)
    grey = rgb[:, :, :1].astype(int)
    grey_over = np.repeat((grey * alpha + 255 * (255 - alpha)) / 255, 3, 2).round().astype("u1")
    data = saved(Image.fromarray(np.dstack([rgb[:, :, 0], ramp]), "LA"), "PNG")
    yield Case("grey with alpha", data, OK, grey_over, 1, white)
    opaque = np.dstack([rgb, np.full_like(ramp, 255)])
    yield Case("alpha, all opaque", saved(opaque, "PNG"), OK, rgb, note="")
    clear = Image.new("RGBA", (WIDTH, HEIGHT), (255, 0, 0, 0))
    yield Case("clear red", saved(clear, "PNG"), OK, np.full_like(rgb, 255), note=white)
    palette = Image.fromarray((ramp > 90).astype("u1"), "L").convert("P")
    palette.putpalette([200, 0, 0, 0, 0, 200])
    half = np.where(ramp[:, :, None] > 90, (0, 0, 200), 255).astype("u1")
    for file_format in ("PNG", "GIF"):
        data = saved(palette, file_format, transparency=0)
        yield Case(f"{file_format}: palette with a hole", data, OK, half, note=white)
    data = saved(palette, "PNG", transparency=bytes([128, 255]))
    mixed = np.where(ramp[:, :, None] > 90, (0, 0, 200), (227, 127, 127)).astype("u1")
    yield Case("palette, half transparent", data, OK, mixed, 1, white)
    key = saved(image, "PNG", transparency=tuple(int(part) for part in rgb[5, 9]))
    keyed = rgb.copy()
    keyed[5, 9] = 255
    yield Case("one transparent colour", key, OK, keyed, note=white)

    deep = np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH) * 65535 // (HEIGHT * WIDTH - 1)
    by_257 = np.repeat((deep / 257).round()[:, :, None], 3, 2).astype("u1")
    deep = deep.astype("u2")
    yield Case("16-bit grey PNG", saved(deep, "PNG"), OK, by_257, note="")
    yield Case("16-bit grey TIFF", saved(deep, "TIFF"), OK, by_257)
    big = Image.frombytes("I;16B", (WIDTH, HEIGHT), deep.astype(">u2").tobytes())
    yield Case("16-bit grey TIFF, high byte first", saved(big, "TIFF"), OK, by_257)
    wide = (rgb.astype("u2") * 257).astype(">u2")
    yield Case("48-bit RGB", png(ihdr(WIDTH, HEIGHT, 16), filtered(wide)), OK, rgb)
    wide = np.dstack([wide, np.full_like(wide[:, :, 0], 65535)])
    yield Case("64-bit RGBA", png(ihdr(WIDTH, HEIGHT, 16, 6), filtered(wide)), OK, rgb, note="")

    stretched = np.repeat((rgb[:, :, 0] / 255 * 255).round()[:, :, None], 3, 2).astype("u1")
    floats = (rgb[:, :, 0] * 0.5 - 40).astype("f4")
    yield Case("float32", saved(floats, "TIFF"), OK, stretched, note="stretched")
    yield Case("int32", saved(rgb[:, :, 0].astype("i4") * 9000 - 10**6, "TIFF"), OK, stretched)
    flat = saved(np.full((HEIGHT, WIDTH), 3.5, "f4"), "TIFF")
    yield Case("float32, constant", flat, OK, np.zeros_like(rgb))
    for name in ("nan", "inf", "-inf"):
        holed = floats.copy()
        holed[40, 50] = float(name)
        yield Case(f"float32 with {name}", saved(holed, "TIFF"), "IMG_NUMBERS")
    tall = np.tile(floats, (10, 1))
    tall[600, 50] = np.nan
    yield Case("float32 with nan far down", saved(tall, "TIFF"), "IMG_NUMBERS")
    huge = floats.copy()
    huge[0, 0], huge[1, 1] = -3e38, 3e38
    yield Case("float32, huge", saved(huge, "TIFF"), OK)

    cmyk = image.convert("CMYK")
    yield Case("CMYK JPEG", saved(cmyk, "JPEG", quality=95), OK, rgb, 16)
    yield Case("CMYK TIFF", saved(cmyk, "TIFF"), OK, rgb, 1)
    yield Case("YCbCr TIFF", saved(image.convert("YCbCr"), "TIFF"), EITHER)
    soft = rgb // 4 + 96  # in 8 bits, LAB is coarse where a colour is full
    lab = Image.fromarray(soft).convert("LAB")
    del lab.info["icc_profile"]  # it holds the time it was made
    yield Case("LAB TIFF", saved(lab, "TIFF"), OK, soft, 8)


def metadata() -> Iterator[Case]:
    rgb = base()
    for orientation in range(1, 9):
        held = Image.fromarray(stored(rgb, orientation))
        for file_format, settings in (
            ("JPEG", {"quality": 95}),
            ("PNG", {}),
            ("WEBP", {"lossless": True}),
            ("TIFF", {}),
        ):
            data = saved(held, file_format, exif=exif(orientation=orientation), **settings)
            tolerance = 12 if file_format == "JPEG" else 0
            yield Case(f"{file_format} held as {orientation}", data, OK, rgb, tolerance)
    for orientation in (0, 9, 65535):
        data = saved(rgb, "PNG", exif=exif(orientation=orientation))
        yield Case(f"orientation {orientation}", data, OK, rgb)
    jpeg = saved(rgb, "JPEG", quality=95)
    garbage = with_segment(jpeg, 0xE1, b"Exif\0\0" + bytes(range(200)))
    yield Case("EXIF of garbage", garbage, OK, rgb, 12)
    circle = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x69\x87\x04\0\x01\0\0\0\x08\0\0\0\x08\0\0\0"
    yield Case("EXIF that points at itself", with_segment(jpeg, 0xE1, circle), OK, rgb, 12)
    place = saved(rgb, "JPEG", quality=95, exif=exif(gps=(48.0, 8.0, 12.0)))
    yield Case("EXIF with a place", place, OK, rgb, 12)
    yield Case("broken colour profile", saved(rgb, "PNG", icc_profile=b"junk"), OK, rgb)
    mpf = with_segment(jpeg, 0xE2, b"MPF\0" + bytes(40))
    yield Case("broken MPO index", mpf, OK, rgb, 12)
