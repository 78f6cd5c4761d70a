"""The page as `python -m app` serves it, with the network that ships: one real click."""

import socket
import subprocess
import sys
import time
from urllib.error import URLError
from urllib.request import urlopen

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect, sync_playwright

from app.gallery import EXAMPLES
from app.texts import PANELS
from tests.browser.chromium import ARGUMENTS, executable

pytestmark = pytest.mark.slow

# Loading the libraries and encoding the first picture, on a busy machine.
PATIENCE = 180_000


@pytest.fixture(scope="module")
def address():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-W", "ignore", "-m", "app", "--port", str(port), "--device", "cpu"]
    server = subprocess.Popen(command)
    address = f"http://127.0.0.1:{port}"
    for _ in range(PATIENCE // 1000):
        try:
            urlopen(address, timeout=5).close()
            break
        except (URLError, OSError):
            assert server.poll() is None, "the server has stopped"
            time.sleep(1)
    yield address
    server.terminate()
    server.wait(30)


def panels(page):
    """The six panels as arrays, as the browser was given them."""
    images = {}
    for name in PANELS:
        url = page.locator(f".view-{name} img").get_attribute("src")
        with urlopen(url, timeout=30) as file:
            images[name] = np.asarray(Image.open(file).convert("RGB")).astype(int)
    return images


def counts(page):
    """The numbers of the neighbours' legend by their names."""
    entries = page.locator(".view-neighbours .caption b").all_inner_texts()
    return [int(entry.replace(",", "")) for entry in entries]


def test_a_click_shows_all_panels_for_a_photograph_and_for_an_upload(address, tmp_path):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(PATIENCE)
        expect.set_options(timeout=60_000)
        page.goto(address)
        expect(page.locator("#sentence")).to_contain_text("of 2700 cells")
        first = panels(page)
        sentence = page.locator("#sentence").inner_text()
        click(page, "photo", 0.51, 0.05)
        expect(page.locator("#sentence")).to_contain_text("Row 2, column 30, on sky.")
        assert page.locator("#sentence").inner_text() != sentence
        second = panels(page)
        for name in PANELS:
            assert (first[name] != second[name]).any(), name
        check(page, second)

        portrait = tmp_path / "portrait.png"
        Image.open(EXAMPLES[-1].path).rotate(90, expand=True).save(portrait)
        page.locator("input[type=file]").set_input_files(portrait)
        expect(page.locator(".view-photo .caption").first).to_contain_text(
            "427 × 640 pixels, 60 × 45"
        )
        third = panels(page)
        height, width = third["dense"].shape[:2]
        assert height > width
        check(page, third)
        browser.close()


def click(page, name, across, along):
    """Click on a panel at these shares of its width and height."""
    box = page.locator(f".view-{name} img").bounding_box()
    page.mouse.click(box["x"] + across * box["width"], box["y"] + along * box["height"])


def check(page, images):
    """All five panels of a query show something, and agree with each other."""
    for name in ("dense", "sparse", "thresholds", "neighbours", "segmentation"):
        assert images[name].std() > 3, name
    both, local_only, *_ = counts(page)
    keeps = page.locator("#sentence").inner_text().split("Keeps ")[1].split(" of")[0]
    assert 0 < int(keeps.replace(",", "")) == both + local_only
