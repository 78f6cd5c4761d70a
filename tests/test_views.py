"""Views: what follows from the arrays they hold."""

import numpy as np
import pytest

from asa_viz.views import SegmentationView, flips


def test_labels_are_stretched_to_the_image_by_the_nearest_centre():
    working = np.array([[0, 1], [2, 0]], dtype=np.uint8)
    view = SegmentationView(("a", "b", "c"), ((0, 0, 0),) * 3, working, working, 4, 5)
    assert view.labels.tolist() == [[0, 0, 1, 1, 1]] * 2 + [[2, 2, 0, 0, 0]] * 2


def test_shares_are_sorted_and_add_up_to_one():
    labels = np.array([[0, 1], [1, 2]], dtype=np.uint8)
    view = SegmentationView(("road", "car", "sky", "tree"), ((0, 0, 0),) * 4, labels, labels, 2, 2)
    shares = view.shares(np.array([[0.1, 0.2], [0.1, 0.0]]))
    assert list(shares) == ["car", "road"]
    assert np.isclose(shares["car"], 0.75)
    assert np.isclose(sum(shares.values()), 1)


def segmentation(labels, classes=("road", "car", "sky")):
    labels = np.array(labels, dtype=np.uint8)
    return SegmentationView(classes, ((0, 0, 0),) * 3, labels, labels[:1], 4, 6)


def test_flips_say_where_and_from_what_to_what():
    before = segmentation([[0, 0, 0], [1, 1, 2]])
    after = segmentation([[0, 1, 1], [0, 1, 2]])
    difference = flips(before, after)
    assert difference.changed.tolist() == [[False, True, True], [True, False, False]]
    assert difference.changes == (("road", "car", 2), ("car", "road", 1))
    assert difference.count == 3
    assert difference.share == 0.5


def test_where_nothing_flips_nothing_is_listed():
    before = segmentation([[0, 1, 2]])
    difference = flips(before, before)
    assert difference.changes == ()
    assert difference.count == difference.share == 0


def test_only_like_segmentations_are_compared():
    before = segmentation([[0, 1, 2]])
    for other in (segmentation([[0, 1]]), segmentation([[0, 1, 2]], ("road", "car", "tree"))):
        with pytest.raises(ValueError, match="same classes and size"):
            flips(before, other)
