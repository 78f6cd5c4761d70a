"""The page in a real browser, with a session that needs no network."""

import gc
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from app.__main__ import launch_settings
from app.gallery import EXAMPLES
from app.page import build_page
from app.texts import PANELS
from asa_viz.images import read_image
from asa_viz.session import SessionStore
from tests.browser.chromium import ARGUMENTS, executable
from tests.fakes import fake_session

# The server runs here too: a warning of its own may not end it, nor a socket that it leaves open.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

# Browser and server share a machine with whatever else it does.
PATIENCE = 120_000


def encode(source, network):
    return fake_session(read_image(Path(source)).rgb, learned=network != "dense")


@pytest.fixture(scope="module")
def address():
    page = build_page(encode, ["asa", "dense"], SessionStore())
    # `_frontend` asks for an answer within three seconds at the start; a busy machine takes longer.
    _, address, _ = page.launch(
        prevent_thread_lock=True, quiet=True, _frontend=False, **launch_settings()
    )
    yield address
    page.close()
    gc.collect()


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser, address):
    """The page with its first result, and a check of all it said and fetched."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    errors, foreign = [], []
    page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((address, "data:", "blob:"))
            else foreign.append(request.url)
        ),
    )
    page.goto(address)
    expect(page.locator("#sentence")).to_contain_text("Keeps")
    expect(page.locator("#plots .js-plotly-plot")).to_have_count(2)
    yield page
    page.close()
    assert errors == []
    assert foreign == []


def sources(page):
    return [page.locator(f".view-{name} img").get_attribute("src") for name in PANELS]


def click_on(page, name, across, along):
    """Click on a panel at these shares of its width and height."""
    box = page.locator(f".view-{name} img").bounding_box()
    page.mouse.click(box["x"] + across * box["width"], box["y"] + along * box["height"])


def test_a_click_on_any_panel_moves_the_query_in_all(page):
    before = sources(page)
    click_on(page, "photo", 0.04, 0.06)
    expect(page.locator("#sentence")).to_contain_text("Row 0, column 0,")
    for old, new in zip(before, sources(page), strict=True):
        assert old != new
    click_on(page, "segmentation", 0.96, 0.94)
    expect(page.locator("#sentence")).to_contain_text("Row 8, column 11,")
    expect(page.get_by_label("Row 0–8")).to_have_value("8")


def test_of_quick_clicks_the_last_one_wins(page):
    for step in range(6):
        click_on(page, "dense", (2 * step + 1) / 24, 0.5)
    expect(page.locator("#sentence")).to_contain_text("Row 4, column 5,")
    page.wait_for_timeout(1500)
    expect(page.locator("#sentence")).to_contain_text("Row 4, column 5,")


def test_the_keyboard_moves_the_query(page):
    row = page.get_by_label("Row 0–8")
    start = int(row.input_value())
    row.press("ArrowDown")
    row.press("ArrowDown")
    expect(page.locator("#sentence")).to_contain_text(f"Row {start - 2},")


def test_another_photograph_and_another_network_show_their_own_result(page):
    before = sources(page)
    page.locator("#gallery .thumbnail-item").nth(len(EXAMPLES) - 1).click()
    expect(page.locator(".view-photo .prose.caption")).to_contain_text("640 × 427 pixels")
    page.get_by_label("dense", exact=True).click()
    expect(page.locator("#sentence")).to_contain_text("Keeps all 108 cells")
    assert not set(before) & set(sources(page))


def test_a_file_that_is_no_picture_leaves_the_result(page, tmp_path):
    before = sources(page)
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture at all")
    page.locator("input[type=file]").set_input_files(bad)
    expect(page.locator("#status")).to_contain_text("not a picture that can be read")
    assert sources(page) == before


def test_what_is_said_is_announced_and_the_panels_are_named(page):
    # The region has to stay while its words change: it is marked once, when the page is built.
    click_on(page, "photo", 0.04, 0.06)
    expect(page.locator("#sentence [aria-live=polite]")).to_contain_text("Row 0, column 0,")
    expect(page.locator("#status [aria-live=polite]")).to_have_count(1)
    for name in PANELS:
        assert page.locator(f".view-{name} img").get_attribute("alt")
