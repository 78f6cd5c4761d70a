"""The compare view: one click is answered by every method, linked with everything else."""

import re

import pytest
from playwright.sync_api import expect

from app.gallery import EXAMPLES
from app.viewer import dictionaries
from asa_viz.catalogue.methods import METHODS
from asa_viz.geometry import Cell
from tests.app.ensembles import NAMES, FakeEnsemble
from tests.browser.visit import SPOT

ENGLISH = dictionaries()["en"]
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "device_scale_factor": 2}
CELL = Cell(6, 4)


@pytest.fixture
def visit(visit):
    """A visitor in front of the usual methods."""
    visit.do("methods")
    return visit.compared()


def tile(visit, name):
    return visit.find(f'.multiple[data-method="{name}"]')


def shown(visit):
    return visit.find(".multiple[data-method]").evaluate_all(
        "(all) => all.map((e) => e.dataset.method)"
    )


def spot(visit, name, cell):
    canvas = tile(visit, name).locator("canvas")
    canvas.scroll_into_view_if_needed()
    return tuple(canvas.evaluate(SPOT, list(cell)))


def answers(server, cell, names=NAMES):
    """What the library itself says, by name."""
    comparison = FakeEnsemble().read(server.session(EXAMPLES[0].path))
    return {view.name: view for view in comparison.query(cell, names)}


def is_painted(visit, name):
    """Whether something stands on a tile's canvas, and not one colour."""
    script = """(canvas) => {
      const { width, height } = canvas;
      const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
      return new Set(new Uint32Array(data.buffer)).size > 3;
    }"""
    tile(visit, name).scroll_into_view_if_needed()
    visit.page.wait_for_function(
        f"(canvas) => ({script})(canvas)", arg=tile(visit, name).locator("canvas").element_handle()
    )
    return True


def test_one_click_shows_twenty_methods_by_family(visit, server):
    visit.click("photo", CELL)
    names = shown(visit.compared())
    assert len(names) >= 20
    families = [METHODS[name].family for name in names]
    assert families == sorted(families, key=list(dict.fromkeys(families)).index)
    assert len(set(families)) == 10
    headings = [each for each in visit.find(".multiples .family h3").all_inner_texts() if each]
    assert len(headings) == 10
    session = server.session(EXAMPLES[0].path)
    labels = session.segmentation.cell_labels
    for name, view in answers(server, CELL, names).items():
        assert is_painted(visit, name)
        text = tile(visit, name).inner_text()
        assert METHODS[name].title["en"] in text
        if view.row is None:
            assert "gates: no matrix of cells" in text
            assert "keys" not in text
            continue
        own = view.own_class(labels, int(labels[CELL])) if view.row.shape == labels.shape else None
        assert f"{view.support} keys" in text
        assert f"sum {view.total:.2f}".replace("-", "−") in text
        assert own is None or abs(100 * own - float(re.search(r"(\d+) % own", text)[1])) <= 1
        assert ("composed" in text) == (METHODS[name].exact == "composed")
        label = tile(visit, name).locator("canvas").get_attribute("aria-label")
        assert label.startswith(METHODS[name].title["en"])
        assert "in effect" in label


def test_the_page_s_own_network_comes_first_and_its_namesakes_are_called_small(visit, server):
    visit.click("photo", CELL)
    visit.compared()
    photo, own = (visit.find(".reference .multiple").nth(k) for k in (0, 1))
    assert ENGLISH["panel.photo"] in photo.inner_text()
    text = own.inner_text()
    assert ENGLISH["methods.own_network"] in text
    view = server.session(EXAMPLES[0].path).query_cell(CELL)
    assert f"{int((view.weights > 0).sum())} keys" in text
    value = float(view.weights[CELL]) * view.weights.size
    assert float(re.search(r"(?:query|pointer) ([\d.]+)", text)[1]) == pytest.approx(
        value, rel=0.01
    )
    for name in ("asa", "nonlocal_embedded_gaussian"):
        assert "(small head)" in tile(visit, name).inner_text()
    assert "(small head)" not in tile(visit, "ccnet").inner_text()


def test_a_click_in_any_map_moves_the_query_of_all(visit, server):
    x, y = spot(visit, "gcnet", (2, 9))
    visit.page.mouse.click(x, y)
    visit.compared()
    assert visit.cell == Cell(2, 9)
    assert visit.state["locked"]
    assert "Row 3, column 10" in visit.text(".methods .where")
    assert "Row 3, column 10" in visit.text(".sentence")
    view = answers(server, Cell(2, 9), ["ccnet"])
    assert f"{view['ccnet'].support} keys" in tile(visit, "ccnet").inner_text()


def test_the_pointer_reads_the_same_cell_in_all_maps(visit, server):
    x, y = spot(visit, "dnl", (5, 2))
    before = visit.cell
    visit.page.mouse.move(x, y)
    visit.wait("viewer.hovered === given[0] * viewer.session.width + given[1]", 5, 2)
    views = answers(server, before)
    for name in shown(visit):
        row = views[name].row
        if row is None or row.shape != (9, 12):
            continue
        value = float(row[5, 2]) * row.size
        text = tile(visit, name).locator(".reading")
        expect(text).to_have_text(re.compile("^pointer "))
        given = float(text.inner_text().rsplit(" ", 1)[1].replace("−", "-"))
        assert given == pytest.approx(value, rel=0.01, abs=6e-4)
    assert visit.cell == before
    # The same from a panel of the page.
    visit.point("dense", (1, 1))
    expect(tile(visit, "gcnet").locator(".reading")).to_have_text(re.compile("^pointer "))


def test_the_view_is_in_the_link_and_comes_back(visitors):
    visit = visitors().open("?compare=1&lock=1").compared()
    assert len(shown(visit)) >= 20
    visit.page.wait_for_function(
        "document.querySelector('.asa .methods').getBoundingClientRect().top < 5"
    )
    visit.page.evaluate("asaViz.store.set({ methods: 'gcnet.asa', scales: 'one' })")
    visit.compared()
    assert shown(visit) == ["asa", "gcnet"]
    visit.page.wait_for_url("**methods=gcnet.asa*")
    visit.reload().compared()
    assert shown(visit) == ["asa", "gcnet"]
    assert visit.find('.methods [data-set="scales"]').is_checked()
    assert "all rows on one scale" in visit.text(".methods .where")


def test_methods_are_chosen_one_by_one_and_by_the_family(visit):
    button = visit.find(".methods .bar button").first
    count = len(shown(visit))
    expect(button).to_have_text(f"Choose: {count} of {len(NAMES)}")
    button.click()
    menu = visit.find('[data-menu="methods"]')
    menu.get_by_role("button", name="None").click()
    expect(visit.find(".multiple[data-method]")).to_have_count(0)
    expect(visit.find(".agreement")).to_be_hidden()
    menu.get_by_label("In a window").check()
    windows = [name for name in NAMES if METHODS[name].family == "window"]
    expect(visit.find(".multiple[data-method]")).to_have_count(len(windows))
    menu.get_by_label("SENet").check()
    expect(visit.find(".multiple[data-method]")).to_have_count(len(windows) + 1)
    assert visit.compared().state["methods"] == ".".join([*windows, "senet"])
    menu.get_by_role("button", name="All").click()
    expect(visit.find(".multiple[data-method]")).to_have_count(len(NAMES))
    visit.page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(button).to_be_focused()
    for name in NAMES:
        assert is_painted(visit, name)


def test_nothing_moves_while_the_query_does(visit):
    boxes = """() => [...document.querySelectorAll(
      ".asa .methods :is(canvas, h3, h4, .reading, .lines p, .heads, table)")].map((element) => {
        const { top, height } = element.getBoundingClientRect();
        return [element.className, Math.round(top + scrollY), Math.round(height)];
      })"""
    before = visit.page.evaluate(boxes)
    for cell in [(0, 0), (8, 11), (4, 6)]:
        visit.page.evaluate(
            "([row, col]) => asaViz.lock([(col + 0.5) * asaViz.session.imageWidth / 12 | 0,"
            " (row + 0.5) * asaViz.session.imageHeight / 9 | 0])",
            list(cell),
        )
        visit.compared()
        assert visit.page.evaluate(boxes) == before


def count_questions(visit):
    """Have the page count its questions: how many there were, and the most at a time."""
    visit.page.evaluate(
        """() => {
          const { host } = asaViz, { compare } = host;
          window.flight = { now: 0, most: 0, asked: 0 };
          host.compare = async (...given) => {
            flight.asked++;
            flight.most = Math.max(flight.most, ++flight.now);
            try { return await compare(...given); } finally { flight.now--; }
          };
        }"""
    )


def test_questions_go_out_one_by_one_and_the_newest_is_answered(visit):
    count_questions(visit)
    visit.page.evaluate("() => { for (let k = 1; k < 12; k++) asaViz.lock([40 * k, 300]); }")
    visit.compared()
    flight = visit.page.evaluate("flight")
    assert flight["most"] == 1
    assert flight["asked"] <= 2
    assert visit.page.evaluate("asaViz.comparison.cell") == visit.page.evaluate(
        "asaViz.moment.row.i"
    )


def test_a_query_that_is_free_is_asked_for_once_the_pointer_rests(visit):
    visit.page.evaluate("asaViz.free()")
    visit.compared()
    count_questions(visit)
    visit.page.evaluate(
        """async () => {
          for (let k = 1; k < 8; k++) {
            asaViz.hover([60 * k, 60]);
            await new Promise((later) => setTimeout(later, 40));
          }
        }"""
    )
    visit.point("photo", (3, 3))
    visit.compared()
    assert visit.page.evaluate("flight.asked") <= 3
    assert "Row 4, column 4" in visit.text(".methods .where")


def test_heads_agree_and_are_listed_with_the_page_s_network_named(visitors):
    visit = visitors().open("?network=dense&methods=asa.ccnet.senet.bilateral&lock=1").compared()
    assert "was also encoded by asa" in visit.text(".methods > .note").lower()
    entries = visit.find(".methods .heads li").all_inner_texts()
    assert len(entries) == 3
    assert all(re.search(r"\d %$|100 %$", each) for each in entries)
    assert "3 heads" in visit.text(".methods .votes .what")
    assert "nothing trained" in tile(visit, "bilateral").inner_text()


def test_the_experiment_is_a_table_that_can_be_sorted(visit):
    table = visit.find(".experiment table")
    told = visit.text(".experiment .note")
    assert "64 channels (arms of the experiment: 128, rate 0.002)" in told
    assert "python -m asa_viz.compare" in told
    assert "on the frozen backbone of ASA" in told
    assert "{" not in told
    contrast = visit.text(".experiment .contrasts")
    assert "−1.2 points of mIoU (−2.0 to +0.1" in contrast
    assert ENGLISH["experiment.verdict.not"] in contrast
    assert ENGLISH["experiment.nonlocal_started"] in contrast
    no_attention = ENGLISH["experiment.fcn"] + ENGLISH["experiment.form.read_only"]
    first = table.locator("tr:nth-child(2) th")
    expect(first).to_have_text(METHODS["ccnet"].title["en"])
    expect(visit.find('.experiment [aria-sort="descending"]')).to_have_count(1)
    table.get_by_role("button", name="mIoU, %").click()
    expect(first).to_have_text(no_attention)
    expect(table.get_by_role("button", name="mIoU, %")).to_be_focused()
    table.get_by_role("button", name="mIoU without attention").click()
    title = METHODS["asa"].title["en"]
    expect(first).to_have_text(ENGLISH["methods.small"].format(title=title))
    cells = table.locator("tr:nth-child(2)").locator("td").all_inner_texts()
    assert cells[:5] == ["61.3", "–", "90.0", "55.0", "7.0"]
    assert cells[5:] == ["25.0", "12.5", "8.00", "50", "64", "30", "12", "10"]
    cells = table.locator("tr").last.locator("th, td").all_inner_texts()
    assert cells[0] in (no_attention, METHODS["ccnet"].title["en"])
    assert cells[4] == "–"


def test_all_of_it_is_done_by_keyboard(visitors):
    visit = visitors().open()
    visit.find('[data-do="methods"]').focus()
    visit.page.keyboard.press("Enter")
    visit.compared()
    expect(visit.find(".methods h2")).to_be_focused()
    before = visit.cell
    visit.find(".methods .photo canvas").focus()
    visit.page.keyboard.press("ArrowUp")
    visit.page.keyboard.press("Shift+ArrowLeft")
    visit.compared()
    assert visit.cell == Cell(before.row - 1, max(before.col - 5, 0))
    about = tile(visit, "ccnet").get_by_role("button")
    about.focus()
    visit.page.keyboard.press("Enter")
    card = visit.page.get_by_role("dialog", name="CCNet, criss-cross")
    expect(card).to_be_focused()
    text = card.inner_text()
    assert METHODS["ccnet"].note["en"] in text
    assert METHODS["ccnet"].formula in text
    assert ENGLISH["methods.exact.composed"] in text
    visit.page.keyboard.press("Escape")
    expect(card).to_be_hidden()
    expect(about).to_be_focused()
    visit.page.keyboard.press("Escape")
    expect(visit.find(".methods")).to_be_hidden()
    expect(visit.find('[data-do="methods"]')).to_be_focused()
    assert visit.state["methods"] is None


@pytest.mark.parametrize("language", ["en-GB", "zh-CN", "zh-TW"])
def test_on_a_phone_the_tiles_stand_in_two_columns_and_nothing_scrolls_sideways(visitors, language):
    visit = visitors(**PHONE, locale=language).open("?methods=all&lock=1").compared()
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 360
    lefts = visit.find(".multiple[data-method]").evaluate_all(
        "(all) => [...new Set(all.map((each) => Math.round(each.getBoundingClientRect().left)))]"
    )
    assert len(lefts) == 2
    visit.find(".methods .bar button").first.click()
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("language", ["zh-CN", "zh-TW"])
def test_the_view_speaks_the_visitor_s_language(visit, language):
    visit.set('[data-set="language"]', language)
    title = METHODS["ccnet"].title[language]
    expect(tile(visit, "ccnet").locator("h4 .title")).to_have_text(title)
    words = dictionaries()[language]
    expect(visit.find(".methods h2")).to_have_text(words["methods.title"])
    expect(tile(visit, "senet")).to_contain_text(words["methods.is.none"])


def test_a_server_that_fails_is_said_to_and_the_next_click_asks_again(visit):
    visit.page.evaluate(
        """() => {
          const { host } = asaViz, { compare } = host;
          host.compare = async () => {
            host.compare = compare;
            throw Object.assign(new Error("error.server"), { key: "error.server" });
          };
        }"""
    )
    visit.click("photo", (1, 1))
    expect(visit.find(".methods .where")).to_have_text(ENGLISH["error.server"])
    visit.click("photo", (2, 2))
    visit.compared()
    assert "Row 3, column 3" in visit.text(".methods .where")


def test_another_picture_is_compared_too(visit):
    visit.find(f'[data-picture="{EXAMPLES[1].name}"]').click()
    visit.wait("viewer.opened.picture === given[0]", EXAMPLES[1].name)
    visit.compared()
    assert len(shown(visit)) >= 20
