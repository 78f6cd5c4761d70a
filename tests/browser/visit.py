"""One visitor: a page of the browser, what can be done on it, and all it said and fetched."""

import io
import json
from typing import NamedTuple

import numpy as np
from PIL import Image
from playwright.sync_api import expect

from asa_viz.geometry import Cell, Grid, Pixel

# Browser and server share a machine with whatever else it does.
PATIENCE = 60_000
PANELS = ("photo", "dense", "sparse", "map", "neighbours", "segmentation")

# Nothing is on its way: the picture is open, its maps are there, and what is drawn is the state.
SETTLED = """() => {
  const viewer = window.asaViz, page = document.querySelector(".asa");
  const { moment, state, session, maps } = viewer ?? {};
  if (!moment || page.hasAttribute("aria-busy") || moment.state !== state) return false;
  // The lesson is on its way.
  if (page.querySelector(".tools [aria-busy]")) return false;
  // The words of another language come from the server.
  if (page.getAttribute("lang") !== state.language) return false;
  if (!maps || moment.maps !== maps || !moment.row.column.weights) return false;
  const part = (at, size, count) => Math.floor(((2 * at + 1) * count) / (2 * size));
  const [x, y] = state.query;
  const cell = part(y, session.imageHeight, session.height) * session.width
    + part(x, session.imageWidth, session.width);
  return moment.row.i === cell && Number(page.dataset.cell) === cell;
}"""

# The compare view shows what is answered for the query, and no question is on its way.
COMPARED = """() => {
  const { comparison, moment, session } = window.asaViz;
  const view = document.querySelector(".asa .methods");
  return comparison?.session === session && comparison.cell === moment.row.i
    && !view.hidden && !view.hasAttribute("aria-busy");
}"""

# Where the picture lies on the screen, worked out anew: as large as fits, in the middle.
PLACE = """(canvas) => {
  const box = canvas.getBoundingClientRect(), { width, height } = asaViz.picture;
  const fit = Math.min(box.width / width, box.height / height);
  const [w, h] = [width * fit, height * fit];
  return [box.left + (box.width - w) / 2, box.top + (box.height - h) / 2, w, h];
}"""
SPOT = f"""(canvas, [row, col]) => {{
  const [left, top, width, height] = ({PLACE})(canvas);
  const [factor, across, along] = asaViz.state.zoom, {{ session }} = asaViz;
  return [
    left + width * factor * ((col + 0.5) / session.width - across),
    top + height * factor * ((row + 0.5) / session.height - along),
  ];
}}"""


class Frame(NamedTuple):
    """The white frame of the query on a canvas, in pixels of the canvas, its edge included."""

    left: int
    top: int
    right: int
    bottom: int


class Visit:
    """A visitor of the page at `address`."""

    def __init__(self, page, address):
        self.page = page
        self.address = address
        self.complaints = []
        self.requests = []
        page.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))

    def _heard(self, line):
        if line.type in ("error", "warning"):
            self.complaints.append(f"{line.type}: {line.text}")

    @property
    def foreign(self):
        """The requests that went anywhere but to the page's own server."""
        own = (f"{self.address}/", f"{self.address}?", "data:", "blob:")
        return [url for url in self.requests if url != self.address and not url.startswith(own)]

    def open(self, words=""):
        """Open the page, at its start or in the state that `words` of a link say."""
        self.page.goto(f"{self.address}/{words}")
        return self.settle()

    def reload(self):
        """Load the page anew: what a test asks next, it asks of the new one."""
        self.page.reload()
        return self.settle()

    def settle(self):
        """Wait until all that is shown belongs together."""
        self.page.wait_for_function(SETTLED)
        return self

    def compared(self):
        """Wait until the compare view shows what methods answer for the query."""
        self.settle().page.wait_for_function(COMPARED)
        return self

    def find(self, selector):
        return self.page.locator(f".asa {selector}")

    def text(self, selector):
        return self.find(selector).inner_text()

    def ask(self, script, *given):
        """What the viewer answers: `script` is an expression of `viewer` and `given`."""
        return self.page.evaluate(
            f"(given) => {{ const viewer = asaViz; return {script}; }}", given
        )

    def wait(self, script, *given):
        """Wait until `script`, an expression of `viewer` and `given`, is true."""
        self.page.wait_for_function(
            f"(given) => {{ const viewer = window.asaViz; return viewer?.moment && ({script}); }}",
            arg=given,
        )
        return self

    @property
    def state(self):
        return self.ask("viewer.state")

    @property
    def cell(self):
        """The cell that is shown as the query's."""
        width = self.ask("viewer.session.width")
        return Cell(*divmod(int(self.page.locator(".asa").get_attribute("data-cell")), width))

    @property
    def grid(self):
        """The grid that the page was given."""
        return Grid(
            *self.ask(
                "['height', 'width', 'imageHeight', 'imageWidth'].map((k) => viewer.session[k])"
            )
        )

    def set(self, selector, value):
        """Choose, tick or move a control, whichever it is, and wait for what it does."""
        self.set_quickly(selector, value)
        return self.settle()

    def set_quickly(self, selector, value):
        """Choose, tick or move a control, and do not wait."""
        control = self.find(selector)
        kind = control.evaluate("(element) => element.type")
        if kind == "checkbox":
            control.set_checked(value)
        elif kind == "select-one":
            control.select_option(str(value))
        else:
            control.fill(str(value))

    def do(self, name):
        """Press a button; where the lesson has to be loaded for it, wait until it is there."""
        self.find(f'[data-do="{name}"]').click()
        expect(self.find(".tools [aria-busy]")).to_have_count(0)

    def upload(self, file):
        """Open a file of one's own, and wait until it is shown."""
        before = self.ask("viewer.opened.picture")
        self.find(".open input").set_input_files(file)
        return self.wait("viewer.opened.picture !== given[0]", before).settle()

    # On the canvases ------------------------------------------------------------------------------

    def canvas(self, panel="photo"):
        return self.find(f'[data-panel="{panel}"] canvas')

    def place(self, panel="photo"):
        """Where the picture lies on the screen, as left, top, width, height, without any zoom."""
        return tuple(self.canvas(panel).evaluate(PLACE))

    def spot(self, panel, cell):
        """The point of the screen at the middle of a cell, under the zoom that there is."""
        self.canvas(panel).evaluate("(canvas) => canvas.scrollIntoView({ block: 'end' })")
        return tuple(self.canvas(panel).evaluate(SPOT, list(cell)))

    def point(self, panel, cell):
        """Move the pointer to a cell, and wait until the page knows it there."""
        self.page.mouse.move(*self.spot(panel, cell))
        self.wait("viewer.hovered === given[0] * viewer.session.width + given[1]", *cell)
        return self.settle()

    def click(self, panel, cell):
        self.page.mouse.click(*self.spot(panel, cell))
        return self.settle()

    def press(self, *keys, panel=None):
        """Press keys, on a panel or where the focus is."""
        if panel:
            self.canvas(panel).focus()
        for key in keys:
            self.page.keyboard.press(key)
        return self.settle()

    def pixels(self, panel):
        """What a canvas shows, as an array of [height, width, 4]."""
        url = self.canvas(panel).evaluate("(canvas) => canvas.toDataURL()")
        return read_png(url)

    def pictures(self):
        """What all canvases show, in a form to be compared."""
        return {name: self.canvas(name).evaluate("(c) => c.toDataURL()") for name in PANELS}

    def colour_at(self, x, y):
        """A pixel of the picture as the browser has decoded it."""
        return self.ask(
            """(() => {
              const context = document.createElement("canvas").getContext("2d");
              context.drawImage(viewer.picture.bitmap, -given[0], -given[1]);
              return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
            })()""",
            x,
            y,
        )

    def frame(self, panel="map"):
        """The white frame around the query: nothing else there is as white in a map of cells."""
        rows, cols = np.nonzero((self.pixels(panel)[..., :3] > 235).all(axis=-1))
        return Frame(int(cols.min()), int(rows.min()), int(cols.max()) + 1, int(rows.max()) + 1)

    # In words -------------------------------------------------------------------------------------

    def legend(self, panel):
        """The entries of a panel's legend, by their words."""
        entries = self.find(f'[data-panel="{panel}"] .legend li').evaluate_all(
            "(items) => items.map((item) => { const amount = item.querySelector('b').textContent;"
            " return [item.textContent.slice(0, -amount.length), amount]; })"
        )
        return {name.strip(): amount for name, amount in entries}


def read_png(url):
    """An image that stands in a URL as an array."""
    import base64

    data = base64.b64decode(url.split(",", 1)[1])
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGBA")).astype(int)


def query_cell(visit):
    """The cell of the state's query, by the library's own rule."""
    return visit.grid.cell_at(Pixel(*visit.state["query"]))


def words_of(state):
    """A state as one line, to be compared."""
    return json.dumps(state, sort_keys=True)
