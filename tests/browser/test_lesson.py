"""The whole lesson can be done with the keyboard alone, and is done only by doing it."""

import itertools

import numpy as np
import pytest
from playwright.sync_api import expect

from app.gallery import EXAMPLES
from app.viewer import dictionaries
from asa_viz.geometry import Cell

ENGLISH = dictionaries()["en"]
STEPS = (
    "point", "lock", "uniform", "predict", "threshold", "back", "reciprocity", "local", "values",
    "without", "column", "compare", "rerun", "toy", "designs", "families", "limits",
)  # fmt: skip
CELLS = [Cell(*each) for each in itertools.product(range(9), range(12))]


@pytest.fixture
def pupil(visit):
    """A visitor without a mouse who has opened the lesson for the first time."""
    visit.page.evaluate("localStorage.clear()")
    visit.open()
    for _ in range(30):
        visit.page.keyboard.press("Tab")
        if visit.page.evaluate("document.activeElement.dataset.do === 'lesson'"):
            break
    visit.press("Enter")
    yield visit
    visit.page.evaluate("localStorage.clear()")


def is_done(visit, step):
    return (
        visit.find(".lesson .steps button")
        .nth(STEPS.index(step))
        .evaluate("(button) => button.classList.contains('done')")
    )


def go_to(visit, cell):
    """Walk to a cell with the arrow keys."""
    row, col = visit.cell
    keys = ["ArrowDown" if cell[0] > row else "ArrowUp"] * abs(cell[0] - row)
    keys += ["ArrowRight" if cell[1] > col else "ArrowLeft"] * abs(cell[1] - col)
    visit.press(*keys, panel="dense")
    assert visit.cell == cell


def press_on(visit, selector, *keys):
    visit.find(selector).first.focus()
    return visit.press(*keys)


def guess(visit, *keys):
    """Mark cells by keyboard, and look."""
    press_on(visit, ".lesson .photo", "Enter")
    expect(visit.find(".guess-layer")).to_be_focused()
    visit.press(*keys, "Enter")
    expect(visit.find(".guess-card .again").first).to_be_focused()


def on_with(visit, step):
    """The step is done; go to the next by its button, and find the keyboard there."""
    expect(visit.find(".lesson .steps button").nth(STEPS.index(step))).to_contain_class("done")
    visit.press("l", panel="photo")
    expect(visit.find(".lesson h2")).to_be_focused()
    press_on(visit, ".lesson .next", "Enter")
    expect(visit.find(".lesson h2")).to_be_focused()


def test_every_step_is_done_by_keyboard(pupil, server):
    visit, session = pupil, server.session(EXAMPLES[0].path)
    classes, labels = session.segmentation.classes, session.segmentation.cell_labels
    expect(visit.find(".lesson h2")).to_be_focused()
    assert visit.text(".lesson h2") == f"1. {ENGLISH['lesson.point.title']}"
    assert not is_done(visit, "point")

    label = visit.text(".lesson .task").removesuffix(".").rsplit(" ", 1)[1]
    go_to(visit, next(cell for cell in CELLS if classes[labels[cell]] == label))
    on_with(visit, "point")

    assert not is_done(visit, "lock")
    visit.press("ArrowRight", "ArrowLeft", "ArrowRight", panel="dense")
    on_with(visit, "lock")

    peaks = [session.query_cell(cell).dense.max() for cell in CELLS]
    first = session.query_cell(visit.cell).dense.max()
    # Three digits, as the page writes every number.
    assert f"= {108 * first:#.3g} × 1/n" in visit.text(".lesson .formula")
    away = np.abs(np.log(np.array(peaks) / first))
    go_to(visit, CELLS[int(away.argmax())])
    on_with(visit, "uniform")

    guess(visit, "Space")
    assert "% overlap" in visit.text(".guess-score").replace("\n", " ")
    on_with(visit, "predict")

    kept = [int(session.query_cell(cell).support.sum()) for cell in CELLS]
    go_to(visit, CELLS[int(np.argmax(kept))])
    assert not is_done(visit, "threshold")
    press_on(visit, '[data-what-if="nonlocalFactor"]', "End")
    on_with(visit, "threshold")
    press_on(visit, '[data-do="as-trained"]', "Enter")

    for _ in range(3):
        press_on(visit, ".lesson .show-me", "Enter")
    on_with(visit, "back")

    # A query with keys that only the local rule keeps.
    views = [session.query_cell(cell) for cell in CELLS]
    pink = [int((view.local & ~view.reciprocal).sum()) for view in views]
    go_to(visit, CELLS[int(np.argmax(pink))])
    for step, control in {
        "reciprocity": '[data-what-if="reciprocity"]',
        "local": '[data-what-if="localRule"]',
        "column": '[data-set="direction"]',
    }.items():
        if step == "local":
            go_to(visit, CELLS[int(np.argmax(pink))])
        if step == "column":
            for each in ("values", "without"):
                press_on(visit, ".lesson .show-me", "Enter", "Enter")
                on_with(visit, each)
        press_on(visit, control, "Space")
        assert not is_done(visit, step)
        visit.press("Space")
        on_with(visit, step)

    here = visit.cell
    other = next(cell for cell in CELLS if labels[cell] != labels[here])
    visit.press("Enter", panel="photo")
    go_to(visit, other)
    visit.press("Enter")
    press_on(visit, '.pins [data-name="01"]', "Enter")
    on_with(visit, "compare")

    press_on(visit, '[data-what-if="localFactor"]', "End")
    press_on(visit, '[data-do="rerun"]', "Enter")
    visit.wait("viewer.rerun").settle()
    assert not is_done(visit, "rerun")
    press_on(visit, '[data-do="as-trained"]', "Enter")
    on_with(visit, "rerun")

    press_on(visit, ".toy-map button:nth-child(1)", "Enter")
    assert "A reads" in visit.text(".lesson .page")
    on_with(visit, "toy")
    on_with(visit, "designs")

    assert ENGLISH["lesson.families.gates"] in visit.text(".lesson .page")
    press_on(visit, '[data-do="methods"]', "Enter")
    expect(visit.find(".lesson .formula")).to_contain_text("The same for all queries")
    assert not is_done(visit, "families")
    here = visit.cell
    go_to(visit, next(cell for cell in CELLS if labels[cell] != labels[here]))
    expect(visit.find(".lesson .formula")).to_contain_text("The same for all queries 100 %")
    on_with(visit, "families")
    assert ENGLISH["lesson.limits.why"] in visit.text(".lesson .page")
    assert visit.text(".lesson .more .note").startswith("17 of 17 done")
    press_on(visit, ".lesson .close", "Enter")
    expect(visit.find(".lesson")).to_be_hidden()
    expect(visit.find('[data-do="lesson"]')).to_be_focused()
    # What was done is still known after the page was opened anew.
    visit.open("?lesson=3")
    assert is_done(visit, "limits")
    assert visit.text(".lesson h2") == f"3. {ENGLISH['lesson.uniform.title']}"


def test_show_me_does_every_step(pupil):
    visit = pupil
    for step in STEPS[:-1]:
        if step in ("toy", "designs"):
            on_with(visit, step)
            continue
        show = visit.find(".lesson .show-me")
        for _ in range(3):
            show.focus()
            visit.press("Enter")
            if step == "rerun":
                visit.page.wait_for_function(
                    "document.querySelector('.asa .status').textContent === ''"
                )
                visit.settle()
            if step == "families":
                visit.compared()
            if is_done(visit, step):
                break
        on_with(visit, step)
    assert visit.text(".lesson h2") == f"17. {ENGLISH['lesson.limits.title']}"


def test_each_step_opens_in_its_own_state_and_frames_what_it_speaks_of(visit):
    visit.do("lesson")
    for step, stage, framed in (
        ("lock", "dense", "dense"),
        ("threshold", "chosen", "dense"),
        ("back", "chosen", "neighbours"),
        ("without", "result", "segmentation"),
    ):
        visit.find(".lesson .steps button").nth(STEPS.index(step)).click()
        visit.settle()
        assert visit.state["stage"] == stage
        assert visit.state["whatIf"]["reciprocity"] is True
        expect(visit.find(f'[data-panel="{framed}"]')).to_contain_class("in-spotlight")
    assert (
        visit.find('[data-what-if="nonlocalFactor"]').evaluate("(e) => e.closest('.in-spotlight')")
        is None
    )
    # The lesson ends, and everything is shown again.
    visit.press("Escape")
    assert visit.state["stage"] is None
    assert visit.find(".in-spotlight").count() == 0


def test_the_dock_covers_no_panel(visitors):
    for width, height in ((1440, 900), (1024, 768)):
        visit = visitors(viewport={"width": width, "height": height}).open("?lesson=2")
        dock = visit.find(".lesson").bounding_box()
        for name in ("photo", "dense", "neighbours", "sparse"):
            panel = visit.canvas(name).bounding_box()
            assert panel["x"] + panel["width"] <= dock["x"]


def test_on_a_phone_the_lesson_is_a_sheet_at_the_bottom(visitors):
    visit = visitors(viewport={"width": 390, "height": 844}, has_touch=True).open("?lesson=4")
    dock = visit.find(".lesson").bounding_box()
    # On the bar, which stays within reach.
    bar = visit.find(".phone-bar").bounding_box()
    assert bar["y"] + bar["height"] == pytest.approx(844, abs=1)
    assert dock["y"] + dock["height"] == pytest.approx(bar["y"], abs=1)
    assert dock["height"] <= 0.5 * 844
    for button in visit.find(".lesson button:visible").all():
        assert button.bounding_box()["height"] >= 43.5
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_lesson_is_fetched_when_it_is_first_asked_for(visitors):
    def fetched(visit):
        return sum("lesson.js" in url for url in visit.requests)

    visit = visitors().open()
    assert fetched(visit) == 0
    for name in ("lesson", "guess", "lesson"):
        visit.do(name)
    assert visit.settle().state["lesson"] is None
    assert fetched(visit) == 1
    linked = visitors().open("?lesson=3")
    expect(linked.find(".lesson h2")).to_contain_text(ENGLISH["lesson.uniform.title"])
    assert fetched(linked) == 1


def test_a_picture_that_was_chosen_before_the_lesson_stays_in_it(visit):
    picture = EXAMPLES[3].name
    visit.find(f'[data-picture="{picture}"]').click()
    visit.wait("viewer.opened.picture === given[0]", picture).settle()
    visit.do("lesson")
    assert visit.settle().state["picture"] == picture


@pytest.mark.parametrize("name", ["lesson", "guess"])
def test_a_lesson_that_does_not_come_is_told_and_asked_for_again(visitors, name):
    visit = visitors().open()
    visit.page.route("**/lesson.js*", lambda route: route.abort())
    visit.do(name)
    expect(visit.find(".status")).to_have_text(ENGLISH["error.server"])
    assert visit.state["lesson"] is None
    visit.page.unroute("**/lesson.js*")
    visit.do(name)
    opened = {"lesson": ".lesson h2", "guess": ".guess-card.is-floating"}[name]
    expect(visit.find(opened)).to_be_visible()
    assert all("ERR_FAILED" in line for line in visit.complaints)
    visit.complaints.clear()
