"""Health probes: whether the server lives, and whether a forward pass of the network works."""

import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

from anyio import to_thread
from starlette.types import ASGIApp, Receive, Scope, Send

from app.server.draining import Draining
from app.server.refusals import respond

FREE_BYTES = 200 * 2**20
# How long a successful pass counts; after a failed one the next try comes sooner.
FRESH_SECONDS = 60.0
RETRY_SECONDS = 5.0


class Readiness:
    """The last forward pass of the network; `attempt` runs one and raises if it fails."""

    def __init__(self, attempt: Callable[[], object], folder: Path) -> None:
        self._attempt = attempt
        self._folder = folder
        self._lock = threading.Lock()
        self._works = False
        self._known_until = 0.0

    def reason_not_ready(self) -> str | None:
        """Return why the server is not ready, or None; runs the network if the last pass is old."""
        if shutil.disk_usage(self._folder).free < FREE_BYTES:
            return "The disk is nearly full."
        # Of concurrent probes only one runs the network.
        if time.monotonic() >= self._known_until and self._lock.acquire(blocking=False):
            try:
                self.check()
            finally:
                self._lock.release()
        return None if self._works else "The network does not answer, or is being loaded."

    def check(self) -> bool:
        """Run the network and return whether it worked."""
        try:
            self._attempt()
        except Exception:
            self._works = False
        else:
            self._works = True
        self._known_until = time.monotonic() + (FRESH_SECONDS if self._works else RETRY_SECONDS)
        return self._works


class Health:
    """Middleware that answers /healthz and /readyz and passes everything else on."""

    def __init__(self, app: ASGIApp, readiness: Readiness | None, draining: Draining) -> None:
        self._app = app
        self._readiness = readiness
        self._draining = draining

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a probe, or pass the request on."""
        path = scope["path"] if scope["type"] == "http" else None
        if path == "/healthz":
            return await respond(send, 200, {"alive": True})
        if path != "/readyz":
            return await self._app(scope, receive, send)
        if self._draining.begun:
            reason: str | None = "The server is about to stop."
        elif self._readiness is None:
            reason = None
        else:
            reason = await to_thread.run_sync(self._readiness.reason_not_ready)
        status = 200 if reason is None else 503
        return await respond(send, status, {"ready": reason is None, "reason": reason})
