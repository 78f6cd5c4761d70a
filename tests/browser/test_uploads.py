"""A visitor's own picture is shown, or one clear sentence says why not and all stays as it was."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from gradio.utils import get_upload_folder
from PIL import Image
from playwright.sync_api import expect

from app.gallery import EXAMPLES
from app.viewer import dictionaries
from asa_viz.images import NOTES, SENTENCES
from asa_viz.images.words import FRAMED

ENGLISH = dictionaries()["en"]


def shown(visit):
    """All of what is shown but the line of status."""
    visit.page.mouse.move(2, 2)
    visit.page.wait_for_function("window.asaViz?.hovered === null")
    visit.settle()
    words = [visit.text(each) for each in (".panels", ".sentence", ".under", ".numbers")]
    return visit.state, visit.pictures(), words


def refuse(visit, file, sentence):
    """Open a file that is refused: the sentence comes and stays, and so does what was shown."""
    before = shown(visit)
    visit.find(".open input").set_input_files(file)
    expect(visit.find(".status")).to_have_text(sentence)
    assert shown(visit) == before
    visit.page.wait_for_timeout(500)
    assert visit.text(".status") == sentence
    assert shown(visit) == before


def test_an_upload_is_shown_as_its_file_is(visit, server, noise, tmp_path):
    for file in (noise(320, 240), noise(211, 309, seed=1)):
        visit.upload(file)
        session = server.session(file)
        grid = session.grid
        width, height = Image.open(file).size
        assert f"{width} × {height} pixels, {grid.height} × {grid.width} cells" in visit.text(
            '[data-panel="photo"]'
        )
        assert visit.text(".status") == ""
        visit.click("photo", (4, 5))
        view = session.query_cell(visit.cell)
        np.testing.assert_allclose(
            visit.ask("[...viewer.scenes.sparse.values]"),
            view.weights_times_uniform.ravel(),
            rtol=1e-3,
        )
    clear = tmp_path / "clear.png"
    Image.new("RGBA", (120, 90), (10, 200, 30, 0)).save(clear)
    visit.upload(clear)
    assert "Transparent parts are shown on white." in visit.text('[data-panel="photo"]')
    assert visit.colour_at(5, 5) == [255, 255, 255]


def test_a_picture_that_is_refused_leaves_everything_as_it_was(visit, tmp_path):
    visit.click("photo", (3, 4))
    visit.press("Enter")
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture at all")
    refuse(visit, bad, SENTENCES["IMG_UNKNOWN"])
    narrow = tmp_path / "narrow.png"
    Image.new("RGB", (400, 9)).save(narrow)
    refuse(visit, narrow, SENTENCES["IMG_SHAPE"].format(width=400, height=9))
    # What was refused is no step that leads back.
    visit.do("undo")
    visit.do("undo")
    assert visit.settle().state["pins"] == []
    assert visit.state["picture"] == EXAMPLES[0].name
    # And nothing stands in the way of the next one.
    good = tmp_path / "good.png"
    Image.new("RGB", (90, 70), (200, 10, 10)).save(good)
    visit.upload(good)
    assert visit.text(".status") == ""


def test_a_file_that_is_too_large_is_refused_with_its_reason(visit, tmp_path):
    large = tmp_path / "large.png"
    with large.open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        file.truncate(11 * 2**20)
    refuse(visit, large, SENTENCES["IMG_BYTES"])


def vanish():
    """Let the server lose all that was sent to it."""
    for folder in Path(get_upload_folder()).iterdir():
        shutil.rmtree(folder, ignore_errors=True)


def test_a_picture_that_the_server_has_lost_is_sent_again(visit, noise):
    visit.upload(noise(160, 120, seed=2))
    vanish()
    visit.set_quickly('[data-set="network"]', "dense")
    visit.wait("viewer.opened.network === 'dense'").settle()
    assert visit.grid.image_width == 160


def test_a_picture_that_has_vanished_is_said_to_be_gone(visit, noise):
    visit.upload(noise(160, 120, seed=7))
    vanish()
    visit.page.evaluate(
        """() => new Promise((done, failed) => {
          const request = indexedDB.deleteDatabase("asa-viz");
          Object.assign(request, { onsuccess: done, onerror: failed });
        })"""
    )
    before = shown(visit)
    visit.set_quickly('[data-set="network"]', "dense")
    expect(visit.find(".status")).to_have_text(ENGLISH["error.gone"])
    assert shown(visit) == before
    expect(visit.find('[data-set="network"]')).to_have_value("asa")


def test_a_picture_of_ones_own_is_there_again_after_a_reload(visit, noise):
    visit.upload(noise(170, 130, seed=5))
    visit.click("photo", (4, 5))
    visit.page.wait_for_url("**picture=upload*")
    before = shown(visit)
    vanish()
    assert shown(visit.reload()) == before
    # What this browser does not have is said, and the first photograph stands there.
    visit.open("?picture=upload:elsewhere&at=9.9&lock=1")
    assert visit.text(".status") == ENGLISH["error.gone"]
    assert visit.state["picture"] == EXAMPLES[0].name
    assert not visit.state["locked"]


def test_where_the_browser_keeps_no_picture_the_page_says_so(visit, noise):
    visit.page.evaluate(
        "() => { IDBFactory.prototype.open = () => { throw new Error('private'); }; }"
    )
    visit.upload(noise(140, 120, seed=6))
    assert visit.text(".status") == ENGLISH["status.not_kept"]


def test_a_picture_of_fewer_pixels_than_cells_is_pointed_at_in_every_cell(visit, tmp_path):
    tiny = tmp_path / "tiny.png"
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(tiny)
    visit.upload(tiny)
    assert "8 × 8 pixels" in visit.text('[data-panel="photo"]')
    for cell in [(0, 0), (3, 4), (3, 5), (8, 11), (7, 10), (5, 7)]:
        assert visit.point("photo", cell).cell == cell
    visit.press("ArrowLeft", "ArrowUp", panel="photo")
    assert visit.cell == (4, 6)
    # So it is in the link, and in what the server is asked.
    visit.find('[data-tab="pairs"]').click()
    visit.page.wait_for_selector(".asa .plane .main-svg")
    at = visit.state["query"]
    visit.page.wait_for_url(f"**at={at[0]}.{at[1]}*")
    assert visit.reload().cell == (4, 6)


def test_what_is_squeezed_for_the_network_is_said_to_be(visit, noise):
    visit.upload(noise(320, 240))
    assert "narrower" not in visit.text('[data-panel="photo"]')
    # 2.4 to 1, on a grid of 12 by 9.
    visit.upload(noise(720, 300))
    assert "to the network 1.80 times narrower" in visit.text('[data-panel="photo"]')


@pytest.mark.parametrize("size", [(900, 60), (60, 900)])
def test_an_extreme_picture_lies_between_bars_that_cannot_be_pointed_at(visit, noise, size):
    visit.upload(noise(*size, seed=8))
    words = visit.text('[data-panel="photo"]')
    assert f"{size[0]} × {size[1]} pixels" in words
    assert NOTES[FRAMED] in words
    assert "narrower" not in words
    rows, cols = visit.grid.height, visit.grid.width
    along = rows if size[0] > size[1] else cols
    # A fifteenth of the longer side, in the middle: of nine rows the fifth.
    inside = [k for k in range(along) if abs(k + 0.5 - along / 2) < 1]
    cell = (inside[0], 4) if size[0] > size[1] else (4, inside[0])
    assert visit.point("photo", cell).cell == cell
    # Neither the pointer nor a click nor a key leaves the picture.
    for bar in ((1, 1), (rows - 2, cols - 2)):
        visit.page.mouse.move(*visit.spot("photo", bar))
        visit.wait("viewer.hovered === null")
        visit.page.mouse.click(*visit.spot("photo", bar))
        assert visit.settle().cell == cell
    assert not visit.state["locked"]
    visit.press(*["Shift+ArrowUp", "Shift+ArrowLeft"] * 3, panel="photo")
    assert visit.cell == ((inside[0], 0) if size[0] > size[1] else (0, inside[0]))
    # And nobody is sent there by a link.
    visit.page.wait_for_url("**at=*")
    visit.page.goto(visit.page.url.replace("at=", "at=1.1&was="))
    visit.settle()
    place = visit.cell[0] if size[0] > size[1] else visit.cell[1]
    assert place in inside


def test_a_server_that_is_gone_is_said_to_be(visit):
    visit.page.route("**/gradio_api/**", lambda route: route.abort())
    before = shown(visit)
    visit.find(f'[data-picture="{EXAMPLES[5].name}"]').click()
    expect(visit.find(".status")).to_have_text(ENGLISH["error.server"])
    assert shown(visit) == before
    failed = ("net::ERR_FAILED", "Failed to fetch")
    visit.complaints[:] = [line for line in visit.complaints if not any(map(line.count, failed))]


def test_a_picture_is_dropped_on_the_page_or_pasted(visit, noise):
    file = noise(150, 110, seed=3).read_bytes()
    for event in ("drop", "paste"):
        before = visit.ask("viewer.opened.picture")
        visit.page.evaluate(
            """([bytes, event]) => {
              const file = new File([Uint8Array.from(bytes)], "own.png", { type: "image/png" });
              const held = new DataTransfer();
              held.items.add(file);
              if (event === "drop") {
                document.querySelector(".asa .panels")
                  .dispatchEvent(new DragEvent("drop", { dataTransfer: held, bubbles: true }));
              } else {
                window.dispatchEvent(new ClipboardEvent("paste", { clipboardData: held }));
              }
            }""",
            [list(file), event],
        )
        visit.wait("viewer.opened.picture !== given[0]", before).settle()
        assert visit.grid.image_width == 150
