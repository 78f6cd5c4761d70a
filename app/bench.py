"""Measure how quickly the page answers the pointer: `python -m app.bench` prints the times.

It needs what the tests need: Playwright and a Chromium, and Node.js to time rows without a page.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

import asa_viz
from app.encodings import stored
from app.gallery import EXAMPLES
from app.handlers import Answers
from app.networks import Networks
from app.packet_cache import PacketCache
from app.page import build_page, mount_settings
from app.server.serve import Application, serving
from app.session_cache import CachedEncoder, SessionCache
from app.viewer import program
from asa_viz.attention.row import SparseAttention
from asa_viz.geometry import Grid
from asa_viz.packet import pack
from asa_viz.session import Session
from asa_viz.views import SegmentationView

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

MOVES = 200
OPENINGS = 9
LARGE = (64, 128)
LARGE_DEPTH = 256
MOST_BYTES = 260_000
# The time limit of a pass over all pairs of cells of the large map, on a busy machine.
PATIENCE_MS = 300_000

_SPEED = Path(__file__).parent.parent / "tests" / "viewer" / "speed.mjs"

# Measures from the pointer event to the last panel drawn, and to the next animation frame, when the
# screen shows it.
_LISTEN = """() => {
  const bench = window.asaBench = { drawn: [], shown: [], wake: () => {} };
  asaViz.painted = (time) => {
    if (time === undefined) return;
    bench.drawn.push(performance.now() - time);
    requestAnimationFrame(() => {
      bench.shown.push(performance.now() - time);
      bench.wake();
    });
  };
  bench.until = (count) => new Promise((resolve) => {
    bench.wake = () => { if (bench.shown.length >= count) resolve(); };
    bench.wake();
  });
}"""
# How long Gradio takes until it starts the viewer, and the viewer until its first picture is drawn.
_OPENED = """() => {
  const at = (name) => performance.getEntriesByName(name)[0].startTime;
  return [at("asa:program"), at("asa:picture") - at("asa:program")];
}"""
# Measures drawing the last row again, without computing it.
_DRAW = """() => Array.from({ length: 20 }, () => {
  const start = performance.now();
  asaViz.draw();
  return performance.now() - start;
})"""
_POINTS = """(count) => {
  const box = document.querySelector('[data-panel="photo"] canvas').getBoundingClientRect();
  const { session: { n, height, width }, picture } = asaViz;
  const fit = Math.min(box.width / picture.width, box.height / picture.height);
  const [w, h] = [picture.width * fit, picture.height * fit];
  return Array.from({ length: count }, (_, k) => {
    const cell = (k * 7919) % n;
    const [row, col] = [Math.floor(cell / width), cell % width];
    return [
      box.left + (box.width - w) / 2 + (w * (col + 0.5)) / width,
      box.top + (box.height - h) / 2 + (h * (row + 0.5)) / height,
    ];
  });
}"""


def main() -> None:
    """Print the times for a photograph of the gallery and for a map of the size of Cityscapes."""
    try:
        from playwright.sync_api import Error, sync_playwright

        from app.chromium import ARGUMENTS, executable
    except ModuleNotFoundError as missing:
        sys.exit(
            f"The benchmark drives a browser as the tests do, and {missing.name} is missing: run "
            "`pip install -r requirements-dev.txt`, and this in the root of the repository."
        )
    size = len(program().encode())
    print(f"program  {size:,} bytes, {size / MOST_BYTES:.0%} of {MOST_BYTES:,}")
    with (
        tempfile.TemporaryDirectory() as folder,
        page_served() as address,
        sync_playwright() as driver,
    ):
        try:
            browser = driver.chromium.launch(executable_path=executable(), args=ARGUMENTS)
        except Error:
            sys.exit("No Chromium starts here: `python -m app.chromium` installs one.")
        print_openings(browser, address)
        large = Path(folder) / "large.safetensors"
        large.write_bytes(pack(large_session()))
        print_times(browser, address, stored(asa_viz.available()[0], EXAMPLES[0].name))
        print_times(browser, address, large)
        browser.close()


@contextmanager
def page_served() -> Iterator[str]:
    """Serve the page as `python -m app` does, in this process; yields its address."""
    names = asa_viz.available()
    networks = Networks("cpu")
    with tempfile.TemporaryDirectory() as folder:
        encoder = CachedEncoder(networks.encode, SessionCache())
        answers = Answers(encoder, networks.rerun, names, PacketCache(Path(folder)))
        application = Application(build_page(answers, names), mount_settings(answers))
        with serving(application) as address:
            yield address


def large_session() -> Session:
    """Return a session of a large map with random projections."""
    height, width = LARGE
    n = height * width
    draw = torch.Generator().manual_seed(0)
    query, key = (torch.randn(n, LARGE_DEPTH, generator=draw) for _ in range(2))
    scales = (torch.rand(n, generator=draw) + 1 for _ in range(2))
    labels = np.arange(n, dtype=np.uint8).reshape(LARGE) % 19
    return Session(
        network=asa_viz.available()[0],
        picture=np.full((512, 1024, 3), 128, np.uint8),
        notes=(),
        grid=Grid(height, width, 512, 1024),
        segmentation=SegmentationView(
            tuple(f"class {k}" for k in range(19)),
            tuple((10 * k, 200 - 10 * k, 90) for k in range(19)),
            labels.repeat(8, 0).repeat(8, 1), labels, 512, 1024,
        ),
        attention=SparseAttention.of(query, key, *scales, height=height, width=width),
        own_value_logits=torch.zeros(1, 19, height, width),
    )  # fmt: skip


def print_openings(browser: "Browser", address: str) -> None:
    """Open the page as so many new visitors do, one after the other, and time the first picture."""
    times = []
    for _ in range(OPENINGS):
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        page = context.new_page()
        page.goto(address)
        page.wait_for_function("() => performance.getEntriesByName('asa:picture').length")
        times.append(page.evaluate(_OPENED))
        context.close()
    gradio, viewer = zip(*times, strict=True)
    print("\nopening, nothing in the browser's cache")
    print_line("Gradio's own start", gradio)
    print_line("from there to the picture", viewer)


def print_times(browser: "Browser", address: str, packet: Path | None) -> None:
    """Open the page with `packet` as the first photograph's packet, and time the pointer."""
    if packet is None:
        sys.exit("The first photograph has no packet: `python -m app.encodings` writes it.")
    page = browser.new_page(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    page.set_default_timeout(PATIENCE_MS)
    page.route("**/*.safetensors", lambda route: route.fulfill(path=packet))
    page.goto(address)
    page.wait_for_function("() => window.asaViz?.moment && asaViz.maps")
    session = page.evaluate(
        "() => { const { height, width, depth } = asaViz.session; return [height, width, depth]; }"
    )
    drawn, shown = moved(page)
    drawing = page.evaluate(_DRAW)
    page.close()
    height, width, depth = session
    print(f"\n{height} x {width} cells, depth {depth}")
    print_line("pointer to panels drawn", drawn)
    print_line("pointer to next frame", shown)
    print_line("of it, drawing", drawing)
    node = shutil.which("node")
    if node is None:
        print("  rows under Node.js       not measured: it is not on the PATH")
        return
    loader = _SPEED.with_name("typescript.mjs").as_uri()
    command = [node, "--import", loader, str(_SPEED), str(packet)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own
    print(f"  rows under Node.js       {float(result.stdout):7.0f} a second")


def moved(page: "Page") -> tuple[list[float], list[float]]:
    """Move the pointer from cell to cell; returns the milliseconds to each drawing and frame."""
    page.evaluate(_LISTEN)
    points: list[Any] = page.evaluate(_POINTS, MOVES + 1)
    for count, (x, y) in enumerate(points):
        page.mouse.move(x, y)
        page.evaluate("(count) => asaBench.until(count)", count + 1)
    times: list[list[float]] = page.evaluate("() => [asaBench.drawn, asaBench.shown]")
    # The first move enters the picture from outside: not counted.
    drawn, shown = (each[1:] for each in times)
    return drawn, shown


def print_line(name: str, milliseconds: Sequence[float]) -> None:
    """Print the median and the 95th percentile."""
    median, high = np.percentile(milliseconds, [50, 95])
    print(f"  {name:24} {median:7.1f} ms median, {high:7.1f} ms 95th percentile")


if __name__ == "__main__":
    main()
