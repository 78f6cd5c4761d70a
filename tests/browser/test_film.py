"""The film of the algorithm: true numbers, the cells that remain, and no film unasked."""

import pytest

from app.gallery import EXAMPLES
from app.viewer import dictionaries

ENGLISH = dictionaries()["en"]
STAGES = ["ask", "dense", "chosen", "back", "local", "kept", "result"]
# The share of the screen that pictures fill, and the lowest end of a panel.
FILLED = """(() => {
  const { width, height } = viewer.picture;
  const filled = [...document.querySelectorAll(".asa .panel canvas")].map((canvas) => {
    const box = canvas.getBoundingClientRect();
    const fit = Math.min(box.width / width, box.height / height);
    return width * fit * height * fit;
  });
  const ends = [...document.querySelectorAll(".asa .caption")]
    .map((each) => each.getBoundingClientRect().bottom);
  return [filled.reduce((a, b) => a + b) / (innerWidth * innerHeight), Math.max(...ends)];
})()"""


def go(visit, stage):
    """Show a stage as a click on its number does."""
    visit.find(f'.stages [data-stage="{stage}"]').click()
    return visit.settle()


def lit(visit):
    """The cells that remain in the panel of the A-RNN row."""
    pixels = visit.ask("viewer.scenes.sparse.cells ? [...viewer.scenes.sparse.cells.pixels] : []")
    return {cell for cell, pixel in enumerate(pixels) if pixel}


def test_the_numbers_of_the_strip_are_those_of_the_library(visit, server):
    view = server.session(EXAMPLES[0].path).query_cell(visit.cell)
    numbers = {
        stage: visit.text(f'.stages [data-stage="{stage}"] b') for stage in STAGES if stage != "ask"
    }
    assert numbers["dense"] == "108"
    assert numbers["chosen"] == str(view.chosen.sum())
    assert numbers["back"] == str((view.chosen & view.chooses_back).sum())
    assert numbers["local"] == f"+ {(view.support & ~(view.chosen & view.chooses_back)).sum()}"
    assert numbers["kept"] == str(view.support.sum())
    for stage, mask in {
        "chosen": view.chosen,
        "back": view.chosen & view.chooses_back,
        "kept": view.support,
    }.items():
        go(visit, stage)
        assert lit(visit) == set(mask.ravel().nonzero()[0].tolist()), stage


def test_the_scrubber_goes_through_the_stages_by_keyboard(visit):
    scrubber = visit.find(".stages .scrubber")
    whole = visit.pictures()
    scrubber.focus()
    visit.page.keyboard.press("Home")
    assert visit.settle().state["stage"] == "ask"
    assert lit(visit) == set()
    assert scrubber.get_attribute("aria-valuetext") == ENGLISH["stage.ask.name"]
    seen = [visit.pictures()]
    for stage in STAGES[1:]:
        visit.page.keyboard.press("ArrowRight")
        assert visit.settle().state["stage"] == stage
        seen.append(visit.pictures())
    assert len({each["neighbours"] for each in seen}) >= 3
    assert len({each["segmentation"] for each in seen}) == 2
    visit.page.keyboard.press("ArrowRight")
    assert visit.settle().state["stage"] is None
    assert visit.pictures() == whole


def test_the_formula_of_a_stage_has_the_numbers_of_the_cell_under_the_pointer(visit):
    visit.click("photo", (4, 6))
    go(visit, "chosen")
    words = visit.point("dense", (2, 3)).text(".under")
    dense = visit.ask("108 * viewer.moment.row.dense[2 * 12 + 3]")
    assert "Row 3, column 4" in words
    assert f"{dense:.2f}" in words or f"{dense:.3f}" in words or f"{dense:.1f}" in words


def test_the_film_plays_once_and_ends_when_the_visitor_acts(visitors):
    first = visitors(reduced_motion="no-preference")
    # With a link nothing plays by itself.
    first.open("?stage=ask")
    first.page.evaluate("localStorage.clear()")
    first.page.wait_for_timeout(300)
    assert first.state["stage"] == "ask"
    first.page.mouse.move(1, 1)
    first.page.goto(f"{first.address}/")
    first.wait("viewer.state.stage === 'dense'")
    assert first.find(".stages .play").get_attribute("aria-label") == ENGLISH["stage.pause"]
    # The stage of a film that plays is not written into the address.
    assert "stage" not in first.page.url
    first.page.mouse.move(*first.spot("photo", (4, 6)))
    first.wait("viewer.state.stage === null")
    again = visitors(reduced_motion="no-preference").open()
    again.page.wait_for_timeout(300)
    assert again.state["stage"] is None
    again.find(".stages .play").click()
    again.wait("viewer.state.stage === 'ask'")
    again.wait("viewer.state.stage === 'kept' && viewer.progress < 1")
    again.wait("viewer.state.stage === null")


def test_without_motion_nothing_plays_by_itself_and_weights_do_not_grow(visit):
    visit.page.wait_for_timeout(300)
    assert visit.state["stage"] is None
    assert visit.page.evaluate("localStorage.getItem('asa-viz film')") is None


def test_a_network_without_thresholds_has_fewer_stages(visit):
    visit.set_quickly('[data-set="network"]', "dense")
    visit.wait("viewer.opened.network === 'dense'").settle()
    shown = visit.find(".stages [data-stage]").evaluate_all(
        "(all) => all.map(({ dataset }) => dataset.stage)"
    )
    assert shown == ["ask", "dense", "result"]


def test_the_strip_rests_while_columns_or_pins_are_looked_at(visit):
    go(visit, "back")
    visit.set('[data-set="direction"]', True)
    assert visit.find(".stages .play").is_disabled()
    assert visit.ask("viewer.scenes.segmentation.isVeiled ?? false") is False


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (2560, 1440)])
def test_pictures_fill_the_screen_and_the_main_job_needs_no_scrolling(visitors, width, height):
    visit = visitors(viewport={"width": width, "height": height}).open()
    filled, end = visit.ask(FILLED)
    assert filled >= 0.55
    assert end <= height
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= width


def test_text_is_large_enough_and_numbers_stand_in_their_colour(visit):
    size = "(element) => parseFloat(getComputedStyle(element).fontSize)"
    assert visit.find(".numbers td").first.evaluate(size) == 15
    assert visit.find(".sentence").evaluate(size) == 20
    kept = visit.find(".sentence .idea-kept").first
    assert kept.evaluate(size) > 20
    colour = "(element) => getComputedStyle(element).color"
    strip = visit.find('.stages [data-stage="kept"] b').evaluate(colour)
    cell = visit.find(".numbers .idea-kept").first.evaluate(colour)
    assert kept.evaluate(colour) == strip == cell
    visit.do("theme")
    assert kept.evaluate(colour) != strip


def test_words_of_the_lesson_have_the_colours_of_the_panels(visitors):
    visit = visitors().open("?lesson=6")
    refused = visit.find(".lesson .idea-refused").first
    assert refused.inner_text() == ENGLISH["group.query_only"]
    # The step shows an early stage of the film; at its end the panel has all its groups.
    visit.page.evaluate("asaViz.store.set({ stage: null })")
    visit.settle()
    swatch = visit.find('[data-panel="neighbours"] .legend i').nth(2)
    assert swatch.evaluate("(element) => getComputedStyle(element).backgroundColor") == (
        "rgb(230, 159, 0)"
    )


def test_points_worth_a_look_lock_the_query_there(visit):
    example = EXAMPLES[0]
    line = visit.find('[data-panel="photo"] .looks')
    assert line.inner_text().endswith(ENGLISH[f"gallery.{example.name}.look"])
    buttons = line.locator("button")
    assert buttons.count() == len(example.looks)
    buttons.nth(1).click()
    visit.settle()
    assert visit.state["locked"]
    assert visit.state["query"] == list(example.looks[1])
    assert buttons.nth(1).get_attribute("aria-pressed") == "true"
    visit.do("undo")
    assert buttons.nth(1).get_attribute("aria-pressed") == "false"
