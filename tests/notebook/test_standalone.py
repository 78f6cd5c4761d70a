"""A session shows itself: as a page in a frame, in any page around it, in a real browser."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from playwright.sync_api import sync_playwright

import asa_viz
from app.chromium import ARGUMENTS, executable
from asa_viz.attention.fixed import FixedAttention
from asa_viz.attention.stored import Stored
from asa_viz.attention.what_if import WhatIf
from asa_viz.geometry import Cell, Pixel
from asa_viz.notebook.standalone import framed, page
from tests.browser.visit import PATIENCE, SETTLED
from tests.fakes import fake_session

# What anywidget gives a widget's module, as far as ours asks for it.
NOTEBOOK = """<!doctype html><body><div id="cell"></div><script type="module">
const listeners = {{}}, values = {values}, saved = [];
const model = {{
  get: (name) => values[name],
  set: (name, value) => {{ values[name] = value; }},
  save_changes: () => saved.push(structuredClone(values.state)),
  on: (name, listener) => {{ listeners[name] = listener; }},
  off: (name) => {{ delete listeners[name]; }},
}};
const source = new Blob([{esm}], {{ type: "text/javascript" }});
const {{ default: widget }} = await import(URL.createObjectURL(source));
const end = widget.render({{ model, el: document.getElementById("cell") }});
Object.assign(window, {{
  model, saved, listeners, end,
  change(name, value) {{ values[name] = value; listeners[`change:${{name}}`](); }},
}});
</script>"""


@pytest.fixture
def session():
    return fake_session()


def test_a_session_says_in_one_line_what_it_is(session):
    assert repr(session) == "<Session of asa: 80 x 60 pixels, 9 x 12 cells>"


def test_the_frame_holds_the_whole_page_in_plain_letters(session):
    html = session._repr_html_()
    assert html.startswith("<iframe srcdoc=")
    assert html.isascii()
    # Scripts of the frame cannot reach the page around it.
    assert 'sandbox="allow-scripts allow-downloads allow-popups"' in html
    # The namespace of SVG, and what a reader may go to by a click.
    hosts = set(re.findall(r"https?:[\\/]+([\w.-]+)", html))
    assert hosts == {"www.w3.org", "doi.org", "github.com"}


def test_names_cannot_end_a_script(session):
    hostile = replace(session, network="</script><script>alert(1)</script>")
    assert "<script>alert(1)" not in page(hostile)


def test_what_cannot_be_packed_is_a_sentence(session):
    n = 65 * 64
    few = torch.ones(1, 1).expand(n, n)
    large = replace(session, attention=FixedAttention.of(Stored((65, 64), (65, 64), few)))
    assert (
        large._repr_html_() == "<p>A packet holds the rows of 4096 cells at most, not of 4160.</p>"
    )
    with pytest.raises(ValueError, match="speaks en, zh-CN"):
        page(session, language="de")
    with pytest.raises(ValueError, match="outside"):
        page(session, Pixel(80, 0))


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)
        yield browser
        browser.close()


def frame_of(browser, folder, html):
    """Open a page with a frame as a file, offline; return the page, and the settled frame."""
    path = folder / "exported.html"
    path.write_text(html, encoding="ascii")
    context = browser.new_context(viewport={"width": 1440, "height": 900}, offline=True)
    shown = context.new_page()
    shown.goto(path.as_uri())
    frame = shown.wait_for_selector("iframe").content_frame()
    frame.wait_for_function(SETTLED, timeout=PATIENCE)
    return shown, frame


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "zh-TW"])
def test_an_exported_notebook_still_answers(browser, tmp_path, session, language):
    # As a notebook exported to HTML, which may say nothing of its encoding.
    html = framed(page(session, Pixel(40, 30), language=language))
    _, frame = frame_of(browser, tmp_path, f"<html><body><h1>Notebook</h1>{html}</body></html>")
    assert frame.evaluate("document.documentElement.lang") == language
    view = session.query(Pixel(40, 30))
    sparse = frame.evaluate("[...asaViz.scenes.sparse.values]")
    np.testing.assert_allclose(sparse, view.weights_times_uniform.ravel(), rtol=1e-2)
    frame.evaluate("asaViz.lock([0, 0])")
    frame.wait_for_function(SETTLED)
    first = session.query_cell(Cell(0, 0))
    np.testing.assert_allclose(
        frame.evaluate("[...asaViz.scenes.dense.values]"), first.dense_times_uniform.ravel(),
        rtol=1e-2,
    )  # fmt: skip


@pytest.mark.slow
def test_attention_of_ones_own_is_shown_without_a_layer_that_is_not_known(browser, tmp_path):
    rows = np.random.default_rng(0).normal(size=(12, 12))
    session = asa_viz.show(weights=rows, height=3, width=4, name="my.attention (signed)")
    _, frame = frame_of(browser, tmp_path, session._repr_html_())
    shares = np.abs(rows) / np.abs(rows).sum(-1, keepdims=True)
    i = frame.evaluate("asaViz.moment.row.i")
    np.testing.assert_allclose(
        frame.evaluate("[...asaViz.scenes.dense.values]"), 12 * shares[i], rtol=2e-2, atol=1e-3
    )
    assert "negative" in frame.inner_text('[data-panel="photo"]')
    assert frame.evaluate("""document.querySelector('[value="without"]').hidden""")
    frame.evaluate("asaViz.store.set({ layer: 'without' })")
    frame.wait_for_function(SETTLED)
    assert "unlabelled" in frame.inner_text('[data-panel="segmentation"]')


@pytest.mark.slow
def test_the_widget_hears_what_is_done_on_its_page(browser, tmp_path, session):
    widget = asa_viz.widget(session, Pixel(40, 30))
    values = {name: getattr(widget, name) for name in ("page", "height", "state", "asked")}
    as_script = json.dumps(values).replace("</", "<\\/")
    esm = json.dumps(str(widget._esm))
    notebook = NOTEBOOK.format(values=as_script, esm=esm)
    shown, frame = frame_of(browser, tmp_path, notebook)
    shown.wait_for_function("saved.length")

    def said():
        widget.state = shown.evaluate("saved.at(-1)")
        return widget

    assert said().cell == session.grid.cell_at(Pixel(40, 30))
    count = shown.evaluate("saved.length")
    frame.evaluate("asaViz.free()")
    shown.wait_for_function(f"saved.length > {count}")
    assert said().cell is None
    # A pointer that moves without a lock sends nothing.
    count = shown.evaluate("saved.length")
    frame.evaluate("asaViz.hover([5, 5])")
    frame.wait_for_function(SETTLED)
    assert shown.evaluate("saved.length") == count
    widget.lock(Cell(8, 0))
    shown.evaluate("(asked) => change('asked', asked)", widget.asked)
    shown.wait_for_function(f"saved.length > {count}")
    assert said().cell == Cell(8, 0)
    frame.wait_for_function(SETTLED)
    frame.evaluate("asaViz.pin()")
    frame.evaluate("asaViz.setRule({ ...asaViz.state.whatIf, reciprocity: false })")
    shown.wait_for_function("saved.at(-1).pins.length && !saved.at(-1).whatIf.reciprocity")
    assert said().pins == (Cell(8, 0),)
    assert widget.what_if == WhatIf(reciprocity=False)
    frame.wait_for_function(SETTLED)
    np.testing.assert_allclose(
        frame.evaluate("[...asaViz.scenes.sparse.values]"),
        widget.view.weights_times_uniform.ravel(), rtol=1e-2, atol=1e-3,
    )  # fmt: skip
    shown.evaluate("end()")
    assert shown.evaluate("Object.keys(listeners).length") == 0
