"""Opens the socket that the page listens at, or says in one sentence why it cannot."""

import errno
import os
import socket
from contextlib import suppress

HOST = "127.0.0.1"
FIRST_PORT = 7860
PORTS_TRIED = 100
EVERY_INTERFACE = "0.0.0.0"  # noqa: S104 - to be reachable in the network
UNKNOWN = EVERY_INTERFACE
# An address reserved for documentation (RFC 5737), outside of every network.
ANYWHERE = "192.0.2.1"


class AddressError(Exception):
    """The page cannot listen where it was told to; the text says what to do."""


def listen(host: str | None, port: int | None) -> socket.socket:
    """Return a socket that listens at `host` and `port`.

    Without them Gradio's settings count, which a Space gives as environment variables; without
    those, this machine alone and the first free port from 7860 on.

    Raises:
        AddressError: the port is taken, or the host is none of this machine.
    """
    host = host or os.environ.get("GRADIO_SERVER_NAME") or HOST
    if port is None and os.environ.get("GRADIO_SERVER_PORT"):
        port = _port(os.environ["GRADIO_SERVER_PORT"])
    if port is not None:
        return _bound(host, port)
    for each in range(FIRST_PORT, FIRST_PORT + PORTS_TRIED):
        try:
            return _bound(host, each)
        except AddressError as error:
            if (
                not isinstance(error.__cause__, OSError)
                or error.__cause__.errno != errno.EADDRINUSE
            ):
                raise
    raise AddressError(
        f"The ports {FIRST_PORT} to {FIRST_PORT + PORTS_TRIED - 1} are all taken; "
        "give a free one with --port."
    )


def host_of(listening: socket.socket) -> str:
    """Return the IP address that a socket listens at."""
    host: str = listening.getsockname()[0]
    return host


def url_of(listening: socket.socket) -> str:
    """Return the URL of the page for browsers on this machine."""
    host, port = listening.getsockname()[:2]
    if host in (EVERY_INTERFACE, "::"):
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def room_url_of(listening: socket.socket) -> str:
    """Return the URL of the page for others in the network.

    Raises:
        AddressError: this machine is in no network.
    """
    port = listening.getsockname()[1]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outwards:
        # Connecting a UDP socket sends nothing; the system only chooses the local address.
        with suppress(OSError):
            outwards.connect((ANYWHERE, 9))
        host = outwards.getsockname()[0]
    if host == UNKNOWN or host.startswith("127."):
        raise AddressError("This machine is in no network; a class finds no page on it.")
    return f"http://{host}:{port}"


def _port(text: str) -> int:
    if not text.isdecimal():
        raise AddressError(f"GRADIO_SERVER_PORT must be a number, not {text!r:.40}.")
    return int(text)


def _bound(host: str, port: int) -> socket.socket:
    if not 0 <= port <= 65535:
        raise AddressError(f"There is no port {port}; ports go from 0 to 65535.")
    try:
        family, kind, _, _, place = socket.getaddrinfo(
            host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (socket.gaierror, UnicodeError) as error:
        raise AddressError(
            f"There is no host {host!r:.80}; --host takes a name or an address of this machine, "
            "such as 127.0.0.1 or 0.0.0.0, without a port."
        ) from error
    listening = socket.socket(family, kind)
    try:
        if os.name == "posix":
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(place)
        # Where addresses may be reused, a taken port is only refused by `listen`.
        listening.listen(2048)
    except OSError as error:
        listening.close()
        raise AddressError(_reason(error, host, port)) from error
    return listening


def _reason(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is taken by another program; give another with --port."
    if error.errno == errno.EACCES:
        return f"Port {port} may not be used by this user; give one above 1023 with --port."
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is no address of this machine; --host takes one of its own, or 0.0.0.0."
    return f"The page cannot listen at {host}, port {port}: {error.strerror}."
