"""What is measured of a head, against loops and against heads that know the answer."""

import math

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate, one_hot

from asa_viz.attention.base import Attention
from asa_viz.compare.arms import ARMS
from asa_viz.compare.features import Pictures
from asa_viz.compare.measure import (
    attention,
    queries,
    segmentation,
    shares,
    without_attention,
)
from asa_viz.geometry import Cell
from asa_viz.networks.datasets import CAMVID
from asa_viz.networks.zoo.ensemble import logits_of, methods_in
from asa_viz.networks.zoo.record import HeadMethod, Reading
from tests.networks.zoo.small import head_of

CLASSES = len(CAMVID.classes)


class Oracle(torch.nn.Module):
    """Gives every pixel its true class, but for the pictures in `wrong`: there all are class 0."""

    def __init__(self, pictures, wrong=()):
        super().__init__()
        self.labels = [pictures[i]["labels"].long() for i in range(len(pictures))]
        self.wrong, self.next = wrong, 0

    def forward(self, inputs):
        labels = self.labels[self.next].clamp_max(CLASSES - 1)
        if self.next in self.wrong:
            labels = torch.zeros_like(labels)
        self.next += 1
        return one_hot(labels, CLASSES).permute(2, 0, 1)[None].float()


def test_a_head_that_is_always_right_has_a_perfect_mIoU(work_dir):  # noqa: N802
    pictures = Pictures(work_dir / "features", "val")
    areas, control = segmentation(Oracle(pictures), pictures, CLASSES)
    assert not control
    assert set(shares(areas, CAMVID).values()) == {1.0}


@pytest.mark.parametrize("wrong", [0, 2])
def test_every_picture_counts(work_dir, wrong):
    """Areas are added up over all pictures, then divided: no mean of IoUs, not the last one's."""
    pictures = Pictures(work_dir / "features", "val")
    areas, _ = segmentation(Oracle(pictures, {wrong}), pictures, CLASSES)
    right, union = np.zeros(CLASSES), np.zeros(CLASSES)
    for number in range(3):
        truth = pictures[number]["labels"].numpy()
        shown = np.zeros_like(truth) if number == wrong else truth
        for name in range(CLASSES):
            right[name] += ((truth == name) & (shown == name)).sum()
            union[name] += (((truth == name) | (shown == name)) & (truth != 255)).sum()
    found = shares(areas, CAMVID)
    assert found["mIoU"] == pytest.approx((right / union).mean())
    assert found["mIoU"] < 1
    assert len(areas) == 3


def test_only_classes_that_are_labelled_and_scored_count():
    areas = np.zeros((1, 3, CLASSES), int)
    areas[0, :, 0] = 6, 8, 7
    areas[0, :, 1] = 1, 4, 3
    areas[0, :, 2] = 0, 5, 0  # found, and nowhere labelled
    found = shares(areas, CAMVID)
    assert found["mIoU"] == found["mIoU_all"] == pytest.approx((6 / 8 + 1 / 4) / 2)
    assert found["pixel_accuracy"] == pytest.approx(7 / 10)


@pytest.mark.parametrize("form", ["published", "read_only"])
def test_without_attention_every_cell_reads_itself(work_dir, form):
    """Queries and keys of which every cell is most like itself, by far, give the same."""
    pictures = Pictures(work_dir / "features", "val")
    head = head_of(ARMS[f"nonlocal_{form}"].head)
    head.conv_seg = torch.nn.Conv2d(8, CLASSES, 1)
    inputs, labels = next(pictures.whole())
    with torch.no_grad():
        alone = without_attention(head, inputs)
        trained = logits_of(head, inputs)
        assert not torch.allclose(alone, trained, atol=1e-3)
        block = head.nl_block
        entering = head.convs[0](inputs[0])
        own = block.g(entering)
        written = block.conv_out(own) + (entering if form == "published" else 0)
        behind = head.convs[1](written)
        if form == "published":
            behind = head.conv_cat(torch.cat([inputs[0], behind], 1))
        torch.testing.assert_close(alone, head.conv_seg(behind))
    areas, control = segmentation(head, pictures, CLASSES)
    assert control["areas"].shape == areas.shape
    changed = pixels = 0
    for inputs, labels in pictures.whole():
        with torch.no_grad():
            one, two = (
                interpolate(each, labels.shape, mode="bilinear").argmax(1)
                for each in (logits_of(head, inputs), without_attention(head, inputs))
            )
        changed, pixels = changed + int((one != two).sum()), pixels + one.numel()
    assert control["flips"] == pytest.approx(changed / pixels)
    assert control["flips"] > 0


class _Rows(Attention):
    """The query reads itself with weight 3 and the cell right of it with weight 1."""

    like = torch.zeros(())

    def mix(self, values):
        return 3 * values + values.roll(-1, -1)

    def row(self, query):
        row = torch.zeros(self.shape)
        row[query.row, query.col] = 3.0
        row[query.row, (query.col + 1) % self.width] = 1.0
        return row


def test_own_class_is_asked_of_the_query_itself(work_dir):
    pictures = Pictures(work_dir / "features", "val")
    head = head_of("nonlocal_embedded_gaussian")
    (own,) = methods_in("nonlocal_embedded_gaussian")
    inputs, labels = next(pictures.whole())
    height, width = inputs[0].shape[-2:]
    read = lambda *_: Reading((_Rows((height, width), (height, width)),))  # noqa: E731
    record = HeadMethod(own.method, own.head, own.watch, read, own.rebuilt)
    (found,) = attention(head, [record], pictures).values()
    classes = labels[4::8, 4::8].numpy()
    expected = [
        (3 + (classes[row, (col + 1) % width] == classes[row, col])) / 4
        for row in range(2, height, 5)
        for col in range(2, width, 5)
        if classes[row, col] != 255
    ]
    assert found["own_class"] == pytest.approx(np.mean(expected))
    assert found["support"] == pytest.approx(2 / classes.size)
    assert found["entropy"] == pytest.approx(2 - 0.75 * math.log2(3))


def test_queries_are_asked_where_there_is_a_label():
    classes = np.array([[255, 1], [2, 3]], dtype=np.uint8).repeat(5, 0).repeat(5, 1)
    assert queries(classes) == [Cell(2, 7), Cell(7, 2), Cell(7, 7)]
