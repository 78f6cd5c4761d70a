"""One browser for all tests of the page, and one server whose sessions need no network."""

import gc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import sync_playwright

from app.chromium import ARGUMENTS, executable
from app.comparing import Comparisons
from app.handlers import Answers
from app.packet_cache import PacketCache
from app.page import build_page, mount_settings
from app.preview import preview
from app.server.serve import Application, serving
from app.session_cache import CachedEncoder, SessionCache
from asa_viz.images import framed, read_image
from tests.app.ensembles import FakeEnsemble
from tests.browser.visit import Visit
from tests.fakes import fake_session

# The size that the fake network works on: few pictures are smaller.
SHAPES = ((90, 120), (120, 90))
# What a re-run of the fake's head changes: these pixels, each to the next class.
FLIPPED = (slice(0, 6), slice(8, 20))

# The next visitor of the same kind has chosen neither language nor theme.
FORGET = """() => {
  try {
    for (const name of ["language", "theme"]) localStorage.removeItem(`asa-viz ${name}`);
  } catch {}
}"""


def pytest_collection_modifyitems(items):
    """Mark the browser's tests slow, and run one that fails once more.

    On a loaded machine a browser may miss a moment; the summary names each test that needed it, and
    what is broken fails twice. A visitor's server runs in the same process: its warnings, and
    sockets that the browser's driver leaves open, must not fail a test.
    """
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.slow)
            if "visitors" in item.fixturenames:
                item.add_marker(pytest.mark.filterwarnings("ignore"))
            item.add_marker(pytest.mark.flaky(reruns=1))


def encode(file, network):
    """A session of nine by twelve cells, upright where the picture is."""
    picture = framed(read_image(Path(file)), SHAPES)
    height, width = picture.rgb.shape[:2]
    cells = (9, 12) if width >= height else (12, 9)
    session = fake_session(
        picture.rgb, *cells, learned=network != "dense", notes=tuple(picture.notes)
    )
    return replace(session, inner=picture.inner)


def rerun(session, what_if):
    """Labels of which a known part is another class."""
    before = session.segmentation
    labels = before.working_labels.copy()
    labels[FLIPPED] = (labels[FLIPPED] + 1) % len(before.classes)
    return replace(before, working_labels=labels)


class Server:
    """The page, served in this process; `session` is what it shows, as the library knows it."""

    def __init__(self, folder):
        self.encoder = CachedEncoder(encode, SessionCache())
        comparisons = Comparisons(self.encoder, FakeEnsemble)
        names = ["asa", "dense"]
        answers = Answers(self.encoder, rerun, names, PacketCache(folder), comparisons)
        self.application = Application(
            build_page(answers, names), mount_settings(answers), preview=preview()
        )

    def session(self, file, network="asa"):
        return self.encoder.session(str(file), network)


@pytest.fixture(scope="package")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("packets"))
    with serving(server.application) as server.address:
        yield server
    gc.collect()


@pytest.fixture(scope="package")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def kinds(browser):
    """A function that gives the profile of a kind of visitor: what was fetched once stays there."""
    known = {}

    def profile(**wishes):
        # With reduced motion the film does not play at the first visit.
        still = {"reduced_motion": "reduce"}
        wishes = {"viewport": {"width": 1440, "height": 900}, "locale": "en-GB", **still, **wishes}
        name = str(sorted(wishes.items()))
        if name not in known:
            known[name] = browser.new_context(**wishes)
        return known[name]

    yield profile
    for context in known.values():
        context.close()


@pytest.fixture
def visitors(kinds, server):
    """Return a function that opens visitors; none may end with an error or a foreign request."""
    visits = []

    def come(address=server.address, **wishes):
        visits.append(Visit(kinds(**wishes).new_page(), address))
        return visits[-1]

    yield come
    for visit in visits:
        if not visit.page.is_closed():
            visit.page.evaluate(FORGET)
        visit.page.close()
    for visit in visits:
        assert visit.complaints == []
        assert visit.foreign == []


@pytest.fixture
def visit(visitors):
    """An ordinary visitor in front of the first photograph."""
    return visitors().open()


@pytest.fixture(scope="package")
def noise(tmp_path_factory):
    """A function that writes a picture of smooth noise, different for every seed."""
    folder = tmp_path_factory.mktemp("noise")

    def write(width, height, seed=0):
        from PIL import Image

        coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
        path = folder / f"noise_{width}_{height}_{seed}.png"
        Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC).save(path)
        return path

    return write
