"""Labelled pictures: pairs are found whatever their endings, and what is no label is refused."""

import numpy as np
import pytest
from PIL import Image

from asa_viz.networks.datasets import CamVid
from asa_viz.networks.pictures import IGNORED, DataError, check_labels, labelled, read_labels


def write(path, mode="L", size=(8, 10)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size[::-1]).save(path)
    return path


def test_pictures_and_labels_of_any_kind_are_paired_by_name(tmp_path):
    images, labels = tmp_path / "images", tmp_path / "annotations"
    kinds = [("a.PNG", "a.png"), ("b.jpg", "b.tif"), ("c.webp", "c.PNG"), ("d.bmp", "d.bmp")]
    for image, label in kinds:
        write(images / image)
        write(labels / label)
    write(labels / "d.png")
    (images / "notes.txt").write_text("no picture")
    pairs = [(image.name, label.name) for image, label in labelled(images, labels)]
    assert pairs == [*kinds[:3], ("d.bmp", "d.png")]


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(DataError, match=r"no folder .*images"):
        labelled(tmp_path / "images", tmp_path)
    (tmp_path / "images").mkdir()
    with pytest.raises(DataError, match=r"no pictures \(\.jpg, .*\) in .*images"):
        labelled(tmp_path / "images", tmp_path)
    for name in "abc":
        write(tmp_path / "images" / f"{name}.png")
    write(tmp_path / "labels" / "b.png")
    with pytest.raises(DataError, match=r"no labels at .*labels/a\.png, nor for 1 other"):
        labelled(tmp_path / "images", tmp_path / "labels")


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "CMYK", "F", "LA"])
def test_colours_are_no_labels(tmp_path, mode):
    path = write(tmp_path / ("a.tif" if mode in ("CMYK", "F") else "a.png"), mode)
    for read in (lambda: check_labels([path]), lambda: read_labels(path, 3)):
        with pytest.raises(DataError, match=rf"a\.\w+ holds colours \({mode}\), not labels"):
            read()


def test_a_damaged_label_file_is_named(tmp_path):
    whole = tmp_path / "whole.png"
    noise = np.random.default_rng(0).integers(0, 3, (40, 50), dtype=np.uint8)
    Image.fromarray(noise).save(whole)
    path = tmp_path / "half.png"
    for content in (b"", b"<html>", whole.read_bytes()[:200]):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"half\.png is damaged"):
            read_labels(path, 3)


@pytest.mark.parametrize("mode", ["L", "P", "I;16"])
@pytest.mark.parametrize(
    ("reduced", "expected"), [(False, [0, 1, 2, IGNORED]), (True, [IGNORED, 0, 1, 2])]
)
def test_labels_that_are_no_class_are_ignored(tmp_path, mode, reduced, expected):
    numbers = np.array([[0, 1, 2, 3]], np.uint16 if mode == "I;16" else np.uint8)
    image = Image.fromarray(numbers)
    if mode == "P":
        image = image.convert("L")
        image.putpalette(list(range(256)) * 3)
    image.save(tmp_path / "a.png")
    labels = read_labels(tmp_path / "a.png", 3, reduce_zero_label=reduced)
    assert labels.tolist() == [expected]


def test_the_data_sets_take_png_frames_and_say_what_they_lack(tmp_path):
    for name in ("x", "y"):
        write(tmp_path / "images/train" / f"{name}.png", "RGB")
        write(tmp_path / "annotations/train" / f"{name}.png")
    prefix = {"img_path": "images/train", "seg_map_path": "annotations/train"}
    data = CamVid(data_root=str(tmp_path), data_prefix=prefix, pipeline=[])
    assert [data.get_data_info(i)["img_path"][-5:] for i in range(len(data))] == ["x.png", "y.png"]
    with pytest.raises(DataError, match="no folder"):
        CamVid(data_root=str(tmp_path / "no"), data_prefix=prefix, pipeline=[])
