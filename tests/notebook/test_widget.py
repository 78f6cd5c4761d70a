"""The widget's traits follow the page, and changes of them from Python reach the page."""

import numpy as np
import pytest

import asa_viz
from asa_viz.attention.what_if import AS_TRAINED, WhatIf
from asa_viz.geometry import Cell, Pixel
from tests.fakes import fake_session

RULE = {
    "nonlocalFactor": 1.5, "localFactor": 1, "reciprocity": False, "localRule": True, "window": 5,
    "topK": None,
}  # fmt: skip


@pytest.fixture
def session():
    return fake_session()


def test_what_is_done_on_the_page_comes_back(session):
    widget = asa_viz.widget(session)
    assert (widget.cell, widget.pins, widget.what_if, widget.view) == (None, (), AS_TRAINED, None)
    heard = []
    widget.observe(lambda change: heard.append(change["name"]), ["cell", "pins", "what_if"])
    widget.state = {"query": [40, 30], "pins": [[0, 0], [79, 59]], "whatIf": RULE}
    assert widget.cell == session.grid.cell_at(Pixel(40, 30))
    assert widget.pins == (Cell(0, 0), Cell(8, 11))
    rule = WhatIf(1.5, 1, reciprocity=False, window=5)
    assert widget.what_if == rule
    assert sorted(heard) == ["cell", "pins", "what_if"]
    expected = session.query(Pixel(40, 30), rule)
    assert np.array_equal(widget.view.weights, expected.weights)
    widget.state = {"query": None, "pins": [], "whatIf": None}
    assert (widget.cell, widget.pins, widget.what_if) == (None, (), AS_TRAINED)


def test_cells_of_a_picture_with_fewer_pixels_than_cells_are_found():
    session = fake_session(np.zeros((8, 8, 3), np.uint8), 9, 20)
    widget = asa_viz.widget(session)
    # The page counts this picture as one enlarged three times.
    for cell in (Cell(0, 1), Cell(8, 19), Cell(3, 10)):
        widget.lock(cell)
        x, y = widget.asked["state"]["query"]
        assert max(x, y) < 24
        widget.state = {"query": [x, y], "pins": [], "whatIf": None}
        assert widget.cell == cell


def test_a_cell_is_locked_from_python(session):
    widget = asa_viz.widget(session)
    widget.lock(Pixel(40, 30))
    first = widget.asked
    assert first["state"]["locked"]
    widget.lock(session.grid.cell_at(Pixel(40, 30)))
    assert widget.asked["state"] == first["state"]
    assert widget.asked != first
    with pytest.raises(ValueError, match="outside"):
        widget.lock(Cell(99, 0))
    with pytest.raises(ValueError, match="outside"):
        asa_viz.widget(session, Pixel(999, 0))
