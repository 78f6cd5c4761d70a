"""The queue through a real server: who disconnects leaves it, who waits is told the place."""

import gc
import threading
import time

import httpx
import pytest

from app.gallery import EXAMPLES
from app.handlers import Answers
from app.packet_cache import PacketCache
from app.page import build_page, mount_settings
from app.server.serve import Application, serving
from app.session_cache import CachedEncoder, SessionCache
from tests.app.event_loops import loops_closed
from tests.app.server_process import ask, component_of
from tests.fakes import fake_session

# The server runs in this process: its warnings and its open sockets must not fail a test.
pytestmark = pytest.mark.filterwarnings("ignore")

PATIENCE = 600


@pytest.fixture
def served(tmp_path):
    """The page around a network that waits until it may go on."""
    begun, may_go_on = threading.Event(), threading.Event()

    def encode(file, network):
        begun.set()
        assert may_go_on.wait(PATIENCE)
        return fake_session()

    with loops_closed():
        answers = Answers(
            CachedEncoder(encode, SessionCache()), None, ["asa", "dense"], PacketCache(tmp_path)
        )
        page = build_page(answers, ["asa", "dense"])
        with serving(Application(page, mount_settings(answers))) as address:
            yield address, answers._turns["network"], begun, may_go_on
            may_go_on.set()
    gc.collect()


def visitor(address, number, **settings):
    # Certificates take longer to load than all the rest.
    settings = {"timeout": PATIENCE, "trust_env": False, "verify": False, **settings}
    return httpx.Client(base_url=address, cookies={"asa_visitor": f"{number:032x}"}, **settings)


def until(true):
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.slow
def test_thirty_who_hang_up_leave_the_line_and_who_stays_is_told_the_place(served):
    address, turns, begun, may_go_on = served
    about = {"source": EXAMPLES[0].name, "network": "asa"}
    answers = []

    def wait_in_line(number):
        with visitor(address, number) as client:
            answers.append(ask(client, "encode", about, component).json())

    with visitor(address, 0) as client:
        component = component_of(client)
    first = threading.Thread(target=wait_in_line, args=[1])
    first.start()
    assert begun.wait(PATIENCE)
    for number in range(100, 130):
        with (
            visitor(address, number, timeout=0.02) as client,
            pytest.raises(httpx.TimeoutException),
        ):
            ask(client, "encode", about, component)
    staying = threading.Thread(target=wait_in_line, args=[2])
    staying.start()
    # While the first is still being worked on.
    until(lambda: turns.place(f"{2:032x}") is not None)
    until(lambda: turns.waiting == 1)
    for number, before in ((2, 1), (3, 0)):
        with visitor(address, number) as client:
            assert ask(client, "place", {}, component).json()["before"] == before
    may_go_on.set()
    for thread in (first, staying):
        thread.join(PATIENCE)
    assert all(each["ok"] for each in answers), answers
    assert len(answers) == 2
