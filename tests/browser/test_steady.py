"""While the page opens, what stands there already stays in its place."""

import re

import pytest
from PIL import Image

from tests.browser.test_phone import LYING, UPRIGHT
from tests.browser.test_twins import pair  # noqa: F401

SCREENS = {
    "large": {"viewport": {"width": 1440, "height": 900}},
    "projector": {"viewport": {"width": 1024, "height": 768}},
    "narrow": {"viewport": {"width": 360, "height": 800}},
    "phone": UPRIGHT,
    "lying": LYING,
}
# From the first moment on: what has moved, from where and to where. Gradio's line, and numbers in
# the middle of a button of the bar, are none of it.
SHIFTS = """() => {
  window.moved = [];
  const told = ({ x, y, width, height }) => [x, y, width, height].map(Math.round).join(" ");
  new PerformanceObserver((list) => {
    for (const shift of list.getEntries().flatMap((each) => each.sources)) {
      const { node, previousRect, currentRect } = shift;
      const element = node?.nodeType === Node.ELEMENT_NODE ? node : node?.parentElement;
      if (!element?.closest(".asa") || element.closest(".phone-bar")) continue;
      const way = `${told(previousRect)} to ${told(currentRect)}`;
      moved.push(`${element.className || element.tagName}: ${way}`);
    }
  }).observe({ type: "layout-shift", buffered: true });
}"""
FILES = re.compile("/gradio_api/file=")
PARTS = (".headline", ".stages", ".panels", ".choose", ".gallery", ".what-if", ".look", ".knows")
# Of what begins on the screen: below it nobody sees how long the rest becomes.
PLACES = """(parts) => parts.flatMap((each) => {
  const { x, y, width } = document.querySelector(`.asa ${each}`).getBoundingClientRect();
  return y < innerHeight ? [[each, x, y, width].join(" ")] : [];
})"""


def opened_slowly(visitors, address, screen, own=None):
    """A visit whose first picture comes after what is there without it has been drawn.

    `own` is a picture that the visitor has opened at a visit before.
    """
    visit = visitors(address, **SCREENS[screen])
    if own:
        visit.open().upload(own)
    visit.page.add_init_script(f"({SHIFTS})()")
    held, is_open = [], []

    def hold(route):
        route.continue_() if is_open else held.append(route)

    visit.page.route(FILES, hold)
    visit.page.goto(visit.address)
    visit.page.wait_for_selector(".asa .gallery .thumbnail", state="attached")
    while not held:
        visit.page.wait_for_timeout(50)
    visit.page.wait_for_timeout(400)
    assert not visit.page.evaluate("Boolean(window.asaViz.session)")
    before = visit.page.evaluate(PLACES, PARTS)
    is_open.append(True)
    for route in held:
        route.continue_()
    visit.settle().page.wait_for_timeout(400)
    return visit, before


@pytest.mark.parametrize("screen", SCREENS)
def test_nothing_moves_while_the_first_picture_comes(visitors, pair, screen):  # noqa: F811
    visit, before = opened_slowly(visitors, pair.address, screen)
    assert visit.page.evaluate("moved") == []
    assert visit.page.evaluate(PLACES, PARTS) == before
    # What used to push the rest down is there.
    assert not visit.find(".twin").get_attribute("hidden")
    assert visit.find(".knows summary").count() == 1


def test_a_picture_of_one_s_own_has_its_place_before_the_first_one_comes(visitors, pair, tmp_path):  # noqa: F811
    own = tmp_path / "own.png"
    Image.new("RGB", (120, 90), "teal").save(own)
    visit, before = opened_slowly(visitors, pair.address, "large", own)
    assert visit.find(".own .thumbnail").count() == 1
    assert visit.page.evaluate(PLACES, PARTS) == before
    visit.find(".own .forget").click()
