"""The segmentation panel: by classes, under a what-if, and without attention."""

import numpy as np
import pytest

from app.gallery import EXAMPLES
from asa_viz.geometry import Cell
from tests.browser.conftest import FLIPPED

CELL = Cell(4, 6)
PANEL = '[data-panel="segmentation"]'


@pytest.fixture
def session(server):
    return server.session(EXAMPLES[0].path)


def coloured(image):
    """Return where an image is not grey."""
    return np.ptp(image[..., :3], axis=-1) > 6


def test_the_legend_shows_a_class_alone_while_it_is_pointed_at_or_has_the_focus(visit, session):
    visit.click("photo", CELL)
    labels = session.segmentation.working_labels
    before = visit.pictures()
    entries = visit.find(f"{PANEL} .legend button")
    assert entries.count() >= 2
    entry = entries.first
    label = visit.ask("viewer.scenes.segmentation.legend[0].label")
    for act, end in ((entry.hover, lambda: visit.page.mouse.move(5, 5)), (entry.focus, entry.blur)):
        act()
        assert entry.get_attribute("aria-pressed") == "true"
        image = visit.pixels("segmentation")
        height, width = image.shape[:2]
        rows = np.arange(height) * labels.shape[0] // height
        cols = np.arange(width) * labels.shape[1] // width
        # Photograph and colour are in the class alone; outlines and marks lie over its edge.
        inside = labels[rows[:, None], cols] == label
        assert coloured(image)[inside].mean() > 0.5
        assert coloured(image)[~inside].mean() < 0.25
        assert visit.pictures()["photo"] == before["photo"]
        end()
        assert visit.pictures() == before


def test_a_what_if_is_run_by_itself_once_the_rule_stays(visit, session):
    visit.click("photo", CELL)
    asked = []
    visit.page.expose_function("asked", lambda value: asked.append(value))  # noqa: PLW0108
    visit.page.evaluate(
        """() => {
          const { host } = asaViz, { rerun } = host;
          host.rerun = (picture, network, whatIf) => {
            asked(whatIf.nonlocalFactor);
            return rerun(picture, network, whatIf);
          };
        }"""
    )
    visit.page.evaluate(
        "for (const nonlocalFactor of [1.2, 1.4, 2])"
        "  asaViz.setRule({ ...asaViz.state.whatIf, nonlocalFactor })"
    )
    assert "as trained" in visit.text(f"{PANEL} .note")
    visit.wait("viewer.rerun").settle()
    assert asked == [2]
    # In the layer that was shown, and without a word.
    assert visit.state["layer"] == "classes"
    assert visit.text(".status") == ""
    labels = session.segmentation.working_labels.copy()
    labels[FLIPPED] = (labels[FLIPPED] + 1) % len(session.segmentation.classes)
    shown = np.array(visit.ask("[...viewer.scenes.segmentation.values]")).reshape(labels.shape)
    assert (shown == labels).all()
    assert f"{labels[FLIPPED].size} pixels flip" in visit.text(f"{PANEL} .note")
    visit.do("as-trained")
    visit.settle()
    shown = np.array(visit.ask("[...viewer.scenes.segmentation.values]")).reshape(labels.shape)
    assert (shown == session.segmentation.working_labels).all()


def test_the_chances_of_the_classes_are_told_for_the_what_if_and_as_trained(visit):
    visit.click("photo", CELL)
    if not visit.ask("Boolean(viewer.moment.row.classes)"):
        return
    visit.find('[data-tab="says"]').click()
    before = visit.ask("[...viewer.moment.row.classes.sparse]")
    assert visit.find(".chart dd .trained").count() == 0
    visit.set('[data-what-if="nonlocalFactor"]', 3)
    visit.settle()
    trained = visit.ask("[...viewer.moment.row.classes.trained]")
    assert np.allclose(trained, before, atol=1e-6)
    assert visit.find(".chart dd .trained").count() == visit.find(".chart dt").count()


def test_the_wipe_shows_with_attention_on_its_left_and_without_on_its_right(visit, session):
    visit.click("photo", CELL)
    labels = session.segmentation.working_labels
    # As if without attention nothing but the last class were seen.
    visit.page.evaluate(
        "asaViz.session.withoutAttention ="
        " asaViz.session.workingLabels.map(() => asaViz.session.classes.length - 1)"
    )
    plain = visit.pixels("segmentation")
    visit.set('[data-set="layer"]', "wipe")
    handle = visit.find(f"{PANEL} .over input")
    middle = plain.shape[1] // 2

    def differs(part):
        return (visit.pixels("segmentation")[:, part] != plain[:, part]).any(axis=-1).mean()

    assert differs(slice(0, middle - 8)) < 0.01
    assert differs(slice(middle + 8, None)) > 0.3
    # By keyboard: all with attention, then all without.
    handle.focus()
    visit.page.keyboard.press("End")
    assert differs(slice(0, -8)) < 0.01
    visit.page.keyboard.press("Home")
    assert differs(slice(8, None)) > 0.3
    visit.page.keyboard.press("ArrowRight")
    assert visit.ask("viewer.wiped") == 0.01
    # By pointer: the handle is dragged, and the query stays where it is.
    box = handle.bounding_box()
    y, width = box["y"] + box["height"] / 2, box["width"] - 44
    left = box["x"] + 22
    visit.page.mouse.move(left + 0.01 * width, y)
    visit.page.mouse.down()
    visit.page.mouse.move(left + 0.6 * width, y, steps=4)
    visit.page.mouse.up()
    assert abs(visit.ask("viewer.wiped") - 0.6) < 0.03
    assert visit.cell == CELL
    # Beside the handle the picture answers as everywhere.
    visit.click("segmentation", Cell(1, 1))
    assert visit.cell == Cell(1, 1)
    share = (labels != len(session.segmentation.classes) - 1).mean()
    assert f"{100 * share:.0f} % of the picture" in visit.text(f"{PANEL} .note")


def test_a_set_of_cells_is_one_query_by_pointer_by_keys_and_in_a_link(visit, session, visitors):
    visit.click("photo", CELL)
    page, query = visit.page, visit.state["query"]

    def check(cells):
        visit.wait("viewer.moment.set").settle()
        width = session.grid.width
        assert visit.ask("viewer.moment.set.cells") == [row * width + col for row, col in cells]
        (mean,) = session.attention.rows([[Cell(*cell) for cell in cells]])
        values = np.array(visit.ask("[...viewer.scenes.sparse.values]"))
        assert np.allclose(values, 108 * mean.weights.ravel(), rtol=1e-3, atol=1e-6)
        shares = np.array(visit.ask("[...viewer.scenes.map.values]"))
        assert np.allclose(shares, mean.chooses_back.ravel(), atol=1e-6)
        assert visit.text(".sentence").startswith(f"{len(cells)} cells as one query")

    # Shift and a drag: a rectangle. Shift and a click: a cell more, and then without it.
    page.keyboard.down("Shift")
    page.mouse.move(*visit.spot("photo", (2, 3)))
    page.mouse.down()
    page.mouse.move(*visit.spot("photo", (3, 5)), steps=4)
    page.mouse.up()
    rectangle = [(row, col) for row in (2, 3) for col in (3, 4, 5)]
    check(rectangle)
    visit.click("dense", Cell(7, 7))
    check([*rectangle, (7, 7)])
    visit.click("photo", Cell(2, 3))
    page.keyboard.up("Shift")
    cells = [*rectangle[1:], (7, 7)]
    check(cells)
    assert visit.state["query"] == query
    # A link opens it, and undo leads back.
    other = visitors().open(visit.ask("location.search"))
    assert other.state["set"] == visit.state["set"]
    visit.do("undo")
    check([*rectangle, (7, 7)])
    # A plain click is one cell again.
    visit.click("photo", CELL)
    visit.settle()
    assert visit.ask("viewer.moment.set") is None
    assert visit.state["set"] is None
    # By keys: one cell after the other, the segment, and none.
    visit.press("s", "ArrowRight", "s")
    check([CELL, (CELL.row, CELL.col + 1)])
    visit.press("g")
    visit.wait("viewer.moment.set.cells.length !== 2").settle()
    labels = session.segmentation.cell_labels
    found = [divmod(cell, session.grid.width) for cell in visit.ask("viewer.moment.set.cells")]
    assert {labels[cell] for cell in found} == {labels[CELL.row, CELL.col + 1]}
    assert visit.find('[data-name="segment"]').get_attribute("aria-pressed") == "true"
    visit.press("Escape")
    assert visit.state["set"] is None
    assert visit.state["locked"]
