"""All texts of the page are in the visitor's language."""

import re

import pytest
from playwright.sync_api import expect

from app.viewer import dictionaries

KEY = re.compile(r"^[a-z_]+(\.[\w]+)+$")
# Every text and every label there is on the page, hidden ones too.
SAID = """() => {
  const said = [];
  for (const element of document.querySelectorAll(".asa, .asa *")) {
    if (element.tagName === "STYLE") continue;
    for (const node of element.childNodes) if (node.nodeType === 3) said.push(node.data.trim());
    for (const name of ["title", "aria-label", "alt", "placeholder"]) {
      if (element.hasAttribute(name)) said.push(element.getAttribute(name).trim());
    }
  }
  return said.filter(Boolean);
}"""


def walk(visit):
    """Go through what the page can show, and yield all that it says each time."""
    yield visit.page.evaluate(SAID)
    visit.click("photo", (2, 3))
    visit.press("Enter")
    visit.click("photo", (7, 8))
    visit.press("Enter")
    visit.find('[data-name="01"]').click()
    visit.settle()
    yield visit.page.evaluate(SAID)
    visit.find('[data-name="01"]').click()
    visit.set('[data-what-if="reciprocity"]', False)
    visit.do("rerun")
    visit.wait("viewer.rerun").settle()
    yield visit.page.evaluate(SAID)
    for layer in ("groups", "classes"):
        visit.set('[data-set="layer"]', layer)
        yield visit.page.evaluate(SAID)
    for name in ("support", "own"):
        visit.set('[data-set="map"]', name)
        yield visit.page.evaluate(SAID)
    for tab in ("histogram", "classes", "pairs"):
        visit.find(f'[data-tab="{tab}"]').click()
        if tab == "pairs":
            visit.page.wait_for_selector(".asa .plane .main-svg")
        yield visit.page.evaluate(SAID)
    visit.do("export")
    yield visit.page.evaluate(SAID)
    visit.page.keyboard.press("Escape")
    visit.do("lesson")
    for step in visit.find(".lesson .steps button").all():
        step.click()
        yield visit.page.evaluate(SAID)
    visit.set_quickly('[data-set="network"]', "dense")
    visit.wait("viewer.opened.network === 'dense'").settle()
    yield visit.page.evaluate(SAID)


@pytest.mark.parametrize(
    ("locale", "language"), [("en-GB", "en"), ("zh-CN", "zh-CN"), ("zh-HK", "zh-TW")]
)
def test_everything_is_said_in_the_browser_s_language(visitors, locale, language):
    visit = visitors(locale=locale).open()
    assert visit.state["language"] == language
    assert visit.page.locator(".asa").get_attribute("lang") == language
    said = {text for texts in walk(visit) for text in texts}
    assert {text for text in said if KEY.match(text)} == set()
    assert {text for text in said if re.search(r"\{\w+\}|undefined|NaN|\[object", text)} == set()
    if language != "en":
        # A sentence of the English dictionary that is said here was forgotten.
        english = {text for text in dictionaries()["en"].values() if len(text.split()) > 3}
        own = set(dictionaries()[language].values())
        assert (said & english) - own == set()


def test_the_language_is_chosen_and_everything_follows(visit):
    titles = set()
    for language in ("zh-CN", "zh-TW", "en"):
        visit.set('[data-set="language"]', language)
        words = dictionaries()[language]
        # Its words come from the server.
        expect(visit.page.locator(".asa")).to_have_attribute("lang", language)
        visit.settle()
        expect(visit.find('[data-do="export"]')).to_have_text(words["tools.export"])
        expect(visit.find('[data-panel="dense"] .title')).to_have_text(words["panel.dense.row"])
        assert list(visit.legend("neighbours")) == [
            words[f"group.{name}"] for name in ("reciprocal", "local", "query_only", "key_only")
        ]
        assert words["panel.neighbours"] in visit.canvas("neighbours").get_attribute("aria-label")
        titles.add(visit.text(".sentence"))
    assert len(titles) == 3


@pytest.mark.parametrize("language", ["zh-CN", "zh-TW"])
def test_a_refusal_is_said_in_the_visitor_s_language(visitors, tmp_path, language):
    visit = visitors().open(f"?lang={language}")
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture at all")
    visit.find(".open input").set_input_files(bad)
    expect(visit.find(".status")).to_have_text(dictionaries()[language]["error.IMG_UNKNOWN"])
