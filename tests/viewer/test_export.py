"""Exported files can be read by numpy, csv, Pillow, an XML parser and a browser."""

import csv
import json
import time
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import sync_playwright

from app.chromium import ARGUMENTS, executable
from app.encodings import stored
from app.viewer import dictionaries, lesson, program
from tests.viewer.node import node, run

SVG = "{http://www.w3.org/2000/svg}"
NETWORK, PICTURE = "asa_mobilenetv2_outdoor", "leuven_lane"
# The page of a server, as far as the viewer sees it.
PAGE = """<!doctype html><body><div id="viewer"></div><script>{program}
asaViz("page", {{
  element: document.getElementById("viewer"), program: asaViz,
  server: {{ words: async () => ({{ ok: true, words: {words} }}) }},
  props: {{ offer: {{
    gallery: [{{
      id: "leuven_lane", query: [500, 420], thumbnail: "", stored: {{ {network}: "packet" }},
    }}],
    networks: [{{ name: "{network}", title: "ASA" }}], plotly: "",
  }} }},
}});</script>"""


def write(*arguments):
    if node() is None:
        pytest.skip("Node.js is not on the PATH")
    run("export_files.mjs", *arguments)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    Image.new("RGB", (99, 61), "teal").save(folder / "plain.png")
    write("files", folder)
    return folder


def test_numpy_reads_the_arrays(files):
    row = json.loads((files / "row.json").read_text("utf-8"))
    with np.load(files / "query.npz") as arrays:
        manifest = json.loads(arrays["manifest.json"])
        assert arrays["dense"].shape == (3, 5)
        assert arrays["labels"].shape == (12, 20)
        assert set(manifest["arrays"]) == set(arrays.files) - {"manifest.json"}
        for name, about in manifest["arrays"].items():
            assert arrays[name].shape == tuple(about["shape"])
        for name, listed in {
            "dense": row["dense"],
            "weights": row["weights"],
            "incoming": row["incoming"],
            "column_weights": row["column"],
        }.items():
            assert arrays[name].dtype == np.float32
            np.testing.assert_array_equal(arrays[name].ravel(), np.float32(listed))
        chosen, back, local = arrays["chosen"], arrays["chooses_back"], arrays["local"]
        assert chosen.dtype == bool
        np.testing.assert_array_equal(arrays["reciprocal"], chosen & back)
        np.testing.assert_array_equal(arrays["support"], chosen & back | local)
        np.testing.assert_array_equal(arrays["support"], arrays["weights"] > 0)
        query = manifest["query"]["cell"]["row"], manifest["query"]["cell"]["column"]
        assert arrays["support_size"][query] == arrays["support"].sum()
        assert arrays["labels"].dtype == np.uint8
        assert manifest["classes"][arrays["cell_labels"][query]] == manifest["query"]["class"]


def test_a_table_is_read_back(files):
    with (files / "query.csv").open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file, strict=True))
    with np.load(files / "query.npz") as arrays:
        support, dense = arrays["support"], arrays["dense"]
        manifest = json.loads(arrays["manifest.json"])
    cells = [(int(line["row"]), int(line["column"])) for line in lines]
    assert set(cells) == set(zip(*map(np.ndarray.tolist, np.nonzero(support)), strict=True))
    for cell, line in zip(cells, lines, strict=True):
        assert np.float32(line["dense"]) == dense[cell]
        assert line["class"] in manifest["classes"]
        assert float(line["dense_times_uniform"]) == pytest.approx(float(dense[cell]) * dense.size)
    assert sum(float(line["weight"]) for line in lines) == pytest.approx(1, abs=1e-5)


def test_pillow_finds_the_words_in_a_picture(files):
    with Image.open(files / "told.png") as image:
        image.load()
        assert image.text["Title"] == "A lane · 阈值"
        assert json.loads(image.text["Comment"])["query"]["cell"] == {"row": 1, "column": 2}
        assert image.getpixel((5, 5)) == (0, 128, 128)


def test_an_xml_parser_reads_the_figure(files):
    root = ElementTree.parse(files / "figure.svg").getroot()
    assert root.tag == f"{SVG}svg"
    assert len(root.findall(f".//{SVG}image")) == 2
    said = "".join(root.itertext())
    assert "A-RNN row" in said
    assert 'a "b", <c>&' in said


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser):
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, locale="en", reduced_motion="reduce"
    )
    said = []
    page = context.new_page()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    context.close()
    assert not said


@pytest.fixture(scope="module")
def packet():
    path = stored(NETWORK, PICTURE)
    assert path is not None
    return path


@pytest.fixture(scope="module")
def saved(packet, tmp_path_factory):
    """A page that was saved, at the query's own place."""
    folder = tmp_path_factory.mktemp("saved")
    (folder / "program.js").write_text(program(), "utf-8")
    (folder / "lesson.js").write_text(lesson(), "utf-8")
    (folder / "words.json").write_text(json.dumps(dictionaries()["en"]), "utf-8")
    write("page", folder, packet)
    return folder / "page.html"


def open_saved(page, path):
    page.goto(path.as_uri())
    return page.locator(".asa[data-cell]").get_attribute("data-cell")


def wait_for_maps(page):
    # The page forbids what Playwright's own waiting is made of.
    deadline = time.monotonic() + 60
    while not page.evaluate("Boolean(asaViz.moment.row.column.weights)"):
        assert time.monotonic() < deadline
        page.wait_for_timeout(50)


def save(page, kind, folder):
    if not page.is_visible("[data-menu=export]"):
        page.click("[data-do=export]")
    with page.expect_download() as download:
        page.click(f"[data-save={kind}]")
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    assert path.name in page.inner_text(".status")
    return path


@pytest.mark.slow
def test_a_saved_page_answers_and_asks_nobody(page, saved, tmp_path):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    cell = open_saved(page, saved)
    page.locator("[data-panel=photo] canvas").focus()
    page.keyboard.press("ArrowUp")
    page.locator(f".asa:not([data-cell='{cell}'])").wait_for()
    moved = page.locator(".asa").get_attribute("data-cell")
    assert [url for url in asked if not url.startswith("blob:")] == [saved.as_uri()]
    again = save(page, "html", tmp_path)
    assert open_saved(page, again) == moved


@pytest.mark.slow
def test_every_file_is_made_and_read(page, saved, tmp_path):
    cell = int(open_saved(page, saved))
    wait_for_maps(page)
    with np.load(save(page, "npz", tmp_path)) as arrays:
        query = divmod(cell, arrays["dense"].shape[1])
        assert arrays["column_weights"][query] == pytest.approx(arrays["weights"][query])
        assert arrays["dense"].sum() == pytest.approx(1, abs=1e-3)
        kept = int(arrays["support"].sum())
    lines = save(page, "csv", tmp_path).read_text("utf-8").splitlines()
    assert len(lines) == 1 + kept
    page.select_option("[data-menu=export] select", "all")
    with Image.open(save(page, "png", tmp_path)) as image:
        image.load()
        assert json.loads(image.text["Comment"])["query"]["pixel"] == {"x": 500, "y": 420}
        drawn = np.asarray(image.convert("RGB"), np.int16)
    svg = save(page, "svg", tmp_path)
    height, width = drawn.shape[0] // 2, drawn.shape[1] // 2
    page.set_viewport_size({"width": width, "height": height})
    page.goto(svg.as_uri())
    page.screenshot(path=tmp_path / "svg.png")
    with Image.open(tmp_path / "svg.png") as image:
        shown = np.asarray(image.convert("RGB").resize((2 * width, 2 * height)), np.int16)
    # Both are drawn by the same code: they differ along edges and in how text is smoothed.
    assert np.mean(np.abs(drawn - shown).max(axis=2) > 40) < 0.03


@pytest.mark.slow
def test_the_menu_works_by_keyboard(page, saved):
    open_saved(page, saved)
    menu, button = page.locator("[data-menu=export]"), page.locator("[data-do=export]")
    button.focus()
    page.keyboard.press("Enter")
    assert menu.is_visible()
    assert button.get_attribute("aria-expanded") == "true"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.dataset.save") == "png"
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.dataset.save") == "svg"
    page.keyboard.press("Escape")
    assert menu.is_hidden()
    assert page.evaluate("document.activeElement.dataset.do") == "export"
    button.click()
    page.locator("h1").click()
    assert menu.is_hidden()
    button.click()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    assert menu.is_hidden()
    assert button.get_attribute("aria-expanded") == "false"


def serve(page, origin, packet):
    """Be the server at `origin`, without one."""
    body = PAGE.format(program=program(), network=NETWORK, words=json.dumps(dictionaries()["en"]))
    page.route(
        f"{origin}/**",
        lambda route: (
            route.fulfill(body=packet.read_bytes())
            if "file=" in route.request.url
            else route.fulfill(body=body, content_type="text/html; charset=utf-8")
        ),
    )
    page.goto(f"{origin}/")
    page.locator(".asa[data-cell]").wait_for()


@pytest.mark.slow
def test_the_link_is_copied_and_opens_the_same_state(page, packet):
    origin = "https://viewer.test"
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=origin)
    serve(page, origin, packet)
    page.locator("[data-panel=photo] canvas").focus()
    page.keyboard.press("ArrowLeft")
    page.click("[data-do=link]")
    page.locator(".status", has_text="Link copied").wait_for()
    link = page.evaluate("navigator.clipboard.readText()")
    cell = page.locator(".asa").get_attribute("data-cell")
    page.goto(link)
    page.locator(f".asa[data-cell='{cell}']").wait_for()


@pytest.mark.slow
def test_where_copying_is_not_allowed_the_link_can_be_selected(page, packet):
    # Over plain http there is no clipboard.
    serve(page, "http://viewer.test", packet)
    page.click("[data-do=link]")
    field = page.locator(".link-field")
    assert field.input_value().startswith("http://viewer.test/?")
    assert page.evaluate("getSelection().toString()") == field.input_value()
    page.keyboard.press("Escape")
    assert field.count() == 0
    assert page.evaluate("document.activeElement.dataset.do") == "link"
