"""Labels of the outdoor networks: objects of the masks, stuff of a teacher where it is sure."""

import numpy as np
import pytest
import torch
from PIL import Image

from asa_viz.evaluate import counted_as
from asa_viz.networks.configs import read_config
from asa_viz.networks.datasets import CAMVID, OUTDOOR, VOC2012, data_set_of
from asa_viz.networks.distillation import divergence
from asa_viz.networks.outdoor import (
    CITYSCAPES,
    load_stuff,
    main,
    make,
    street_labels,
    thing_labels,
)
from asa_viz.networks.pictures import DataError

ROAD, BUILDING, SKY, PERSON = 0, 2, 10, 11


def ours(name):
    return OUTDOOR.classes.index(name)


def said(*columns, sure=0.9):
    """Return the teacher's map of 8 x 8 cells: one class for each fourth of the columns."""
    stuff = torch.full((19, 8, 8), (1 - sure) / 18)
    for number, index in enumerate(columns):
        stuff[index, :, 2 * number : 2 * number + 2] = sure
    return stuff


def masked(name=None):
    """Return labels of 8 x 8 pixels: background, and one object in the upper half."""
    labels = np.zeros((8, 8), np.uint8)
    if name:
        labels[:4] = VOC2012.classes.index(name)
    return labels


def test_objects_stay_and_the_background_outdoors_becomes_what_the_teacher_is_sure_of():
    labels = thing_labels(masked("dog"), said(SKY, SKY, ROAD, PERSON), street=False)
    assert (labels[:4] == ours("dog")).all()
    assert (labels[4:, :3] == ours("sky")).all()
    assert (labels[4:, 5] == ours("road")).all()
    # An object that the mask has not: neither background nor stuff.
    assert (labels[4:, 7] == 255).all()


def test_what_the_teacher_is_not_sure_of_is_not_scored_outdoors_and_background_indoors():
    stuff = said(SKY, SKY, SKY, SKY, sure=0.7)
    assert (thing_labels(masked("dog"), stuff, street=True)[4:] == 255).all()
    assert (thing_labels(masked("dog"), stuff, street=False)[4:] == 0).all()


@pytest.mark.parametrize(
    ("shown", "outdoors"), [("dog", False), ("sofa", False), ("sheep", True), ("cow", True)]
)
def test_walls_and_floors_of_a_room_are_no_buildings_and_roads(shown, outdoors):
    labels = thing_labels(masked(shown), said(BUILDING, BUILDING, ROAD, ROAD), street=False)
    assert (labels[4:, 0] == (ours("building") if outdoors else 255)).all()
    assert (labels[4:, 7] == (ours("road") if outdoors else 255)).all()


def test_furniture_keeps_even_sky_out():
    """Sky seen by the teacher indoors is often a wall, so a little of it does not count."""
    labels = thing_labels(masked("sofa"), said(SKY, SKY, SKY, SKY), street=False)
    assert (labels[4:] == 0).all()


def test_a_little_sky_is_not_outdoors():
    stuff = torch.full((19, 8, 8), 0.1 / 18)
    stuff[5] = 0.9
    stuff[:, :, 0], stuff[SKY, :, 0] = 0.1 / 18, 0.9
    assert (thing_labels(masked("dog"), stuff, street=False)[4:] == 0).all()


def test_not_scored_stays_not_scored():
    labels = masked("person")
    labels[5] = 255
    assert (thing_labels(labels, said(SKY, SKY, SKY, SKY), street=True)[5] == 255).all()


def test_streets_are_named_as_things_and_stuff():
    table = street_labels(np.arange(12, dtype=np.uint8)[None])[0]
    expected = {
        "sky": "sky", "building": "building", "pole": "background", "road": "road",
        "pavement": "pavement", "tree": "vegetation", "sign": "background",
        "fence": "background", "car": "car", "pedestrian": "person",
    }  # fmt: skip
    assert {CAMVID.classes[i]: OUTDOOR.classes[table[i]] for i in range(10)} == expected
    assert table[10] == table[11] == 255


def test_the_teachers_classes_are_those_of_cityscapes():
    assert len(CITYSCAPES) == 19
    assert {name for name in CITYSCAPES if name} <= set(OUTDOOR.classes)
    assert (CITYSCAPES[SKY], CITYSCAPES[PERSON]) == ("sky", "")


def test_the_first_classes_are_those_of_voc_and_no_two_colours_are_alike():
    assert OUTDOOR.classes[: len(VOC2012.classes)] == VOC2012.classes
    assert len(OUTDOOR.classes) == len(OUTDOOR.palette) == len(set(OUTDOOR.palette))
    for kind in ("asa", "nonlocal"):
        config = read_config(f"{kind}_mobilenetv2_outdoor")
        assert data_set_of(config) is OUTDOOR
        assert config.model.decode_head.num_classes == len(OUTDOOR.classes)
        assert config.model.data_set == OUTDOOR.name


def test_both_sources_are_written_with_their_pictures(tmp_path):
    for root, label in (("voc", 0), ("camvid", 3)):
        for split in ("train", "val"):
            for kind in ("images", "annotations"):
                (tmp_path / root / kind / split).mkdir(parents=True)
            picture = np.full((8, 8, 3), 90, np.uint8)
            Image.fromarray(picture).save(tmp_path / root / "images" / split / f"ccp_{root}.png")
            labels = Image.fromarray(np.full((8, 8), label, np.uint8))
            labels.save(tmp_path / root / "annotations" / split / f"ccp_{root}.png")
    make(tmp_path / "voc", tmp_path / "camvid", lambda _: said(SKY, SKY, SKY, SKY), tmp_path / "o")
    for split in ("train", "val"):
        written = {
            path.stem: set(np.unique(Image.open(path)).tolist())
            for path in (tmp_path / "o" / "annotations" / split).iterdir()
        }
        assert written == {"ccp_voc": {ours("sky")}, "ccp_camvid": {ours("road")}}
        assert len(list((tmp_path / "o" / "images" / split).iterdir())) == 2


def test_a_teacher_that_cannot_be_read_is_said_in_a_sentence(tmp_path):
    (tmp_path / "x.tflite").write_bytes(b"not a network")
    with pytest.raises(DataError, match=r"ai-edge-litert|can be read"):
        load_stuff(tmp_path / "x.tflite")
    with pytest.raises(SystemExit, match=r"ai-edge-litert|can be read"):
        main(f"--things v --streets c --stuff {tmp_path / 'x.tflite'} --out o".split())


def test_classes_that_the_teacher_does_not_know_count_as_its_background():
    """Half sky and a quarter each of background and dog, as a teacher without sky has it."""
    taught = torch.tensor([0.75, 0.25]).log()[None, :, None, None]
    logits = torch.tensor([0.25, 0.25, 0.5]).log()[None, :, None, None]
    assert divergence(logits, taught).item() == pytest.approx(0, abs=1e-6)
    other = torch.tensor([0.25, 0.5, 0.25]).log()[None, :, None, None]
    by_hand = 0.75 * np.log(0.75 / 0.5) + 0.25 * np.log(0.25 / 0.5)
    assert divergence(other, taught).item() == pytest.approx(by_hand, abs=1e-6)


def test_stuff_counts_as_background_where_a_data_set_names_no_stuff():
    table = counted_as(OUTDOOR.classes, VOC2012)
    assert table[ours("sky")] == 0
    assert table[ours("dog")] == VOC2012.classes.index("dog")
    assert counted_as(CAMVID.classes, CAMVID).tolist() == list(range(11))
    with pytest.raises(ValueError, match="no background"):
        counted_as(OUTDOOR.classes, CAMVID)
