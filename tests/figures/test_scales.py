"""The scale of a map: where it ends, the threshold on it, round numbers under it."""

from dataclasses import replace

import numpy as np
import pytest

from asa_viz.figures.scales import Scale, dense_scale, kept_scale, kept_threshold, map_scale
from asa_viz.geometry import Box, Cell
from asa_viz.views.dense_ends import cells_all_over, rounded
from tests.fakes import fake_session

CELLS = (Cell(0, 0), Cell(4, 7), Cell(8, 11))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("scale", [0.01, 0.5, 1.5, 50.0, 1000.0])
@pytest.mark.parametrize("known", [True, False])
def test_the_threshold_lies_on_the_scale_of_each_row(cell, scale, known):
    view = fake_session(scale=scale).query_cell(cell)
    if not known:
        view = replace(view, image=None)
    dense, kept = dense_scale(view), kept_scale(view)
    assert dense.low < view.nonlocal_scale < dense.high
    assert kept.low <= kept_threshold(view) < kept.high
    assert dense.largest == view.dense_times_uniform.max()
    assert kept.largest == view.weights_times_uniform.max()


def test_the_threshold_among_kept_weights_is_divided_by_their_mass():
    view = fake_session(scale=1.1).query_cell(Cell(4, 7))
    mark = kept_threshold(view)
    reciprocal = view.reciprocal & ~view.local
    assert (view.weights_times_uniform[reciprocal] >= mark * (1 - 1e-5)).all()
    assert mark * view.kept_mass == pytest.approx(view.nonlocal_scale)


def test_dense_rows_of_a_picture_have_one_scale():
    session = fake_session(scale=1.1)
    scales = {
        (scale.low, scale.high)
        for scale in (dense_scale(session.query_cell(cell)) for cell in CELLS)
    }
    assert len(scales) == 1


def test_few_weights_are_clipped():
    session = fake_session(sharpness=6, scale=0.1)
    for cell in CELLS:
        view = session.query_cell(cell)
        scale = dense_scale(view)
        assert (view.dense_times_uniform > scale.high).mean() < 0.01


def test_what_is_beyond_an_end_is_clipped_there():
    view = fake_session(sharpness=6, scale=0.1).query_cell(Cell(4, 7))
    scale = dense_scale(view)
    assert scale.clipped_below
    values = view.dense_times_uniform
    assert (scale.fraction(values)[values < scale.low] == 0).all()
    assert not scale.clipped
    assert replace(scale, high=scale.largest / 2).clipped


def test_equal_weights_lie_inside_their_scales():
    session = fake_session(learned=False)
    view = session.query_cell(Cell(4, 7))
    even = np.full_like(view.dense, 1 / view.dense.size)
    view = replace(view, dense=even, weights=even, image=None)
    for scale in (dense_scale(view), kept_scale(view)):
        assert scale.low <= 1 + 1e-6
        assert scale.high >= 1 - 1e-6
        assert scale.low < scale.high


def test_a_threshold_map_is_never_clipped():
    nonlocal_scales, _ = fake_session().scales
    scale = map_scale(nonlocal_scales)
    assert not scale.clipped
    assert not scale.clipped_below
    assert scale.fraction(nonlocal_scales).min() == 0
    assert scale.fraction(nonlocal_scales).max() == 1


@pytest.mark.parametrize("number", [0.0, 1.2])
def test_one_number_everywhere_lies_inside_its_scale(number):
    scale = map_scale(np.full((3, 4), number))
    assert scale.low < number < scale.high


@pytest.mark.parametrize(
    ("value", "up", "down"),
    [(0.93, 1, 0.5), (1.0, 1, 1), (1.1, 2, 1), (230, 500, 200), (0.007, 0.01, 0.005)],
)
def test_numbers_are_rounded_up_and_down(value, up, down):
    assert rounded(value) == pytest.approx(up)
    assert rounded(value, up=False) == pytest.approx(down)


def test_cells_are_looked_at_all_over_a_part_but_not_at_its_border():
    cells = cells_all_over(Box(3, 0, 40, 30))
    assert len(set(cells)) == 64
    assert {row for row, _ in cells} <= set(range(1, 29))
    assert {col for _, col in cells} <= set(range(4, 39))
    assert max(row for row, _ in cells) >= 26
    assert cells_all_over(Box(0, 0, 2, 1)) == [Cell(0, 0)]


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.0, 23.1, [0, 10, 20]),
        (0.0, 6.2, [0, 2, 4, 6]),
        (0.93, 1.42, [1.0, 1.2, 1.4]),
        (0.0, 1.0, [0, 0.5, 1]),
    ],
)
def test_ticks_are_round_and_on_the_scale(low, high, ticks):
    assert Scale(low, high, high).ticks() == pytest.approx(ticks)


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.2, 50.0, [1, 10]),
        (0.9, 12.0, [1, 2, 5, 10]),
        (1e-6, 1e4, [1e-6, 1e-4, 1e-2, 1, 1e2, 1e4]),
        (1.03, 1.16, [1.05, 1.1, 1.15]),
    ],
)
def test_ticks_of_a_logarithmic_scale_are_round_and_on_it(low, high, ticks):
    assert Scale(low, high, high, "log").ticks() == pytest.approx(ticks)
