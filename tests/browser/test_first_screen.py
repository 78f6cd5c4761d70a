"""What explains the page: the pointer that leads, tooltips, links, the overview with every term."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from app.gallery import EXAMPLES
from app.viewer import dictionaries
from asa_viz.geometry import Pixel

ROOT = Path(__file__).parents[2]
ENGLISH = dictionaries()["en"]
TERMS = [key.split(".")[1] for key in json.loads((ROOT / "app/texts/en/terms.json").read_text())]
TERMS = list(dict.fromkeys(TERMS))
OVERVIEW = ".overview"
# The cell under the pointer's tip, and the cell that the page takes for the pointer's.
UNDER_THE_TIP = """() => {
  const { left, top } = document.querySelector(".asa .ghost").getBoundingClientRect();
  const { panels, picture, session, hovered } = asaViz;
  const box = panels.photo.canvas.getBoundingClientRect();
  const fit = Math.min(box.width / picture.width, box.height / picture.height);
  const place = (at, start, size, shown, count) =>
    Math.floor(((at + 0.1 - start - (size - shown) / 2) / shown) * count);
  const column = place(left, box.left, box.width, picture.width * fit, session.width);
  const row = place(top, box.top, box.height, picture.height * fit, session.height);
  return [row * session.width + column, hovered];
}"""
# Texts of the diagram that do not fit into their box, or into the diagram.
OUTSIDE = """(all) => all.filter((e) => {
  const { x, width } = e.getBBox(), box = e.previousElementSibling;
  const [left, across] = box?.tagName === "rect"
    ? [box.x.baseVal.value, box.width.baseVal.value] : [0, e.ownerSVGElement.viewBox.baseVal.width];
  return x < left || x + width > left + across;
}).map((e) => e.textContent)"""
WORDS = """(all) => all.filter((e) => e.textContent.trim() && e.getClientRects().length)
  .map((e) => [e.textContent.trim(), e.dataset.term ?? ""])"""
CHOICES = WORDS.replace(" && e.getClientRects().length", "")
ENTRIES = """(all) => all.map(
  (e) => [e.querySelector("dt").textContent, e.querySelector("dd").textContent])"""
FORGET = "localStorage.removeItem('asa-viz touched')"


def ghost_of(visit):
    """Open the page as for the first time, and return the pointer that leads."""
    visit.open()
    visit.page.evaluate(FORGET)
    visit.page.evaluate("localStorage.setItem('asa-viz film', '1')")
    # A pointer that rests over the panels would be a touch.
    visit.page.mouse.move(1, 1)
    visit.open()
    return visit.find(".ghost")


def tip_of(ghost):
    """Where the pointer's tip is, in pixels of the window."""
    left, top = ghost.evaluate(
        "(e) => { const b = e.getBoundingClientRect(); return [b.left, b.top]; }"
    )
    return left, top


def test_a_pointer_stands_at_the_query_until_the_first_touch(visitors):
    visit = visitors()
    ghost = ghost_of(visit)
    expect(ghost).to_have_text(ENGLISH["app.ghost"])
    query = visit.state["query"]
    x, y, width, height = visit.place()
    picture = visit.ask("[viewer.session.imageWidth, viewer.session.imageHeight]")
    tip = tip_of(ghost)
    assert tip[0] == pytest.approx(x + width * (query[0] + 0.5) / picture[0], abs=2)
    assert tip[1] == pytest.approx(y + height * (query[1] + 0.5) / picture[1], abs=2)
    # Nothing moves where nothing shall.
    visit.page.wait_for_timeout(3500)
    assert visit.state["query"] == query
    assert tip_of(ghost) == tip
    visit.point("photo", (2, 3))
    expect(ghost).to_have_count(0)
    visit.open()
    expect(ghost).to_have_count(0)


def test_it_leads_the_query_over_the_photo_where_motion_is_wanted(visitors):
    visit = visitors(reduced_motion="no-preference")
    ghost = ghost_of(visit)
    first = visit.cell
    looks = visit.ask("viewer.host.gallery[0].looks")
    assert visit.state["query"] == looks[0]
    visit.wait(
        "Number(viewer.element.dataset.cell) !== given[0] * viewer.session.width + given[1]", *first
    )
    # The row that is shown is the one under its tip.
    under, hovered = visit.page.evaluate(UNDER_THE_TIP)
    assert under == hovered
    # It goes straight to the next point worth a look.
    x, y = visit.state["query"]
    assert min(looks[0][0], looks[1][0]) <= x <= max(looks[0][0], looks[1][0])
    assert min(looks[0][1], looks[1][1]) <= y <= max(looks[0][1], looks[1][1])
    row, column = visit.grid.cell_at(Pixel(*looks[1]))
    visit.wait("viewer.hovered === given[0] * viewer.session.width + given[1]", row, column)
    visit.page.mouse.move(*visit.spot("photo", (1, 1)))
    expect(ghost).to_have_count(0)
    assert visit.settle().cell == (1, 1)
    assert visit.page.evaluate("localStorage.getItem('asa-viz touched')") == "1"


@pytest.mark.parametrize("act", ["key", "press"])
def test_a_key_or_a_press_is_a_touch(visitors, act):
    visit = visitors()
    ghost = ghost_of(visit)
    if act == "key":
        visit.press("ArrowRight", panel="photo")
    else:
        visit.find('[data-tab="classes"]').click()
    expect(ghost).to_have_count(0)


def test_a_link_needs_no_pointer(visitors):
    visit = visitors().open()
    visit.page.evaluate(FORGET)
    visit.open("?x=20&y=20&lock=1")
    expect(visit.find(".ghost")).to_have_count(0)


def test_every_word_for_an_idea_says_what_it_means(visit):
    """The panels, the rules, the legends, the table and the sentence, in row and column."""
    for direction in ("row", "column"):
        visit.set('[data-set="direction"]', direction == "column")
        for selector in (
            ".panel h2 .title",
            ".panel h2 :is([data-set='map'], [data-set='layer']) option",
            ".numbers th",
            ".what-if [data-text]:not(button, option, .badge)",
            '[data-panel="neighbours"] .legend li',
            '.sentence [class*="idea-"]',
        ):
            found = visit.find(selector).evaluate_all(
                CHOICES if "option" in selector[-6:] else WORDS
            )
            assert found, selector
            assert not [word for word, term in found if term not in TERMS], (selector, found)


def test_a_term_is_explained_under_the_pointer_and_the_browser_says_nothing_twice(visit):
    tip = visit.find(".tooltip")
    heading = visit.find('[data-panel="sparse"] .title')
    heading.hover()
    expect(tip).to_be_visible()
    expect(tip).to_have_text(ENGLISH["term.arnn"] + ENGLISH["term.arnn.text"])
    # The pointer may go over it, to read or to select.
    tip.hover()
    visit.page.wait_for_timeout(300)
    expect(tip).to_be_visible()
    box = tip.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= visit.page.viewport_size["width"]
    visit.page.mouse.move(1, 1)
    expect(tip).to_be_hidden()

    button = visit.find('[data-do="link"]')
    title = button.get_attribute("title")
    button.hover()
    expect(tip).to_have_text(title)
    expect(tip).to_be_visible()
    assert button.get_attribute("title") is None
    visit.page.keyboard.press("Escape")
    expect(tip).to_be_hidden()
    assert button.get_attribute("title") == title


def test_what_has_the_focus_is_explained_too(visit):
    tip = visit.find(".tooltip")
    visit.find('[data-do="lesson"]').focus()
    visit.page.keyboard.press("ArrowRight")
    expect(tip).to_have_text(ENGLISH["tools.guess.title"])
    expect(tip).to_be_visible()
    visit.page.keyboard.press("Escape")
    expect(tip).to_be_hidden()
    visit.find('[data-do="lesson"]').focus()
    visit.page.keyboard.press("ArrowRight")
    expect(tip).to_be_visible()
    visit.canvas().focus()
    expect(tip).to_be_hidden()


def test_the_choice_of_a_list_is_explained(visit):
    visit.set('[data-set="map"]', "support")
    visit.find('[data-set="map"]').hover()
    expect(visit.find(".tooltip")).to_have_text(
        ENGLISH["term.support"] + ENGLISH["term.support.text"]
    )


def test_a_tap_explains_a_word(visitors):
    visit = visitors(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True).open()
    visit.find(".sentence .idea-kept").first.tap()
    tip = visit.find(".tooltip")
    expect(tip).to_be_visible()
    expect(tip).to_contain_text(ENGLISH["term.support.text"])
    visit.canvas().tap()
    expect(tip).to_be_hidden()


@pytest.mark.parametrize("language", dictionaries())
def test_the_overview_explains_every_term_and_names_all_sources(visitors, language):
    words = dictionaries()[language]
    visit = visitors().open(f"?lang={language}")
    visit.find("[data-overview='']").click()
    overview = visit.find(OVERVIEW)
    expect(overview).to_be_visible()
    terms = overview.locator(".terms div").evaluate_all(ENTRIES)
    assert terms == [
        [words[f"term.{each}"], words[f"term.{each}.text"]] for each in terms_in_order()
    ]
    # Every text of the diagram lies in the diagram, whatever the language.
    outside = overview.locator(".diagram svg text").evaluate_all(OUTSIDE)
    assert outside == []
    assert overview.locator(".diagram svg text").count() == 17
    said = overview.inner_text()
    for example in EXAMPLES:
        assert f"{words[f'gallery.{example.name}']}: {example.credit}" in said
    links = overview.locator("a").evaluate_all("(all) => all.map((e) => [e.href, e.target, e.rel])")
    assert [words["app.paper.url"], "_blank", "noopener"] in links
    assert [words["app.code.url"], "_blank", "noopener"] in links


def terms_in_order():
    """The terms in the order in which the viewer's sources list them."""
    source = (ROOT / "app/viewer/core/terms.ts").read_text("utf-8")
    listed = re.findall(r'"(\w+)"', source.split("export const TERMS = [")[1].split("]")[0])
    assert sorted(listed) == sorted(TERMS)
    return listed


def test_the_overview_is_opened_and_left_by_keys_alone_and_its_keys_are_its_own(visit):
    visit.canvas().focus()
    query = visit.state["query"]
    visit.page.keyboard.press("?")
    overview = visit.find(OVERVIEW)
    expect(overview).to_be_visible()
    # The question mark asks for the words.
    assert overview.evaluate("(e) => e.scrollTop") > 0
    assert visit.page.evaluate("document.activeElement.closest('.overview') !== null")
    for key in ("ArrowRight", "u", "p", "s"):
        visit.page.keyboard.press(key)
    assert visit.state["query"] == query
    visit.page.keyboard.press("Escape")
    expect(overview).to_be_hidden()
    assert visit.page.evaluate("document.activeElement === asaViz.panels.photo.canvas")
    assert visit.state["locked"] is False


def test_the_first_screen_links_to_paper_code_and_credits(visit):
    links = visit.find(".links a").evaluate_all("(all) => all.map((e) => [e.textContent, e.href])")
    assert links == [
        [ENGLISH["app.paper"], "https://doi.org/10.1117/1.JEI.33.3.033038"],
        [ENGLISH["app.code"], "https://github.com/CanZhang01/ASA"],
    ]
    visit.find('.links [data-overview="credits"]').click()
    top = visit.find("#asa-overview-credits").evaluate("(e) => e.getBoundingClientRect().top")
    assert 0 < top < visit.page.viewport_size["height"]
    visit.find(f"{OVERVIEW} .close").click()
    expect(visit.find(OVERVIEW)).to_be_hidden()
    # Beside the overview is the page.
    visit.find("[data-overview='']").click()
    visit.page.mouse.click(3, 300)
    expect(visit.find(OVERVIEW)).to_be_hidden()


@pytest.mark.parametrize("language", dictionaries())
def test_the_top_is_one_line(visitors, language):
    visit = visitors().open(f"?lang={language}")
    for width in (1440, 1400, 1280, 1024, 900):
        visit.page.set_viewport_size({"width": width, "height": 900})
        assert visit.find(".top").evaluate("(e) => e.offsetHeight") <= 34, width
