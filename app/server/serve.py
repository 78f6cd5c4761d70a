"""Mounts Gradio's page in an ASGI application and serves it with uvicorn."""

import asyncio
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import gradio as gr
import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from app.server.address import listen, url_of
from app.server.body_limits import BodyLimits
from app.server.draining import Draining
from app.server.errors import ErrorAnswers
from app.server.headers import SPACE_FRAMES, SecurityHeaders
from app.server.health import Health, Readiness
from app.server.origins import Origins, Reach
from app.server.preview import Preview, Previews
from app.server.rate_limit import RateLimit
from app.server.routes import Routes
from app.server.visitors import Visitors

# Time for connections still open after draining; no work runs in them.
HANGING_SECONDS = 1
KEEP_ALIVE_SECONDS = 10
# Two hundred browsers that open the page at once with six connections each, and a reserve.
MOST_CONNECTIONS = 4000


class Application:
    """The page as an ASGI application behind all middleware.

    `framed` is for a page that another site shows in a frame, as a Space is.
    """

    def __init__(
        self,
        page: gr.Blocks,
        settings: dict[str, Any],
        *,
        root_path: str | None = None,
        reach: Reach | None = None,
        readiness: Readiness | None = None,
        preview: Preview | None = None,
        framed: bool = False,
    ) -> None:
        reach = reach or Reach()
        mounted = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        # Mounting warns of an icon at any path but "/", and takes it all the same.
        mounting = {**settings, "favicon_path": None}
        gr.mount_gradio_app(mounted, page, path="", root_path=root_path, **mounting)
        page.favicon_path = settings.get("favicon_path")
        # Until a Blocks is launched, Gradio allows any local path in a request.
        self._blocks = page
        page.has_launched = page.is_running = True
        self._page = mounted.routes[-1].app  # type: ignore[attr-defined]
        self.draining = Draining(BodyLimits(mounted))
        # Middleware from the inside out; the cheapest refusals are outermost.
        app: ASGIApp = Visitors(RateLimit(self.draining), reach, framed=framed)
        if preview is not None:
            app = Previews(app, preview, reach, root_path)
        app = Routes(Health(app, readiness, self.draining))
        app = Origins(app, reach)
        app = ErrorAnswers(app)
        self._guarded = SecurityHeaders(app, *[SPACE_FRAMES] * framed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        await self._guarded(scope, receive, send)

    def end_streams(self) -> None:
        """Close the streams that Gradio keeps open for every page."""
        self._blocks.is_running = False
        self._page.stop_event.set()


class Server(uvicorn.Server):
    """A uvicorn server that finishes running requests before it ends, with exit code 0."""

    def __init__(
        self,
        application: Application,
        url: str | None = None,
        started: Callable[[], object] = lambda: None,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                application,
                # The paths of requests contain the names of uploads.
                access_log=False,
                log_level="warning",
                # Proxy headers are handled by `Origins`, for all headers alike.
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=HANGING_SECONDS,
                limit_concurrency=MOST_CONNECTIONS,
            )
        )
        self._application = application
        self._url = url
        self._started = started
        self.ended_by: int | None = None
        self._ending: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start answering, and print the address."""
        await super().startup(sockets)
        if self._url:
            print(f"The page: {self._url}", flush=True)  # noqa: T201 - to whoever started it
        self._started()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin the shutdown; a second signal ends at once."""
        if self._application.draining.begun and sig == signal.SIGINT:
            self.force_exit = self.should_exit = True
        self.ended_by = sig
        self._application.draining.begin()

    async def on_tick(self, counter: int) -> bool:
        """Return whether to end, ten times a second; starts draining when a shutdown is asked."""
        if self._application.draining.begun and self._ending is None:
            self._ending = asyncio.create_task(self._end())
        return await super().on_tick(counter)

    async def _end(self) -> None:
        await self._application.draining.drained()
        self._application.end_streams()
        self.should_exit = True

    def end(self) -> None:
        """Begin the shutdown, from any thread."""
        self._application.draining.begin()


@contextmanager
def serving(application: Application, listening: socket.socket | None = None) -> Iterator[str]:
    """Serve in a thread, at a free port of this machine alone; yields the address."""
    if listening is None:
        listening = listen("127.0.0.1", 0)
    server = Server(application)
    thread = threading.Thread(target=server.run, args=[[listening]], name="server")
    thread.start()
    try:
        yield url_of(listening)
    finally:
        server.end()
        thread.join()
