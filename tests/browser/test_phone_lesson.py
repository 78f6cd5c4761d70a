"""On a phone the lesson and the guess are followed by touch: what a step is about is seen."""

import numpy as np
import pytest
from playwright.sync_api import expect

from app.viewer import dictionaries
from asa_viz.geometry import Cell
from tests.browser.test_phone import UPRIGHT, upright  # noqa: F401
from tests.browser.visit import SPOT, read_png

ENGLISH = dictionaries()["en"]
# Read by a copy: a canvas that is read itself is slow from then on, of which the browser warns.
DRAWN = """(canvas) => {
  const copy = document.createElement("canvas");
  [copy.width, copy.height] = [32, 32];
  const context = copy.getContext("2d", { willReadFrequently: true });
  context.drawImage(canvas, 0, 0, 32, 32);
  return canvas.width > 300 && context.getImageData(0, 0, 32, 32).data.some((each) => each > 0);
}"""


def marked(visit):
    return int(visit.text(".guess-card.is-floating .guess-walk .note").split()[0])


@pytest.mark.parametrize("screen", [(390, 844), (360, 800), (844, 390)])
def test_every_step_shows_what_it_is_about_and_leads_to_the_next_by_taps(visitors, screen):
    visit = visitors(**{**UPRIGHT, "viewport": {"width": screen[0], "height": screen[1]}}).open()
    visit.do("lesson")
    visit.wait("viewer.state.lesson === 1").settle()
    steps = visit.find(".lesson .steps button").count()
    for number in range(1, steps + 1):
        sheet = visit.find(".lesson").bounding_box()
        words = visit.find(".lesson .text, .lesson h2 + *").first.bounding_box()
        assert words["y"] + 40 < visit.find(".lesson .walk").bounding_box()["y"]
        framed = visit.find(".panel.in-spotlight").all()
        for panel in framed:
            assert panel.evaluate("(each) => each.checkVisibility({ visibilityProperty: true })")
        if framed:
            # The first of them is over the sheet or beside it, and drawn.
            canvas = framed[0].locator("canvas").first
            box = canvas.bounding_box()
            beside = box["x"] + box["width"] <= sheet["x"] and box["y"] < sheet["height"] / 2
            assert beside or box["y"] < sheet["y"] - 100
            while not canvas.evaluate(DRAWN):
                visit.page.wait_for_timeout(50)
        # A control in a sheet is framed by what opens the sheet.
        assert all(each.is_visible() for each in visit.find(".in-spotlight").all())
        strip = visit.find(".lesson .steps").bounding_box()
        here = visit.find(".lesson .steps [aria-current]").bounding_box()
        assert strip["x"] <= here["x"] + 0.5
        assert here["x"] + here["width"] <= strip["x"] + strip["width"] + 0.5
        if number < steps:
            visit.find(".lesson .next").tap()
            visit.wait("viewer.state.lesson === given[0]", number + 1).settle()
    visit.find(".lesson .close").tap()
    visit.wait("viewer.state.lesson === null").settle()


def test_the_cell_that_is_tapped_is_guessed_and_the_card_leaves_the_bar_free(upright):  # noqa: F811
    visit = upright
    visit.do("guess")
    expect(visit.find(".guess-layer")).to_be_visible()
    canvas, layer = visit.canvas("photo").bounding_box(), visit.find(".guess-layer").bounding_box()
    assert layer == pytest.approx(canvas, abs=0.5)
    cell = Cell(5, 3)
    visit.page.touchscreen.tap(*visit.spot("photo", cell))
    assert marked(visit.settle()) == 9
    # A brush of three by three cells around it.
    pixels = visit.find(".guess-layer").evaluate("(c) => c.toDataURL()")
    alpha = read_png(pixels)[..., 3]
    left, top, width, height = visit.place()
    density = alpha.shape[1] / layer["width"]
    centres = [
        (
            int((top - layer["y"] + height * (row + 0.25) / 9) * density),
            int((left - layer["x"] + width * (col + 0.25) / 12) * density),
        )
        for row in range(9)
        for col in range(12)
    ]
    shown = np.array([alpha[at] > 0 for at in centres]).reshape(9, 12)
    assert shown[4:7, 2:5].all()
    far = np.ones((9, 12), bool)
    far[3:8, 1:6] = False
    far[
        max(0, visit.cell.row - 1) : visit.cell.row + 2,
        max(0, visit.cell.col - 1) : visit.cell.col + 2,
    ] = False
    assert not shown[far].any()
    card, bar = (
        visit.find(".guess-card.is-floating").bounding_box(),
        visit.find(".phone-bar").bounding_box(),
    )
    assert card["y"] + card["height"] <= bar["y"]
    assert card["y"] >= canvas["y"] + canvas["height"] - 1
    visit.find(".guess-card.is-floating .look").tap()
    expect(visit.find(".guess-score")).to_be_visible()


def test_a_finger_is_told_what_a_finger_can_do_and_the_step_is_done_by_it(upright):  # noqa: F811
    visit = upright
    visit.do("lesson")
    visit.find(".lesson .next").tap()
    visit.wait("viewer.state.lesson === 2").settle()
    expect(visit.find(".lesson .text")).to_have_text(ENGLISH["lesson.lock.text.finger"])
    expect(visit.find(".lesson .task")).to_have_text(ENGLISH["lesson.lock.task.finger"])
    # The panel of the step lies over the sheet: nothing is scrolled.
    for cell in ([2, 4], [1, 7]):
        visit.page.touchscreen.tap(*visit.canvas("dense").evaluate(SPOT, cell))
        visit.wait("viewer.state.locked").settle()
        assert visit.cell == tuple(cell)
    expect(visit.find(".lesson .result")).to_contain_text(ENGLISH["lesson.lock.done.finger"])
    assert visit.text(".under").startswith("Row 2, column 8")


def test_a_finger_on_the_photo_reads_single_cells_while_the_query_is_locked(upright):  # noqa: F811
    visit = upright
    visit.page.touchscreen.tap(*visit.spot("photo", (4, 6)))
    visit.wait("viewer.state.locked").settle()
    x, y = visit.canvas("photo").evaluate(SPOT, [4, 4])
    touches = visit.page.context.new_cdp_session(visit.page)
    for kind, left in (("touchStart", x), ("touchMove", x - 15), ("touchMove", x - 30)):
        points = [{"x": left, "y": y}]
        touches.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    expect(visit.find(".under")).to_contain_text("Under the finger: row 5")
    touches.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert visit.settle().cell == (4, 6)
