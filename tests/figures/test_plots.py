"""The pair plane has the numbers of the view."""

import numpy as np
import pytest

from app.handlers import plot_texts
from asa_viz.figures.groups import GROUPS, group_counts
from asa_viz.figures.plots import pair_coordinates, pair_plane
from asa_viz.geometry import Cell
from tests.fakes import fake_session

TEXTS = plot_texts("en")


@pytest.fixture
def view():
    return fake_session(scale=1.1).query_cell(Cell(4, 7))


def lines(figure):
    return [shape.x0 if shape.x0 == shape.x1 else shape.y0 for shape in figure.layout.shapes]


def test_the_pair_plane_has_every_cell_once_in_its_groups_colour(view):
    figure = pair_plane(view, TEXTS)
    across, along = pair_coordinates(view)
    counts = group_counts(view)
    seen = 0
    for trace in figure.data:
        seen += len(trace.x)
        for x, y, (row, col) in zip(trace.x, trace.y, trace.customdata - 1, strict=True):
            assert x == pytest.approx(view.dense[row, col] * view.dense.size / view.nonlocal_scale)
            assert y == pytest.approx(view.incoming_ratio[row, col])
    assert seen == view.dense.size == len(across) == len(along)
    for group in GROUPS:
        (trace,) = [t for t in figure.data if t.name == TEXTS.groups[group.name]]
        assert len(trace.x) == counts[group.name]
        assert trace.marker.color == group.colour


def test_the_lines_at_one_part_the_groups(view):
    figure = pair_plane(view, TEXTS)
    assert lines(figure) == [1, 1]
    across, along = pair_coordinates(view)
    assert ((across >= 1) == view.chosen.ravel()).all()
    assert ((along >= 1) == view.chooses_back.ravel()).all()


def test_without_thresholds_there_is_no_line_and_the_axes_say_so():
    view = fake_session(learned=False).query_cell(Cell(4, 7))
    plane = pair_plane(view, TEXTS)
    assert plane.layout.xaxis.title.text == TEXTS.chooses_dense
    assert lines(plane) == []
    across, along = pair_coordinates(view)
    assert across == pytest.approx(view.dense_times_uniform.ravel())
    assert along == pytest.approx(view.incoming.ravel() * view.dense.size)


def test_the_figure_is_transparent_and_small(view):
    figure = pair_plane(view, TEXTS)
    assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0,0,0,0)"
    assert len(figure.to_json()) < 60_000


def test_a_weight_that_underflows_to_zero_is_drawn(view):
    view.dense[0, 0] = view.incoming_ratio[0, 0] = 0
    low, high = pair_plane(view, TEXTS).layout.xaxis.range
    assert np.isfinite([low, high]).all()
