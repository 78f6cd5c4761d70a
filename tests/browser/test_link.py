"""A link restores exactly what was shown, and every step can be undone."""

import itertools

import pytest
from playwright.sync_api import expect

from app.gallery import EXAMPLES
from app.viewer import dictionaries
from tests.browser.visit import query_cell

ENGLISH = dictionaries()["en"]


def shown(visit):
    """All that is shown: the state, the pixels and the words."""
    visit.page.mouse.move(2, 2)
    visit.page.wait_for_function("window.asaViz?.hovered === null")
    # A changed rule is run by itself, and the segmentation shows what comes of it.
    visit.wait("viewer.find('.badge').hidden || !viewer.host.rerun || viewer.rerun").settle()
    return visit.state, visit.pictures(), visit.text(".panels"), visit.text(".sentence")


def test_a_link_opens_exactly_the_same_state(visitors):
    visit = visitors().open()
    visit.find(f'[data-picture="{EXAMPLES[2].name}"]').click()
    visit.wait("viewer.opened.picture === given[0]", EXAMPLES[2].name).settle()
    for cell in [(1, 2), (7, 9)]:
        visit.click("photo", cell)
        visit.press("Enter")
    visit.click("photo", (4, 6))
    for selector, value in {
        '[data-what-if="nonlocalFactor"]': 1.5,
        '[data-what-if="localFactor"]': 0.6,
        '[data-what-if="reciprocity"]': False,
        '[data-what-if="localRule"]': False,
        '[data-what-if="window"]': 5,
        '[data-set="direction"]': True,
        '[data-set="map"]': "chosen",
        '[data-set="layer"]': "groups",
        '[data-set="strength"]': "2",
        '[data-set="lines"]': False,
        '[data-set="scale"]': False,
        '[data-set="shared"]': True,
        '[data-set="colormap"]': "inferno",
        '[data-set="opacity"]': 0.6,
        '[data-set="language"]': "zh-TW",
    }.items():
        visit.set(selector, value)
    visit.press("+", "+", panel="photo")
    before = shown(visit)
    link = visit.ask("viewer.link()")
    assert not link["upload"]
    visit.page.wait_for_url(link["url"])
    other = visitors()
    other.page.goto(link["url"])
    other.settle()
    assert shown(other) == before
    other.reload()
    assert shown(other) == before


def test_a_link_to_a_comparison_opens_it(visitors):
    visit = visitors().open()
    for cell in [(1, 2), (7, 9)]:
        visit.click("photo", cell)
        visit.press("Enter")
    visit.find('[data-name="01"]').click()
    visit.set('[data-what-if="topK"]', 16)
    # The head is run under the rule by itself, here and where the link is opened.
    visit.wait("viewer.moment.rerun")
    before = shown(visit.settle())
    other = visitors()
    other.page.goto(visit.ask("viewer.link().url"))
    other.wait("viewer.moment?.rerun")
    other.settle()
    assert shown(other) == before


def test_the_first_pixel_of_a_picture_is_in_a_link_too(visitors):
    visit = visitors().open()
    visit.page.evaluate("asaViz.lock([0, 0])")
    other = visitors()
    other.page.goto(visit.settle().ask("viewer.link().url"))
    assert other.settle().state["query"] == [0, 0]
    assert other.state == visit.state


def test_a_link_leaves_the_language_to_its_reader(visitors):
    visit = visitors().open()
    visit.click("photo", (4, 4))
    for link in (visit.ask("viewer.link().url"), visit.page.url):
        assert "at=" in link
        assert "lang=" not in link
        other = visitors(locale="zh-CN")
        other.page.goto(link)
        assert other.settle().state == {**visit.state, "language": "zh-CN"}


def test_the_link_to_a_step_of_the_lesson_names_no_language_either(visitors):
    visit = visitors().open("?lesson=5&lang=zh-TW")
    visit.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visit.find(".lesson .link").click()
    expect(visit.find(".status")).not_to_be_empty()
    link = visit.page.evaluate("navigator.clipboard.readText()")
    visit.page.context.clear_permissions()
    assert "lesson=5" in link
    assert "lang=" not in link


def test_a_link_to_flipped_pixels_runs_the_head_again(visitors):
    visit = visitors().open()
    visit.click("photo", (4, 4))
    visit.set('[data-what-if="nonlocalFactor"]', 2)
    visit.do("rerun")
    visit.wait("viewer.rerun && viewer.state.layer === 'flips'")
    before = shown(visit.settle())
    other = visitors()
    other.page.goto(visit.ask("viewer.link().url"))
    other.settle().wait("viewer.rerun")
    assert shown(other) == before


HOSTILE = (
    "?at=1.x&lock=7&pins=1.2.3&opacity=NaN&zoom=0_1&lang=xx&palette=__proto__&map=toString"
    "&layer=constructor&strength=3&t1=-1&t2=Infinity&top=7&window=9&lesson=99&compare=0.3&look=up"
    "&__proto__=1&unknown=%00%ff"
)
NOWHERE = "?picture=nowhere&network=none&at=3.4&lock=1&zoom=2_0.1_0.1"
PROTOTYPE = "?network=constructor&picture=__proto__"
SCRIPT = "?picture=<script>alert(1)</script>&network=..%2f..%2fetc%2fpasswd"


@pytest.mark.parametrize(
    "words", [HOSTILE, NOWHERE, PROTOTYPE, SCRIPT, "?picture=temple&at=99999.99999"]
)
def test_words_of_a_link_that_are_not_valid_say_nothing(visitors, words):
    start = visitors().open("?picture=temple" if "temple" in words else "")
    visit = visitors().open(words)
    assert shown(visit) == shown(start)
    # What is not here is said, until the visitor goes on.
    missing = words in (NOWHERE, PROTOTYPE, SCRIPT)
    said = (
        " ".join(ENGLISH[f"error.no_{name}"] for name in ("picture", "network")) if missing else ""
    )
    visit.page.wait_for_timeout(400)
    assert visit.text(".status") == said
    visit.point("photo", (1, 1))
    assert visit.text(".status") == said
    visit.click("photo", (2, 2))
    assert visit.text(".status") == ""


def test_the_address_follows_the_picture(visitors):
    visit = visitors().open()
    for name in (EXAMPLES[3].name, EXAMPLES[1].name):
        visit.find(f'[data-picture="{name}"]').click()
        visit.wait("viewer.opened.picture === given[0]", name).settle()
        visit.page.wait_for_url(f"**picture={name}*")
        assert visit.reload().state["picture"] == name


def test_the_page_around_a_frame_is_told_the_words_of_the_address(visitors, server):
    """The page of a Space takes them over into the address that is seen."""
    visit = visitors()
    visit.page.route(
        "**/around", lambda route: route.fulfill(body="<iframe></iframe>", content_type="text/html")
    )
    visit.page.goto(f"{server.address}/around")
    visit.page.evaluate(
        """() => {
          window.told = [];
          window.addEventListener("message", ({ data }) => {
            if (data?.queryString) told.push(data.queryString);
          });
          document.querySelector("iframe").src = "/";
        }"""
    )
    frame = visit.page.frames[1]
    frame.wait_for_function("window.asaViz?.moment")
    frame.evaluate("asaViz.lock([100, 90])")
    visit.page.wait_for_function("told.at(-1)?.includes('at=100.90')")
    assert visit.page.evaluate("told.at(-1)") == frame.evaluate("location.search.slice(1)")


def test_a_link_of_an_upload_says_that_the_picture_is_not_in_it(visitors, noise):
    visit = visitors().open()
    visit.upload(noise(200, 300))
    visit.click("photo", (3, 3))
    link = visit.ask("viewer.link()")
    assert link["upload"]
    assert "upload" not in link["url"]
    visit.do("link")
    expect(visit.find(".status")).to_contain_text("own picture is not in it")
    other = visitors()
    other.page.goto(link["url"])
    assert other.settle().state["picture"] == EXAMPLES[0].name


def test_the_link_is_copied_or_shown_to_be_copied(visitors):
    visit = visitors().open()
    visit.click("photo", (2, 8))
    visit.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visit.do("link")
    expect(visit.find(".status")).to_have_text("Link copied.")
    assert visit.page.evaluate("navigator.clipboard.readText()") == visit.ask("viewer.link().url")
    visit.page.context.clear_permissions()
    visit.page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(Error()); }")
    visit.do("link")
    field = visit.find(".link-field")
    assert field.input_value() == visit.ask("viewer.link().url")
    expect(field).to_be_focused()
    visit.page.keyboard.press("Escape")
    expect(field).to_have_count(0)


def test_undo_redo_and_the_strip_lead_back_and_forth(visit):
    cells = [(1, 1), (2, 5), (6, 8)]
    for cell in cells:
        visit.click("photo", cell)
    visit.set('[data-what-if="reciprocity"]', False)
    last = shown(visit)
    for reciprocity, cell in [(True, cells[2]), (True, cells[1]), (True, cells[0])]:
        visit.do("undo")
        assert visit.settle().cell == cell
        assert visit.state["whatIf"]["reciprocity"] == reciprocity
    for _ in range(3):
        visit.do("redo")
    assert visit.find('[data-do="redo"]').is_disabled()
    assert shown(visit) == last
    steps = visit.find(".history button")
    assert steps.count() == 4
    assert steps.last.get_attribute("aria-current") == "true"
    assert steps.nth(1).get_attribute("title").startswith("Back to row 2, column 2,")
    steps.nth(1).click()
    assert visit.settle().cell == cells[0]
    assert query_cell(visit) == cells[0]
    visit.page.wait_for_function("!document.querySelector('.asa [data-do=redo]').disabled")


def test_undo_leads_back_to_the_picture_and_the_query_before(visit):
    visit.click("photo", (6, 3))
    before = shown(visit)
    visit.find(f'[data-picture="{EXAMPLES[4].name}"]').click()
    visit.wait("viewer.opened.picture === given[0]", EXAMPLES[4].name).settle()
    visit.do("undo")
    visit.wait("viewer.opened.picture === given[0]", EXAMPLES[0].name).settle()
    assert shown(visit) == before


def test_no_haste_of_changes_is_too_much(visit):
    """A browser allows some 200 changes of the address in ten seconds, and complains of more."""
    visit.click("photo", (4, 4))
    changes = visit.page.evaluate(
        """() => {
          const replace = history.replaceState;
          let changes = 0;
          history.replaceState = (...given) => { changes++; replace.apply(history, given); };
          for (let k = 0; k < 100; k++) asaViz.zoom([1 + k / 100, 0, 0]);
          return changes;
        }"""
    )
    # The first are written at once, and the last when they have ended.
    assert changes <= 30
    visit.settle().page.wait_for_function("location.search.includes('zoom=1.99_')")


def test_pictures_may_be_changed_while_they_are_on_their_way(visit):
    spots = [visit.spot("photo", cell) for cell in itertools.product((1, 7), (2, 9))]
    visit.click("photo", (4, 4))
    names = [example.name for example in EXAMPLES]
    for k, name in enumerate([names[1], names[5], names[0], names[6], names[3]]):
        visit.find(f'[data-picture="{name}"]').click(no_wait_after=True)
        visit.page.mouse.click(*spots[k % 4])
        visit.page.keyboard.press("u" if k % 2 else "Enter")
    visit.find(f'[data-picture="{names[2]}"]').click()
    visit.wait("viewer.opened?.picture === given[0]", names[2]).settle()
    assert visit.ask("[viewer.session.imageWidth, viewer.session.imageHeight]") == visit.ask(
        "[viewer.picture.width, viewer.picture.height]"
    )
    assert query_cell(visit) == visit.cell
