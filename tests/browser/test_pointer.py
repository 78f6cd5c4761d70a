"""The cell under the pointer is the query, at every size of the page and of the picture."""

import itertools
import math

import pytest
from PIL import Image

from app.gallery import EXAMPLES
from asa_viz.geometry import Cell, Pixel
from tests.browser.visit import PANELS, query_cell

SCREENS = {
    "desktop": {},
    "sharp screen": {"device_scale_factor": 2},
    "odd density": {"device_scale_factor": 1.25, "viewport": {"width": 1023, "height": 801}},
    "phone": {"viewport": {"width": 360, "height": 740}, "device_scale_factor": 3},
}


def check_frame(visit, panel="map"):
    """The white frame lies around the query's cell, to two pixels of the canvas."""
    canvas = visit.pixels(panel).shape[1]
    on_screen = visit.canvas(panel).evaluate("(each) => each.getBoundingClientRect().width")
    density = canvas / on_screen
    left, top, width, height = (density * each for each in visit.place(panel))
    box = visit.canvas(panel).bounding_box()
    page = [density * visit.page.evaluate(f"window.scroll{axis}") for axis in "XY"]
    left, top = left - density * box["x"], top - density * box["y"]
    factor, across, along = visit.state["zoom"]
    grid, cell = visit.grid, visit.cell
    assert page[0] == 0
    # The frame is drawn around the cell: its own edge, and half as much again.
    edge = 3 * density
    wanted = (
        left + width * factor * (cell.col / grid.width - across) - edge,
        top + height * factor * (cell.row / grid.height - along) - edge,
        left + width * factor * ((cell.col + 1) / grid.width - across) + edge,
        top + height * factor * ((cell.row + 1) / grid.height - along) + edge,
    )
    assert visit.frame(panel) == pytest.approx(wanted, abs=2)


def check_cell(visit, cell):
    """The query, the marked cell and what the words say are all this cell."""
    assert query_cell(visit) == visit.cell == cell
    assert f"Row {cell[0] + 1}, column {cell[1] + 1}," in visit.text(".sentence")


@pytest.mark.parametrize("screen", SCREENS)
def test_the_cell_under_the_pointer_is_the_marked_one(visitors, screen):
    visit = visitors(**SCREENS[screen]).open()
    for panel, cell in zip(PANELS, [(1, 1), (7, 10), (4, 6), (2, 9), (6, 3), (5, 5)], strict=True):
        check_cell(visit.point(panel, cell), cell)
    visit.set('[data-set="opacity"]', 1)
    check_frame(visit)
    check_frame(visit, "dense")
    # The first and the last whole pixel of the screen that lie on the picture.
    lowest = visit.page.viewport_size["height"]
    for panel in ("photo", "segmentation"):
        visit.spot(panel, (0, 0))
        left, top, width, height = visit.place(panel)
        xs = {0: math.ceil(left), 11: math.ceil(left + width) - 1}
        ys = {0: math.ceil(top), 8: min(math.ceil(top + height), lowest) - 1}
        for (row, y), (col, x) in itertools.product(ys.items(), xs.items()):
            visit.page.mouse.move(x, y)
            visit.wait("viewer.hovered === given[0]", 12 * row + col)
            check_cell(visit.settle(), Cell(row, col))


def test_beside_the_picture_there_is_nothing_to_point_at(visit, noise):
    visit.upload(noise(200, 300)).click("photo", (6, 4))
    left, top, width, height = visit.place()
    visit.page.mouse.move(left - 4, top + height / 2)
    visit.page.mouse.click(left + width + 4, top + height / 2)
    check_cell(visit.settle(), Cell(6, 4))
    assert visit.state["locked"]
    assert visit.ask("viewer.hovered") is None


def test_a_picture_is_pointed_at_as_it_is_seen(visit, noise, tmp_path):
    visit.set('[data-set="opacity"]', 1)
    for orientation, turns in {1: 0, 3: 2, 6: 3, 8: 1}.items():
        turned = tmp_path / f"turned_{orientation}.jpg"
        exif = Image.Exif()
        exif[0x0112] = orientation
        Image.open(noise(211, 309)).save(turned, exif=exif, quality=95)
        visit.upload(turned)
        upright = Image.open(turned).convert("RGB").rotate(90 * turns, expand=True)
        assert (visit.grid.image_width, visit.grid.image_height) == upright.size
        rows, cols = visit.grid.height, visit.grid.width
        assert (rows < cols) == (turns % 2 == 1)
        for panel, cell in [("photo", (0, 0)), ("dense", (rows - 1, cols - 1)), ("map", (5, 4))]:
            check_cell(visit.point(panel, cell), cell)
        check_frame(visit)
        # The browser shows the same corner at the top left as Python's own upright picture.
        assert visit.colour_at(3, 3) == pytest.approx(upright.getpixel((3, 3)), abs=12)


def test_a_finger_points_as_well(visitors):
    # Beside the photo a phone shows one panel at a time.
    visit = visitors(**SCREENS["phone"], has_touch=True).open()
    for panel, cell in [("photo", (2, 3)), ("neighbours", (7, 1)), ("photo", (0, 11))]:
        visit.page.touchscreen.tap(*visit.spot(panel, cell))
        visit.page.wait_for_function("window.asaViz?.state.locked")
        check_cell(visit.settle(), cell)
    visit.page.touchscreen.tap(*visit.spot("photo", (0, 11)))
    visit.page.wait_for_function("window.asaViz && !asaViz.state.locked")


def test_an_enlarged_picture_is_pointed_at_where_it_is_seen(visitors):
    visit = visitors(device_scale_factor=2).open()
    visit.set('[data-set="opacity"]', 1)
    visit.page.mouse.move(*visit.spot("map", (4, 6)))
    visit.page.keyboard.down("Control")
    visit.page.mouse.wheel(0, -250)
    visit.page.keyboard.up("Control")
    visit.page.wait_for_function("window.asaViz?.state.zoom[0] > 1.5")
    check_cell(visit.settle(), (4, 6))
    check_frame(visit)
    for panel, cell in [("photo", (4, 6)), ("dense", (5, 7)), ("map", (3, 5))]:
        visit.point(panel, cell)
        check_cell(visit, cell)
        check_frame(visit)
    # The middle button moves the picture under the pointer, and leaves the query alone.
    before, locked = visit.state["zoom"], visit.state["locked"]
    x, y = visit.spot("map", (4, 6))
    visit.page.mouse.move(x, y)
    query = visit.state["query"]
    visit.page.mouse.down(button="middle")
    visit.page.mouse.move(x - 30, y - 20)
    visit.page.mouse.up(button="middle")
    _, _, width, height = visit.place("map")
    factor, across, along = visit.state["zoom"]
    assert across - before[1] == pytest.approx(30 / (factor * width), abs=2e-4)
    assert along - before[2] == pytest.approx(20 / (factor * height), abs=2e-4)
    assert (visit.state["query"], visit.state["locked"]) == (query, locked)
    visit.point("map", (4, 6))
    check_frame(visit)


def test_hovering_shows_a_click_locks_and_esc_or_a_second_click_frees(visit):
    visit.point("photo", (2, 2))
    assert not visit.state["locked"]
    visit.click("photo", (3, 4))
    assert visit.state["locked"]
    visit.point("dense", (8, 8))
    check_cell(visit, (3, 4))
    assert "row 9, column 9" in visit.text(".under")
    visit.press("Escape")
    assert not visit.state["locked"]
    visit.point("dense", (8, 9))
    check_cell(visit, (8, 9))
    visit.click("sparse", (1, 10))
    visit.click("sparse", (1, 10))
    assert not visit.state["locked"]


def test_the_cell_under_the_pointer_is_marked_in_all_panels_and_leaving_keeps_the_query(visit):
    visit.click("photo", (4, 4))
    still = visit.pictures()
    visit.point("map", (1, 8))
    assert visit.ask("viewer.hovered") == 1 * 12 + 8
    assert all(still[name] != picture for name, picture in visit.pictures().items())
    visit.page.mouse.move(2, 2)
    visit.page.wait_for_function("window.asaViz?.hovered === null")
    assert visit.settle().pictures() == still
    visit.press("Escape")
    visit.point("map", (1, 8))
    visit.page.mouse.move(2, 2)
    visit.page.wait_for_function("window.asaViz?.hovered === null")
    check_cell(visit.settle(), (1, 8))


def test_of_quick_moves_and_clicks_the_last_one_wins(visit):
    cells = list(itertools.product(range(9), range(0, 12, 3)))
    spots = [visit.spot("dense", cell) for cell in cells]
    for spot in spots:
        visit.page.mouse.move(*spot)
    visit.wait("viewer.hovered === given[0]", 8 * 12 + 9)
    check_cell(visit.settle(), (8, 9))
    for k in (0, 25, 31, 18):
        visit.page.mouse.click(*spots[k])
    check_cell(visit.settle(), cells[18])
    # What comes late changes nothing any more.
    visit.page.wait_for_timeout(300)
    check_cell(visit, cells[18])


def test_hovering_asks_the_server_for_nothing(visit):
    before = len(visit.requests)
    for cell in itertools.product(range(0, 9, 2), range(0, 12, 3)):
        visit.page.mouse.move(*visit.spot("neighbours", cell))
    visit.settle().click("photo", (2, 2))
    # Thumbnails of one's own pictures lie in the browser.
    assert [url for url in visit.requests[before:] if not url.startswith("blob:")] == []


def test_the_keyboard_does_all_that_the_pointer_does(visit):
    visit.click("photo", (4, 4))
    visit.press("Escape")
    visit.page.mouse.move(2, 2)
    for keys, cell in [
        (["ArrowUp"], (3, 4)),
        (["ArrowRight", "ArrowRight"], (3, 6)),
        (["Shift+ArrowDown"], (8, 6)),
        (["Shift+ArrowRight"], (8, 11)),
        (["ArrowDown", "ArrowRight"], (8, 11)),
        (["Shift+ArrowLeft", "ArrowLeft"], (8, 5)),
        (["Shift+ArrowUp", "Shift+ArrowUp"], (0, 5)),
    ]:
        visit.press(*keys, panel="sparse")
        check_cell(visit, cell)
    assert visit.state["locked"]
    visit.press(" ")
    assert not visit.state["locked"]
    visit.press("Space")
    assert visit.state["locked"]
    visit.press("Enter", "ArrowDown", "Enter")
    assert [visit.grid.cell_at(Pixel(*pin)) for pin in visit.state["pins"]] == [(0, 5), (1, 5)]
    visit.press("Enter")
    assert len(visit.state["pins"]) == 1
    visit.press("u")
    assert len(visit.state["pins"]) == 2
    visit.press("U", "u")
    check_cell(visit, (0, 5))
    visit.press("+")
    assert visit.state["zoom"][0] == 1.5
    visit.press("+", "-", "-")
    assert visit.state["zoom"][0] == pytest.approx(1)
    visit.press("+", "0")
    assert visit.state["zoom"] == [1, 0, 0]
    visit.press("Escape")
    assert not visit.state["locked"]


# Whatever shows on an element that it has the focus.
LOOK = "(each) => [each, each.closest('.button') ?? each].map((part) => {\
  const { outline, boxShadow } = getComputedStyle(part); return outline + boxShadow; }).join()"


def test_everything_is_reached_by_tab_and_shows_the_focus(visit):
    visit.click("photo", (4, 4))
    visit.page.evaluate("document.activeElement.blur()")
    controls = visit.page.evaluate(
        f"""() => [...document.querySelectorAll(".asa :is(button, select, input, canvas)")]
          .filter((each) => !each.disabled && each.offsetParent && each.tabIndex >= 0)
          .filter((each) => each.type !== "radio" || each.checked)
          .map((each, k) => {{
            each.dataset.stop = k;
            return [each.outerHTML.slice(0, 80), ({LOOK})(each)];
          }})"""
    )
    reached, unmarked = set(), set()
    # Once round: Gradio and the browser have stops of their own.
    for _ in range(len(controls) + 10):
        visit.page.keyboard.press("Tab")
        stop, look = visit.page.evaluate(
            f"() => [document.activeElement.dataset.stop, ({LOOK})(document.activeElement)]"
        )
        if stop is not None:
            reached.add(int(stop))
            if look == controls[int(stop)][1]:
                unmarked.add(controls[int(stop)][0])
    assert [controls[k][0] for k in range(len(controls)) if k not in reached] == []
    assert unmarked == set()


def test_every_photograph_of_the_gallery_opens_at_its_first_point_worth_a_look(visit):
    starts = []
    for example in (EXAMPLES[-1], EXAMPLES[2], EXAMPLES[-1]):
        visit.find(f'[data-picture="{example.name}"]').click()
        visit.wait("viewer.opened.picture === given[0]", example.name).settle()
        starts.append(visit.state["query"])
        assert starts[-1] == list(example.looks[0])
        assert query_cell(visit) == visit.cell
    assert starts[0] == starts[2]
    # The photograph that is there already begins again.
    visit.point("photo", (1, 1))
    visit.find(f'[data-picture="{EXAMPLES[-1].name}"]').click()
    assert visit.settle().state["query"] == starts[0]
    # The points were chosen by the rows of the first network; by another it begins as any picture.
    visit.set('[data-set="network"]', "dense")
    visit.wait("viewer.opened.network === 'dense'").settle()
    visit.find(f'[data-picture="{EXAMPLES[2].name}"]').click()
    visit.wait("viewer.opened.picture === given[0]", EXAMPLES[2].name).settle()
    assert visit.cell == Cell(*divmod(visit.ask("viewer.session.survey.start"), visit.grid.width))
