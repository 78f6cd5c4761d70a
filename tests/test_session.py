"""A session answers queries from its stored tensors, without the network."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from asa_viz.attention.row import SparseAttention
from asa_viz.attention.what_if import WhatIf
from asa_viz.geometry import Cell, Grid, Pixel
from asa_viz.session import Session
from asa_viz.views import SegmentationView


def make_session(height=4, width=5, image=(40, 60), picture=(20, 30)):
    generator = torch.Generator().manual_seed(0)
    n = height * width
    query, key = (torch.randn(n, 8, generator=generator) for _ in range(2))
    scales = (torch.rand(n, generator=generator) * 2 for _ in range(2))
    labels = np.zeros((height, width), dtype=np.uint8)
    return Session(
        network="test",
        picture=np.zeros((*picture, 3), dtype=np.uint8),
        notes=(),
        grid=Grid(height, width, *image),
        segmentation=SegmentationView(("road",), ((1, 2, 3),), labels, labels, *image),
        attention=SparseAttention.of(query, key, *scales, height=height, width=width),
        own_value_logits=torch.zeros(1, 1, height, width),
    )


def test_a_query_view_is_whole_and_consistent():
    session = make_session()
    nonlocal_scale, local_scale = session.scales
    for x, y in [(0, 0), (59, 39), (30, 20), (11, 9)]:
        view = session.query(Pixel(x, y))
        assert view.query == session.grid.cell_at(Pixel(x, y))
        assert view.nonlocal_scale == nonlocal_scale[view.query]
        assert view.local_scale == local_scale[view.query]
        assert np.array_equal(view.reciprocal, view.chosen & view.chooses_back)
        assert np.array_equal(view.support, view.reciprocal | view.local)
        assert np.array_equal(view.weights > 0, view.support)
        assert np.isclose(view.dense.sum(), 1, atol=1e-5)
        assert np.isclose(view.weights.sum(), 1, atol=1e-5)
        kept = np.where(view.support, view.dense, 0)
        assert np.allclose(view.weights, kept / view.kept_mass, atol=1e-6)
        assert np.isclose(view.weights_times_uniform.sum(), 20, rtol=1e-4)
        assert np.array_equal(view.chosen, view.dense_times_uniform >= view.nonlocal_scale)
        window = (
            np.abs(np.indices(view.dense.shape) - np.array(view.query)[:, None, None]).max(0) <= 1
        )
        threshold = view.local_scale * view.dense[window].mean() * 20
        assert np.isclose(view.local_threshold, threshold, rtol=1e-4)
        assert np.array_equal(view.local, window & (view.dense_times_uniform >= threshold))


def test_the_whole_image_is_all_queries_together():
    session = make_session()
    views = [session.query_cell(Cell(row, col)) for row in range(4) for col in range(5)]
    whole = session.whole_image()
    assert whole.support_size.ravel().tolist() == [view.support.sum() for view in views]
    assert np.array_equal(whole.in_degree, sum(view.support.astype(int) for view in views))
    assert np.allclose(whole.kept_mass.ravel(), [view.kept_mass for view in views], atol=1e-6)


def test_a_query_under_another_rule_is_told_as_such():
    session, pixel = make_session(), Pixel(30, 20)
    trained = session.query(pixel)
    doubled = session.query(pixel, WhatIf(nonlocal_factor=2.0, local_factor=0.5))
    assert doubled.nonlocal_scale == 2 * trained.nonlocal_scale
    assert doubled.local_scale == trained.local_scale / 2
    assert np.isclose(doubled.local_threshold, trained.local_threshold / 2)
    one_sided = session.query(pixel, WhatIf(reciprocity=False, local_rule=False))
    assert np.array_equal(one_sided.support, one_sided.chosen)
    assert np.array_equal(one_sided.weights > 0, one_sided.support)
    assert np.array_equal(one_sided.reciprocal, trained.reciprocal)
    assert one_sided.support.sum() > one_sided.reciprocal.sum()
    strongest = session.query_cell(trained.query, WhatIf(top_k=3))
    assert strongest.chosen.sum() == 3
    assert np.isclose(strongest.nonlocal_scale, np.sort(trained.dense, axis=None)[-3] * 20)


def test_what_the_head_needs_counts_as_memory():
    session = make_session()
    with_input = replace(session, features=(torch.zeros(1, 7, 4, 5),))
    assert with_input.size_in_bytes == session.size_in_bytes + 7 * 4 * 5 * 4


def test_a_cell_outside_is_refused():
    session = make_session()
    with pytest.raises(ValueError, match="outside the grid"):
        session.query_cell(Cell(4, 0))
    with pytest.raises(ValueError, match="outside the 60 x 40 image"):
        session.query(Pixel(60, 0))
