"""The scale of a map: one for both rows, the threshold on it, round numbers under it."""

from dataclasses import replace

import numpy as np
import pytest

from asa_viz.figures.scales import Scale, row_scale, threshold_scale
from asa_viz.geometry import Cell
from tests.fakes import fake_session

CELLS = (Cell(0, 0), Cell(4, 7), Cell(8, 11))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("scale", [0.5, 1.5, 50.0])
def test_the_threshold_lies_on_the_scale_of_both_rows(cell, scale):
    view = fake_session(scale=scale).query_cell(cell)
    shared = row_scale(view)
    assert shared.low == 0 < view.nonlocal_scale < shared.high
    assert shared.largest == max(view.dense_times_uniform.max(), view.weights_times_uniform.max())


def test_few_values_are_clipped():
    view = fake_session(sharpness=6, scale=0.1).query_cell(Cell(4, 7))
    shared = row_scale(view)
    assert shared.clipped
    assert (view.dense_times_uniform > shared.high).mean() < 0.01


def test_the_dense_row_fills_the_scale_even_where_few_keys_share_all_the_weight():
    view = fake_session(scale=1000.0, local_scale=1.3).query_cell(Cell(4, 7))
    assert 0 < view.support.sum() < 9
    view = replace(view, nonlocal_scale=0.5)
    assert row_scale(view).high <= view.dense_times_uniform.max()


def test_a_threshold_map_is_never_clipped():
    nonlocal_scales, _ = fake_session().scales
    scale = threshold_scale(nonlocal_scales)
    assert not scale.clipped
    assert scale.fraction(nonlocal_scales).min() == 0
    assert scale.fraction(nonlocal_scales).max() == 1


def test_one_number_everywhere_lies_inside_its_scale():
    scale = threshold_scale(np.full((3, 4), 1.2))
    assert scale.low < 1.2 < scale.high


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
