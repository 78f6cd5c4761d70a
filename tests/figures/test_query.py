"""Figures of a query have the numbers of the view, in every format."""

import base64
import pickle
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest

from asa_viz.figures.curves import curves_of, lines_of
from asa_viz.figures.panels import group_panel, stage_of
from asa_viz.figures.query import PANELS
from asa_viz.figures.scales import dense_scale, kept_scale
from asa_viz.geometry import Cell
from tests.fakes import fake_session


@pytest.fixture(params=[True, False], ids=["learned", "dense"])
def view(request):
    return fake_session(learned=request.param).query_cell(Cell(3, 5))


def test_the_interactive_figure_holds_the_rows_in_multiples_of_the_uniform_weight(view):
    figure = view.figure()
    assert len(figure.data) == len(PANELS)
    # Colours are on logarithmic scales: a map is drawn by the logarithms of its values.
    dense, sparse = figure.data[1].z, figure.data[2].z
    np.testing.assert_allclose(10.0**dense, view.dense_times_uniform, rtol=1e-5)
    np.testing.assert_allclose(np.nan_to_num(10.0**sparse), view.weights_times_uniform, rtol=1e-5)
    # Cells that are not read are left out, not drawn as 0.
    assert np.array_equal(np.isnan(sparse), view.weights == 0)
    for trace, scale in zip(figure.data[1:3], (dense_scale(view), kept_scale(view)), strict=True):
        assert 10**trace.zmin == pytest.approx(scale.low)
        assert 10**trace.zmax == pytest.approx(scale.high)
        ticks = [float(text) for text in trace.colorbar.ticktext]
        assert 10.0 ** np.array(trace.colorbar.tickvals) == pytest.approx(ticks)
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1]
    mark = figure.layout.shapes[0]
    assert (mark.x0, mark.y0) == (5.5, 3.5)
    titles = [note.text for note in figure.layout.annotations]
    assert titles[:3] == ["Picture and query", "Dense attention", "Sparse attention"]
    said = figure.data[1].customdata[3][5]
    assert said == f"{view.dense_times_uniform[3, 5]:.3g} × uniform"


def test_kept_cells_are_outlined_in_the_interactive_figure(view):
    shapes = view.figure().layout.shapes
    paths = [shape.path for shape in shapes if shape.type == "path" and "Q" not in shape.path]
    if not view.nonlocal_scale:
        assert not paths
        return
    (path,) = paths
    edges = set(re.findall(r"M([\d.]+),([\d.]+)([HV])", path))
    kept = np.pad(view.weights > 0, 1)
    # Cells are counted from 1, and have their middle there.
    expected = {
        (f"{col - 0.5}", f"{row - 0.5}", way)
        for row, col in np.ndindex(*kept.shape)
        for way, other in (("H", (row - 1, col)), ("V", (row, col - 1)))
        if row > 0 < col and kept[row, col] != kept[other]
    }
    assert edges == expected


def test_lines_to_partners_are_curves_of_the_interactive_figure(view):
    figure, image = view.figure(), view.image
    curves = curves_of(image.grid, view.query, lines_of(view) if view.nonlocal_scale else [])
    shapes = [shape for shape in figure.layout.shapes if shape.type == "path" and "Q" in shape.path]
    # The fourth panel; a white line over a dark one.
    assert {shape.xref for shape in shapes} <= {"x4"}
    assert len(shapes) == 2 * len(curves)
    for curve, dark, white in zip(curves, shapes[::2], shapes[1::2], strict=True):
        assert dark.path == white.path
        assert dark.line.width / white.line.width == pytest.approx(curve.casing / curve.width)
        assert white.line.color == f"rgba(255,255,255,{curve.opacity:.3f})"
        points = np.array(re.findall(r"[\d.-]+", dark.path), float).reshape(3, 2)
        size = image.grid.width, image.grid.height
        shares = np.array([curve.start, curve.control, curve.end])
        np.testing.assert_allclose(points, shares * size + 0.5, rtol=1e-4)
    # They are not in the picture below as well.
    laid = [each.source for each in figure.layout.images if each.xref == "x4"]
    assert laid == [source_of(group_panel(stage_of(image.picture, image.grid), view))]


def source_of(image):
    file = BytesIO()
    image.save(file, "png")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def test_a_weight_that_underflows_to_zero_is_drawn_in_the_first_colour(view):
    view.dense[0, 0] = 0
    trace = view.figure().data[1]
    assert np.isfinite(trace.z).all()
    assert trace.z[0, 0] < trace.zmin


@pytest.mark.slow
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
    own = view.nonlocal_scale
    marks = {own, own / view.kept_mass} if own else set()
    assert set(marked) == {f"times uniform weight (threshold {mark:.3g})" for mark in marks}


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


def test_a_view_that_was_pickled_is_drawn_alike(view):
    pickled = pickle.dumps(view)
    # Its session is not in it.
    assert b"Session" not in pickled
    again = pickle.loads(pickled)
    assert again.figure().to_json() == view.figure().to_json()
