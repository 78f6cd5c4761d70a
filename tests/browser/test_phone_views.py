"""On a phone every panel is turned to by taps and swipes, and the words on the way are whole."""

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.test_phone import UPRIGHT, seen_panels, swipe, tap, upright  # noqa: F401

WIDTHS = (390, 360)
LOCALES = ("en-GB", "zh-CN", "zh-TW")

# The part of an element that can be seen: inside what scrolls it, and over the bar.
SEEN = """(element) => {
  const { left, right, top, bottom, width, height } = element.getBoundingClientRect();
  let [from, to] = [0, innerWidth];
  for (let each = element.parentElement; each; each = each.parentElement) {
    if (getComputedStyle(each).overflowX === "visible") continue;
    const box = each.getBoundingClientRect();
    [from, to] = [Math.max(from, box.left), Math.min(to, box.right)];
  }
  const bar = document.querySelector(".asa .phone-bar").getBoundingClientRect().top;
  const across = Math.max(0, Math.min(right, to) - Math.max(left, from));
  return (across * Math.max(0, Math.min(bottom, bar) - Math.max(top, 0))) / (width * height);
}"""


def check_map(visit):
    """The map is the panel under the photo, on the screen, and drawn."""
    assert seen_panels(visit) == ["photo", "map"]
    canvas = visit.canvas("map")
    canvas.evaluate("(canvas) => canvas.scrollIntoView({ block: 'end' })")
    box = canvas.bounding_box()
    assert box["width"] > 300
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= 844 - 60
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    assert canvas.evaluate(f"(canvas) => document.elementFromPoint({x}, {y}) === canvas")
    # The colours of the map, not those of the picture under it.
    colours = visit.ask(
        "[...new Uint8Array(viewer.scenes.map.cells.pixels.buffer)].map((each) => each)"
    )
    assert len(np.unique(np.reshape(colours, (-1, 4)), axis=0)) > 10
    assert len(np.unique(visit.pixels("map")[..., :3].reshape(-1, 3), axis=0)) > 10


def test_the_map_follows_the_last_stage_and_is_left_again(upright):  # noqa: F811
    visit = upright
    for _ in range(6):
        swipe(visit, seen_panels(visit)[1], -120)
    assert visit.state["stage"] == "result"
    swipe(visit, "segmentation", -120)
    button = visit.find(".map-after button")
    expect(button).to_have_attribute("aria-pressed", "true")
    check_map(visit)
    # A tap on it points as in every panel, and the map stays.
    assert tap(visit, "map", (2, 3)).cell == (2, 3)
    check_map(visit)
    swipe(visit, "map", 120)
    assert visit.state["stage"] == "result"
    expect(button).to_have_attribute("aria-pressed", "false")
    assert seen_panels(visit) == ["photo", "segmentation"]
    # Past it is the whole row, and before that one comes back.
    for _ in range(2):
        swipe(visit, seen_panels(visit)[1], -120)
    assert visit.state["stage"] is None
    assert seen_panels(visit) == ["photo", "neighbours"]
    swipe(visit, "neighbours", 120)
    check_map(visit)


def test_the_map_is_one_tap_away_and_its_choice_works(upright):  # noqa: F811
    visit = upright
    visit.find(".map-after button").tap()
    check_map(visit.settle())
    before = visit.pixels("map")
    choice = visit.find('[data-panel="map"] h2 select')
    assert choice.evaluate(SEEN) == 1
    box = choice.bounding_box()
    assert box["height"] >= 44
    for share in (0.05, 0.95):
        at = box["x"] + box["width"] / 2, box["y"] + share * box["height"]
        assert choice.evaluate("(each, at) => document.elementFromPoint(...at) === each", at)
    choice.tap()
    choice.select_option("support")
    visit.wait("viewer.scenes.map.title === 'map.support'").settle()
    assert visit.state["map"] == "support"
    check_map(visit)
    assert (visit.pixels("map") != before).any()
    # A stage takes its place, as does a second tap.
    visit.find('.stages [data-stage="dense"]').tap()
    assert seen_panels(visit.settle()) == ["photo", "dense"]
    button = visit.find(".map-after button")
    button.tap()
    check_map(visit.settle())
    button.tap()
    assert seen_panels(visit.settle()) == ["photo", "neighbours"]


def test_where_the_screen_is_no_phone_there_is_no_button_for_the_map(visitors):
    visit = visitors().open()
    expect(visit.find(".map-after")).to_be_hidden()


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("width", WIDTHS)
def test_the_words_of_each_stage_are_whole_and_in_sight(visitors, locale, width):
    wishes = {**UPRIGHT, "viewport": {"width": width, "height": 800}, "locale": locale}
    visit = visitors(**wishes).open()
    for stage in ("ask", "dense", "chosen", "back", "local", "kept", "result"):
        visit.page.evaluate("(stage) => asaViz.store.set({ stage })", stage)
        button = visit.settle().find(f'.stages [data-stage="{stage}"]')
        expect(button).to_have_attribute("aria-pressed", "true")
        assert button.inner_text().strip()
        box = button.bounding_box()
        assert min(box["width"], box["height"]) >= 44
        assert button.evaluate(SEEN) == pytest.approx(1, abs=0.01), button.inner_text()
        assert button.evaluate("(each) => each.scrollWidth <= each.clientWidth")
        assert button.evaluate("(each) => each.scrollHeight <= each.clientHeight")
    assert visit.find(".map-after button").evaluate(SEEN) == 1
    # The words of the bar stand in one line, in their buttons.
    bar = visit.find(".phone-bar").bounding_box()
    for word in visit.find(".phone-bar span").all():
        box = word.bounding_box()
        assert box["height"] < 20
        assert box["y"] + box["height"] <= bar["y"] + bar["height"]
        assert word.evaluate(
            """(word) => {
              const range = document.createRange();
              range.selectNodeContents(word);
              const text = range.getBoundingClientRect();
              const button = word.parentElement.getBoundingClientRect();
              return text.left >= button.left && text.right <= button.right;
            }"""
        )
    assert visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_panel_that_is_shown_of_a_set_is_named_in_sight(upright):  # noqa: F811
    visit = tap(upright, "photo", (3, 4))
    visit.find('.phone-bar [data-sheet="numbers"]').tap()
    visit.find('[data-name="segment"]').tap()
    visit.page.keyboard.press("Escape")
    visit.wait("viewer.moment.set").settle()
    assert visit.text(".under") == "A set of cells is the query. A tap on one cell ends it."
    visit.page.wait_for_function(
        f"({SEEN})(document.querySelector('.asa .turns [aria-pressed=true]')) > 0.99"
    )
    for _ in range(4):
        swipe(visit, seen_panels(visit)[1], -120)
        pressed = visit.find(".turns [aria-pressed=true]")
        assert pressed.get_attribute("data-turn") == seen_panels(visit)[1]
        assert pressed.evaluate(SEEN) == pytest.approx(1, abs=0.01)
