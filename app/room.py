"""The page's address for a room: a line to read, and a QR code to point a phone at."""

import io
import sys

import segno


def invitation(url: str, encoding: str | None = None) -> str:
    """Return a QR code of an address as text for a terminal, and the address under it.

    `encoding` is the terminal's, by default that of standard output.
    """
    drawn = io.StringIO()
    blocks = _has_blocks(encoding or sys.stdout.encoding or "ascii")
    # Half blocks take half the room; without them colours of the terminal do.
    segno.make(url, micro=False).terminal(drawn, compact=blocks)
    return f"{drawn.getvalue()}\n{url}\nEverybody in this network can open the page."


def _has_blocks(encoding: str) -> bool:
    try:
        "▀▄█".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
