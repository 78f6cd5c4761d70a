"""The plots show the view's own numbers."""

import json

import numpy as np
import pytest

from app.texts import PLOTS
from asa_viz.figures.palettes import GROUPS, group_counts
from asa_viz.figures.plots import pair_coordinates, pair_plane, sorted_row
from asa_viz.geometry import Cell
from tests.fakes import fake_session


@pytest.fixture
def view():
    return fake_session(scale=1.1).query_cell(Cell(4, 7))


def lines(figure):
    return [shape.x0 if shape.x0 == shape.x1 else shape.y0 for shape in figure.layout.shapes]


def test_the_pair_plane_has_every_cell_once_in_its_groups_colour(view):
    figure = pair_plane(view, PLOTS)
    across, along = pair_coordinates(view)
    counts = group_counts(view)
    seen = 0
    for trace in figure.data:
        seen += len(trace.x)
        for x, y, (row, col) in zip(trace.x, trace.y, trace.customdata, strict=True):
            assert x == pytest.approx(view.dense[row, col] * view.dense.size / view.nonlocal_scale)
            assert y == pytest.approx(view.incoming_ratio[row, col])
    assert seen == view.dense.size == len(across) == len(along)
    for group in GROUPS:
        (trace,) = [t for t in figure.data if t.name == PLOTS.groups[group.name]]
        assert len(trace.x) == counts[group.name]
        assert trace.marker.color == group.colour


def test_the_lines_at_one_part_the_groups(view):
    figure = pair_plane(view, PLOTS)
    assert lines(figure) == [1, 1]
    across, along = pair_coordinates(view)
    assert ((across >= 1) == view.chosen.ravel()).all()
    assert ((along >= 1) == view.chooses_back.ravel()).all()


def test_the_sorted_row_falls_and_marks_what_is_kept(view):
    row, kept = sorted_row(view, PLOTS).data
    assert (np.diff(row.y) <= 0).all()
    assert sorted(row.y) == pytest.approx(sorted(view.dense_times_uniform.ravel()))
    assert len(kept.x) == view.support.sum()
    assert kept.y.sum() == pytest.approx(view.kept_mass * view.dense.size)
    assert lines(sorted_row(view, PLOTS)) == [view.nonlocal_scale]


def test_without_thresholds_there_is_no_line_and_the_axes_say_so():
    view = fake_session(learned=False).query_cell(Cell(4, 7))
    plane, curve = pair_plane(view, PLOTS), sorted_row(view, PLOTS)
    assert plane.layout.xaxis.title.text == PLOTS.chooses_dense
    assert lines(plane) == []
    assert lines(curve) == []
    across, along = pair_coordinates(view)
    assert across == pytest.approx(view.dense_times_uniform.ravel())
    assert along == pytest.approx(view.incoming.ravel() * view.dense.size)


def test_figures_are_transparent_and_small(view):
    for figure in (pair_plane(view, PLOTS), sorted_row(view, PLOTS)):
        assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0,0,0,0)"
        assert len(json.dumps(json.loads(figure.to_json()))) < 60_000


def test_a_weight_that_has_run_down_to_zero_breaks_nothing(view):
    view.dense[0, 0] = view.incoming_ratio[0, 0] = 0
    low, high = pair_plane(view, PLOTS).layout.xaxis.range
    assert np.isfinite([low, high]).all()
