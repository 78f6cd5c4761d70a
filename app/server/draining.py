"""Graceful shutdown: running requests finish, new work is refused, all within seconds."""

import asyncio
from contextlib import suppress

from starlette.types import ASGIApp, Receive, Scope, Send

from app.server.refusals import refuse

# Together with uvicorn's own shutdown this stays within the eight seconds that a supervisor may
# allow.
MOST_SECONDS = 6.0
# Time for the visitor to fetch the file that the last answer names.
FETCHING_SECONDS = 0.3

# Streams that stay open as long as a page does; they carry no running work.
IDLE_STREAMS = ("/gradio_api/heartbeat/", "/gradio_api/upload_progress")
QUESTIONS = ("/gradio_api/queue/data", "/gradio_api/call/")
_ALWAYS = ("/healthz", "/readyz")


class Draining:
    """Middleware that counts the requests in progress; after `begin` no new work is let in."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._running = 0
        self.begun = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it while shutting down."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        path = scope["path"]
        is_work = scope["method"] == "POST" or path.startswith(QUESTIONS)
        if self.begun and scope["method"] == "POST" and not path.startswith(_ALWAYS):
            return await refuse(send, "draining")
        if not is_work or path.startswith(IDLE_STREAMS):
            return await self._app(scope, receive, send)
        self._running += 1
        try:
            return await self._app(scope, receive, send)
        finally:
            self._running -= 1

    async def drained(self) -> None:
        """Wait until no request is in progress, at most MOST_SECONDS."""
        with suppress(TimeoutError):
            async with asyncio.timeout(MOST_SECONDS):
                if self._running:
                    while self._running:
                        await asyncio.sleep(0.05)
                    await asyncio.sleep(FETCHING_SECONDS)

    def begin(self) -> None:
        """Refuse new work from now on."""
        self.begun = True
