"""The page listens before the slow imports are done, and no first request fails because of it."""

import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

import app.networks
from app import torch_imports
from app.networks import Networks

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
# Everything that `main` does before the page answers, in a process of its own.
BEFORE_LAUNCH = """
import runpy, sys
import uvicorn
def run(*_):
    print(*sys.modules, sep="\\n")
    sys.exit()
uvicorn.Server.run = run
sys.argv = ["app"]
runpy.{start}
"""


class Loader:
    """In place of `load`: waits until it may go on, and fails as often as it is told to."""

    def __init__(self):
        self.asked = []
        self.begun = threading.Event()
        self.may_end = threading.Event()
        self.failures = 0

    def __call__(self, name, device):
        self.asked.append((name, device))
        self.begun.set()
        assert self.may_end.wait(60)
        if self.failures:
            self.failures -= 1
            raise ValueError(f"no {name}")
        return self

    card = SimpleNamespace(shapes=((6, 8),))

    def encode(self, picture):
        return f"session of {picture}"


@pytest.fixture
def loader(monkeypatch):
    loader = Loader()
    monkeypatch.setattr(torch_imports, "load", loader)
    # The name of the file stands for its picture.
    monkeypatch.setattr(app.networks, "read_image", lambda path: path.name)
    monkeypatch.setattr(app.networks, "framed", lambda picture, shapes: picture)
    yield loader
    loader.may_end.set()


@pytest.mark.parametrize(
    "start", ["run_module('app', run_name='__main__')", "run_path('space.py', run_name='__main__')"]
)
def test_before_the_page_is_launched_nothing_heavy_is_imported(start):
    command = [sys.executable, "-c", BEFORE_LAUNCH.format(start=start)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    imported = set(done.stdout.split())
    assert {"app.page", "gradio", "numpy"} <= imported
    assert not imported & {"torch", "mmseg", "mmengine", "mmcv", "app.torch_imports"}


def test_who_asks_during_the_warm_up_waits_for_it_and_is_answered(loader):
    networks, answers = Networks("cpu"), []
    warming = networks.warm_up("asa")
    assert loader.begun.wait(60)
    visitor = threading.Thread(target=lambda: answers.append(networks.encode("a.jpg", "asa")))
    visitor.start()
    visitor.join(0.2)
    assert visitor.is_alive()
    loader.may_end.set()
    visitor.join(60)
    warming.join(60)
    assert answers == ["session of a.jpg"]
    assert loader.asked == [("asa", "cpu")]


def test_what_the_warm_up_leaves_free_goes_back_to_the_system(loader, monkeypatch):
    given = []
    monkeypatch.setattr(app.networks, "give_back", lambda: given.append(loader.asked[:]))
    loader.may_end.set()
    Networks("cpu").warm_up("asa").join(60)
    assert given == [[("asa", "cpu")]]


def test_an_error_of_the_warm_up_is_told_once_and_raised_for_who_needs_the_network(
    loader, monkeypatch
):
    told = []
    monkeypatch.setattr(threading, "excepthook", told.append)
    loader.may_end.set()
    loader.failures = 2
    networks = Networks(None)
    networks.warm_up("asa").join(60)
    ((kind, error, _, thread),) = told
    assert (kind, str(error), thread.name) == (ValueError, "no asa", "warm-up of asa")
    with pytest.raises(ValueError, match="no asa"):
        networks.encode("a.jpg", "asa")
    # What has been repaired meanwhile is found.
    assert networks.encode("a.jpg", "asa") == "session of a.jpg"
    assert len(told) == 1
