"""Pictures drawn by Python have the page's colours, scales and marks, cell by cell."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from asa_viz.figures import panels, query
from asa_viz.figures.colormap import viridis
from asa_viz.figures.curves import curves_of, lines_of
from asa_viz.geometry import Box, Cell, Grid
from asa_viz.packet import pack
from tests.fakes import fake_session
from tests.viewer.node import needs_node, run

pytestmark = needs_node

CELLS = (0, 7, 55, 61, 107)
# The page's name of each panel.
NAMES = {
    "dense": "dense", "sparse": "sparse", "groups": "neighbours", "thresholds": "map",
    "segmentation": "segmentation",
}  # fmt: skip
BARS = ("dense", "sparse", "thresholds")


def framed():
    picture = np.random.default_rng(2).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    return replace(fake_session(picture, 15, 20, scale=0.8), inner=Box(17, 0, 140, 120))


SESSIONS = {
    "learned": lambda: fake_session(scale=1.1),
    "low thresholds": lambda: fake_session(scale=0.02, sharpness=5),
    "high thresholds": lambda: fake_session(scale=400.0),
    "flat": lambda: fake_session(sharpness=0.01, scale=1.0),
    "framed": framed,
    "dense": lambda: fake_session(learned=False),
}


@pytest.fixture(scope="module", params=SESSIONS)
def session(request):
    return SESSIONS[request.param]()


@pytest.fixture(scope="module")
def page(session, ask):
    """What the page shows of some queries of a session."""
    (answer,), about = ask([session], CELLS)
    return about | answer


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    """A function that asks the page what it shows of some queries of sessions."""

    def ask(sessions, cells):
        folder = tmp_path_factory.mktemp("page")
        question = [{"packet": str(folder / str(k)), "cells": cells} for k in range(len(sessions))]
        for each, session in zip(question, sessions, strict=True):
            Path(each["packet"]).write_bytes(pack(session))
        (folder / "question").write_text(json.dumps(question), "utf-8")
        run("scenes.mjs", folder / "question", folder / "answer")
        about = json.loads((folder / "answer").read_text("utf-8"))
        return about.pop("sessions"), about

    return ask


@pytest.fixture
def views(session):
    return [session.query_cell(Cell(*divmod(i, session.grid.width))) for i in CELLS]


def test_the_scales_of_dense_rows_have_the_same_ends(session, page):
    assert session.dense_ends == pytest.approx(page["ends"], rel=1e-6)


def test_the_colormap_is_the_same_in_each_of_its_colours(page):
    colours = viridis(np.arange(256)[None] / 255)[0]
    np.testing.assert_array_equal(colours, page["colormap"])


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_every_cell_has_the_same_colour_over_the_same_photo(session, page, views, name):
    for view, scenes in zip(views, page["scenes"], strict=True):
        if NAMES[name] not in scenes:
            assert name == "thresholds"
            assert not session.thresholds_learned
            continue
        # Where each colour lies: in cells, or in the pixels that the network works on.
        shape = np.shape(
            session.segmentation.working_labels if name == "segmentation" else view.dense
        )
        stage = panels.stage_of(session.picture, session.grid)
        grid = Grid(*shape, stage.grid.image_height, stage.grid.image_width)
        centres = [grid.centre_of(Cell(*at)) for at in np.ndindex(*shape)]
        at = [y for _, y in centres], [x for x, _ in centres]

        # Lines to partners lie over the middles of their cells.
        image = (
            panels.group_panel(stage, view)
            if name == "groups"
            else query.panels_of(view, [name])[name].image
        )
        found = np.asarray(image)[at].astype(int)
        colours = np.array(scenes[NAMES[name]]["rgba"]).reshape(-1, 4)
        shares = page["opacity"] * colours[:, 3:] / 255
        expected = shares * colours[:, :3] + (1 - shares) * stage.dark[at]
        # The frame around the query hides some of the small pixels.
        free = clear_of_mark(stage, view.query)[at]
        assert free.mean() > 0.9
        differences = np.abs(found - expected).max(1)[free]
        # Where single precision falls on the other side of a half, the next colour of the colormap.
        assert (differences > 1).mean() < 0.01
        assert differences.max() <= 4


def clear_of_mark(stage, cell):
    box, frame = panels.mark_box(stage, cell), 6
    rows, cols = np.indices(stage.dark.shape[:2])
    inside = (rows >= box.top) & (rows < box.bottom) & (cols >= box.left) & (cols < box.right)
    near = (rows >= box.top - frame) & (rows < box.bottom + frame)
    near &= (cols >= box.left - frame) & (cols < box.right + frame)
    return inside | ~near


@pytest.mark.parametrize("name", BARS)
def test_bars_have_the_same_ends_round_numbers_and_marks(session, page, views, name):
    for view, scenes in zip(views, page["scenes"], strict=True):
        check_bar(view, scenes, name)


@pytest.mark.slow
def test_scales_are_the_same_whatever_weights_and_thresholds_are(ask):
    random = np.random.default_rng(5)
    sessions = [varied(random) for _ in range(60)]
    answers, _ = ask(sessions, (11, 50))
    for session, answer in zip(sessions, answers, strict=True):
        assert session.dense_ends == pytest.approx(answer["ends"], rel=1e-6)
        for i, scenes in zip((11, 50), answer["scenes"], strict=True):
            view = session.query_cell(Cell(*divmod(i, session.grid.width)))
            for name in BARS:
                check_bar(view, scenes, name)


def varied(random):
    """A session with sharp or flat rows, thresholds all alike or of all magnitudes, in a frame."""
    session = fake_session(sharpness=random.uniform(0.1, 6))
    size = session.attention.nonlocal_scale.shape
    scales = np.exp(random.normal(random.uniform(-2, 4), random.uniform(0, 3), size))
    top, left = random.integers(0, 30, 2)
    return replace(
        session,
        attention=replace(session.attention, nonlocal_scale=torch.from_numpy(scales).float()),
        inner=Box(int(left), int(top), int(left + 37), int(top + 23)),
    )


def check_bar(view, scenes, name):
    panel = query.panels_of(view, [name])[name]
    if panel.scale is None:
        assert NAMES[name] not in scenes
        return
    scene = scenes[NAMES[name]]
    scale = scene["scale"]
    assert panel.scale.kind == scale["kind"]
    assert panel.scale.low == pytest.approx(scale["low"], rel=1e-5)
    assert panel.scale.high == pytest.approx(scale["high"], rel=1e-5)
    assert panel.scale.largest == pytest.approx(scale["largest"], rel=1e-5)
    assert panel.scale.ticks() == pytest.approx(scale["ticks"])
    assert panel.scale.clipped == scale["clipped"]
    assert panel.scale.clipped_below == scale["clippedBelow"]
    assert panel.mark == (scene["mark"] and pytest.approx(scene["mark"], rel=1e-5))


def test_kept_cells_are_outlined_where_the_page_outlines_them(session, page, views):
    stage = panels.stage_of(session.picture, session.grid)
    for view, scenes in zip(views, page["scenes"], strict=True):
        pixels = np.asarray(query.panels_of(view, ["sparse"])["sparse"].image).astype(int)
        outlined = scenes["sparse"]["outlined"]
        assert outlined == session.thresholds_learned
        # The pixel at the upper edge of each cell; above the picture nothing is kept.
        kept = np.pad(view.weights > 0, ((1, 0), (0, 0)))
        for row, col in np.ndindex(*view.weights.shape):
            box = stage.grid.box_of(Cell(row, col))
            at = box.top, (box.left + box.right) // 2
            parted = kept[row, col] != kept[row + 1, col]
            if clear_of_mark(stage, view.query)[at]:
                assert (pixels[at].min() >= 0.6 * 255) == (outlined and parted)


def test_lines_lead_to_the_same_partners(session, page, views):
    stage = panels.stage_of(session.picture, session.grid)
    for view, scenes in zip(views, page["scenes"], strict=True):
        shown = scenes["neighbours"]["lines"]
        lines = [Cell(*divmod(line["key"], session.grid.width)) for line in shown]
        panel = query.panels_of(view, ["groups"])["groups"]
        if session.thresholds_learned:
            assert lines_of(view) == panel.lines
        assert [line.partner for line in panel.lines] == lines
        shares = [line["share"] for line in shown]
        assert [line.share for line in panel.lines] == pytest.approx(shares, rel=1e-5)
        with_lines, without = (
            np.asarray(image).astype(int)
            for image in (panel.image, panels.group_panel(stage, view))
        )
        differ = (with_lines != without).any(axis=2)
        assert differ.any() == bool(lines)
        for partner in lines:
            x, y = stage.grid.centre_of(partner)
            assert differ[y - 1 : y + 2, x - 1 : x + 2].any()


def test_lines_are_the_same_curves_as_wide_and_as_opaque(session, page, views):
    for view, scenes in zip(views, page["scenes"], strict=True):
        drawn = curves_of(
            session.grid, view.query, query.panels_of(view, ["groups"])["groups"].lines
        )
        for curve, shown in zip(drawn, scenes["neighbours"]["curves"], strict=True):
            for point, name in (
                (curve.start, "from"),
                (curve.control, "control"),
                (curve.end, "to"),
            ):
                assert tuple(point) == pytest.approx(shown[name])
            for name in ("width", "casing", "opacity"):
                assert getattr(curve, name) == pytest.approx(shown[name], rel=1e-5)
