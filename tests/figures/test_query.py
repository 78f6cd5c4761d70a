"""Figures of a query have the numbers of the view, in every format."""

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import numpy as np
import pytest

from asa_viz.figures.query import PANELS
from asa_viz.geometry import Cell
from tests.fakes import fake_session


@pytest.fixture(params=[True, False], ids=["learned", "dense"])
def view(request):
    return fake_session(learned=request.param).query_cell(Cell(3, 5))


def test_the_interactive_figure_holds_the_rows_in_multiples_of_the_uniform_weight(view):
    figure = view.figure()
    assert len(figure.data) == len(PANELS)
    dense, sparse = figure.data[1].z, figure.data[2].z
    np.testing.assert_array_equal(dense, view.dense_times_uniform)
    np.testing.assert_array_equal(np.nan_to_num(sparse), view.weights_times_uniform)
    # Cells that are not read are left out, not drawn as 0.
    assert np.array_equal(np.isnan(sparse), view.weights == 0)
    assert figure.data[1].zmax == figure.data[2].zmax
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1]
    mark = figure.layout.shapes[0]
    assert (mark.x0, mark.y0) == (5.5, 3.5)
    titles = [note.text for note in figure.layout.annotations]
    assert titles[:3] == ["Picture and query", "Dense attention", "Sparse attention"]
    said = figure.data[1].customdata[3][5]
    assert said == f"{view.dense_times_uniform[3, 5]:.3g} × uniform"


def test_the_figure_for_a_paper_is_saved_in_every_format(view, tmp_path):
    figure = view.panels()
    for suffix, start in ((".pdf", b"%PDF"), (".svg", b"<?xml"), (".png", b"\x89PNG")):
        path = tmp_path / f"figure{suffix}"
        figure.savefig(path)
        assert path.read_bytes().startswith(start)
    drawing = ElementTree.parse(tmp_path / "figure.svg").getroot()
    words = {text.strip() for text in drawing.itertext()}
    # Texts are texts, and none of them was drawn as an outline.
    for said in ("Dense attention", "times uniform weight", "query: building"):
        assert any(said in word for word in words), said
    reciprocal = f"reciprocal ({view.reciprocal.sum()})"
    assert reciprocal in words
    marked = [word for word in words if "threshold " in word]
    assert marked == (
        [f"times uniform weight (threshold {view.nonlocal_scale:.3g})"]
        if view.nonlocal_scale
        else []
    )


def test_the_same_view_gives_the_same_file(view, tmp_path):
    for suffix in ("svg", "pdf"):
        first, second = tmp_path / f"1.{suffix}", tmp_path / f"2.{suffix}"
        view.panels(["dense"]).savefig(first)
        view.panels(["dense"]).savefig(second)
        assert first.read_bytes() == second.read_bytes()


def test_panels_are_chosen_by_name_and_drawn_at_a_width(view):
    figure = view.panels(["sparse", "photo"], width=3.5)
    assert [axes.get_title() for axes in figure.axes[:2]] == [
        "Sparse attention",
        "Picture and query",
    ]
    assert figure.get_size_inches()[0] == 3.5
    with pytest.raises(ValueError, match=re.escape("no panel 'attention'; there are photo, dense")):
        view.panels(["attention"])


def test_a_view_without_an_image_says_where_one_comes_from(view):
    with pytest.raises(ValueError, match="ask a session"):
        replace(view, image=None).figure()
