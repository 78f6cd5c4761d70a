"""Identifies visitors by a token in a cookie, because a whole class may share one address."""

import re
import secrets
from dataclasses import dataclass

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.server.fair_queue import Asker
from app.server.origins import Reach, visitor_address

COOKIE = "asa_visitor"
_TOKEN = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Name:
    """A visitor's identity: the token of the cookie, or the address without one."""

    name: str = ""
    address: str = ""
    has_cookie: bool = False


class Visitors:
    """Middleware that sets the cookie and puts the visitor's identity into the request's state."""

    def __init__(self, app: ASGIApp, reach: Reach, *, framed: bool = False) -> None:
        self._app = app
        self._reach = reach
        # Inside another site's frame a browser keeps only cookies marked SameSite=None and Secure.
        self._attributes = "Path=/; HttpOnly; Max-Age=86400; " + (
            "SameSite=None; Secure; Partitioned" if framed else "SameSite=Lax"
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its visitor in the state."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        token = _token(scope)
        address = visitor_address(scope, self._reach)
        name = token or f"at {address}"
        scope.setdefault("state", {})["visitor"] = Name(name, address, has_cookie=bool(token))

        async def send_with_token(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).append(
                    "set-cookie", f"{COOKIE}={secrets.token_hex(16)}; {self._attributes}"
                )
            await send(message)

        is_new_page = scope["path"] == "/" and not token
        return await self._app(scope, receive, send_with_token if is_new_page else send)


def asker_of(request: Request) -> Asker:
    """Return the visitor who sent the request."""
    who = getattr(request.state, "visitor", Name())
    return Asker(who.name, who.address, request.is_disconnected)


def _token(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"cookie":
            token = cookie_parser(value.decode("latin-1")).get(COOKIE, "")
            if _TOKEN.fullmatch(token):
                return token
    return None
