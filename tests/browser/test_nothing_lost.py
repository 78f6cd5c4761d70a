"""Picture, query, pins and what-if survive all that happens to a connection and to the server."""

import os
import shutil
import socket

import pytest

from tests.app.server_process import Page

# `make soak` stays away for longer.
OFFLINE_MS = int(os.environ.get("ASA_OFFLINE_MS", "3000"))
AWAY = ("net::ERR_", "Failed to fetch", "Connection", "EventSource", "NetworkError")


@pytest.fixture
def start(tmp_path):
    """A function that starts the page, each time at the same address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    pages = []

    def page():
        command = ["-m", "tests.browser.served", "--port", port]
        pages.append(Page(tmp_path, command=command))
        return pages[-1].answers()

    yield page
    for each in pages:
        each.kill()


@pytest.fixture
def visit(start, visitors, noise):
    """A visitor with a picture, a query, a pin and a what-if of their own; `server` is running."""
    server = start()
    visit = visitors(server.address).open()
    visit.server = server
    visit.upload(noise(160, 120, seed=9))
    visit.click("photo", (3, 4))
    visit.press("Enter")
    visit.click("photo", (6, 8))
    visit.set('[data-what-if="nonlocalFactor"]', 2)
    visit.page.wait_for_url("**picture=upload*")
    visit.before = shown(visit)
    yield visit
    visit.page.context.set_offline(False)
    # The browser says of every request that it got no answer.
    visit.complaints[:] = [line for line in visit.complaints if not any(map(line.count, AWAY))]


def shown(visit):
    state = {name: visit.state[name] for name in ("picture", "network", "query", "pins", "whatIf")}
    assert state["picture"].startswith("upload:")
    assert len(state["pins"]) == 1
    return state, visit.ask("[...viewer.scenes.sparse.values]"), visit.grid


def answers(visit):
    """The server answers about the picture, and nothing of what was made is gone."""
    visit.do("rerun")
    visit.wait("viewer.rerun").settle()
    assert shown(visit) == visit.before
    for network in ("dense", "asa"):
        visit.set_quickly('[data-set="network"]', network)
        visit.wait("viewer.opened.network === given[0]", network).settle()
    assert shown(visit) == visit.before
    assert visit.text(".status") == ""


def test_neither_a_while_offline_nor_what_the_server_lets_go_loses_anything(visit, tmp_path):
    visit.page.context.set_offline(True)
    visit.page.wait_for_timeout(OFFLINE_MS)
    # Rows are computed in the browser: they go on.
    assert visit.click("photo", (2, 9)).cell == (2, 9)
    visit.click("photo", (6, 8))
    visit.page.context.set_offline(False)
    answers(visit)
    (own,) = tmp_path.glob("asa-viz-*")
    for folder in (*(own / "uploads").iterdir(), *(own / "runs").glob("*/packets")):
        shutil.rmtree(folder)
        if folder.name == "packets":
            folder.mkdir()
    answers(visit)
    visit.reload()
    assert shown(visit) == visit.before


def test_a_server_that_is_killed_and_started_again_loses_nothing(visit, start, tmp_path):
    visit.server.kill()
    assert visit.click("photo", (2, 9)).cell == (2, 9)
    visit.click("photo", (6, 8))
    start()
    answers(visit)
    # The uploads of before may be swept as well.
    (own,) = tmp_path.glob("asa-viz-*")
    shutil.rmtree(own / "uploads")
    (own / "uploads").mkdir()
    visit.reload()
    assert shown(visit) == visit.before
    answers(visit)
