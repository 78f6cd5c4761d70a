"""The page behind a proxy that shows it under a prefix, under its policy, and in a line."""

import threading

import pytest
from playwright.sync_api import expect

from app.handlers import Answers
from app.packet_cache import PacketCache
from app.page import build_page, mount_settings
from app.server.origins import Reach
from app.server.serve import Application, serving
from app.session_cache import CachedEncoder, SessionCache
from app.viewer import dictionaries
from tests.browser.conftest import encode, rerun

PREFIX = "/user/ada/proxy/7860"
ENGLISH = dictionaries()["en"]


class Proxy:
    """In place of JupyterHub's: takes the prefix off, and answers nothing beside it."""

    def __init__(self, app):
        self.app = app
        self.draining, self.end_streams = app.draining, app.end_streams

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http":
            # What a browser looks for at the root of any site; nothing hangs on it.
            is_of_site = scope["path"] in ("/manifest.json", "/favicon.ico")
            if not scope["path"].startswith(f"{PREFIX}/") and not is_of_site:
                await send({"type": "http.response.start", "status": 404, "headers": []})
                await send({"type": "http.response.body", "body": b"not here"})
                return
            path = scope["path"].removeprefix(PREFIX)
            scope = {**scope, "path": path, "raw_path": path.encode()}
        await self.app(scope, receive, send)


@pytest.fixture
def page(tmp_path):
    """A function that makes the page an application of its own."""

    def make(encode=encode, **settings):
        names = ["asa", "dense"]
        answers = Answers(
            CachedEncoder(encode, SessionCache()), rerun, names, PacketCache(tmp_path)
        )
        return Application(build_page(answers, names), mount_settings(answers), **settings)

    return make


def test_behind_a_prefix_everything_is_there(page, visitors, noise):
    application = page(root_path=PREFIX, reach=Reach(None, behind_proxy=True))
    with serving(Proxy(application)) as address:
        visit = visitors(f"{address}{PREFIX}").open()
        visit.upload(noise(160, 120, seed=4))
        assert visit.text(".status") == ""
        visit.set('[data-what-if="nonlocalFactor"]', 2)
        visit.do("rerun")
        visit.wait("viewer.rerun")
        visit.page.close()


def test_who_waits_sees_the_place_in_line(page, visitors):
    begun, may_go_on = threading.Event(), threading.Event()

    def slow(file, network):
        begun.set()
        assert may_go_on.wait(120)
        return encode(file, network)

    with serving(page(slow)) as address:
        first, second = visitors(address), visitors(address, locale="en-US")
        first.page.goto(f"{address}/")
        assert begun.wait(120)
        second.page.goto(f"{address}/")
        words = ENGLISH["status.place"].split("{seconds}")[0].format(before=1)
        expect(second.find(".status")).to_contain_text(words)
        may_go_on.set()
        for visit in (first, second):
            assert visit.settle().text(".status") == ""
            visit.page.close()
