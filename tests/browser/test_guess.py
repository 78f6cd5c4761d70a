"""Guessing where a point reads: marked by pointer or keyboard, scored by the network's answer."""

from playwright.sync_api import expect

from app.gallery import EXAMPLES


def marked(visit):
    return int(visit.text(".guess-card.is-floating .guess-walk .note").split()[0])


def stroke(visit, panel, *cells):
    """Draw over a panel from cell to cell."""
    points = [visit.spot(panel, cell) for cell in cells]
    visit.page.mouse.move(*points[0])
    visit.page.mouse.down()
    for point in points[1:]:
        visit.page.mouse.move(*point)
    visit.page.mouse.up()
    return visit.settle()


def test_a_stroke_marks_cells_and_is_scored(visit, server):
    visit.do("guess")
    assert visit.state["stage"] == "ask"
    assert visit.state["locked"]
    stroke(visit, "photo", (4, 3), (4, 8))
    # A brush of three by three along six cells.
    assert marked(visit) == 3 * 8
    stroke(visit, "photo", (4, 3), (4, 3))
    assert marked(visit) == 3 * 8 - 9
    visit.find(".guess-card.is-floating .look").click()
    visit.settle()
    view = server.session(EXAMPLES[0].path).query_cell(visit.cell)
    rows, columns = range(3, 6), range(5, 10)
    both = sum(bool(view.support[row, column]) for row in rows for column in columns)
    union = int(view.support.sum()) + 15 - both
    assert visit.text(".guess-score b") == f"{100 * both / union:.0f} %"
    assert f"{both} of the {union} cells" in visit.text(".guess-score")
    # What is read is shown, and the picture is the pointer's again.
    assert visit.state["stage"] == "kept"
    visit.click("photo", (1, 1))
    assert visit.cell == (1, 1)


def test_a_guess_is_made_by_keyboard_and_ended(visit):
    visit.find('[data-do="guess"]').focus()
    before = visit.state
    visit.press("Enter")
    expect(visit.find(".guess-layer")).to_be_focused()
    visit.press("ArrowRight", "Space", "Shift+ArrowLeft", "Space")
    assert marked(visit) > 9
    visit.press("Enter")
    expect(visit.find(".guess-card .again")).to_be_focused()
    assert visit.find(".guess-score").is_visible()
    visit.press("Escape")
    assert visit.find(".guess-card.is-floating").is_hidden()
    expect(visit.find('[data-do="guess"]')).to_be_focused()
    assert visit.find(".guess-layer").count() == 0
    assert visit.state == before


def test_only_chosen_cells_can_be_marked_as_choosing_back(visit, server):
    visit.do("guess")
    visit.find(".guess-questions button").nth(1).click()
    visit.settle()
    assert visit.state["stage"] == "chosen"
    for row in range(9):
        stroke(visit, "neighbours", (row, 0), (row, 11)) if row % 3 == 1 else None
    view = server.session(EXAMPLES[0].path).query_cell(visit.cell)
    assert marked(visit) == int(view.chosen.sum())
    visit.find(".guess-card.is-floating .look").click()
    visit.settle()
    assert visit.text(".guess-score .both") == f"{int(view.reciprocal.sum())} found"
    assert visit.text(".guess-score .missed").startswith("0 ")


def test_a_picture_of_ones_own_can_be_guessed(visit, noise):
    visit.upload(noise(200, 150, seed=5))
    visit.do("guess")
    stroke(visit, "photo", (2, 2), (6, 9))
    visit.find(".guess-card.is-floating .look").click()
    visit.settle()
    assert "%" in visit.text(".guess-score b")
