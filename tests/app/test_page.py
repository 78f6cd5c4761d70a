"""The page keeps what it shows when a picture fails, and offers nothing that was not meant."""

from types import SimpleNamespace

import gradio as gr
import pytest

from app import texts
from app.__main__ import launch_settings
from app.gallery import EXAMPLES
from app.handlers import Desk
from app.page import Controls, build_page
from asa_viz.geometry import Pixel
from asa_viz.images import ImageError
from asa_viz.session import SessionStore
from tests.fakes import fake_session

VISITOR = SimpleNamespace(session_hash="visitor")
OTHER = SimpleNamespace(session_hash="other")


def encode(source, network):
    match source:
        case "bad.png":
            raise ImageError("IMG_UNKNOWN")
        case "gone.png":
            raise FileNotFoundError(source)
        case "crash.png":
            raise RuntimeError("/secret/path")
    return fake_session(learned=network != "dense")


@pytest.fixture
def controls():
    with gr.Blocks(analytics_enabled=False):
        return Controls(Desk(encode, SessionStore()), ["asa", "dense"])


@pytest.fixture
def visit(controls):
    return controls.desk.open("good.png", "asa", None)


def click(x, y):
    return SimpleNamespace(index=[x, y])


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("bad.png", str(ImageError("IMG_UNKNOWN"))),
        ("gone.png", texts.GONE),
        ("crash.png", texts.FAILED),
    ],
)
def test_a_picture_that_fails_changes_nothing_but_the_status(controls, source, sentence):
    *_, last = controls.on_upload(source, "asa", texts.NONLOCAL, VISITOR)
    assert set(last) == {controls.status}
    assert sentence in last[controls.status].replace("&#x27;", "'")
    assert "secret" not in last[controls.status]


def test_a_picture_that_succeeds_changes_everything(controls):
    first, last = controls.on_upload("good.png", "asa", texts.NONLOCAL, VISITOR)
    assert texts.READING in first[controls.status]
    assert set(last) == {*controls.drawn, controls.gallery}


def test_a_click_changes_everything(controls, visit):
    update = controls.on_click(visit, texts.LOCAL, click(10, 10), VISITOR)
    assert set(update) == set(controls.drawn)
    assert update[controls.visit].query != visit.query


def test_an_answer_that_comes_after_a_newer_click_is_dropped(controls, visit):
    moved = controls.desk.click

    def overtaken(*arguments):
        controls.clicks.take("visitor")
        return moved(*arguments)

    controls.desk.click = overtaken
    assert controls.on_click(visit, texts.LOCAL, click(10, 10), VISITOR) == gr.skip()
    assert controls.on_click(visit, texts.LOCAL, click(10, 10), OTHER) != gr.skip()


def test_a_click_whose_picture_is_gone_says_so(controls):
    gone = controls.desk.open("good.png", "asa", Pixel(0, 0))
    gone = type(gone)("gone.png", "asa", "forgotten", Pixel(0, 0))
    update = controls.on_click(gone, texts.LOCAL, click(10, 10), VISITOR)
    assert set(update) == {controls.status}
    assert texts.GONE in update[controls.status]


def test_before_the_first_picture_and_while_typing_nothing_happens(controls, visit):
    assert controls.on_click(None, texts.LOCAL, click(1, 1), VISITOR) == gr.skip()
    assert controls.on_cell(visit, texts.LOCAL, None, 3, VISITOR) == gr.skip()


def test_a_field_is_written_to_only_where_its_number_is_not_the_cells(controls, visit):
    fields = {controls.row, controls.col}
    update = controls.on_cell(visit, texts.NONLOCAL, 2, 3, VISITOR)
    assert set(update) == set(controls.drawn) - fields
    assert fields < set(controls.on_cell(visit, texts.NONLOCAL, 2, 99, VISITOR))


def test_no_listener_is_a_public_endpoint():
    page = build_page(encode, ["asa"], SessionStore())
    assert page.fns
    assert {listener.api_visibility for listener in page.fns.values()} == {"private"}


def test_the_gallery_starts_with_the_first_photograph(controls):
    *_, last = controls.on_load("asa", texts.NONLOCAL, VISITOR)
    assert last[controls.visit].source == EXAMPLES[0].path


def test_nothing_is_recorded_or_fetched_from_elsewhere():
    settings = launch_settings()
    assert settings["run_history"] is settings["enable_monitoring"] is settings["share"] is False
    assert "http" not in "".join(map(str, settings["theme"]._font))
    assert settings["theme"]._stylesheets == []
