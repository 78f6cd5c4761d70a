"""Rate limits by visitor: concurrent requests and requests a second; what exceeds them waits."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Receive, Scope, Send

from app.server.body_limits import MEGABYTE, declared_length
from app.server.draining import IDLE_STREAMS, QUESTIONS
from app.server.refusals import refuse

# A page asks for about sixty files at first and then for a few requests a minute. Browsers open six
# connections.
MOST_AT_ONCE = 6
# Rendering the page blocks the event loop for 14 ms, four times as long as a request of the viewer.
MOST_PAGES_AT_ONCE = 2
POINTS_PER_SECOND = 10.0
BURST_POINTS = 60.0
# Visitors without a cookie share one limit by address: a class that opens the page at once.
BURST_POINTS_OF_ADDRESS = 800.0
# The cost of a request in units of a viewer's request of 3.5 ms; a static file costs far less.
QUESTION_POINTS = 1.0
PAGE_POINTS = 4.0
FILE_POINTS = 0.1
# How many requests of one visitor may wait, and how many refusals may be delayed.
MOST_WAITING = 64
MOST_WAITING_AT_ADDRESS = 400
MOST_STREAMS = 100
# Refusals are delayed, because clients repeat a refused request at once.
REFUSAL_SECONDS = 2.0
MOST_REFUSALS_HELD = 2000
REMEMBERED = 2000

_FILES = ("/assets/", "/static/", "/svelte/", "/gradio_api/file=")
# Calls of tools: Gradio answers one by further requests to this server, at the same address.
_TOOLS = "/gradio_api/mcp"
_STREAMS = (*IDLE_STREAMS, *QUESTIONS, _TOOLS)


@dataclass(eq=False)
class _Visitor:
    burst: float
    most: int
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MOST_AT_ONCE))
    pages: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MOST_PAGES_AT_ONCE))
    # When all requests so far would be answered at `POINTS_PER_SECOND`.
    paid_until: float = 0.0
    requests: int = 0
    streams: int = 0

    def delay(self, points: float, now: float) -> float:
        """Return how long a request of this cost has to wait, and count it."""
        allowed_at = self.paid_until - self.burst / POINTS_PER_SECOND
        self.paid_until = max(self.paid_until, now) + points / POINTS_PER_SECOND
        return max(0.0, allowed_at - now)


class RateLimit:
    """Middleware that limits each visitor's rate and refuses what would wait too long.

    It runs before the request's body is read; a waiting request costs almost nothing. `Visitors`
    has put the visitor into the request's state.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._visitors: OrderedDict[str, _Visitor] = OrderedDict()
        self._refusals = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on when the limit allows, or refuse it."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        visitor = self._visitor(scope)
        if scope["method"] == "GET" and scope["path"].startswith(_STREAMS):
            if visitor.streams >= MOST_STREAMS:
                return await self._refuse(send)
            visitor.streams += 1
            try:
                return await self._app(scope, receive, send)
            finally:
                visitor.streams -= 1
        if visitor.requests >= visitor.most:
            return await self._refuse(send)
        visitor.requests += 1
        try:
            await asyncio.sleep(visitor.delay(_points(scope), asyncio.get_running_loop().time()))
            # If calls of tools took the slots, the requests that answer them would wait for ever.
            if scope["path"].startswith(_TOOLS):
                return await self._app(scope, receive, send)
            async with visitor.pages if scope["path"] == "/" else visitor.slots:
                return await self._app(scope, receive, send)
        finally:
            visitor.requests -= 1

    def _visitor(self, scope: Scope) -> _Visitor:
        who = scope["state"]["visitor"]
        if who.name not in self._visitors:
            self._visitors[who.name] = (
                _Visitor(BURST_POINTS, MOST_AT_ONCE + MOST_WAITING)
                if who.has_cookie
                else _Visitor(BURST_POINTS_OF_ADDRESS, MOST_WAITING_AT_ADDRESS)
            )
        self._visitors.move_to_end(who.name)
        for old in list(self._visitors)[: max(0, len(self._visitors) - REMEMBERED)]:
            # A visitor with requests in progress must not be forgotten.
            if not self._visitors[old].requests and not self._visitors[old].streams:
                del self._visitors[old]
        return self._visitors[who.name]

    async def _refuse(self, send: Send) -> None:
        if self._refusals < MOST_REFUSALS_HELD:
            self._refusals += 1
            try:
                await asyncio.sleep(REFUSAL_SECONDS)
            finally:
                self._refusals -= 1
        await refuse(send, "pace")


def _points(scope: Scope) -> float:
    if scope["method"] == "GET":
        if scope["path"] == "/":
            return PAGE_POINTS
        return FILE_POINTS if scope["path"].startswith(_FILES) else QUESTION_POINTS
    # A body has to be read and parsed: a megabyte takes about as long as a request.
    return QUESTION_POINTS + max(0, declared_length(scope)) / MEGABYTE
