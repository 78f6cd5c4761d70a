"""What is said agrees with the view, and no data becomes markup."""

from dataclasses import replace
from html import unescape

import numpy as np
import pytest

from app import captions
from asa_viz.figures.palettes import group_counts
from asa_viz.figures.scales import Scale, row_scale
from asa_viz.geometry import Cell
from tests.fakes import fake_session

HOSTILE = "<img src=x onerror=alert(1)> & \"quoted\" 'so' ${alert(2)} {{value}}"


def test_escaped_data_is_neither_markup_nor_template():
    escaped = captions.escape(HOSTILE)
    assert not set("<>\"'${") & set(escaped)
    assert unescape(escaped) == HOSTILE


def test_names_of_classes_and_notes_are_escaped_everywhere():
    session = fake_session()
    hostile = replace(session.segmentation, classes=(HOSTILE,) * 4)
    view = session.query_cell(Cell(4, 7))
    for text in (
        captions.sentence(view, hostile, learned=True),
        captions.class_legend(hostile),
        captions.photo_line(session.grid, (HOSTILE,)),
        captions.status(HOSTILE),
    ):
        assert "<img" not in text
        assert "${" not in text
        assert "{{" not in text


def test_the_sentence_gives_the_views_numbers():
    session = fake_session(scale=1.1)
    view = session.query_cell(Cell(4, 7))
    label, share = next(iter(session.segmentation.shares(view.weights).items()))
    said = captions.sentence(view, session.segmentation, learned=True)
    assert f"Keeps {view.support.sum()} of 108 cells" in said
    assert f"{captions.percent(view.kept_mass)} of the mass" in said
    assert f"{captions.percent(share)} of it on {label}" in said
    assert "Row 4, column 7" in said


def test_the_sentence_says_that_an_empty_support_reads_only_itself():
    session = fake_session(scale=1000.0, local_scale=1000.0)
    view = session.query_cell(Cell(4, 7))
    assert not view.support.any()
    assert "reads only itself" in captions.sentence(view, session.segmentation, learned=True)


def test_the_sentence_says_that_a_dense_network_keeps_all():
    session = fake_session(learned=False)
    view = session.query_cell(Cell(4, 7))
    said = captions.sentence(view, session.segmentation, learned=False)
    assert "Keeps all 108 cells" in said
    assert "no thresholds" in said


@pytest.mark.parametrize(
    ("share", "said"),
    [(0, "0 %"), (0.0001, "under 1 %"), (0.614, "61 %"), (0.998, "over 99 %"), (1, "100 %")],
)
def test_a_share_is_whole_or_nothing_only_where_it_is(share, said):
    assert captions.percent(float(share)) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0, "0.00"),
        (1.234, "1.23"),
        (9.999, "10.0"),
        (23.14, "23.1"),
        (680.4, "680"),
        (0.01, "0.010"),
    ],
)
def test_a_number_has_three_figures(value, said):
    assert captions.number(float(value)) == said


def test_the_bar_prints_the_clip_and_draws_the_threshold():
    view = fake_session().query_cell(Cell(4, 7))
    scale = Scale(0.0, 4 * view.nonlocal_scale, 80.2)
    bar = captions.row_bar(view, scale, 80.2, learned=True)
    assert f"clipped at {captions.number(scale.high)}, largest 80.2" in bar
    assert '<i style="left:25.00%">' in bar
    assert "nothing clipped" in captions.row_bar(view, scale, scale.high, learned=True)


def test_a_network_without_thresholds_has_no_line_on_its_bar():
    view = fake_session(learned=False).query_cell(Cell(4, 7))
    bar = captions.row_bar(view, row_scale(view), 3.0, learned=False)
    assert "<i" not in bar
    assert "threshold" not in bar


def test_the_legends_count_what_is_drawn():
    session = fake_session(scale=1.1)
    view = session.query_cell(Cell(4, 7))
    legend = captions.group_legend(view)
    for count in group_counts(view).values():
        assert f"<b>{count}</b>" in legend
    classes = captions.class_legend(session.segmentation)
    for index, name in enumerate(session.segmentation.classes):
        assert (name in classes) == np.any(session.segmentation.working_labels == index)
