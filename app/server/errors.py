"""Handles errors of the server: logs them without visitors' data and answers with a sentence."""

import errno
import logging
import secrets
import traceback
from pathlib import Path

import fastapi
import gradio
import pydantic
import starlette
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.server.refusals import refuse

_log = logging.getLogger(__name__)
_FULL = (errno.ENOSPC, errno.EDQUOT)
_FRAMEWORK = tuple(
    str(Path(str(package.__file__)).parent) for package in (fastapi, gradio, pydantic, starlette)
)


def report(error: BaseException) -> str:
    """Log where an error was raised; returns a code that the visitor can quote.

    The error's message is left out, for it may contain what the visitor sent.
    """
    code = secrets.token_hex(4)
    lines = []
    cause: BaseException | None = error
    while cause is not None:
        frames = traceback.extract_tb(cause.__traceback__)
        places = [f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
        lines += [*places, type(cause).__qualname__]
        cause = cause.__cause__
    _log.error("Error %s:\n%s", code, "\n".join(lines))
    return code


def is_disk_full(error: BaseException) -> bool:
    """Return whether an error says that the disk is full."""
    return isinstance(error, OSError) and error.errno in _FULL


def _is_of_framework(error: BaseException) -> bool:
    """Return whether Gradio or FastAPI raised the error, about an invalid request."""
    if isinstance(error, OSError | MemoryError):
        return False
    return traceback.extract_tb(error.__traceback__)[-1].filename.startswith(_FRAMEWORK)


class ErrorAnswers:
    """Middleware that answers with a sentence where the application fails or gives a bare error."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and replace a bare error by a sentence."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        bare = begun = False

        async def send_unless_bare(message: Message) -> None:
            nonlocal bare, begun
            if message["type"] == "http.response.start":
                bare = message["status"] == 500
                begun = not bare
            if not bare:
                await send(message)

        error: Exception | None = None
        try:
            await self._app(scope, receive, send_unless_bare)
        except Exception as raised:
            error = raised
        if error is not None and is_disk_full(error):
            reason, code = "disk", ""
        elif error is not None and _is_of_framework(error):
            reason, code = "question", ""
        elif error is not None:
            reason, code = "failed", report(error)
        elif bare:
            reason, code = "failed", "500"
        else:
            return None
        # An answer that has begun cannot be replaced; it is cut off.
        return None if begun else await refuse(send, reason, code=code)
