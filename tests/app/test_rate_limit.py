"""Requests of one visitor are limited in rate, and those of others do not wait for them.

Time is counted, not measured: the loop's clock jumps to whatever is waited for next.
"""

import asyncio
from collections import Counter

import pytest

from app.server import rate_limit as module
from app.server.origins import Reach
from app.server.rate_limit import RateLimit
from app.server.visitors import Visitors

WORK_SECONDS = 0.5


class Jumping(asyncio.SelectorEventLoop):
    """An event loop whose clock stops while a task can run, and else jumps to the next timer."""

    now = 0.0

    def time(self):
        return self.now

    def _run_once(self):
        if not self._ready and self._scheduled:
            self.now = max(self.now, self._scheduled[0].when())
        super()._run_once()


def run(story):
    with asyncio.Runner(loop_factory=Jumping) as runner:
        return runner.run(story)


class House:
    """The application behind the limit: notes which requests are inside, and when each came in."""

    def __init__(self):
        self.inside, self.most, self.came = Counter(), Counter(), []
        self.app = Visitors(RateLimit(self._work), Reach())

    async def _work(self, scope, receive, send):
        name = scope["state"]["visitor"].name
        self.came.append((name, asyncio.get_running_loop().time()))
        self.inside[name] += 1
        self.most[name] = max(self.most[name], self.inside[name])
        await asyncio.sleep(scope.get("seconds", WORK_SECONDS))
        self.inside[name] -= 1
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def ask(self, visitor, path="/gradio_api/component_server", method="POST", **more):
        """Ask as a visitor with a cookie, by number, or without; returns status and seconds."""
        headers = [(b"cookie", f"asa_visitor={visitor:032x}".encode())] if visitor else []
        headers += more.pop("headers", [])
        said = []

        async def send(message):
            said.append(message)

        async def receive():
            raise AssertionError("nothing of a request is read before it may go on")

        start = asyncio.get_running_loop().time()
        scope = {
            "type": "http", "method": method, "path": path, "headers": headers,
            "client": ("1.2.3.4", 5), **more,
        }  # fmt: skip
        await self.app(scope, receive, send)
        return said[0]["status"], asyncio.get_running_loop().time() - start

    def served(self, visitor):
        return sum(name == f"{visitor:032x}" for name, _ in self.came)


async def flooding(house, visitor, tasks, lasting, **how):
    """Ask with many tasks, each again as soon as it is answered; returns the answers' statuses."""
    statuses, loop = Counter(), asyncio.get_running_loop()
    end = loop.time() + lasting

    async def go_on():
        while loop.time() < end:
            statuses[(await house.ask(visitor, **how))[0]] += 1

    await asyncio.gather(*(go_on() for _ in range(tasks)))
    return statuses


@pytest.mark.parametrize("tasks", [60, 500])
def test_others_do_not_wait_for_a_flood_whose_work_is_bounded(tasks):
    async def story():
        house = House()
        flood = asyncio.create_task(flooding(house, 1, tasks, 30, seconds=0.01))
        waits = []
        for _ in range(20):
            await asyncio.sleep(1)
            waits += [seconds for _, seconds in await asyncio.gather(*map(house.ask, range(2, 7)))]
        return house, waits, await flood

    house, waits, statuses = run(story())
    assert waits == pytest.approx([WORK_SECONDS] * 100)
    assert house.most[f"{1:032x}"] <= module.MOST_AT_ONCE
    # What was held at the end goes on after it.
    bound = module.BURST_POINTS + 30 * module.POINTS_PER_SECOND + module.MOST_WAITING + 10
    assert 300 < house.served(1) <= bound
    # Each refusal is held back, so that who asks again at once asks seldom.
    assert statuses[429] <= max(0, tasks - 72) * 30 / module.REFUSAL_SECONDS + tasks
    assert (statuses[429] > 0) == (tasks > 72)


def test_two_pages_of_one_visitor_are_written_at_a_time():
    async def story():
        house = House()
        await flooding(house, 1, 20, 5, path="/", method="GET", seconds=0.01)
        return house

    house = run(story())
    assert house.most[f"{1:032x}"] == module.MOST_PAGES_AT_ONCE
    assert house.served(1) <= (module.BURST_POINTS + 5 * 10) / module.PAGE_POINTS + 21


def test_a_page_with_all_its_files_and_the_questions_of_a_class_hour_are_not_held_up():
    async def story():
        house = House()
        await house.ask(1, path="/", method="GET", seconds=0)
        files = [house.ask(1, path=f"/assets/{k}.js", method="GET", seconds=0) for k in range(66)]
        waits = [seconds for _, seconds in await asyncio.gather(*files)]
        for _ in range(300):
            await asyncio.sleep(0.4)
            waits.append((await house.ask(1, seconds=0))[1])
        return waits

    assert max(run(story())) == 0


def test_a_class_without_cookies_opens_the_page_at_once():
    async def story():
        house = House()
        asked = [house.ask(0, path="/", method="GET", seconds=0) for _ in range(200)]
        return await asyncio.gather(*asked)

    assert run(story()) == [(200, 0)] * 200


def test_a_large_body_costs_more_and_a_stream_that_stays_open_keeps_nobody_out(monkeypatch):
    monkeypatch.setattr(module, "MOST_STREAMS", 3)

    async def story():
        house = House()
        streams = [
            asyncio.create_task(
                house.ask(1, path="/gradio_api/heartbeat/s", method="GET", seconds=1000)
            )
            for _ in range(4)
        ]
        length = [(b"content-length", b"10000000")]
        sent = [house.ask(1, seconds=0, headers=length) for _ in range(7)]
        waits = [seconds for _, seconds in await asyncio.gather(*sent)]
        return waits, sorted([status for status, _ in await asyncio.gather(*streams)])

    waits, statuses = run(story())
    # Eleven points each: after six of them the seventh waits until no more than sixty are owed.
    assert waits == pytest.approx([0, 0, 0, 0, 0, 0, 0.6])
    assert statuses == [200, 200, 200, 429]


def test_visitors_without_requests_for_long_are_forgotten(monkeypatch):
    monkeypatch.setattr(module, "REMEMBERED", 3)

    async def story():
        house = House()
        inside = asyncio.create_task(house.ask(1, seconds=100))
        for visitor in range(2, 30):
            await house.ask(visitor, seconds=0)
        remembered = len(house.app._app._visitors)
        await inside
        return remembered, f"{1:032x}" in house.app._app._visitors

    assert run(story()) == (4, True)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_tools_of_agents_take_no_slot_of_what_answers_them(method):
    # A call lasts until further requests from its address are answered, and a stream stays open.
    async def story():
        house = House()
        tools = [
            asyncio.create_task(house.ask(0, "/gradio_api/mcp/", method, seconds=300))
            for _ in range(2 * module.MOST_AT_ONCE)
        ]
        await asyncio.sleep(1)
        answered = await house.ask(0, "/gradio_api/queue/join")
        for each in tools:
            each.cancel()
        return answered

    status, seconds = run(story())
    assert status == 200
    assert seconds == pytest.approx(WORK_SECONDS)
