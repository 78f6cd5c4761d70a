"""Views: what follows from the arrays they hold."""

import numpy as np
import pytest

from asa_viz.views import DEAD_BELOW, MethodView, SegmentationView, flips


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


@pytest.mark.parametrize(
    ("weights", "gain", "dead"),
    [
        ([0, 0, 0, 0], 1, True),
        ([0.25, 0.25, 0.25, 0.25], 1, False),
        # Weights of both signs count by their size, even where they add up to 0.
        ([0.5, -0.5, 0, 0], 1, False),
        # With a gain of 0 nothing is added, whatever is read; the sign of the gain does not matter.
        ([0.25, 0.25, 0.25, 0.25], 0, True),
        ([0.25, 0.25, 0.25, 0.25], -1, False),
        # EMANet's rows add up to a tenth, DGMN's to a twentieth: these are read.
        ([0.0125] * 4, 1, False),
        ([0.0002] * 4, 1, True),
        ([2 * DEAD_BELOW, 0, 0, 0], 1, False),
        ([2 * DEAD_BELOW, 0, 0, 0], 0.25, True),
        ([DEAD_BELOW / 4] * 4, 0.9, True),
        ([DEAD_BELOW / 4] * 4, 1.1, False),
    ],
)
def test_a_row_is_dead_where_weights_times_gain_add_up_to_next_to_nothing(weights, gain, dead):
    row = np.array(weights, dtype=np.float32).reshape(2, 2)
    assert MethodView("any", row, {}, gain).dead is dead


def test_gates_are_not_dead_but_no_row():
    assert not MethodView("any", None, {"channels": np.zeros((1, 2))}).dead
