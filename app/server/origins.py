"""Checks Host and Origin headers: which hosts serve the page and which sites may send to it."""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.server.refusals import refuse

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_SAFE = ("GET", "HEAD")
# A name or an address in numbers, and a port.
_HOST = re.compile(r"(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")
# Headers by which a proxy describes the visitor's request; Gradio trusts them from anybody.
_FORWARDED = (b"forwarded", b"x-forwarded-", b"x-gradio-server")


@dataclass(frozen=True)
class Reach:
    """The hosts by which the page is reached; None is any.

    With `behind_proxy` the proxy's headers are trusted. `own_hosts` are further hosts whose pages
    count as this one, as a proxy shows it.
    """

    hosts: frozenset[str] | None = LOOPBACK
    behind_proxy: bool = False
    own_hosts: frozenset[str] = field(default_factory=frozenset)


def reach_of(host: str, *, behind_proxy: bool, space_host: str | None) -> Reach:
    """Return the hosts of a page that listens at `host`.

    A page that listens on this machine alone is served only under the machine's own names:
    otherwise a site that points its own name here (DNS rebinding) could read the answers. In a
    network every numeric address is allowed too.
    """
    if behind_proxy:
        return Reach(None, True, frozenset({space_host} if space_host else ()))
    return Reach(LOOPBACK | {host.strip("[]").lower()})


class Origins:
    """Middleware that refuses requests for other hosts and cross-site requests."""

    def __init__(self, app: ASGIApp, reach: Reach) -> None:
        self._app = app
        self._reach = reach

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on without untrusted headers, or refuse it."""
        if scope["type"] == "websocket":
            return await send({"type": "websocket.close", "code": 1008})
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        if not self._reach.behind_proxy:
            kept = [each for each in scope["headers"] if not each[0].startswith(_FORWARDED)]
            scope = {**scope, "headers": kept}
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        # A health probe may come by an address that no visitor uses.
        if scope["path"] in ("/healthz", "/readyz"):
            return await self._app(scope, receive, send)
        if len(hosts) != 1 or not self._is_own(_name(hosts[0])):
            return await refuse(send, "host")
        origin = headers.get("origin")
        if origin is not None and scope["method"] not in _SAFE:
            forwarded = headers.get("x-forwarded-host", "").split(",")[0].strip()
            allowed = {hosts[0].lower(), forwarded.lower(), *self._reach.own_hosts} - {""}
            place = urlsplit(origin)
            if place.netloc.lower() not in allowed or place.scheme not in ("http", "https"):
                return await refuse(send, "origin")
        return await self._app(scope, receive, send)

    def _is_own(self, name: str) -> bool:
        if self._reach.hosts is None or name in self._reach.hosts:
            return True
        # In a network: another site's host name is never a numeric address, so those are safe.
        return not self._reach.hosts <= LOOPBACK and _is_address(name)


def visitor_address(scope: Scope, reach: Reach) -> str:
    """Return the visitor's address: the one the nearest proxy saw, where there is a proxy."""
    if reach.behind_proxy:
        hops: Iterable[str] = Headers(scope=scope).get("x-forwarded-for", "").split(",")
        nearest = list(hops)[-1].strip()
        if nearest:
            return nearest
    return scope["client"][0] if scope.get("client") else ""


def public_address(scope: Scope, reach: Reach, root_path: str = "") -> str:
    """Return the page's address as the visitor's browser has it, without a slash at its end.

    `root_path` is the path under which a proxy shows the page, or its whole address. Where the host
    is not one, only the path is returned.
    """
    root_path = root_path.rstrip("/")
    if root_path.startswith(("http://", "https://")):
        return root_path
    headers = Headers(scope=scope)
    host, scheme = headers.get("host", "").lower(), scope.get("scheme", "http")
    if reach.behind_proxy:
        host = _first(headers, "x-forwarded-host") or host
        forwarded = _first(headers, "x-forwarded-proto")
        scheme = forwarded if forwarded in ("http", "https") else scheme
    return f"{scheme}://{host}{root_path}" if _HOST.fullmatch(host) else root_path


def _first(headers: Headers, name: str) -> str:
    """Return what the outermost proxy has put into a header, in lower case."""
    return headers.get(name, "").split(",")[0].strip().lower()


def _name(host: str) -> str:
    """Return a host without its port."""
    return (urlsplit(f"//{host}").hostname or "") if "@" not in host else ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
