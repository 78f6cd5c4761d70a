"""What the panels show and the words say is what the library says of the same cell."""

import itertools

import numpy as np
import pytest

from app.gallery import EXAMPLES
from app.viewer import dictionaries
from asa_viz.attention.what_if import WhatIf
from asa_viz.geometry import Cell
from asa_viz.views import flips
from tests.browser.conftest import FLIPPED, rerun

# The server runs here too: a warning of its own may not end it, nor a socket that it leaves open.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

ENGLISH = dictionaries()["en"]
CELL = Cell(5, 3)
FIRST, LAST = {}, {}
for _name, _first, _last in [
    ("cividis", (0x00, 0x22, 0x4E), (0xFE, 0xE8, 0x38)),
    ("viridis", (0x44, 0x01, 0x54), (0xFD, 0xE7, 0x25)),
    ("inferno", (0x00, 0x00, 0x04), (0xFC, 0xFF, 0xA4)),
    ("grey", (0x11, 0x11, 0x11), (0xFB, 0xFB, 0xFB)),
]:
    FIRST[_name], LAST[_name] = _first, _last


@pytest.fixture
def session(server):
    return server.session(EXAMPLES[0].path)


def group_counts(view):
    """The four groups of keys: what is kept comes first, and each key is in one."""
    both = view.reciprocal if view.reciprocity else view.chosen
    local = view.local & ~both
    query_only = view.chosen & ~both & ~local
    key_only = view.chooses_back & ~view.chosen & ~local
    return [int(mask.sum()) for mask in (both, local, query_only, key_only)]


def check_numbers(visit, session, cell, what_if=None):
    """Legend, sentence, table and both rows say of the cell what the library does."""
    view = session.query_cell(cell, what_if or WhatIf())
    names = ("reciprocal" if view.reciprocity else "chosen", "local", "query_only", "key_only")
    wanted = dict(
        zip((ENGLISH[f"group.{name}"] for name in names), group_counts(view), strict=True)
    )
    legend = visit.legend("neighbours")
    assert {name: int(amount) for name, amount in legend.items()} == wanted
    kept = int(view.support.sum())
    if kept and kept < view.support.size:
        assert f"Keeps {kept} of {view.support.size} cells" in visit.text(".sentence")
    table = visit.find(".numbers tr:nth-child(2) td").all_inner_texts()
    assert table == [str(view.support.size), str(kept)]
    shown = visit.ask("[[...viewer.scenes.dense.values], [...viewer.scenes.sparse.values]]")
    np.testing.assert_allclose(shown[0], view.dense_times_uniform.ravel(), rtol=1e-3)
    np.testing.assert_allclose(shown[1], view.weights_times_uniform.ravel(), rtol=1e-3)


def colour(visit, panel, cell):
    """The colour in the middle of a cell on a canvas."""
    image, grid = visit.pixels(panel), visit.grid
    row = (2 * cell[0] + 1) * image.shape[0] // (2 * grid.height)
    col = (2 * cell[1] + 1) * image.shape[1] // (2 * grid.width)
    return tuple(image[row, col, :3])


def place_of(values, of, but):
    """The cell where `of`, argmin or argmax, finds it; never the query, which is framed."""
    order = np.argsort(values.ravel() if of is np.argmin else -values.ravel(), kind="stable")
    cells = (divmod(int(i), values.shape[1]) for i in order)
    return next(cell for cell in cells if cell != tuple(but))


def test_rows_groups_sentence_and_table_are_those_of_the_library(visit, session):
    for panel, cell in [("photo", CELL), ("dense", Cell(0, 0)), ("map", Cell(8, 11))]:
        visit.click(panel, cell)
        check_numbers(visit, session, cell)
    visit.click("photo", CELL)
    threshold = session.query_cell(CELL).nonlocal_scale
    assert f"threshold {threshold:.2f}" in visit.text('[data-panel="dense"] .caption')
    labels = session.segmentation.working_labels
    shares = np.bincount(labels.ravel(), minlength=4) / labels.size
    legend = visit.legend("segmentation")
    for name, share in zip(session.segmentation.classes, shares, strict=True):
        assert legend.get(name, "0 %") == f"{100 * share:.0f} %"


def test_every_map_shows_the_library_s_numbers_in_the_palette(visit, session):
    visit.click("photo", CELL)
    visit.set('[data-set="opacity"]', 1)
    cells = [Cell(*each) for each in itertools.product(range(9), range(12))]
    views = [session.query_cell(cell) for cell in cells]
    support = np.array([view.support for view in views]).reshape(108, 108)
    mass = np.array([view.kept_mass for view in views])
    own = session.segmentation.cell_labels.ravel()
    shares = [float(view.weights.ravel()[own == own[i]].sum()) for i, view in enumerate(views)]
    wanted = {
        "nonlocal": session.scales[0].ravel(),
        "local": session.scales[1].ravel(),
        "support": support.sum(1),
        "chosen": support.sum(0),
        "kept": mass,
        "own": np.where(mass > 0, shares, 1),
    }
    for name, values in wanted.items():
        visit.set('[data-set="map"]', name)
        shown = np.array(visit.ask("[...viewer.scenes.map.values]"))
        np.testing.assert_allclose(shown, values, rtol=2e-3, err_msg=name)
        values = values.reshape(9, 12)
        ends = shown.min(), shown.max()
        for of, stop, end in [(np.argmin, FIRST, ends[0]), (np.argmax, LAST, ends[1])]:
            cell = place_of(values, of, CELL)
            if shown[cell[0] * 12 + cell[1]] == end:
                assert colour(visit, "map", cell) == pytest.approx(stop["cividis"], abs=2), name
        here = visit.text('[data-panel="map"] .note')
        assert here.startswith("query ")
    visit.set('[data-set="map"]', "nonlocal")
    cell = place_of(session.scales[0], np.argmax, CELL)
    for palette, last in LAST.items():
        visit.set('[data-set="palette"]', palette)
        assert colour(visit, "map", cell) == pytest.approx(last, abs=2)


def test_looking_back_shows_the_column(visit, session):
    visit.click("photo", CELL)
    visit.set('[data-set="direction"]', True)
    i = CELL.row * 12 + CELL.col
    cells = [Cell(*each) for each in itertools.product(range(9), range(12))]
    weights = np.array([session.query_cell(cell).weights.ravel()[i] for cell in cells])
    shown = visit.ask("[[...viewer.scenes.dense.values], [...viewer.scenes.sparse.values]]")
    np.testing.assert_allclose(shown[0], 108 * session.query_cell(CELL).incoming.ravel(), rtol=1e-3)
    np.testing.assert_allclose(shown[1], 108 * weights, rtol=2e-3)
    assert visit.text('[data-panel="dense"] h2').startswith("Dense column")
    visit.set('[data-set="direction"]', False)
    assert visit.text('[data-panel="dense"] h2').startswith("Dense row")


def test_every_switch_of_the_view_changes_what_it_names_and_nothing_else(visit):
    visit.click("photo", CELL)
    before = visit.pictures()

    def changed():
        return {name for name, picture in visit.pictures().items() if picture != before[name]}

    visit.set('[data-set="lines"]', False)
    assert changed() == {"neighbours"}
    visit.set('[data-set="lines"]', True)
    visit.set('[data-set="scale"]', True)
    assert changed() == {"dense", "sparse", "map"}
    assert visit.ask("viewer.scenes.dense.bar.scale.kind") == "log"
    visit.set('[data-set="scale"]', False)
    visit.set('[data-set="shared"]', False)
    assert changed() <= {"dense", "sparse"} != set()
    highs = visit.ask("[viewer.scenes.dense, viewer.scenes.sparse].map((s) => s.bar.scale.high)")
    assert highs[0] != highs[1]
    visit.set('[data-set="shared"]', True)
    visit.set('[data-set="opacity"]', 0)
    assert changed() == {"dense", "sparse", "map", "neighbours", "segmentation"}
    red, green, blue = colour(visit, "dense", (1, 1))
    assert red == green == blue
    visit.set('[data-set="opacity"]', 0.85)
    assert changed() == set()
    for strength in ("1", "4"):
        visit.set('[data-set="layer"]', "groups")
        visit.set('[data-set="strength"]', strength)
        groups = np.array(visit.ask("[...viewer.scenes.segmentation.values]"))
        alone = int((groups < 0).sum())
        count = len(np.unique(groups[groups >= 0]))
        words = visit.text('[data-panel="segmentation"] .note')
        assert words == f"groups: {count}; cells in none: {alone}"
        assert len(visit.find('[data-panel="segmentation"] .legend li').all()) == min(count, 5)
    visit.do("theme")
    assert visit.page.evaluate("document.body.classList.contains('dark')")
    visit.do("theme")


RULES = {
    "factors": ({"nonlocal": 1.5, "local": 0.5}, WhatIf(1.5, 0.5)),
    "no reciprocity": ({"reciprocity": False}, WhatIf(reciprocity=False)),
    "no local rule": ({"nonlocal": 3, "localRule": False}, WhatIf(3.0, local_rule=False)),
    "window": ({"window": 5}, WhatIf(window=5)),
    "top k": ({"topK": 8}, WhatIf(top_k=8)),
}


def test_every_what_if_shows_what_the_library_answers_and_as_trained_ends_it(visit, session):
    visit.click("photo", CELL)
    before = visit.pictures()
    expect_badge = "getComputedStyle(viewer.find('.badge')).visibility"
    assert visit.ask(expect_badge) == "hidden"
    for name, (controls, what_if) in RULES.items():
        for control, value in controls.items():
            visit.set(f'[data-what-if="{control}"]', value)
        assert visit.ask(expect_badge) == "visible", name
        check_numbers(visit, session, CELL, what_if)
        if what_if.top_k:
            assert visit.find('[data-what-if="nonlocal"]').is_disabled()
        visit.do("as-trained")
        visit.settle()
        assert visit.ask(expect_badge) == "hidden", name
        assert visit.find('[data-do="as-trained"]').is_disabled()
        assert visit.pictures() == before, name
        check_numbers(visit, session, CELL)


def test_running_again_marks_the_pixels_that_flip(visit, session):
    visit.click("photo", CELL)
    assert visit.find('[data-do="rerun"]').is_disabled()
    visit.set('[data-what-if="nonlocal"]', 2)
    visit.do("rerun")
    visit.wait("viewer.rerun && viewer.state.layer === 'flips'").settle()
    wanted = flips(session.segmentation, rerun(session, None))
    legend = visit.legend("segmentation")
    assert {name: int(amount) for name, amount in legend.items()} == {
        f"{change.before} → {change.after}": change.pixels for change in wanted.changes
    }
    words = visit.text('[data-panel="segmentation"] .note')
    assert words.startswith(f"{wanted.count} pixels flip, {100 * wanted.share:.0f} %")
    assert visit.text(".status") == ""
    visit.set('[data-set="opacity"]', 1)
    image = visit.pixels("segmentation")
    height, width = wanted.changed.shape
    down, right = (np.arange(12) * image.shape[k] // 12 + 4 for k in (0, 1))
    grey = np.ptp(image[down[:, None], right[None, :], :3], axis=-1) == 0
    where = wanted.changed[
        down[:, None] * height // image.shape[0], right * width // image.shape[1]
    ]
    after = rerun(session, None).working_labels[FLIPPED]
    greys = [k for k, each in enumerate(session.segmentation.palette) if len(set(each)) == 1]
    if not np.isin(after, greys).any():
        assert (grey == ~where).mean() > 0.95
    # Another rule: what flipped under the last one is not shown for it.
    visit.set('[data-what-if="nonlocal"]', 1.5)
    assert "run the head again" in visit.text('[data-panel="segmentation"] .note')
    visit.do("as-trained")
    visit.settle()


def test_a_re_run_that_is_overtaken_leaves_no_word_behind(visit):
    visit.click("photo", CELL)
    visit.set('[data-what-if="nonlocal"]', 2)
    visit.page.evaluate(
        """() => {
          const { host } = asaViz, rerun = host.rerun;
          host.rerun = (...given) => new Promise((resolve) => {
            window.letGo = () => resolve(rerun(...given));
          });
        }"""
    )
    visit.do("rerun")
    visit.do("as-trained")
    visit.page.evaluate("letGo()")
    visit.page.wait_for_function("document.querySelector('.asa .status').textContent === ''")
    assert visit.settle().state["layer"] == "classes"


def test_two_pins_are_compared(visit, session):
    first, second = Cell(1, 2), Cell(7, 9)
    for cell in (first, second):
        visit.click("photo", cell)
        visit.find('[data-name="pin"]').click()
        visit.settle()
    visit.find('[data-name="01"]').click()
    visit.settle()
    a, b = (session.query_cell(cell) for cell in (first, second))
    shown = visit.ask("['dense', 'sparse', 'map'].map((name) => [...viewer.scenes[name].values])")
    rows = [view.weights_times_uniform.ravel() for view in (a, b)]
    for values, wanted in zip(shown, [*rows, rows[0] - rows[1]], strict=True):
        np.testing.assert_allclose(values, wanted, rtol=1e-3, atol=1e-3)
    # An empty support reads the query itself.
    kept = [view.weights > 0 for view in (a, b)]
    legend = visit.legend("neighbours")
    assert [int(amount) for amount in legend.values()] == [
        int((kept[0] & kept[1]).sum()),
        int((kept[0] & ~kept[1]).sum()),
        int((kept[1] & ~kept[0]).sum()),
    ]
    assert visit.find('[data-name="01"]').get_attribute("aria-pressed") == "true"
    visit.point("dense", (4, 4))
    visit.find('[data-name="01"]').click()
    assert visit.settle().state["compare"] is None
    visit.find('[data-name="go0"]').click()
    assert visit.settle().cell == first
    for cell in [(3, 3), (4, 4), (5, 5)]:
        visit.click("photo", cell)
        visit.press("Enter")
    # Four at most: the oldest made room.
    assert len(visit.state["pins"]) == 4
    assert (
        visit.find('[data-name="go0"]').get_attribute("title").startswith("Go to row 7, column 9")
    )
    visit.find('[data-name="clear"]').click()
    assert visit.settle().state["pins"] == []


def test_every_tab_shows_its_chart(visit, session):
    visit.point("photo", CELL)
    names = ("curve", "histogram", "classes", "pairs")
    shown = {}
    for name in names:
        visit.find(f'[data-tab="{name}"]').click()
        shown[name] = visit.find(".chart").inner_html()
        assert visit.find(f'[data-tab="{name}"]').get_attribute("aria-selected") == "true"
    assert len(set(shown.values())) == 4
    assert "Lock a query" in visit.text(".chart")
    visit.press("ArrowRight")
    assert visit.find('[data-tab="curve"]').get_attribute("aria-selected") == "true"
    visit.press("ArrowLeft", "ArrowLeft")
    classes = visit.find(".classes dt").all_inner_texts()
    own = session.segmentation.classes[session.segmentation.cell_labels[CELL]]
    assert classes[0] == own
    share = session.segmentation.shares(session.query_cell(CELL).weights)[own]
    assert visit.find(".classes dd .sparse").first.inner_text() == f"{100 * share:.0f} %"


def test_plotly_draws_the_plane_of_pairs_of_a_locked_query(visit, session):
    visit.find('[data-tab="pairs"]').click()
    visit.click("photo", CELL)
    points = visit.page.wait_for_function(
        """() => {
          const plane = document.querySelector(".asa .plane");
          if (!plane?.querySelector(".main-svg") || !plane.data) return null;
          return plane.data.filter(({ mode }) => mode?.includes("markers"))
            .map(({ x }) => (x.length ?? x._inputArray?.length)).reduce((a, b) => a + b, 0);
        }"""
    ).json_value()
    assert points == session.grid.size
    drawn = visit.find(".plane .point").count() + visit.find(".plane canvas").count()
    assert drawn > 0
    titles = visit.find(".plane .xtitle, .plane .ytitle").all_text_contents()
    assert titles == [ENGLISH["plane.chooses"], ENGLISH["plane.chosen_back"]]
    # Freed it makes room for a word, and locked at the same cell it is there again.
    visit.press("Space", panel="photo")
    assert "Lock a query" in visit.text(".chart")
    visit.press("Space", panel="photo")
    visit.page.wait_for_function("document.querySelector('.asa .plane .main-svg')")


def test_a_dense_network_keeps_every_cell(visit, server):
    visit.click("photo", CELL)
    visit.find('input[value="dense"]').check()
    visit.wait("viewer.opened.network === 'dense'").settle()
    assert visit.cell == CELL
    assert "Keeps all 108 cells" in visit.text(".sentence")
    check_numbers(visit, server.session(EXAMPLES[0].path, "dense"), CELL)
    assert ENGLISH["note.no_thresholds"] in visit.text('[data-panel="map"]')
    for name in ("nonlocal", "local"):
        assert visit.find(f'[data-what-if="{name}"]').is_disabled()
    visit.set('[data-set="layer"]', "groups")
    assert ENGLISH["note.no_thresholds"] in visit.text('[data-panel="segmentation"]')
    visit.set('[data-what-if="topK"]', 8)
    check_numbers(visit, server.session(EXAMPLES[0].path, "dense"), CELL, WhatIf(top_k=8))


def test_maps_of_the_picture_before_are_never_shown_for_the_next(visit):
    """What the worker has computed for one picture may come in after another was opened."""
    visit.page.evaluate(
        """() => {
          const { engine, maps: known } = asaViz, maps = engine.maps.bind(engine);
          engine.maps = async () => {
            engine.maps = maps;
            await new Promise((resolve) => { window.letGo = resolve; });
            return { ...known, support: known.support.map(() => 7777) };
          };
        }"""
    )
    visit.set_quickly('[data-set="map"]', "support")
    # The same rule asked for again: its maps are under way while the next picture is opened.
    visit.page.evaluate("asaViz.store.set({ whatIf: { ...asaViz.state.whatIf, nonlocal: 1.2 } })")
    visit.page.wait_for_function("Boolean(window.letGo)")
    visit.find(f'[data-picture="{EXAMPLES[3].name}"]').click()
    visit.wait("viewer.opened.picture === given[0]", EXAMPLES[3].name).settle()
    visit.page.evaluate("() => { letGo(); return new Promise((each) => setTimeout(each, 200)); }")
    visit.settle()
    assert max(visit.ask("[...viewer.scenes.map.values]")) < 7777
