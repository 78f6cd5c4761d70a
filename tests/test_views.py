"""Views: what follows from the arrays they hold."""

import numpy as np

from asa_viz.views import SegmentationView


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
