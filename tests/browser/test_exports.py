"""Exported files can be read, and hold the same numbers as the library and the page."""

import csv
import json
import zipfile
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from app.gallery import EXAMPLES
from app.viewer import dictionaries
from asa_viz.attention.what_if import WhatIf
from asa_viz.geometry import Cell
from tests.browser.visit import SETTLED, Visit

CELL = Cell(5, 3)


def save(visit, name, folder, panels="all"):
    """Save a file from the menu, and return where it lies."""
    visit.do("export")
    visit.find('[data-menu="export"] select').select_option(panels)
    with visit.page.expect_download() as download:
        visit.find(f'[data-save="{name}"]').click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    assert path.suffix == f".{name}"
    expect(visit.find(".status")).to_contain_text(path.name)
    visit.page.keyboard.press("Escape")
    return path


@pytest.fixture
def view(server):
    return server.session(EXAMPLES[0].path).query_cell(CELL, WhatIf(1.2))


@pytest.fixture
def asking(visit):
    """A visitor with a query under a what-if."""
    visit.click("photo", CELL)
    visit.set('[data-what-if="nonlocalFactor"]', 1.2)
    return visit


def test_tables_and_arrays_hold_the_library_s_numbers(asking, server, view, tmp_path):
    with save(asking, "csv", tmp_path).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    kept = {(int(row["row"]), int(row["column"])) for row in rows}
    assert kept == set(zip(*(each.tolist() for each in np.nonzero(view.support)), strict=True))
    for row in rows:
        cell = int(row["row"]), int(row["column"])
        assert float(row["weight"]) == pytest.approx(view.weights[cell], rel=1e-3)
        assert float(row["dense"]) == pytest.approx(view.dense[cell], rel=1e-3)
        assert float(row["incoming_times_uniform"]) == pytest.approx(
            108 * view.incoming[cell], rel=1e-3
        )
    assert sum(float(row["weight"]) for row in rows) == pytest.approx(1, abs=1e-5)

    path = save(asking, "npz", tmp_path)
    session = server.session(EXAMPLES[0].path)
    with np.load(path) as arrays:
        for name in ("dense", "weights", "incoming"):
            np.testing.assert_allclose(arrays[name], getattr(view, name), rtol=1e-3, err_msg=name)
        for name in ("chosen", "chooses_back", "reciprocal", "local", "support"):
            assert arrays[name].dtype == bool
            assert (arrays[name] == getattr(view, name)).all(), name
        assert (arrays["cell_labels"] == session.segmentation.cell_labels).all()
        assert (arrays["labels"] == session.segmentation.working_labels).all()
        np.testing.assert_array_equal(arrays["nonlocal_scale"], session.scales[0])
    manifest = json.loads(zipfile.ZipFile(path).read("manifest.json"))
    assert (manifest["query"]["cell"]["row"], manifest["query"]["cell"]["column"]) == CELL
    assert manifest["what_if"]["changed"]
    assert manifest["what_if"]["nonlocal_factor"] == 1.2
    assert manifest["link"] == asking.ask("viewer.link().url")


def test_pictures_are_whole_and_say_where_they_come_from(asking, tmp_path):
    sizes = {}
    for panels in ("all", "neighbours"):
        with Image.open(save(asking, "png", tmp_path, panels)) as image:
            image.load()
            sizes[panels] = image.size
            assert image.text["Source"] == asking.ask("viewer.link().url")
            assert "Not" in image.text["Description"] or "not" in image.text["Description"]
            assert np.asarray(image.convert("RGB")).std() > 20
        drawing = ElementTree.parse(save(asking, "svg", tmp_path, panels)).getroot()
        assert drawing.tag == "{http://www.w3.org/2000/svg}svg"
        words = " ".join(drawing.itertext())
        assert "Neighbours" in words
        assert ("Segmentation" in words) == (panels == "all")
        assert "http" not in "".join(
            value for element in drawing.iter() for name, value in element.items() if "href" in name
        )
    assert min(sizes["all"]) >= 1000
    assert sizes["all"][0] > sizes["neighbours"][0] >= 600


def test_the_saved_page_opens_from_disk_answers_and_asks_nobody(asking, browser, server, tmp_path):
    path = save(asking, "html", tmp_path)
    context = browser.new_context(viewport={"width": 1440, "height": 900}, offline=True)
    saved = Visit(context.new_page(), path.as_uri())
    saved.page.goto(path.as_uri())
    saved.page.wait_for_function(SETTLED)
    assert saved.state == asking.state
    # A file has no server to run the head under the changed rule, and says so.
    legend = ".asa [data-panel='segmentation'] .caption"
    assert "as trained" in saved.page.locator(legend).inner_text()
    for each in (saved, asking):
        each.page.locator(legend).evaluate("(caption) => caption.remove()")
    for part in (".panels", ".sentence", ".numbers"):
        assert saved.text(part) == asking.text(part)
    saved.press("Escape", panel="photo")
    for panel, cell in [("photo", Cell(1, 1)), ("map", Cell(8, 11))]:
        saved.point(panel, cell)
        assert saved.cell == cell
        view = server.session(EXAMPLES[0].path).query_cell(cell, WhatIf(1.2))
        np.testing.assert_allclose(
            saved.ask("[...viewer.scenes.sparse.values]"),
            view.weights_times_uniform.ravel(),
            rtol=1e-3,
        )
    saved.set('[data-what-if="reciprocity"]', False)
    for name in ("rerun", "link", "methods"):
        assert not saved.find(f'[data-do="{name}"]').is_visible(), name
    # It speaks the language that it was saved in.
    for name in ('[data-tab="pairs"]', ".open", '[data-set="language"]'):
        assert not saved.find(name).is_visible(), name
    # Without heads to compare the chapter on the families is a page to read.
    saved.page.evaluate("asaViz.store.set({ lesson: 16 })")
    expect(saved.find(".lesson h2")).to_be_visible()
    assert dictionaries()["en"]["lesson.families.gates"] in saved.text(".lesson")
    assert dictionaries()["en"]["lesson.families.task_offline"] in saved.text(".lesson")
    expect(saved.find(".lesson .steps button").nth(15)).to_contain_class("done")
    assert [url for url in saved.requests if not url.startswith(("file:", "blob:", "data:"))] == []
    assert saved.complaints == []
    context.close()


def test_the_menu_is_worked_by_keyboard_and_closes(asking):
    button, menu = asking.find('[data-do="export"]'), asking.find('[data-menu="export"]')
    button.focus()
    asking.page.keyboard.press("Enter")
    expect(menu).to_be_visible()
    assert button.get_attribute("aria-expanded") == "true"
    expect(menu.locator("select")).to_be_focused()
    asking.page.keyboard.press("Tab")
    expect(menu.locator('[data-save="png"]')).to_be_focused()
    asking.page.keyboard.press("ArrowDown")
    expect(menu.locator('[data-save="svg"]')).to_be_focused()
    asking.page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(button).to_be_focused()
    asking.page.keyboard.press("Enter")
    asking.page.mouse.click(*asking.spot("photo", (1, 1)))
    expect(menu).to_be_hidden()
