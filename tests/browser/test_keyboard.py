"""Who has a keyboard alone comes to the photo with a few keys, and to every control."""

MOST_STOPS = 6
# All that can be operated and is seen, each with a number of its own.
CONTROLS = """() => [...document.querySelectorAll(
    ".asa :is(a[href], button, select, input, summary, canvas[tabindex])")]
  .filter((each) => !each.disabled && each.checkVisibility({ visibilityProperty: true }))
  .map((each, k) => { each.dataset.control = k; return each.outerHTML.slice(0, 100); })"""
# The number of what has the focus, or null outside, and whether arrows may lead on from there.
HERE = """() => {
  const here = document.activeElement, isIn = Boolean(here.closest(".asa"));
  const isTool = ["A", "SELECT"].includes(here.tagName) && here.closest(".tools");
  const goes = here.tagName === "BUTTON" || isTool;
  return [isIn ? Number(here.dataset.control ?? -1) : null, Boolean(goes)];
}"""


def from_the_top(visit):
    """Put the focus where it is on a page that was just loaded."""
    visit.page.evaluate("() => { document.activeElement.blur(); scrollTo(0, 0); }")
    # Where the next Tab leads begins at the start of the document.
    visit.page.evaluate(
        """() => {
          const start = document.createElement("i");
          document.body.prepend(start);
          start.tabIndex = -1;
          start.focus();
          start.remove();
        }"""
    )


def test_the_first_tab_shows_a_link_to_the_photo(visit):
    from_the_top(visit)
    visit.page.keyboard.press("Tab")
    skip = visit.find(".skip")
    assert skip.evaluate("(link) => link === document.activeElement")
    box = skip.bounding_box()
    assert box["x"] >= 0
    assert box["y"] >= 0
    address = visit.page.url
    visit.page.keyboard.press("Enter")
    assert visit.canvas("photo").evaluate("(canvas) => canvas === document.activeElement")
    assert visit.page.url == address
    assert skip.bounding_box()["y"] < -30
    before = visit.cell
    assert visit.press("ArrowRight").cell == (before.row, before.col + 1)


def test_few_stops_lead_to_the_photo(visit):
    from_the_top(visit)
    stops = []
    while not visit.canvas("photo").evaluate("(canvas) => canvas === document.activeElement"):
        visit.page.keyboard.press("Tab")
        stops.append(visit.page.evaluate("document.activeElement.outerHTML.slice(0, 80)"))
        assert len(stops) <= MOST_STOPS, stops


def walked(visit):
    """Go round by Tab, and by arrows where they lead on; return what was not come to."""
    controls = visit.page.evaluate(CONTROLS)
    from_the_top(visit)
    reached = set()
    for _ in range(len(controls) + 2):
        visit.page.keyboard.press("Tab")
        here, goes = visit.page.evaluate(HERE)
        if here is None:
            break
        seen = set()
        while goes and here not in seen:
            seen.add(here)
            visit.page.keyboard.press("ArrowRight")
            here, goes = visit.page.evaluate(HERE)
        reached |= {here, *seen}
    return [name for k, name in enumerate(controls) if k not in reached]


def test_every_control_is_reached_by_keyboard(visit):
    visit.click("photo", (4, 4))
    visit.press("Enter")
    visit.click("photo", (6, 8))
    visit.press("Enter")
    visit.set('[data-what-if="nonlocalFactor"]', 2)
    visit.wait("viewer.rerun").settle()
    assert walked(visit) == []
    visit.do("lesson")
    visit.settle()
    assert walked(visit) == []
    visit.page.evaluate("asaViz.store.set({ lesson: null, methods: 'usual', locked: true })")
    visit.compared()
    assert walked(visit) == []


def test_arrows_go_round_the_tools_and_the_language_is_chosen_among_them(visit):
    tools = visit.find(".tools :is(button, select, a):enabled")
    tools.first.focus()
    visit.page.keyboard.press("End")
    assert tools.last.evaluate("(e) => e === document.activeElement")
    # The links to paper, code and credits come after it.
    for _ in range(3):
        visit.page.keyboard.press("ArrowLeft")
    assert visit.find('[data-set="language"]').evaluate("(e) => e === document.activeElement")
    # Up and down choose in a field.
    for _ in range(4):
        visit.page.keyboard.press("ArrowRight")
    assert tools.first.evaluate("(e) => e === document.activeElement")
    assert visit.state["language"] == "en"
    for _ in range(5):
        visit.page.keyboard.press("ArrowLeft")
    theme = visit.find('[data-do="theme"]')
    assert theme.evaluate("(e) => e === document.activeElement")
    # Tab leaves them, and comes back to where one was.
    visit.page.keyboard.press("Tab")
    assert not theme.evaluate("(e) => Boolean(document.activeElement.closest('.tools'))")
    visit.page.keyboard.press("Shift+Tab")
    assert theme.evaluate("(e) => e === document.activeElement")


def test_tabs_are_one_stop_and_what_the_arrows_lead_to_is_chosen(visit):
    tabs = visit.find("[data-tab]")
    names = tabs.evaluate_all("(all) => all.map(({ dataset }) => dataset.tab)")

    def shown():
        """The tab that is selected, has the focus and can be tabbed to."""
        tried = tabs.evaluate_all(
            """(all) => all.map((each) => [
              each.ariaSelected === "true",
              each === document.activeElement,
              each.tabIndex === 0,
            ])"""
        )
        assert all(len(set(each)) == 1 for each in tried), tried
        (here,) = [name for name, each in zip(names, tried, strict=True) if each[0]]
        assert visit.ask("viewer.chart") == here
        return here

    tabs.first.focus()
    assert shown() == names[0]
    for key, k in (("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("End", -1)):
        visit.press(key)
        assert shown() == names[k]
    visit.press("ArrowRight")
    assert shown() == names[0]
    visit.press("ArrowLeft")
    assert shown() == names[-1]
    visit.press("Home")
    assert shown() == names[0]
    # A tab that was clicked is the stop from then on, from wherever one comes.
    tabs.nth(2).click()
    visit.page.evaluate("document.activeElement.blur()")
    stops = tabs.evaluate_all("(all) => all.map((each) => each.tabIndex)")
    assert stops == [0 if k == 2 else -1 for k in range(len(names))]
