"""Every picture is shown as it is meant, or refused with a sentence that says what to do."""

import struct
import tracemalloc
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageFile
from PIL.TiffImagePlugin import TiffImageFile

from asa_viz.images import (
    MAX_BYTES,
    NOTES,
    SENTENCES,
    ImageError,
    files,
    fit_within,
    framed,
    nearest_shape,
    read_image,
    resize,
)
from asa_viz.images.shapes import GREY
from asa_viz.images.words import ENLARGED, FRAMED
from tests.hostile_images import EITHER, OK, base, cases, saved

CASES = list(cases())
BY_NAME = {case.name: case for case in CASES}


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def case(request):
    return request.param


def outcome_of(source):
    try:
        return OK, read_image(source)
    except ImageError as error:
        return error.code, None


def test_every_file_has_its_outcome(case):
    outcome, picture = outcome_of(case.data)
    if case.outcome == EITHER:
        return
    assert outcome == case.outcome
    if picture is None:
        return
    assert picture.rgb.dtype == np.uint8
    assert picture.rgb.flags.c_contiguous
    if case.rgb is not None:
        assert picture.rgb.shape == case.rgb.shape
        # int16 holds every difference, and 40 million of them fit.
        for got, wanted in zip(picture.rgb, case.rgb, strict=True):
            assert np.abs(got.astype("i2") - wanted).max() <= case.tolerance
    if case.note is not None:
        assert (
            (case.note in " ".join(NOTES[note] for note in picture.notes))
            if case.note
            else picture.notes == ()
        )


def test_the_cases_are_many_and_each_its_own():
    assert len(CASES) >= 124
    assert max(Counter(case.name for case in CASES).values()) == 1


def test_every_sentence_is_reached():
    reached = {case.outcome for case in CASES} - {OK, EITHER}
    # The two others have no file: see the tests of arrays and of memory.
    assert reached == SENTENCES.keys() - {"IMG_ARRAY", "IMG_MEMORY"}


def test_every_sentence_says_what_to_do():
    advice = ("Choose", "Use", "Save", "Export", "Open", "Make", "Replace", "Convert")
    for sentence in SENTENCES.values():
        assert sentence.endswith(".")
        assert any(word in sentence for word in advice)


def test_a_path_reads_as_its_bytes_whatever_its_name(tmp_path):
    for name, kind in (("photo.png", "ok JPEG"), ("photo.gif", "ok PNG"), ("photo", "ok BMP")):
        path = tmp_path / name
        path.write_bytes(BY_NAME[kind].data)
        rgb = read_image(BY_NAME[kind].data).rgb
        for source in (path, str(path)):
            np.testing.assert_array_equal(read_image(source).rgb, rgb)


def test_a_long_file_is_not_read_to_its_end(tmp_path):
    path = tmp_path / "long.png"
    with path.open("wb") as file:
        file.truncate(2**40)
    assert outcome_of(path)[0] == "IMG_BYTES"


def test_a_file_of_the_largest_size_is_read():
    data = BY_NAME["ok PNG"].data
    assert outcome_of(data.ljust(MAX_BYTES, b"\0"))[0] == OK
    assert outcome_of(data.ljust(MAX_BYTES + 1, b"\0"))[0] == "IMG_BYTES"


def test_a_file_that_is_not_there_is_said_by_the_system(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_image(tmp_path / "none.png")


@pytest.mark.parametrize("name", [case.name for case in CASES if case.outcome == "IMG_PIXELS"])
def test_what_is_too_large_is_refused_before_decoding(name, monkeypatch):
    loads = []
    monkeypatch.setattr(ImageFile.ImageFile, "load", loads.append)
    data = BY_NAME[name].data
    tracemalloc.start()
    assert outcome_of(data)[0] == "IMG_PIXELS"
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert loads == []
    assert peak < 16e6 + 4 * len(data)


def test_a_tiff_of_endless_strips_is_refused(monkeypatch):
    monkeypatch.setattr(files, "MAX_TILES", 1000)
    assert outcome_of(BY_NAME["TIFF of many strips"].data)[0] == "IMG_DAMAGED"


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [True, False])
@pytest.mark.parametrize("tag", [273, 279, 258, 324])
def test_strips_are_counted_before_pillow_makes_objects_of_them(order, big, tag, monkeypatch):
    monkeypatch.setattr(TiffImageFile, "_open", lambda image: pytest.fail("opened"))
    strips = 1_200_000
    entry = struct.pack(f"{order}HH{'QQ' if big else 'LL'}", tag, 4, strips, 30)
    head = b"II" if order == "<" else b"MM"
    if big:
        head += struct.pack(f"{order}HHHQQ", 43, 8, 0, 16, 1)
    else:
        head += struct.pack(f"{order}HLH", 42, 8, 1)
    assert outcome_of(head + entry + bytes(4 * strips))[0] == "IMG_DAMAGED"


def test_nothing_changes_how_pillow_treats_truncated_files():
    assert not ImageFile.LOAD_TRUNCATED_IMAGES


@pytest.mark.parametrize("name", ["PNG: an animation of no frames", "palette, half transparent"])
def test_the_callers_filters_of_warnings_stay(name):
    before = list(warnings.filters)
    outcome_of(BY_NAME[name].data)
    assert warnings.filters == before


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (MemoryError(), "IMG_MEMORY"),
        (SystemError("tile cannot extend outside image"), "IMG_DAMAGED"),
        (Image.DecompressionBombError("too large"), "IMG_DAMAGED"),
        (KeyError("mode"), "IMG_DAMAGED"),
    ],
)
def test_whatever_pillow_raises_becomes_a_sentence(failure, code, monkeypatch):
    def load(image):
        raise failure

    monkeypatch.setattr(ImageFile.ImageFile, "load", load)
    with pytest.raises(ImageError) as refusal:
        read_image(BY_NAME["ok PNG"].data)
    assert refusal.value.code == code
    assert refusal.value.__cause__ is failure


def opened(data: bytes, tmp_path: Path) -> Image.Image:
    path = tmp_path / "picture"
    path.write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Image.open(path)


def test_a_pillow_image_is_shown_as_its_file(tmp_path):
    for name in ("PNG with alpha", "TIFF held as 6", "JPEG held as 5", "16-bit grey PNG", "int32"):
        with opened(BY_NAME[name].data, tmp_path) as image:
            picture, of_file = read_image(image), read_image(BY_NAME[name].data)
            np.testing.assert_array_equal(picture.rgb, of_file.rgb)
            assert picture.notes == of_file.notes


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("12000 x 12000 grey", "IMG_PIXELS"),
        ("1 x 4000", "IMG_SHAPE"),
        ("PNG cut at 90 %", "IMG_DAMAGED"),
        ("float32 with nan", "IMG_NUMBERS"),
        ("JPEG 2000", "IMG_UNKNOWN"),
    ],
)
def test_a_pillow_image_keeps_the_rules_of_files(name, code, tmp_path):
    with opened(BY_NAME[name].data, tmp_path) as image:
        assert outcome_of(image)[0] == code


def test_a_pillow_image_of_any_mode_is_shown_or_refused():
    for mode in Image.MODES:
        outcome, picture = outcome_of(Image.new(mode, (16, 9)))
        assert outcome == ("IMG_DAMAGED" if mode == "La" else OK)
        assert picture is None or picture.rgb.shape == (9, 16, 3)


def test_a_pillow_image_is_left_as_it_was(tmp_path):
    with opened(BY_NAME["GIF of 400"].data, tmp_path) as image:
        image.seek(2)
        image.load()
        image.putpixel((3, 3), 1 if image.mode == "L" else 0)
        before = image.mode, image.tell(), image.tobytes()
        assert read_image(image).notes == ()
        assert (image.mode, image.tell(), image.tobytes()) == before


def test_an_array_is_copied():
    rgb = base()
    picture = read_image(rgb)
    np.testing.assert_array_equal(picture.rgb, rgb)
    rgb[:] = 0
    assert picture.rgb.any()


def test_a_tensor_of_an_image_is_that_image():
    rgb = np.arange(16 * 16 * 3, dtype=np.uint8).reshape(16, 16, 3)
    assert np.array_equal(read_image(torch.from_numpy(rgb)).rgb, rgb)


def test_an_array_in_any_order_of_memory_is_read():
    mirrored = base()[:, ::-1]
    np.testing.assert_array_equal(read_image(mirrored).rgb, mirrored)


@pytest.mark.parametrize(
    ("array", "code"),
    [
        (np.zeros((16, 16), "u1"), "IMG_ARRAY"),
        (np.zeros((16, 16, 4), "u1"), "IMG_ARRAY"),
        (np.zeros((3, 16, 16), "u1"), "IMG_ARRAY"),
        (np.zeros((16, 16, 3), "f4"), "IMG_ARRAY"),
        (np.zeros((), "u1"), "IMG_ARRAY"),
        (torch.zeros(3, 16, 16), "IMG_ARRAY"),
        (torch.zeros(16, 16, 3, requires_grad=True), "IMG_ARRAY"),
        (object(), "IMG_ARRAY"),
        (None, "IMG_ARRAY"),
        (np.zeros((0, 16, 3), "u1"), "IMG_SHAPE"),
        (np.zeros((7, 16, 3), "u1"), "IMG_SHAPE"),
        (np.broadcast_to(np.uint8(0), (7000, 7000, 3)), "IMG_PIXELS"),
    ],
)
def test_other_arrays_are_refused(array, code):
    assert outcome_of(array)[0] == code


def test_rows_are_continuous_across_strips():
    tall = np.arange(700 * 40 * 4, dtype="u4").reshape(700, 40, 4).astype("u1")
    rgb, alpha = tall[:, :, :3].astype(int), tall[:, :, 3:].astype(int)
    over_white = (rgb * alpha + 255 * (255 - alpha)) / 255
    shown = read_image(saved(tall, "PNG")).rgb
    assert np.abs(shown - over_white).max() <= 1


SHAPES = [(512, 512), (448, 576), (576, 448), (384, 704), (704, 384), (256, 1024)]


@pytest.mark.parametrize(
    ("size", "shape"),
    [
        ((100, 100), (512, 512)),
        ((480, 640), (448, 576)),
        ((640, 480), (576, 448)),
        ((1080, 1920), (384, 704)),
        ((1920, 1080), (704, 384)),
        ((8, 160), (256, 1024)),
        ((160, 8), (704, 384)),
    ],
)
def test_the_nearest_shape_is_nearest_in_aspect_ratio(size, shape):
    assert nearest_shape(*size, SHAPES) == shape


def test_twice_as_wide_is_as_far_as_twice_as_high():
    for shapes in ([(10, 19), (20, 10)], [(20, 10), (10, 19)]):
        assert nearest_shape(10, 10, shapes) == (10, 19)
    for shapes in ([(10, 20), (19, 10)], [(19, 10), (10, 20)]):
        assert nearest_shape(10, 10, shapes) == (19, 10)


def test_resizing_averages():
    fine = np.indices((64, 96)).sum(0) % 2 * 200
    board = np.repeat(fine[:, :, None], 3, 2).astype("u1")
    small = resize(board, (8, 12))
    assert small.shape == (8, 12, 3)
    assert np.abs(small.astype(int) - 100).max() <= 2
    assert small.flags.writeable


def test_resizing_does_not_move_the_content():
    small = resize(base(), (16, 24))
    assert (np.diff(small[:, :, 0].astype(int), axis=1) > 0).all()
    assert (np.diff(small[:, :, 1].astype(int), axis=0) > 0).all()


@pytest.mark.parametrize(
    ("longest", "shape"), [(48, (32, 48)), (96, (64, 96)), (500, (64, 96)), (1, (1, 1))]
)
def test_fitting_only_reduces(longest, shape):
    fitted = fit_within(base(), longest)
    assert fitted.shape == (*shape, 3)
    if shape == (64, 96):
        np.testing.assert_array_equal(fitted, base())


WORKING = ((360, 480), (480, 360))


@pytest.mark.parametrize("size", [(200, 1900), (1900, 200), (90, 400), (50, 999)])
def test_an_extreme_picture_is_framed_and_stays_as_it_is(size):
    rgb = np.random.default_rng(1).integers(0, 256, (*size, 3), dtype=np.uint8)
    picture = framed(read_image(rgb), WORKING)
    left, top, right, bottom = picture.inner
    np.testing.assert_array_equal(picture.rgb[top:bottom, left:right], rgb)
    height, width = picture.rgb.shape[:2]
    rows, cols = nearest_shape(*size, WORKING)
    # The network's shape to a pixel, with as much of a bar on either side.
    assert abs(height * cols - width * rows) <= max(rows, cols)
    assert abs(left - (width - right)) <= 1
    assert abs(top - (height - bottom)) <= 1
    outside = np.ones((height, width), bool)
    outside[top:bottom, left:right] = False
    assert (picture.rgb[outside] == GREY).all()
    assert picture.notes[-1] == FRAMED


@pytest.mark.parametrize("size", [(300, 500), (270, 480), (1000, 2600), (2600, 1000)])
def test_an_ordinary_picture_is_not_framed(size):
    picture = read_image(np.zeros((*size, 3), np.uint8))
    assert framed(picture, WORKING).rgb is picture.rgb
    assert framed(picture, WORKING).inner is None
    assert FRAMED not in framed(picture, WORKING).notes


def test_bars_never_make_a_picture_too_large_to_hold():
    picture = read_image(np.zeros((1500, 20000, 3), np.uint8))
    assert framed(picture, WORKING).rgb is picture.rgb


@pytest.mark.parametrize(
    ("size", "told"), [((8, 8), True), ((179, 239), True), ((180, 240), False)]
)
def test_a_picture_of_few_pixels_is_said_to_be_enlarged(size, told):
    picture = framed(read_image(np.zeros((*size, 3), np.uint8)), WORKING)
    assert (ENLARGED in picture.notes) == told


def test_a_picture_is_not_read_twice():
    picture = framed(read_image(np.zeros((90, 400, 3), np.uint8)), WORKING)
    assert read_image(picture) is picture


def test_a_case_is_always_the_same():
    for case in cases():
        assert BY_NAME[case.name].data == case.data
