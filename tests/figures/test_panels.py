"""Panels: the colour of a cell is that of its value, and the mark is around the query."""

import numpy as np
import pytest
from plotly.colors import hex_to_rgb

from asa_viz.figures import panels
from asa_viz.figures.colormap import viridis
from asa_viz.figures.curves import Line, curves_of
from asa_viz.figures.groups import GROUPS, group_counts, group_map
from asa_viz.figures.scales import dense_scale, kept_scale
from asa_viz.geometry import Cell, Pixel
from tests.fakes import fake_session

# Height and width of the picture: ordinary, odd, one cell larger than a pixel, tall, wide.
SIZES = ((60, 80), (61, 83), (7, 9), (90, 31), (20, 300))
FAR = Cell(0, 0)


def session_of(size, **settings):
    random = np.random.default_rng(1)
    picture = random.integers(0, 256, (*size, 3), dtype=np.uint8)
    return fake_session(picture, **settings)


@pytest.fixture(params=SIZES, ids=str)
def session(request):
    return session_of(request.param)


@pytest.fixture
def stage(session):
    return panels.stage_of(session.picture, session.grid)


def away_from(stage, cell):
    """A mask of the pixels that the mark of `cell` cannot reach."""
    box, margin = panels.mark_box(stage, cell), 12
    mask = np.ones((stage.grid.image_height, stage.grid.image_width), bool)
    mask[
        max(0, box.top - margin) : box.bottom + margin,
        max(0, box.left - margin) : box.right + margin,
    ] = False
    return mask


def is_over(stage, pixels, at, colour):
    """Whether a pixel has a colour as it lies over the dark photo."""
    expected = panels.OPACITY * np.array(colour) + (1 - panels.OPACITY) * stage.dark[at]
    return bool(abs(pixels[at] - expected).max() <= 1)


def test_every_panel_has_the_size_that_clicks_are_counted_in(session, stage):
    view = session.query_cell(Cell(4, 7))
    scale = dense_scale(view)
    size = panels.panel_size(session.picture)
    for image in (
        panels.photo_panel(stage, view.query),
        panels.dark_panel(stage, view.query),
        panels.map_panel(stage, view.dense, scale, view.query),
        panels.group_panel(stage, view),
        panels.label_panel(stage, session.segmentation, view.query),
    ):
        assert image.size == size
        assert image.mode == "RGB"


def test_the_colour_under_a_pixel_is_that_of_its_cells_value(session, stage):
    view = session.query_cell(FAR)
    scale = dense_scale(view)
    values = view.dense_times_uniform
    pixels = np.asarray(panels.map_panel(stage, values, scale, FAR)).astype(int)
    mask = away_from(stage, FAR)
    for y, x in np.argwhere(mask)[::997]:
        colour = viridis(scale.fraction(values))[stage.grid.cell_at(Pixel(int(x), int(y)))]
        expected = panels.OPACITY * colour + (1 - panels.OPACITY) * stage.dark[y, x]
        assert abs(pixels[y, x] - expected).max() <= 1


def test_the_photo_under_a_map_is_grey_and_dark_with_all_its_structure(session, stage):
    assert (stage.dark == stage.dark[:, :, :1]).all()
    assert 26 <= stage.dark.min() <= stage.dark.max() <= 116
    luminance = stage.photo @ [0.299, 0.587, 0.114]
    assert np.abs(stage.dark[:, :, 0] - (26 + 90 * luminance / 255)).max() <= 0.5 + 1e-9


def test_only_kept_cells_are_coloured(session, stage):
    view = session.query_cell(FAR)
    kept = view.weights > 0
    values = view.weights_times_uniform
    image = panels.map_panel(stage, values, kept_scale(view), FAR, kept)
    mask = away_from(stage, FAR) & ~stage.spread(kept)
    assert (np.asarray(image)[mask] == stage.dark[mask]).all()


def test_groups_are_disjoint_and_the_kept_groups_add_up_to_the_support(session):
    view = session.query_cell(Cell(4, 7))
    counts = group_counts(view)
    assert counts["reciprocal"] == view.reciprocal.sum()
    assert counts["reciprocal"] + counts["local"] == view.support.sum()
    dropped = ~view.support
    assert counts["query_only"] == (view.chosen & dropped).sum()
    assert counts["key_only"] == (view.chooses_back & dropped).sum()
    assert sum(counts.values()) == (view.chosen | view.chooses_back | view.local).sum()
    assert (group_map(view) >= 0).sum() == sum(counts.values())


def test_the_groups_panel_shows_as_many_cells_as_the_legend_counts():
    session = session_of((90, 120), scale=1.1)
    view = session.query_cell(Cell(0, 0))
    stage = panels.stage_of(session.picture, session.grid)
    pixels = np.asarray(panels.group_panel(stage, view)).astype(int)
    shown = dict.fromkeys(group_counts(view), 0)
    for row, col in np.ndindex(9, 12):
        # The query's own cell is seen inside its mark.
        centre = stage.grid.centre_of(Cell(row, col))
        for group in GROUPS:
            at = centre.y, centre.x
            shown[group.name] += is_over(stage, pixels, at, hex_to_rgb(group.colour))
    assert shown == group_counts(view)


def test_a_line_is_white_between_dark_edges_as_wide_as_its_weight_says():
    session = session_of((90, 120))
    stage = panels.stage_of(session.picture, session.grid)
    view = session.query_cell(Cell(7, 2))
    partner = Cell(1, 9)
    plain = np.asarray(panels.group_panel(stage, view)).astype(int)
    widths = []
    for share in (0.1, 1):
        line = Line(partner, share)
        pixels = np.asarray(panels.group_panel(stage, view, [line])).astype(int)
        (curve,) = curves_of(stage.grid, view.query, [line])
        # Nothing is drawn away from the curve.
        along = curve.points(400) * [stage.grid.image_width, stage.grid.image_height]
        changed = np.argwhere((pixels != plain).any(axis=2))[:, ::-1] + 0.5
        away = np.linalg.norm(changed[:, None] - along[None], axis=2).min(1)
        assert away.max() < curve.casing / 2 + 1
        # Across it, on average: dark, white, dark.
        across = np.arange(-4, 4.5, 0.5)
        darker = np.zeros(len(across))
        for k in range(100, 300, 5):
            way = along[k + 1] - along[k - 1]
            normal = np.array([-way[1], way[0]]) / np.linalg.norm(way)
            cols, rows = (along[k] + across[:, None] * normal).astype(int).T
            darker += (pixels[rows, cols] - plain[rows, cols]).mean(1) / 40
        assert darker[8] > 40
        assert min(darker[:8]) < -15
        assert min(darker[9:]) < -15
        widths.append(len(changed))
    assert widths[1] / widths[0] == pytest.approx((2.8 + 1.6) / (1.18 + 1.6), rel=0.15)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("cell", [Cell(0, 0), Cell(4, 7), Cell(8, 11), Cell(8, 0)])
def test_the_mark_is_around_the_querys_cell(size, cell):
    session = session_of(size)
    stage = panels.stage_of(session.picture, session.grid)
    pixels = np.asarray(panels.dark_panel(stage, cell)).astype(int)
    changed = np.argwhere((pixels != stage.dark).any(axis=2))
    own, box = stage.grid.box_of(cell), panels.mark_box(stage, cell)
    assert box.left <= own.left < own.right <= box.right
    assert box.top <= own.top < own.bottom <= box.bottom
    inside = pixels[max(0, box.top) : box.bottom, max(0, box.left) : box.right]
    assert (inside == stage.dark[max(0, box.top) : box.bottom, max(0, box.left) : box.right]).all()
    assert len(changed)
    # The frame is drawn close around: its middle is the cell's, but where the panel cuts it off.
    reach = 12
    assert changed[:, 0].min() >= box.top - reach
    assert changed[:, 0].max() < box.bottom + reach
    assert changed[:, 1].min() >= box.left - reach
    assert changed[:, 1].max() < box.right + reach


def test_the_segmentation_panel_has_the_classes_colours():
    session = session_of((90, 120))
    stage = panels.stage_of(session.picture, session.grid)
    pixels = np.asarray(panels.label_panel(stage, session.segmentation, FAR)).astype(int)
    for cell in (Cell(8, 11), Cell(4, 7), Cell(0, 5)):
        x, y = stage.grid.centre_of(cell)
        colour = session.segmentation.palette[session.segmentation.cell_labels[cell]]
        assert is_over(stage, pixels, (y, x), colour)
