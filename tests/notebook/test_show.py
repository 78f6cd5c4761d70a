"""`asa_viz.show`: the rows shown are those of the arrays given."""

import doctest

import numpy as np
import pytest
import torch

import asa_viz
from asa_viz.geometry import Cell, Pixel
from asa_viz.notebook import show as module

HEIGHT, WIDTH = 3, 4
N = HEIGHT * WIDTH
CELL = Cell(1, 2)
AT = WIDTH + 2


def arrays(*shape):
    return np.random.default_rng(0).normal(size=(2, *shape))


def softmax(values):
    shares = np.exp(values - values.max(-1, keepdims=True))
    return shares / shares.sum(-1, keepdims=True)


def row_of(session):
    return session.query_cell(CELL).dense.ravel()


@pytest.mark.parametrize("scaled", [True, False])
@pytest.mark.parametrize("as_torch", [True, False])
def test_queries_and_keys(scaled, as_torch):
    query, key = arrays(N, 5)
    given = map(torch.from_numpy, (query, key)) if as_torch else (query, key)
    session = asa_viz.show(*given, HEIGHT, WIDTH, scaled=scaled)
    expected = softmax(query @ key.T * (5**-0.5 if scaled else 1))
    np.testing.assert_allclose(row_of(session), expected[AT], rtol=1e-4)
    view = session.query(Pixel(2 * module.CELL, module.CELL))
    assert view.query == CELL
    assert not session.thresholds_learned


def test_the_heads_of_a_transformer_with_a_class_token():
    query, key = arrays(1, 6, N + 1, 5)
    every = softmax(query[0] @ key[0].transpose(0, 2, 1) * 5**-0.5)[:, 1:, 1:]
    mean = asa_viz.show(query, key, HEIGHT, WIDTH)
    np.testing.assert_allclose(row_of(mean), every.mean(0)[AT], rtol=1e-4)
    one = asa_viz.show(query, key, HEIGHT, WIDTH, head=4)
    np.testing.assert_allclose(row_of(one), every[4, AT], rtol=1e-4)
    assert row_of(one).sum() < 1
    same = asa_viz.show(weights=softmax(query[0] @ key[0].transpose(0, 2, 1) * 5**-0.5),
                        height=HEIGHT, width=WIDTH, head=4)  # fmt: skip
    np.testing.assert_allclose(row_of(same), every[4, AT], rtol=1e-4)


def test_thresholds_are_tried_on_any_attention():
    query, key = arrays(N, 5)
    session = asa_viz.show(query, key, HEIGHT, WIDTH, nonlocal_scale=1.2)
    view, dense = session.query_cell(CELL), softmax(query @ key.T * 5**-0.5)
    chosen = dense >= 1.2 / N
    assert np.array_equal(view.reciprocal.ravel(), chosen[AT] & chosen[:, AT])
    weights = asa_viz.show(weights=dense, height=HEIGHT, width=WIDTH, nonlocal_scale=1.2)
    assert np.array_equal(weights.query_cell(CELL).reciprocal, view.reciprocal)


def test_labels_and_a_picture_of_ones_own():
    query, key = arrays(N, 5)
    labels = np.repeat([[0, 1]], 6, axis=0)
    picture = np.zeros((30, 40, 3), np.uint8)
    session = asa_viz.show(
        query, key, HEIGHT, WIDTH, picture, labels=labels, classes=["left", "right"]
    )
    assert session.grid.image_width == 40
    segmentation = session.segmentation
    assert segmentation.classes == ("left", "right")
    assert segmentation.cell_labels.tolist() == [[0, 0, 1, 1]] * 3
    shares = segmentation.shares(session.query_cell(CELL).dense)
    assert sum(shares.values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "Give query and key"),
        ({"query": arrays(N, 5)[0]}, "Give query and key"),
        ({"query": arrays(N, 5)[0], "key": arrays(N, 4)[0]}, r"query is \(12, 5\)"),
        ({"query": arrays(9, 5)[0], "key": arrays(9, 5)[0]}, "9 tokens, fewer than the 12"),
        ({"weights": arrays(N, 5)[0]}, "as many rows as columns"),
        ({"weights": arrays(N, 2, N, 5)[0]}, r"must be \[tokens"),
        ({"weights": np.full((N, N), np.nan)}, "not finite"),
        ({"weights": np.ones((2, N, N)), "head": 2}, "no head 2"),
        ({"weights": np.ones((N, N)), "height": 0}, "height and width"),
        ({"weights": np.ones((N, N)), "labels": [[0.5]]}, "whole numbers"),
        ({"weights": np.ones((N, N)), "labels": [[2]], "classes": "ab"}, "from 0 to 1"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(given, sentence):
    with pytest.raises(ValueError, match=sentence):
        asa_viz.show(**{"height": HEIGHT, "width": WIDTH} | given)


def test_the_example_in_the_docstring_is_true():
    names = {"show": asa_viz.show, "np": np, "Pixel": Pixel}
    (example,) = doctest.DocTestFinder(recurse=False).find(module.show, globs=names)
    assert doctest.DocTestRunner().run(example) == (0, 2)
