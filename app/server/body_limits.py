"""Limits the size and the duration of request bodies, counted while they arrive."""

import asyncio
from contextlib import suppress

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.server.refusals import refuse

MEGABYTE = 10**6
MOST_BYTES = 1 * MEGABYTE
# A picture of 10 MB and the multipart framing around it.
MOST_UPLOADED = 12 * MEGABYTE
MOST_SECONDS = 30.0
DISCARDING_SECONDS = 10.0
UPLOADS = "/gradio_api/upload"


class BodyLimits:
    """Middleware that refuses a body that is too large or too slow, whatever length it declares."""

    def __init__(self, app: ASGIApp, most_seconds: float = MOST_SECONDS) -> None:
        self._app = app
        self._seconds = most_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its body counted, or refuse it."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        most = MOST_UPLOADED if scope["path"].rstrip("/") == UPLOADS else MOST_BYTES
        body = _Body(receive, most, self._seconds)
        begun = False

        async def send_unless_refused(message: Message) -> None:
            nonlocal begun
            # The application answers a failed read with an error of its own, which is dropped here.
            if not body.refused or begun:
                begun = True
                await send(message)

        if declared_length(scope) > most:
            body.refused = "body"
        else:
            try:
                await self._app(scope, body.receive, send_unless_refused)
            except Exception:
                if not body.refused:
                    raise
        if not body.refused or begun:
            return None
        await body.discard()
        return await refuse(
            send, body.refused, limit=most // MEGABYTE, seconds=round(self._seconds)
        )


class _BodyError(Exception):
    """The body is refused; what has arrived is discarded."""


class _Body:
    """The body of one request; `refused` is the reason once it is refused."""

    def __init__(self, receive: Receive, most: int, seconds: float) -> None:
        self._receive = receive
        self._left = most
        self._end = asyncio.get_running_loop().time() + seconds
        self._complete = False
        self.refused = ""

    async def receive(self) -> Message:
        """Return the next message of the body; after its end, the disconnect message."""
        if self._complete:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._end):
                message = await self._receive()
        except TimeoutError as error:
            self.refused = "slow"
            raise _BodyError from error
        self._left -= len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        if self._left < 0:
            self.refused = "body"
            raise _BodyError
        return message

    async def discard(self) -> None:
        """Read on for a while: a client that is still sending does not read the answer yet."""
        with suppress(TimeoutError):
            async with asyncio.timeout(DISCARDING_SECONDS):
                while not self._complete:
                    self._complete = not (await self._receive()).get("more_body", False)


def declared_length(scope: Scope) -> int:
    """Return the Content-Length of the request, -1 without one."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else -1
    return -1
