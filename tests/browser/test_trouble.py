"""Errors are said in a line that moves nothing on the page, and that ends with the next action."""

import pytest
from PIL import Image
from playwright.sync_api import expect

from app.gallery import EXAMPLES
from app.viewer import dictionaries

ENGLISH = dictionaries()["en"]
# The box of every element on the page: numbers in it may change, its place may not.
PLACES = """() => [...document.querySelectorAll(
  ".asa :is(.panel, .panel canvas, .caption, .ramp, fieldset, .sentence, .under)," +
  ".asa :is(.pins, .numbers, .tabs, .chart, .foot, .gallery)"
)].map((each) => {
  const { left, top, width, height } = each.getBoundingClientRect();
  return [each.className || each.tagName, left, top, width, height].join(" ");
})"""


@pytest.mark.parametrize("width", [1440, 1100, 800])
def test_nothing_moves_while_the_pointer_does(visitors, width):
    visit = visitors(viewport={"width": width, "height": 900}).open()
    visit.point("photo", (4, 4))
    before = visit.page.evaluate(PLACES)
    for cell in [(0, 0), (2, 7), (8, 11), (5, 5), (3, 1), (7, 9), (6, 2)]:
        visit.point("photo", cell)
        assert visit.page.evaluate(PLACES) == before
    visit.click("photo", (3, 3))
    for cell in [(0, 0), (8, 11), (5, 2)]:
        visit.point("photo", cell)
        assert visit.page.evaluate(PLACES) == before


@pytest.mark.parametrize("width", [1440, 360])
def test_what_is_said_moves_nothing(visitors, width):
    visit = visitors(viewport={"width": width, "height": 900}).open()
    expect(visit.find(".knows summary")).to_be_visible()
    before = visit.page.evaluate(PLACES)
    for key in ("error.IMG_SHAPE", "error.server", "status.reading"):
        visit.page.evaluate("(key) => asaViz.status(asaViz.say(key))", key)
        assert visit.find(".status").is_visible()
        assert visit.page.evaluate(PLACES) == before
    visit.page.evaluate("asaViz.status('')")
    assert visit.page.evaluate(PLACES) == before


# All that the browser has seen move, if only for a moment, but the line itself that says so.
SHIFTS = """() => {
  window.moved = [];
  new PerformanceObserver((list) => {
    for (const { value, sources } of list.getEntries()) {
      const others = sources.map(({ node }) => node).filter((node) => !node?.matches?.(".status"));
      if (others.length) moved.push([value, ...others.map((each) => each?.outerHTML ?? "")]);
    }
  }).observe({ type: "layout-shift" });
}"""
DRAWN = "() => new Promise((over) => requestAnimationFrame(() => requestAnimationFrame(over)))"
PHONE = {"width": 390, "height": 844, "has_touch": True, "is_mobile": True}


@pytest.mark.parametrize("screen", [{"width": 1440}, {"width": 1024}, {"width": 360}, PHONE])
@pytest.mark.parametrize("how", ["unknown", "large", "narrow", "server", "network"])
def test_an_upload_that_fails_moves_nothing(visitors, tmp_path, screen, how):
    size = {"width": screen["width"], "height": screen.get("height", 900)}
    touch = {name: screen[name] for name in ("has_touch", "is_mobile") if name in screen}
    visit = visitors(viewport=size, **touch).open()
    file = tmp_path / "picture.png"
    if how == "unknown":
        file.write_bytes(b"no picture at all")
    elif how == "large":
        with file.open("wb") as written:
            written.write(b"\x89PNG\r\n\x1a\n")
            written.truncate(11 * 2**20)
    else:
        Image.new("RGB", (400, 9 if how == "narrow" else 300)).save(file)
    if how == "server":
        visit.page.route("**/gradio_api/upload*", lambda route: route.abort())
    if how == "network":
        visit.page.evaluate(
            """() => { asaViz.host.packet = () => Promise.reject({ key: "error.network" }); }"""
        )
    expect(visit.find(".knows summary")).to_have_count(1)
    # What came with the opening is drawn; the browser would count it among what follows.
    visit.page.evaluate(DRAWN)
    before = visit.page.evaluate(PLACES)
    visit.page.evaluate(SHIFTS)
    visit.find(".open input").set_input_files(file)
    visit.page.wait_for_function(
        "document.querySelector('.asa .status').textContent.length > 0"
        " && !document.querySelector('.asa').hasAttribute('aria-busy')"
        " && asaViz.state.picture === asaViz.opened.picture"
    )
    expect(visit.find(".status")).not_to_have_text(ENGLISH["status.sending"])
    expect(visit.find(".status")).not_to_have_text(ENGLISH["status.reading"])
    visit.settle().page.wait_for_timeout(200)
    assert visit.find(".status").is_visible()
    assert visit.page.evaluate(PLACES) == before
    assert visit.page.evaluate("moved") == []
    visit.complaints[:] = [line for line in visit.complaints if "ERR_FAILED" not in line]


def test_an_error_is_over_when_the_visitor_goes_on(visit, tmp_path):
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture at all")
    for go_on in (
        lambda: visit.click("photo", (2, 3)),
        lambda: visit.set('[data-set="lines"]', False),
        lambda: visit.do("undo"),
    ):
        visit.find(".open input").set_input_files(bad)
        expect(visit.find(".status")).to_have_text(ENGLISH["error.IMG_UNKNOWN"])
        visit.point("photo", (5, 5))
        expect(visit.find(".status")).to_have_text(ENGLISH["error.IMG_UNKNOWN"])
        go_on()
        expect(visit.find(".status")).to_have_text("")


def test_after_a_refused_picture_every_chart_is_whole_and_it_is_said_once(visit, tmp_path):
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture at all")
    visit.click("photo", (2, 3))
    for tab in ("curve", "histogram", "classes"):
        visit.find(f'[data-tab="{tab}"]').click()
        visit.find(".open input").set_input_files(bad)
        expect(visit.find(".status")).to_have_text(ENGLISH["error.IMG_UNKNOWN"])
        assert "NaN" not in visit.settle().find(".chart").inner_html()
    large = tmp_path / "large.png"
    large.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(9 * 2**20))
    # Refused by the server, which lets Gradio say so as well.
    visit.page.route("**/gradio_api/upload*", lambda route: route.fulfill(status=413, body="{}"))
    visit.find(".open input").set_input_files(large)
    expect(visit.find(".status")).to_have_text(ENGLISH["error.server"])
    visit.page.wait_for_timeout(300)
    toasts = visit.page.locator(".toast-wrap, .toast-body")
    assert not any(each.is_visible() for each in toasts.all())
    visit.complaints[:] = [line for line in visit.complaints if "413" not in line]


@pytest.mark.parametrize("how", ["ended", "forbidden", "broken"])
def test_without_its_worker_the_page_goes_on_and_says_so(visitors, how):
    visit = visitors()
    if how == "forbidden":
        visit.page.add_init_script("window.Worker = function () { throw new Error('policy'); }")
    if how == "broken":
        visit.page.add_init_script(
            """{ const Whole = window.Worker;
            window.Worker = function () {
              return new Whole(URL.createObjectURL(new Blob(["throw new Error('broken')"])));
            }; }"""
        )
    visit.open()
    if how == "ended":
        visit.page.evaluate("asaViz.engine.port.terminate()")
        visit.page.mouse.move(*visit.spot("photo", (2, 2)))
    expect(visit.find(".status")).to_have_text(ENGLISH["error.worker"])
    for cell in [(6, 6), (1, 9)]:
        assert visit.point("photo", cell).cell == cell
    visit.find(f'[data-picture="{EXAMPLES[2].name}"]').click()
    visit.wait("viewer.opened.picture === given[0]", EXAMPLES[2].name).settle()
    assert visit.click("photo", (3, 3)).cell == (3, 3)
    assert visit.text(".status") == ""


def test_a_content_policy_that_forbids_workers_stops_nothing(visitors):
    visit = visitors()

    def answer(route):
        response = route.fetch()
        policy = {"content-security-policy": "worker-src 'none'"}
        route.fulfill(response=response, headers={**response.headers, **policy})

    visit.page.route(f"{visit.address}/", answer)
    visit.open()
    expect(visit.find(".status")).to_have_text(ENGLISH["error.worker"])
    assert visit.point("photo", (6, 6)).cell == (6, 6)
    visit.complaints[:] = [line for line in visit.complaints if "worker" not in line.lower()]


def test_a_row_that_fails_is_said_to_and_the_next_is_shown(visit):
    visit.page.evaluate(
        """() => {
          window.unhandled = [];
          const heard = ({ reason }) => unhandled.push(String(reason));
          window.addEventListener("unhandledrejection", heard);
          const { engine } = asaViz, { row } = engine;
          engine.row = () => {
            engine.row = row;
            return Promise.reject(new Error("out of memory"));
          };
        }"""
    )
    visit.page.mouse.move(*visit.spot("photo", (1, 1)))
    expect(visit.find(".status")).to_have_text(ENGLISH["error.failed"])
    assert visit.point("photo", (7, 7)).cell == (7, 7)
    assert visit.page.evaluate("unhandled") == []
    visit.complaints[:] = [line for line in visit.complaints if "out of memory" not in line]
