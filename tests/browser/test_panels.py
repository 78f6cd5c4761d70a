"""What the panels show and the words say is what the library says of the same cell."""

import itertools
import re

import numpy as np
import pytest

from app.gallery import EXAMPLES
from app.viewer import dictionaries
from asa_viz.attention.what_if import WhatIf
from asa_viz.geometry import Cell
from asa_viz.views import flips
from tests.browser.conftest import FLIPPED, rerun

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
    kept, n = int(view.support.sum()), view.support.size
    is_all = not session.thresholds_learned and not (what_if and what_if.top_k)
    if is_all:
        # A network without thresholds is described by another sentence.
        wanted = {ENGLISH["group.all"]: n}
    legend = visit.legend("neighbours")
    assert {name: int(amount) for name, amount in legend.items()} == wanted
    labels = session.segmentation.cell_labels
    own = {
        kind: float(row[labels == labels[cell]].sum())
        for kind, row in (("dense", view.dense), ("sparse", view.weights))
    }
    name = session.segmentation.classes[labels[cell]]
    sentence = visit.text(".sentence")
    if 0 < kept < n:
        assert f"Keeps {kept} of {n} cells" in sentence
    if kept:
        # Always the query's own class, never that which happens to have the largest share.
        assert share_of(re.search(rf"({SHARE}) of (?:it|the mass is) on {name}", sentence)[1]) == (
            pytest.approx(own["sparse"], abs=0.011)
        )
    table = visit.find(".numbers tr").evaluate_all(
        "(rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent))"
    )
    assert table[0][1:] == [
        ENGLISH["table.dense"],
        ENGLISH["table.read" if is_all else "table.sparse"],
    ]
    numbers = {key: (dense, sparse) for key, dense, sparse in table[1:]}
    # Without a kept cell the query reads itself.
    assert numbers[ENGLISH["table.cells"]] == (
        str(n),
        str(kept) if kept else ENGLISH["table.itself"],
    )
    for part, shares in (("own", (own["dense"], own["sparse"])), ("mass", (1, view.kept_mass))):
        told = [share_of(each) for each in numbers[ENGLISH[f"table.{part}"]]]
        assert told == pytest.approx(shares, abs=0.011), part
    largest = [float(each) for each in numbers[ENGLISH["table.largest"]]]
    assert largest == pytest.approx([n * view.dense.max(), n * view.weights.max()], rel=0.01)
    shown = visit.ask("[[...viewer.scenes.dense.values], [...viewer.scenes.sparse.values]]")
    np.testing.assert_allclose(shown[0], view.dense_times_uniform.ravel(), rtol=1e-3)
    np.testing.assert_allclose(shown[1], view.weights_times_uniform.ravel(), rtol=1e-3)


SHARE = r"[<>]? ?\d+ %"


def share_of(words):
    """A share from what is said of it."""
    return float(re.search(r"\d+", words)[0]) / 100


def colour(visit, panel, cell):
    """The colour in the middle of a cell on a canvas, in whose middle the picture stands."""
    image, grid = visit.pixels(panel), visit.grid
    sides = (grid.image_height, grid.image_width)
    scale = min(there / side for there, side in zip(image.shape, sides, strict=False))
    row, col = (
        int((there - scale * side) / 2 + scale * side * (2 * at + 1) / (2 * of))
        for there, side, at, of in zip(
            image.shape[:2], sides, cell, (grid.height, grid.width), strict=True
        )
    )
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
    view = session.query_cell(CELL)
    dense, sparse = (visit.text(f'[data-panel="{name}"] .caption') for name in ("dense", "sparse"))
    assert f"threshold {threshold:.2f}" in dense
    # The weights that are kept are scaled up, and their threshold with them.
    mark = threshold / view.kept_mass
    assert f"threshold {mark:.2f} = {threshold:.2f} / {100 * view.kept_mass:.0f} %" in sparse
    bars = visit.ask("[viewer.scenes.dense.bar, viewer.scenes.sparse.bar]")
    assert [bar["line"] for bar in bars] == pytest.approx([threshold, mark], rel=1e-3)
    for bar, panel in zip(bars, ("dense", "sparse"), strict=True):
        left = visit.find(f'[data-panel="{panel}"] .ramp i').evaluate("(i) => i.style.left")
        low, high = (np.log(bar["scale"][end]) for end in ("low", "high"))
        assert float(left[:-1]) / 100 == pytest.approx(
            (np.log(bar["line"]) - low) / (high - low), abs=1e-3
        )
    for row, said in ((view.dense, dense), (view.weights, sparse)):
        assert f"largest {108 * row.max():.2f}" in said or f"largest {108 * row.max():.1f}" in said
    labels = session.segmentation.working_labels
    shares = np.bincount(labels.ravel(), minlength=4) / labels.size
    legend = visit.legend("segmentation")
    for name, share in zip(session.segmentation.classes, shares, strict=True):
        # What covers less than 1 % is named below the legend, without a number.
        assert legend.get(name, "0 %") == (f"{100 * share:.0f} %" if share >= 0.01 else "0 %")


def test_every_map_shows_the_library_s_numbers_in_the_colormap(visit, session):
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
                assert colour(visit, "map", cell) == pytest.approx(stop["viridis"], abs=2), name
        here = visit.text('[data-panel="map"] .note')
        assert here.startswith("query ")
    visit.set('[data-set="map"]', "nonlocal")
    cell = place_of(session.scales[0], np.argmax, CELL)
    for colormap, last in LAST.items():
        visit.set('[data-set="colormap"]', colormap)
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
    # Sentence, table and chart are of the column too.
    readers, total = int((weights > 0).sum()), float(weights.sum())
    assert f"Read by {readers} of 108 cells, which give it {total:.2f} in all" in visit.text(
        ".sentence"
    )
    table = visit.find(".numbers tr").evaluate_all(
        "(rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent))"
    )
    incoming = session.query_cell(CELL).incoming
    assert table[1] == [ENGLISH["table.readers"], "108", str(readers)]
    assert table[2][0] == ENGLISH["table.sum"]
    assert [float(each) for each in table[2][1:]] == pytest.approx(
        [incoming.sum(), total], abs=0.006
    )
    largest = [108 * incoming.max(), 108 * weights.max()]
    assert [float(each) for each in table[4][1:]] == pytest.approx(largest, rel=0.01)
    column = visit.find(".chart .line").get_attribute("d")
    assert visit.find(".chart .threshold").count() == 0
    visit.set('[data-set="direction"]', False)
    assert visit.text('[data-panel="dense"] h2').startswith("Dense row")
    assert visit.find(".chart .line").get_attribute("d") != column


def test_every_switch_of_the_view_changes_what_it_names_and_nothing_else(visit):
    visit.click("photo", CELL)
    before = visit.pictures()

    def changed():
        return {name for name, picture in visit.pictures().items() if picture != before[name]}

    visit.set('[data-set="lines"]', False)
    assert changed() == {"neighbours"}
    visit.set('[data-set="lines"]', True)
    visit.set('[data-set="scale"]', False)
    # What is kept is told apart by its logarithms in any case.
    assert changed() == {"dense", "map"}
    assert visit.ask("viewer.scenes.dense.bar.scale.kind") == "linear"
    visit.set('[data-set="scale"]', True)
    visit.set('[data-set="shared"]', True)
    assert changed() <= {"dense", "sparse"} != set()
    highs = "[viewer.scenes.dense, viewer.scenes.sparse].map((s) => s.bar.scale.high)"
    assert len(set(visit.ask(highs))) == 1
    visit.set('[data-set="shared"]', False)
    assert len(set(visit.ask(highs))) == 2
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
    "factors": ({"nonlocalFactor": 1.5, "localFactor": 0.5}, WhatIf(1.5, 0.5)),
    "no reciprocity": ({"reciprocity": False}, WhatIf(reciprocity=False)),
    "no local rule": ({"nonlocalFactor": 3, "localRule": False}, WhatIf(3.0, local_rule=False)),
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
            assert visit.find('[data-what-if="nonlocalFactor"]').is_disabled()
        visit.do("as-trained")
        visit.settle()
        assert visit.ask(expect_badge) == "hidden", name
        assert visit.find('[data-do="as-trained"]').is_disabled()
        assert visit.pictures() == before, name
        check_numbers(visit, session, CELL)


def test_running_again_marks_the_pixels_that_flip(visit, session):
    visit.click("photo", CELL)
    assert visit.find('[data-do="rerun"]').is_disabled()
    visit.set('[data-what-if="nonlocalFactor"]', 2)
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
    visit.set('[data-what-if="nonlocalFactor"]', 1.5)
    assert "run the head again" in visit.text('[data-panel="segmentation"] .note')
    visit.do("as-trained")
    visit.settle()


def test_a_re_run_that_is_overtaken_leaves_no_word_behind(visit):
    visit.click("photo", CELL)
    visit.set('[data-what-if="nonlocalFactor"]', 2)
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
        visit.find('[data-name="go0"]').get_attribute("title").startswith("Go to row 8, column 10")
    )
    visit.find('[data-name="clear"]').click()
    assert visit.settle().state["pins"] == []


def test_every_tab_shows_its_chart(visit, session):
    visit.point("photo", CELL)
    names = ("curve", "histogram", "classes", "says", "pairs")
    shown = {}
    for name in names:
        visit.find(f'[data-tab="{name}"]').click()
        shown[name] = visit.find(".chart").inner_html()
        assert visit.find(f'[data-tab="{name}"]').get_attribute("aria-selected") == "true"
    assert len(set(shown.values())) == 5
    assert "Lock a query" in visit.text(".chart")
    visit.press("ArrowRight")
    assert visit.find('[data-tab="curve"]').get_attribute("aria-selected") == "true"
    visit.press("ArrowLeft", "ArrowLeft", "ArrowLeft")
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
    visit.set_quickly('[data-set="network"]', "dense")
    visit.wait("viewer.opened.network === 'dense'").settle()
    assert visit.cell == CELL
    assert "Keeps all 108 cells" in visit.text(".sentence")
    check_numbers(visit, server.session(EXAMPLES[0].path, "dense"), CELL)
    assert ENGLISH["note.no_thresholds"] in visit.text('[data-panel="map"]')
    for name in ("nonlocalFactor", "localFactor"):
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
    visit.page.evaluate(
        "asaViz.store.set({ whatIf: { ...asaViz.state.whatIf, nonlocalFactor: 1.2 } })"
    )
    visit.page.wait_for_function("Boolean(window.letGo)")
    visit.find(f'[data-picture="{EXAMPLES[3].name}"]').click()
    visit.wait("viewer.opened.picture === given[0]", EXAMPLES[3].name).settle()
    visit.page.evaluate("() => { letGo(); return new Promise((each) => setTimeout(each, 200)); }")
    visit.settle()
    assert max(visit.ask("[...viewer.scenes.map.values]")) < 7777


def test_a_held_scale_stays_while_the_query_moves(visit):
    ends = """["dense", "sparse"].flatMap((name) => {
      const { low, high } = viewer.scenes[name].bar.scale;
      return [low, high];
    })"""
    visit.click("photo", CELL)
    cells = [(0, 0), (2, 3), (8, 11), (4, 6), (7, 1)]
    free = {str(visit.click("dense", cell).ask(ends)[1:]) for cell in cells}
    assert len(free) > 1
    visit.click("photo", CELL)
    held = visit.ask(ends)
    visit.set('[data-set="hold"]', True)
    for cell in cells:
        assert visit.click("dense", cell).ask(ends)[1:] == held[1:]
        caption = visit.text('[data-panel="sparse"] .caption')
        largest, high = visit.ask(
            "[viewer.scenes.sparse.bar.scale.largest, viewer.scenes.sparse.bar.scale.high]"
        )
        assert ("clipped" in caption and "nothing" not in caption) or largest <= high
    visit.set('[data-set="hold"]', False)
    assert visit.click("photo", CELL).ask(ends) == held


def test_the_dense_row_keeps_its_scale_from_cell_to_cell(visit):
    ends = set()
    for cell in itertools.product(range(0, 9, 2), range(0, 12, 3)):
        ends.add(visit.point("dense", cell).ask("viewer.scenes.dense.bar.scale.high"))
    assert len(ends) == 1


def test_as_trained_leaves_no_empty_panel_of_flips(visit):
    visit.click("photo", CELL)
    for end in (
        lambda: visit.do("as-trained"),
        lambda: visit.set('[data-what-if="nonlocalFactor"]', 1),
    ):
        visit.set('[data-what-if="nonlocalFactor"]', 2)
        visit.do("rerun")
        visit.wait("viewer.rerun && viewer.state.layer === 'flips'").settle()
        end()
        assert visit.settle().state["layer"] == "classes"
        assert visit.find('[data-set="layer"]').input_value() == "classes"
        assert visit.legend("segmentation")


def test_groups_open_at_a_strength_that_tells_them_apart(visit):
    visit.set('[data-set="layer"]', "groups")
    strength = int(visit.find('[data-set="strength"]').input_value())
    at = "[1, 2, 4, 8].map((_, k) => viewer.maps.groups[k].filter((each) => each === 0).length)"
    largest = visit.ask(at)
    telling = [k for k, size in zip((1, 2, 4, 8), largest, strict=True) if size <= 54]
    assert strength == (telling[0] if telling else 1)
    visit.set('[data-set="strength"]', "8")
    assert visit.state["strength"] == 8


def test_the_cell_under_the_pointer_is_told_in_the_unit_that_is_named(visit, session):
    visit.click("photo", CELL)
    view = session.query_cell(CELL)
    for cell in (
        Cell(*map(int, np.argwhere(view.support & ~np.eye(9, 12, dtype=bool))[0])),
        Cell(0, 0),
    ):
        words = visit.point("dense", cell).text(".under")
        found = re.search(r"dense ([\d.< ]+), A-RNN ([\d.< ]+), back ([\d.< ]+) × 1/n", words)
        wanted = [108 * float(row[cell]) for row in (view.dense, view.weights, view.incoming)]
        told = [float(each.removeprefix("< ")) for each in found.groups()]
        assert told == pytest.approx(wanted, rel=0.01, abs=0.0011)
    visit.set('[data-set="direction"]', True)
    words = visit.point("dense", (0, 0)).text(".under")
    weight = 108 * float(session.query_cell(Cell(0, 0)).weights[CELL])
    assert float(re.search(r"with ([\d.]+) × 1/n", words)[1]) == pytest.approx(weight, abs=0.01)
