"""Networks of others on the page: their rows are drawn, whatever their head and settings."""

from pathlib import Path

import numpy as np
import pytest

import asa_viz
from asa_viz.geometry import Cell
from asa_viz.images import SHARES, SIGNED
from asa_viz.notebook.standalone import page
from tests.browser.visit import SETTLED, Visit
from tests.networks.stock import HEADS, VIT, config_of, picture, save

pytestmark = [
    pytest.mark.filterwarnings("ignore:dataset_meta or class names:UserWarning"),
    pytest.mark.filterwarnings("ignore:No suitable dataset found:UserWarning"),
]
OPENED = ["embedded_gaussian", "dot_product", "dnl", "da", "isa", "cc", "ema", "vit", "vit head"]
CELL = Cell(2, 3)


def open_network(name, folder):
    if not name.startswith("vit"):
        config = config_of(HEADS[name])
        return asa_viz.open_network(config, save(config, folder), "cpu")
    head = {"type": "FCNHead", "in_channels": 32, "in_index": 1, "num_convs": 1}
    config = config_of(head, backbone=VIT)
    attention = "layer 2, head 3" if name == "vit head" else None
    return asa_viz.open_network(config, save(config, folder), "cpu", attention=attention)


@pytest.mark.parametrize("name", OPENED)
def test_the_rows_of_an_opened_network_are_drawn(browser, tmp_path, name):
    session = open_network(name, tmp_path).encode(picture(96, 128))
    file = Path(tmp_path / "page.html")
    file.write_text(page(session, session.grid.centre_of(CELL)), encoding="utf-8")
    context = browser.new_context(viewport={"width": 1440, "height": 900}, offline=True)
    visit = Visit(context.new_page(), file.as_uri())
    visit.page.goto(file.as_uri())
    visit.page.wait_for_function(SETTLED)
    assert visit.cell == CELL
    view = session.query_cell(CELL)
    row = np.abs(view.weights.ravel().astype(float))
    for panel in ("dense", "sparse"):
        drawn = np.array(visit.ask(f"[...viewer.scenes.{panel}.values]"))
        np.testing.assert_allclose(drawn, row / row.sum() * row.size, rtol=2e-2, atol=2e-3)
    notes = visit.ask("viewer.session.notes")
    shared = name in ("dnl", "isa", "cc", "ema", "vit", "vit head")
    assert notes == ([SHARES] if shared else [SIGNED] if name == "dot_product" else [])
    # In the page as in Python: what every cell says if it reads itself alone.
    visit.page.evaluate("asaViz.store.set({ layer: 'without' })")
    visit.page.wait_for_function(SETTLED)
    alone = visit.ask("[...viewer.session.withoutAttention]")
    assert alone == session.without_attention.working_labels.ravel().tolist()
    assert visit.complaints == []
    context.close()
