"""A fair queue for a resource that one request at a time may use: least recently served first."""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

# A class of 200 that opens pictures at once must fit; more is refused.
MOST_WAITING = 400
MOST_PER_ADDRESS = 250
# Twice as many requests as a page sends at once.
MOST_PER_VISITOR = 8
LOOKING_SECONDS = 0.25
REMEMBERED = 1000


class BusyError(Exception):
    """The queue is too long for an answer in reasonable time."""


class LeftError(Exception):
    """The visitor has disconnected."""


async def _stays() -> bool:
    return False


@dataclass(frozen=True)
class Asker:
    """The visitor who asks: token, address, and whether the connection is closed meanwhile."""

    visitor: str = ""
    address: str = ""
    has_left: Callable[[], Awaitable[bool]] = _stays


@dataclass(eq=False)
class _Ticket:
    asker: Asker
    called: asyncio.Event


class FairQueue:
    """A mutual exclusion lock with a first-in-first-out queue for each visitor."""

    def __init__(self) -> None:
        self._lines: OrderedDict[str, deque[_Ticket]] = OrderedDict()
        self._served: OrderedDict[str, int] = OrderedDict()
        self._count = 0
        self._running = False
        self._seconds = 0.0

    @property
    def waiting(self) -> int:
        """The number of waiting requests."""
        return sum(map(len, self._lines.values()))

    @asynccontextmanager
    async def turn(self, asker: Asker) -> AsyncIterator[None]:
        """Wait for the visitor's turn, and hold the lock in the `with` block.

        Raises:
            BusyError: too many wait already, or too many of this visitor.
            LeftError: the visitor has disconnected while waiting.
        """
        await self._called(asker)
        start = time.monotonic()
        try:
            yield
        finally:
            taken = time.monotonic() - start
            self._seconds = taken if not self._seconds else 0.8 * self._seconds + 0.2 * taken
            self._next()

    def place(self, visitor: str) -> tuple[int, float] | None:
        """Return how many requests run before the visitor's last one, and about how many seconds.

        None where the visitor has no waiting request.
        """
        if visitor not in self._lines:
            return None
        own = len(self._lines[visitor])
        rank = self._rank(visitor)
        before = own - 1 + int(self._running)
        for other, line in self._lines.items():
            if other != visitor:
                # Each round serves every visitor once, the least recently served first.
                before += min(len(line), own if self._rank(other) < rank else own - 1)
        return before, (before + 1) * self._seconds

    async def _called(self, asker: Asker) -> None:
        if not self._running:
            self._running = True
            self._serve(asker.visitor)
            return
        line = self._lines.get(asker.visitor, ())
        alike = sum(
            ticket.asker.address == asker.address
            for each in self._lines.values()
            for ticket in each
        )
        if (
            len(line) >= MOST_PER_VISITOR
            or alike >= MOST_PER_ADDRESS
            or self.waiting >= MOST_WAITING
        ):
            raise BusyError
        ticket = _Ticket(asker, asyncio.Event())
        self._lines.setdefault(asker.visitor, deque()).append(ticket)
        try:
            while not ticket.called.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(ticket.called.wait(), LOOKING_SECONDS)
                if not ticket.called.is_set() and await asker.has_left():
                    raise LeftError
        except BaseException:
            if ticket.called.is_set():
                self._next()
            else:
                self._remove(ticket)
            raise

    def _next(self) -> None:
        """Wake the least recently served visitor; among those never served, the first to come."""
        if not self._lines:
            self._running = False
            return
        visitor = min(self._lines, key=lambda each: self._served.get(each, -1))
        ticket = self._lines[visitor][0]
        self._remove(ticket)
        self._serve(visitor)
        ticket.called.set()

    def _serve(self, visitor: str) -> None:
        self._count += 1
        self._served[visitor] = self._count
        self._served.move_to_end(visitor)
        if len(self._served) > REMEMBERED:
            self._served.popitem(last=False)

    def _remove(self, ticket: _Ticket) -> None:
        line = self._lines[ticket.asker.visitor]
        line.remove(ticket)
        if not line:
            del self._lines[ticket.asker.visitor]

    def _rank(self, visitor: str) -> tuple[int, int]:
        return self._served.get(visitor, -1), list(self._lines).index(visitor)
