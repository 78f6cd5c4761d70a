"""The tab has the page's title in the visitor's language; what is said without JavaScript."""

import pytest
from playwright.sync_api import expect

from app.viewer import dictionaries

WORDS = dictionaries()


@pytest.mark.parametrize(
    ("locale", "language"), [("en-GB", "en"), ("zh-CN", "zh-CN"), ("zh-HK", "zh-TW")]
)
def test_the_tab_is_titled_in_the_browser_s_language(visitors, locale, language):
    visit = visitors(locale=locale).open()
    # Gradio gives the document its own title when it has loaded.
    expect(visit.page).to_have_title(WORDS[language]["app.document"])
    assert visit.page.locator("html").get_attribute("lang") == language
    assert visit.text("h1") in visit.page.title()


def test_the_title_follows_the_language(visit):
    for language in ("zh-CN", "zh-TW", "en"):
        visit.set('[data-set="language"]', language)
        expect(visit.page).to_have_title(WORDS[language]["app.document"])
        expect(visit.page.locator("html")).to_have_attribute("lang", language)


def test_a_link_that_names_a_language_is_titled_in_it(visitors):
    visit = visitors().open("?lang=zh-TW")
    expect(visit.page).to_have_title(WORDS["zh-TW"]["app.document"])


def test_without_javascript_the_page_says_what_it_needs(browser, server):
    context = browser.new_context(java_script_enabled=False, color_scheme="dark")
    page = context.new_page()
    page.goto(server.address)
    assert page.title() == WORDS["en"]["app.document"]
    said = page.locator("noscript p")
    expect(said).to_be_visible()
    expect(said).to_have_text(WORDS["en"]["preview.without_script"])
    context.close()


def test_a_picture_of_the_page_is_shown_on_another_site_s_page(browser, server):
    """As a preview does; any other file of the server is not."""
    # A document of the server's other name stands for the other site, but for its policy.
    context = browser.new_context(bypass_csp=True)
    page = context.new_page()
    page.goto(f"{server.address}/healthz")
    size = """(src) => new Promise((tell) => {
      const image = new Image();
      image.onload = () => tell([image.naturalWidth, image.naturalHeight]);
      image.onerror = () => tell(null);
      image.src = src;
    })"""
    local = server.address.replace("127.0.0.1", "localhost")
    assert local != server.address
    assert page.evaluate(size, f"{local}/link_preview.jpg") == [1200, 630]
    assert page.evaluate(size, f"{local}/pwa_icon/192") is None
    context.close()
