"""On a phone the page has a layout of its own, which can be used by touch alone."""

import io

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.test_accessibility import axe, check  # noqa: F401
from tests.browser.visit import read_png

UPRIGHT = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
LYING = {**UPRIGHT, "viewport": {"width": 844, "height": 390}}


@pytest.fixture(params=[UPRIGHT, LYING], ids=["upright", "lying"])
def phone(visitors, request):
    return visitors(**request.param, device_scale_factor=2).open()


@pytest.fixture
def upright(visitors):
    return visitors(**UPRIGHT, device_scale_factor=2).open()


def tap(visit, panel, cell):
    visit.page.touchscreen.tap(*visit.spot(panel, cell))
    return visit.settle()


def swipe(visit, panel, across):
    """Draw a finger over a panel, by touch events as a screen sends them."""
    visit.canvas(panel).evaluate(
        """(canvas, across) => {
          const box = canvas.getBoundingClientRect();
          const at = (x) =>
            [new Touch({ identifier: 1, target: canvas, clientX: x, clientY: box.top + 40 })];
          const x = box.left + box.width / 2;
          canvas.dispatchEvent(new TouchEvent("touchstart", { touches: at(x), bubbles: true }));
          const end = { touches: [], changedTouches: at(x + across), bubbles: true };
          canvas.dispatchEvent(new TouchEvent("touchend", end));
        }""",
        across,
    )
    return visit.settle()


def seen_panels(visit):
    return visit.find(".panel").evaluate_all(
        "(all) => all.filter((each) => getComputedStyle(each).visibility === 'visible')"
        ".map((each) => each.dataset.panel)"
    )


def test_the_photo_is_lit_where_the_query_reads(upright):
    visit = tap(upright, "photo", (4, 6))
    dark = visit.ask(
        """(() => {
          const shade = document.querySelector(".asa .shade"), context = shade.getContext("2d");
          const canvas = asaViz.panels.photo.canvas, { width, height } = asaViz.picture;
          const fit = Math.min(shade.width / width, shade.height / height);
          const [left, top] = [(shade.width - fit * width) / 2, (shade.height - fit * height) / 2];
          const { session, moment } = asaViz;
          const { data } = context.getImageData(0, 0, shade.width, shade.height);
          return Array.from(moment.row.weights, (_, j) => {
            const x = left + fit * width * ((j % session.width + 0.1) / session.width);
            const y = top + fit * height * ((Math.floor(j / session.width) + 0.1) / session.height);
            return data[4 * (Math.floor(y) * shade.width + Math.floor(x)) + 3] / 255;
          });
        })()"""
    )
    weights = visit.ask("[...viewer.moment.row.weights]")
    query = visit.cell.row * visit.grid.width + visit.cell.col
    near = {query + down * visit.grid.width + right for down in (-1, 0, 1) for right in (-1, 0, 1)}
    lit = [d for j, (d, w) in enumerate(zip(dark, weights, strict=True)) if w and j not in near]
    unread = [
        d for j, (d, w) in enumerate(zip(dark, weights, strict=True)) if not w and j not in near
    ]
    assert max(lit, default=0) < 0.35
    assert min(unread) > 0.7


def test_what_is_not_read_is_dark_on_the_screen_itself(upright):
    visit = tap(upright, "photo", (4, 6))
    left, top, width, height = (round(each) for each in visit.place())
    seen = Image.open(io.BytesIO(visit.page.screenshot())).convert("L")
    seen = seen.resize((390, 844)).crop((left, top, left + width, top + height))
    photo = visit.ask(
        """(() => {
          const canvas = document.createElement("canvas");
          Object.assign(canvas, { width: given[0], height: given[1] });
          const { bitmap } = viewer.picture;
          canvas.getContext("2d").drawImage(bitmap, 0, 0, given[0], given[1]);
          return canvas.toDataURL();
        })()""",
        width,
        height,
    )
    bright = read_png(photo)[..., :3].mean(axis=-1)
    weights = np.reshape(visit.ask("[...viewer.moment.row.weights]"), (9, 12))
    unread = np.kron(weights == 0, np.ones((height // 9 + 1, width // 12 + 1)))[:height, :width]
    assert unread.mean() > 0.3
    assert np.asarray(seen)[unread > 0].mean() < 0.5 * bright[unread > 0].mean()


def test_a_finger_is_told_to_tap(upright):
    assert upright.text(".under") == "Tap to lock the query."
    tap(upright, "photo", (2, 3))
    assert upright.text(".under") == "Locked: tap it again to free it."
    tap(upright, "photo", (2, 3))
    assert not upright.state["locked"]


def test_a_swipe_leads_through_the_stages_and_a_tap_still_points(upright):
    visit = upright
    assert seen_panels(visit) == ["photo", "neighbours"]
    stages = []
    for _ in range(6):
        panel = seen_panels(visit)[1]
        swipe(visit, panel, -120)
        stages.append((visit.state["stage"], *seen_panels(visit)[1:]))
    assert stages == [
        ("dense", "dense"),
        ("chosen", "neighbours"),
        ("back", "neighbours"),
        ("local", "neighbours"),
        ("kept", "sparse"),
        ("result", "segmentation"),
    ]
    swipe(visit, "segmentation", 120)
    assert visit.state["stage"] == "kept"
    # Too short for a swipe.
    swipe(visit, "sparse", 20)
    assert visit.state["stage"] == "kept"
    assert tap(visit, "sparse", (2, 3)).cell == (2, 3)


def test_everything_that_a_finger_needs_is_large_enough(phone):
    visit = phone
    for sheet in (None, "pictures", "rule", "numbers"):
        if sheet:
            visit.find(f'.phone-bar [data-sheet="{sheet}"]').tap()
        small = visit.page.evaluate(
            """() => [...document.querySelectorAll(
              ".asa :is(button, select, label.button, label.check, .networks label, summary)")]
              .filter((each) => each.checkVisibility({ visibilityProperty: true }))
              .filter((each) => getComputedStyle(each).clipPath === "none")
              .map((each) => [each.outerHTML.slice(0, 90), each.getBoundingClientRect()])
              .filter(([, { width, height }]) => height < 44 || width < 44)
              .map(([name, { width, height }]) => [name, width, height])"""
        )
        assert small == []
    assert visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_sheets_open_and_close_and_the_bar_has_the_numbers(upright):
    visit = upright
    numbers = visit.find('.phone-bar [data-sheet="numbers"]')
    kept = visit.ask("viewer.moment.row.numbers.support")
    assert numbers.inner_text().split()[0] == str(kept)
    numbers.tap()
    expect(visit.find(".numbers")).to_be_visible()
    expect(numbers).to_have_attribute("aria-expanded", "true")
    visit.page.keyboard.press("Escape")
    expect(visit.find(".numbers")).not_to_be_visible()
    visit.find('.phone-bar [data-sheet="pictures"]').tap()
    expect(visit.find(".camera")).to_be_visible()
    assert visit.find(".camera input").get_attribute("capture") == "environment"
    visit.find(".gallery .thumbnail").nth(2).tap()
    visit.wait("viewer.opened.picture === viewer.host.gallery[2].id").settle()
    expect(visit.find(".gallery")).not_to_be_visible()


def test_share_hands_the_link_to_the_phone_or_copies_it(upright):
    visit = upright
    visit.page.evaluate(
        "() => { window.given = null; navigator.share = async (what) => { window.given = what; }; }"
    )
    tap(visit, "photo", (3, 4)).find(".phone-bar .share").tap()
    visit.page.wait_for_function("window.given")
    assert visit.page.evaluate("given.url") == visit.ask("viewer.link().url")
    visit.page.evaluate("() => { delete navigator.share; navigator.share = undefined; }")
    visit.find(".phone-bar .share").tap()
    expect(visit.find(".status")).not_to_be_empty()


def test_back_undoes_a_picture_and_a_lock(visitors):
    visit = visitors().open()
    first = visit.state["picture"]
    visit.click("photo", (3, 4))
    second = visit.ask("viewer.host.gallery[1].id")
    visit.find(f'[data-picture="{second}"]').click()
    visit.wait("viewer.opened.picture === given[0]", second).settle()
    visit.page.go_back()
    visit.wait("viewer.opened.picture === given[0]", first).settle()
    assert visit.state["locked"]
    assert visit.cell == (3, 4)
    visit.page.go_back()
    visit.wait("!viewer.state.locked").settle()
    assert visit.state["picture"] == first
    visit.page.go_forward()
    visit.wait("viewer.state.locked").settle()
    assert visit.cell == (3, 4)


SHEETS = {"pictures": ".gallery", "rule": ".what-if", "numbers": ".numbers"}


def test_back_closes_a_sheet_before_it_undoes_anything(upright):
    visit = tap(upright, "photo", (3, 4))
    for name, inside in SHEETS.items():
        visit.find(f'.phone-bar [data-sheet="{name}"]').tap()
        expect(visit.find(inside)).to_be_visible()
        visit.page.go_back()
        expect(visit.find(inside)).not_to_be_visible()
        assert visit.settle().state["locked"]
        assert visit.cell == (3, 4)
    # From one sheet to the other is no step, and what was changed in them stays.
    for name in SHEETS:
        visit.find(f'.phone-bar [data-sheet="{name}"]').tap()
        if name == "rule":
            visit.set('[data-what-if="reciprocity"]', False)
    visit.page.go_back()
    expect(visit.find(".numbers")).not_to_be_visible()
    assert visit.settle().state["whatIf"]["reciprocity"] is False
    assert "reciprocal=0" in visit.page.url
    visit.page.go_back()
    visit.wait("!viewer.state.locked")


def test_a_sheet_that_was_closed_otherwise_is_no_step_of_back(upright):
    visit = tap(upright, "photo", (3, 4))
    numbers = visit.find('.phone-bar [data-sheet="numbers"]')
    for close in (
        lambda: visit.page.keyboard.press("Escape"),
        numbers.tap,
        lambda: visit.find(".sentence").tap(),
    ):
        numbers.tap()
        expect(visit.find(".numbers")).to_be_visible()
        close()
        expect(visit.find(".numbers")).not_to_be_visible()
    visit.page.wait_for_function("!history.state?.isCovered")
    first, second = (visit.ask(f"viewer.host.gallery[{k}].id") for k in (0, 1))
    visit.find('.phone-bar [data-sheet="pictures"]').tap()
    visit.find(f'[data-picture="{second}"]').tap()
    visit.wait("viewer.opened.picture === given[0]", second).settle()
    visit.page.go_back()
    visit.wait("viewer.opened.picture === given[0]", first).settle()
    assert visit.cell == (3, 4)
    expect(visit.find(".gallery")).not_to_be_visible()
    visit.page.go_back()
    visit.wait("!viewer.state.locked")


def test_back_closes_the_sheet_in_which_something_was_locked(upright):
    visit = tap(upright, "photo", (3, 4))
    visit.find('.phone-bar [data-sheet="numbers"]').tap()
    visit.find('[data-name="pin"]').tap()
    visit.page.evaluate("asaViz.free()")
    visit.find('[data-name="go0"]').tap()
    visit.settle().page.wait_for_function("history.state?.isCovered")
    visit.page.go_back()
    expect(visit.find(".numbers")).not_to_be_visible()
    assert visit.settle().state["locked"]
    assert len(visit.state["pins"]) == 1
    # Then to the lock before, when there was no pin, and to no lock.
    visit.page.go_back()
    visit.wait("viewer.state.locked && !viewer.state.pins.length")
    visit.page.go_back()
    visit.wait("!viewer.state.locked")


def test_the_handle_of_the_wipe_is_drawn_along_and_turns_no_page(upright):
    visit = upright
    visit.page.evaluate("asaViz.store.set({ stage: 'result' })")
    visit.settle().set('[data-set="layer"]', "wipe")
    handle = visit.find('[data-panel="segmentation"] .over input')
    handle.evaluate(
        """(input) => {
          const at = (x) => [new Touch({ identifier: 1, target: input, clientX: x, clientY: 500 })];
          input.dispatchEvent(new TouchEvent("touchstart", { touches: at(195), bubbles: true }));
          const end = { touches: [], changedTouches: at(60), bubbles: true };
          input.dispatchEvent(new TouchEvent("touchend", end));
        }"""
    )
    assert visit.settle().state["stage"] == "result"


def test_a_segment_is_the_query_by_fingers_alone_and_its_panels_are_turned_to(upright):
    visit = tap(upright, "photo", (3, 4))
    visit.find('.phone-bar [data-sheet="numbers"]').tap()
    visit.find('[data-name="segment"]').tap()
    visit.page.keyboard.press("Escape")
    visit.wait("viewer.moment.set").settle()
    # The bar tells of the set, and the photo is lit where the set reads.
    numbers = visit.find('.phone-bar [data-sheet="numbers"] b')
    assert numbers.inner_text() == str(visit.ask("viewer.moment.set.numbers.support"))
    alpha = visit.ask(
        """(() => {
          const shade = document.querySelector(".asa .shade"), context = shade.getContext("2d");
          const [left, top, width, height] = given;
          const { left: x, top: y, width: across } = shade.getBoundingClientRect();
          const fine = shade.width / across;
          const { data } = context.getImageData(0, 0, shade.width, shade.height);
          return Array.from(viewer.moment.set.weights, (_, j) => {
            const right = Math.floor((left - x + (width * ((j % 12) + 0.5)) / 12) * fine);
            const down = Math.floor((top - y + (height * (Math.floor(j / 12) + 0.5)) / 9) * fine);
            return data[4 * (down * shade.width + right) + 3] / 255;
          });
        })()""",
        *visit.place(),
    )
    read = np.array(visit.ask("[...viewer.moment.set.weights]")) > 0
    assert max(np.array(alpha)[read]) < 0.35
    assert min(np.array(alpha)[~read], default=1) > 0.7
    seen = set()
    for button in visit.find(".turns button").all():
        button.tap()
        seen |= set(seen_panels(visit)[1:])
    assert seen == {"dense", "neighbours", "sparse", "segmentation", "map"}
    # A tap asks for one cell again.
    tap(visit, "photo", (5, 5))
    assert visit.state["set"] is None
    assert visit.find(".turns").is_hidden()


def test_back_ends_the_lesson_where_it_began(visitors):
    visit = visitors().open()
    visit.do("lesson")
    visit.wait("viewer.state.lesson !== null")
    visit.page.go_back()
    visit.wait("viewer.state.lesson === null").settle()
    assert not visit.state["locked"]
    assert visit.ask("viewer.opened.picture") == visit.state["picture"]


def test_a_phone_is_open_to_everybody(phone, axe):  # noqa: F811
    for sheet in (None, "pictures", "rule", "numbers"):
        if sheet:
            phone.find(f'.phone-bar [data-sheet="{sheet}"]').tap()
        check(phone, axe)
