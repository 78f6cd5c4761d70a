"""From a projector to a large screen nothing is cut off, lies over others or opens out of sight."""

import pytest

SCREENS = [(1024, 768), (1440, 900), (2560, 1440)]
# The end of what there is room for, the ends of the stages, and which of these lie over each other.
STRIP = """() => {
  const box = (each) => each.getBoundingClientRect(), find = (name) => document.querySelector(name);
  const dock = find(".asa .lesson:not([hidden])");
  const list = find(".asa .stages ol"), isScrolled = list.scrollWidth > list.clientWidth;
  const all = [...document.querySelectorAll(".asa .stages :is(button, input)")]
    .filter((each) => each.checkVisibility());
  // What is scrolled says so, and what is shown is in sight.
  const shown = list.querySelector("[aria-pressed=true]");
  const strip = box(find(".asa .stages"));
  return {
    room: dock ? box(dock).left : innerWidth,
    right: isScrolled ? box(list).right : Math.max(...all.map((each) => box(each).right)),
    isTold: !isScrolled || getComputedStyle(list).scrollbarWidth === "thin",
    isSeen: !shown || (box(shown).left >= box(list).left && box(shown).right <= box(list).right),
    above: Math.min(...all.map((each) => box(each).top)) - box(find(".asa .sentence")).bottom,
    below: box(find(".asa .panels")).top - Math.max(...all.map((each) => box(each).bottom)),
    count: all.length,
    wide: document.documentElement.scrollWidth - innerWidth,
  };
}"""
# How much of the screen the pictures of the panels fill, beside the lesson.
FILLED = """() => {
  const { width, height } = asaViz.picture;
  const lesson = document.querySelector(".asa .lesson:not([hidden])");
  const dock = lesson ? lesson.getBoundingClientRect().width : 0;
  const seen = [...document.querySelectorAll(".asa .panel canvas")].map((canvas) => {
    const box = canvas.getBoundingClientRect();
    const fit = Math.min(box.width / width, box.height / height);
    const cut = Math.max(Math.min(box.bottom, innerHeight) - Math.max(box.top, 0), 0);
    return width * fit * Math.min(height * fit, cut);
  });
  return seen.reduce((a, b) => a + b) / ((innerWidth - dock) * innerHeight);
}"""


@pytest.mark.parametrize(("width", "height"), SCREENS)
@pytest.mark.parametrize("lesson", [None, 5, 9])
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_the_strip_of_stages_has_room(visitors, width, height, lesson, language):
    words = f"?lang={language}" + (f"&lesson={lesson}" if lesson else "")
    visit = visitors(viewport={"width": width, "height": height}).open(words)
    strip = visit.page.evaluate(STRIP)
    assert strip["count"] >= 8
    assert strip["right"] <= strip["room"]
    assert strip["isTold"]
    assert strip["isSeen"]
    assert strip["above"] >= 0
    assert strip["below"] >= 0
    assert strip["wide"] <= 0


@pytest.mark.parametrize(("width", "height"), SCREENS)
@pytest.mark.parametrize("lesson", [None, 5, 9])
def test_pictures_fill_the_screen(visitors, width, height, lesson):
    visit = visitors(viewport={"width": width, "height": height})
    visit.open(f"?lesson={lesson}" if lesson else "")
    visit.page.evaluate("scrollTo(0, 0)")
    # Beside the lesson's dock and the controls a projector has little room; the first photograph
    # is narrower than the panels.
    least = {1024: (0.35, 0.28), 1440: (0.55, 0.45), 2560: (0.55, 0.5)}[width][lesson is not None]
    assert visit.page.evaluate(FILLED) >= least


@pytest.mark.parametrize(("width", "height"), SCREENS)
def test_compare_opens_in_sight(visitors, width, height):
    visit = visitors(viewport={"width": width, "height": height}).open()
    visit.do("methods")
    visit.compared()
    visit.page.wait_for_timeout(300)
    top = visit.find(".methods").evaluate("(each) => each.getBoundingClientRect().top")
    assert -2 <= top <= 80
    maps = visit.find(".multiples canvas").evaluate_all(
        "(all) => all.map((each) => each.getBoundingClientRect())"
        ".filter(({ bottom }) => bottom <= innerHeight).length"
    )
    assert maps >= 4
    # Back to the panels as one came.
    visit.page.keyboard.press("Escape")
    visit.page.wait_for_function("scrollY === 0")
