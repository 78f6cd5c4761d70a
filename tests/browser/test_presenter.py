"""Presenter mode, the link for a class with its code, and the page to print."""

from playwright.sync_api import expect


def presented(visit):
    return [
        panel.get_attribute("data-panel")
        for panel in visit.find(".panel").all()
        if panel.is_visible()
    ]


def size_of(visit, selector):
    return visit.find(selector).first.evaluate("(e) => parseFloat(getComputedStyle(e).fontSize)")


def test_the_keys_of_a_clicker_lead_through_the_lesson(visit):
    visit.do("lesson")
    visit.settle().press("p")
    assert presented(visit) == ["photo", "sparse"]
    for selector in (".sentence", ".lesson .text", ".lesson h2", ".panel.is-presented h2"):
        assert size_of(visit, selector) >= 24
    visit.press("PageDown", "ArrowRight")
    assert visit.state["lesson"] == 3
    assert presented(visit) == ["photo", "dense"]
    visit.press("PageUp")
    assert visit.state["lesson"] == 2
    visit.press("1")
    assert presented(visit) == ["dense"]
    # One panel has the screen to itself, and is drawn in that size.
    box = visit.canvas("dense").bounding_box()
    assert box["width"] > 1200
    assert visit.canvas("dense").evaluate(
        "(c) => c.width === Math.round(c.clientWidth * devicePixelRatio)"
    )
    visit.press("b")
    expect(visit.find(".blank")).to_be_visible()
    visit.press("b")
    expect(visit.find(".blank")).to_be_hidden()
    visit.press("Escape")
    assert len(presented(visit)) > 2
    # The lesson goes on where it was.
    assert visit.state["lesson"] == 2


def test_without_the_lesson_the_keys_lead_through_the_film(visit):
    visit.press("p")
    stages = []
    for _ in range(3):
        visit.press("PageDown")
        stages.append(visit.state["stage"])
    assert stages == ["ask", "dense", "chosen"]
    assert presented(visit) == ["photo", "neighbours"]
    assert visit.pixels("neighbours")[..., 3].any()
    visit.press("p")
    assert len(presented(visit)) == 6


def test_who_writes_presents_nothing(visit):
    visit.find('[data-what-if="nonlocalFactor"]').focus()
    visit.press("p")
    assert len(presented(visit)) == 6


def test_a_class_is_given_a_link_and_its_code(visit):
    visit.do("lesson")
    visit.find(".lesson .steps button").nth(4).click()
    visit.settle()
    visit.find(".lesson .code").click()
    dialog = visit.find(".class-link")
    expect(dialog.locator("img")).to_have_js_property("complete", True)
    assert dialog.locator("img").evaluate("(image) => image.naturalWidth") > 100
    url = visit.text(".class-link .url")
    assert "lesson=5" in url
    assert "at=" in url
    assert "lang=" not in url
    dialog.locator("input").check()
    expect(dialog.locator(".url")).to_contain_text("lang=")
    query = visit.state["query"]
    visit.press("Escape")
    expect(dialog).to_be_hidden()
    # Escape has closed the code, and not the lesson.
    assert visit.state["lesson"] == 5
    visit.open("?" + url.partition("?")[2])
    assert visit.state["lesson"] == 5
    assert visit.state["query"] == query


def test_notes_and_worksheet_are_printed(visit):
    visit.do("lesson")
    visit.settle()
    with visit.page.context.expect_page() as opened:
        visit.find(".lesson .notes").click()
    page = opened.value
    page.wait_for_load_state()
    assert page.locator(".steps li").count() == 17
    assert page.locator(".sheet li").count() == 6
    assert page.locator("img").evaluate("(image) => image.naturalWidth") > 100
    # Notes on two pages at most, and the worksheet on one.
    page.emulate_media(media="print")
    height = page.locator(".sheet").evaluate("(sheet) => sheet.offsetHeight")
    assert height < (297 - 28) / 25.4 * 96
    page.close()
