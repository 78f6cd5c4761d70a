"""Encoded pictures: what is kept is what the network makes of each, cut at one place for all."""

import numpy as np
import pytest
import torch
from PIL import Image

from asa_viz.compare.features import Pictures, encode_pictures, thinned
from asa_viz.networks.datasets import CAMVID, DataSet
from asa_viz.networks.distillation import DeepLabTeacher
from asa_viz.networks.segmenter import load
from asa_viz.networks.zoo.ensemble import PROJECTION
from asa_viz.networks.zoo.projection import Projection, fit, load_projection, save_projection
from tests.networks.small import make_frames, save_small


@pytest.mark.parametrize("seed", [0, 3])
def test_the_seed_alone_decides_on_the_crops(work_dir, seed):
    first, second, other = (
        Pictures(work_dir / "features", "train", crop=30, seed=each)
        for each in (seed, seed, seed + 1)
    )
    one = [first[0]["labels"] for _ in range(4)]
    torch.rand(7)  # as a dropout between two crops would
    assert all(map(torch.equal, one, [second[0]["labels"] for _ in range(4)]))
    assert not all(torch.equal(one[0], crop) for crop in one[1:])
    assert not all(map(torch.equal, one, [other[0]["labels"] for _ in range(4)]))


@pytest.mark.parametrize("number", [0, 3])
def test_crops_of_features_labels_and_teacher_are_of_one_place(work_dir, number):
    whole = Pictures(work_dir / "features", "train")[number]
    item = Pictures(work_dir / "features", "train", crop=30)[number]
    height, width = whole["inputs"][0].shape[-2:]
    places = [
        (top, left)
        for top in range(height - 29)
        for left in range(width - 29)
        if torch.equal(whole["inputs"][0][:, top : top + 30, left : left + 30], item["inputs"][0])
    ]
    ((top, left),) = places
    of_labels = whole["labels"][8 * top : 8 * (top + 30), 8 * left : 8 * (left + 30)]
    assert torch.equal(of_labels[::2, ::2], item["labels"])
    taught = whole["taught"][:, top : top + 30, left : left + 30]
    assert torch.equal(taught, item["taught"])


class _Teacher(DeepLabTeacher):
    """Sees class 2 in the upper half of every picture."""

    def __init__(self):
        torch.nn.Module.__init__(self)

    def forward(self, pixels):
        taught = torch.zeros(1, 3, pixels.shape[2] // 8, pixels.shape[3] // 8)
        taught[:, 2, : taught.shape[2] // 2] = 1.0
        return taught


def test_pictures_are_encoded_with_labels_mirror_images_and_teacher(tmp_path):
    path, _ = save_small(tmp_path)
    segmenter = load(path, "cpu")
    data = make_frames(tmp_path / "data", count=3)
    facts = DataSet(
        "own", "", ("road", "car", "sky"), ((0, 0, 0),) * 3, "",
        shapes=segmenter.card.shapes, not_annotated={"frame_1": "sky"},
    )  # fmt: skip
    folder = tmp_path / "features"
    encode_pictures(segmenter, facts, data, folder, _Teacher())
    train, val = (Pictures(folder, split) for split in ("train", "val"))
    assert [picture.name for picture in val.index] == ["frame_0", "frame_1", "frame_2"]
    assert [picture.name for picture in train.index][:2] == ["frame_0", "frame_0"]
    projection = load_projection(folder / PROJECTION)
    for number in range(3):
        image = data / "images/val" / f"frame_{number}.webp"
        stages = projection(segmenter.features(image))
        for stage, kept in zip(stages, val[number]["inputs"], strict=True):
            torch.testing.assert_close(kept, stage[0], atol=1e-2, rtol=1e-2)
        truth = np.array(Image.open(data / "annotations/val" / f"frame_{number}.png"))
        truth[truth == 11] = 255
        if number == 1:
            # What the mask calls the first class and the teacher calls sky is not scored.
            truth[:32][truth[:32] == 0] = 255
        assert np.array_equal(val[number]["labels"].numpy(), truth)
    mirrored = train[1]["labels"].numpy()
    assert np.array_equal(mirrored[:, ::-1], train[0]["labels"].numpy())
    written = (folder / "done.json").stat().st_mtime_ns
    encode_pictures(segmenter, CAMVID, data, folder)
    assert (folder / "done.json").stat().st_mtime_ns == written
    encode_pictures(segmenter, facts, data, tmp_path / "thin", every=2)
    thin = Pictures(tmp_path / "thin", "train").index
    assert [picture.name for picture in thin] == ["frame_0", "frame_0", "frame_2", "frame_2"]
    assert len(Pictures(tmp_path / "thin", "val").index) == 3
    # Heads trained before read the same components: a projection that is there is used and kept.
    other = Projection(tuple(-w for w in projection.weights), projection.centres)
    (tmp_path / "again").mkdir()
    save_projection(other, tmp_path / "again" / PROJECTION)
    encode_pictures(segmenter, facts, data, tmp_path / "again")
    again = Pictures(tmp_path / "again", "val")[0]["inputs"]
    for turned, stage in zip(again, val[0]["inputs"], strict=True):
        torch.testing.assert_close(turned, -stage)


def test_thinned_pictures_keep_all_that_show_a_rare_class(tmp_path):
    # 0 stands in all six pictures, 1 in three, 2 in one, 255 is no class.
    shown = [(0, 1), (0, 255), (0, 2), (0, 1), (0, 255), (0, 1)]
    pairs = []
    for number, labels in enumerate(shown):
        path = tmp_path / f"{number}.png"
        Image.fromarray(np.array([labels], np.uint8)).save(path)
        pairs.append((path, path))

    def kept(every, rare):
        return [int(path.stem) for path, _ in thinned(pairs, 3, every, rare)]

    assert kept(4, 0) == [0, 4]
    assert kept(4, 2) == [0, 2, 4]
    assert kept(4, 3) == [0, 2, 4]
    assert kept(4, 4) == [0, 2, 3, 4, 5]
    assert kept(1, 0) == [0, 1, 2, 3, 4, 5]


def test_pictures_of_rare_classes_stand_in_the_index_more_often(work_dir):
    features = work_dir / "features"
    plain = Pictures(features, "train")
    labels = np.memmap(features / "train_labels.bin", np.uint8, "r+")
    # Six pictures: class 0 in all of them, 1 in three, 2 in one; one pixel of the last is void.
    for number, (_, height, width, first) in enumerate(plain.index):
        of_picture = labels[first * 64 : (first + height * width) * 64]
        of_picture[:] = 0
        of_picture[:5] = {0: 1, 1: 1, 2: 2, 4: 1, 5: 255}.get(number, 0)
    labels.flush()

    def times(repeat):
        index = Pictures(features, "train", repeat=repeat).index
        return [index.count(picture) for picture in plain.index]

    assert times(0.0) == [1, 1, 1, 1, 1, 1]
    # sqrt(repeat * 6 / pictures of the rarest class): sqrt(3), sqrt(9) and sqrt(1.5) here.
    assert times(1.5) == [2, 2, 3, 1, 2, 1]
    often = Pictures(features, "train", crop=30, repeat=1.5)
    assert often[5]["inputs"][0].shape == (plain[0]["inputs"][0].shape[0], 30, 30)
    assert {
        int(label) for label in Pictures(features, "train", repeat=1.5)[5]["labels"].unique()
    } == {0, 2}


def test_components_are_ordered_and_of_deviation_one():
    torch.manual_seed(0)
    spread = torch.tensor([5.0, 0.1, 2.0, 1.0])[:, None, None]
    frames = [(spread * torch.randn(1, 4, 9, 8) + 3,) for _ in range(20)]
    projection, (kept,) = fit(frames, 2)
    (cells,) = projection([torch.cat([frame[0] for frame in frames])])
    torch.testing.assert_close(cells.mean((0, 2, 3)), torch.zeros(2), atol=1e-4, rtol=0)
    torch.testing.assert_close(cells.std((0, 2, 3)), torch.ones(2), atol=1e-2, rtol=0)
    assert kept == pytest.approx(29 / 30.01, abs=0.02)
