"""The page comes back in the language and the theme that its visitor has chosen."""

import pytest
from playwright.sync_api import expect

from app.viewer import dictionaries

IS_DARK = "document.body.classList.contains('dark')"


def spoken(visit, language):
    """Whether all of the page speaks a language."""
    expect(visit.page.locator(".asa")).to_have_attribute("lang", language)
    expect(visit.find('[data-do="export"]')).to_have_text(dictionaries()[language]["tools.export"])
    return visit.state["language"] == language


def test_a_chosen_language_is_there_after_a_reload_and_in_no_address(visitors):
    visit = visitors().open()
    visit.set('[data-set="language"]', "zh-TW")
    visit.click("photo", (3, 4))
    assert "at=" in visit.page.url
    assert "lang" not in visit.page.url
    assert spoken(visit.reload(), "zh-TW")
    assert spoken(visitors().open(), "zh-TW")
    # Another browser has its own wishes.
    assert spoken(visitors(locale="zh-CN").open(), "zh-CN")


def test_the_language_of_a_link_holds_in_its_tab_alone(visitors):
    visitors().open().set('[data-set="language"]', "zh-TW")
    visit = visitors().open("?lang=zh-CN")
    assert spoken(visit, "zh-CN")
    visit.click("photo", (3, 4))
    assert "lang" not in visit.page.url
    assert spoken(visit.reload(), "zh-CN")
    assert spoken(visitors().open(), "zh-TW")
    # What is chosen later goes before what the link has said.
    visit.set('[data-set="language"]', "en")
    assert spoken(visit.reload(), "en")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_chosen_theme_is_there_after_a_reload(visitors, scheme):
    visit = visitors(color_scheme=scheme).open()
    assert visit.page.evaluate(IS_DARK) == (scheme == "dark")
    visit.do("theme")
    for _ in range(2):
        assert visit.page.evaluate(IS_DARK) != (scheme == "dark")
        visit.reload()
    # The system may change from day to night; what was chosen stays.
    for other in ("dark", "light", scheme):
        visit.page.emulate_media(color_scheme=other)
        visit.page.wait_for_timeout(100)
        assert visit.page.evaluate(IS_DARK) != (scheme == "dark")
    visit.do("theme")
    assert visit.reload().page.evaluate(IS_DARK) == (scheme == "dark")


def test_a_browser_that_keeps_nothing_stops_nothing(visitors):
    visit = visitors()
    visit.page.add_init_script(
        """for (const name of ["localStorage", "sessionStorage"]) {
          Object.defineProperty(window, name, { get() { throw new Error("kept from it"); } });
        }"""
    )
    visit.open("?lang=zh-CN")
    assert spoken(visit, "zh-CN")
    before = visit.page.evaluate(IS_DARK)
    visit.do("theme")
    assert visit.page.evaluate(IS_DARK) != before
    visit.set('[data-set="language"]', "en")
    assert spoken(visit, "en")
    # Gradio itself may ask for what it is not given.
    visit.complaints[:] = [line for line in visit.complaints if "kept from it" not in line]
