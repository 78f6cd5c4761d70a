"""A session answers from what is stored; the store keeps to its bytes."""

import numpy as np
import pytest
import torch

from asa_viz.attention.row import SparseAttention
from asa_viz.geometry import Cell, Grid, Pixel
from asa_viz.session import Session, SessionStore
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
        assert np.array_equal(view.chosen, view.dense_times_uniform >= view.nonlocal_scale)
        window = (
            np.abs(np.indices(view.dense.shape) - np.array(view.query)[:, None, None]).max(0) <= 1
        )
        threshold = view.local_scale * view.dense[window].mean() * 20
        assert np.isclose(view.local_threshold, threshold, rtol=1e-4)
        assert np.array_equal(view.local, window & (view.dense_times_uniform >= threshold))


def test_a_cell_outside_is_refused():
    session = make_session()
    with pytest.raises(ValueError, match="outside the grid"):
        session.query_cell(Cell(4, 0))
    with pytest.raises(ValueError, match="outside the 60 x 40 image"):
        session.query(Pixel(60, 0))


def test_the_store_drops_the_least_recently_used_by_bytes():
    session = make_session()
    store = SessionStore(max_bytes=3 * session.size_in_bytes)
    first, second, third = (store.put(session) for _ in range(3))
    assert store.get(first) is session
    fourth = store.put(session)
    assert store.get(second) is None
    assert all(store.get(key) is session for key in (first, third, fourth))
    assert len(store) == 3
    assert store.size_in_bytes == 3 * session.size_in_bytes
    assert len({first, second, third, fourth}) == 4


def test_one_session_is_kept_even_if_it_is_too_large():
    store = SessionStore(max_bytes=1)
    store.put(make_session())
    key = store.put(make_session())
    assert store.get(key) is not None
    assert len(store) == 1


@pytest.mark.parametrize("key", [None, "", "../../etc/passwd"])
def test_an_unknown_key_gives_nothing(key):
    assert SessionStore().get(key) is None
