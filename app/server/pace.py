"""How much one visitor may ask for: requests at a time and a second; what is over it waits."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Receive, Scope, Send

from app.server.bodies import MEGABYTE, declared_length
from app.server.draining import IDLE_STREAMS, QUESTIONS
from app.server.refusals import refuse

# A page asks for about sixty files and then a few questions a minute. Browsers ask six at a time.
MOST_AT_ONCE = 6
# Writing the page takes the server's one loop for 14 ms, four times as long as a question.
MOST_PAGES_AT_ONCE = 2
POINTS_PER_SECOND = 10.0
BURST_POINTS = 60.0
# Who has no cookie shares one pace with everybody at that address: a class that opens the page.
BURST_POINTS_OF_ADDRESS = 800.0
# What a request costs, in questions of 3.5 ms; a file that lies there costs far less.
QUESTION_POINTS = 1.0
PAGE_POINTS = 4.0
FILE_POINTS = 0.1
# How many requests of one visitor are held, and how many refusals are held back.
MOST_WAITING = 64
MOST_WAITING_AT_ADDRESS = 400
MOST_STREAMS = 100
# An answer at once would be asked again at once.
REFUSAL_SECONDS = 2.0
MOST_REFUSALS_HELD = 2000
REMEMBERED = 2000

_FILES = ("/assets/", "/static/", "/svelte/", "/gradio_api/file=")
_STREAMS = (*IDLE_STREAMS, *QUESTIONS)


@dataclass(eq=False)
class _Visitor:
    burst: float
    most: int
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MOST_AT_ONCE))
    pages: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MOST_PAGES_AT_ONCE))
    # When everything asked so far would have been answered at `POINTS_PER_SECOND`.
    paid_until: float = 0.0
    requests: int = 0
    streams: int = 0

    def delay(self, points: float, now: float) -> float:
        """Return how long a request has to wait, and count it."""
        allowed_at = self.paid_until - self.burst / POINTS_PER_SECOND
        self.paid_until = max(self.paid_until, now) + points / POINTS_PER_SECOND
        return max(0.0, allowed_at - now)


class Pace:
    """Lets a visitor's requests in at a bounded pace, and refuses what would wait too long.

    It stands before anything of a request is read; waiting costs next to nothing. The visitor is
    in the request's state (`Visitors`).
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._visitors: OrderedDict[str, _Visitor] = OrderedDict()
        self._refusals = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on when it may go on, or refuse it."""
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
            # Whoever is being answered is still needed.
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
    # What is sent has to be read and taken apart: a megabyte takes as long as a question.
    return QUESTION_POINTS + max(0, declared_length(scope)) / MEGABYTE
