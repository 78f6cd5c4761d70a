"""Links as QR codes: the page's address for a terminal, a link of the page as SVG."""

import io
import sys

import segno


def invitation(url: str, encoding: str | None = None) -> str:
    """Return a QR code of an address as text for a terminal, with the address under it.

    `encoding` is the terminal's, that of standard output by default.
    """
    drawn = io.StringIO()
    blocks = _has_blocks(encoding or sys.stdout.encoding or "ascii")
    # With half-block characters a row of text holds two rows of the code; without, colours do it.
    segno.make(url, micro=False).terminal(drawn, compact=blocks)
    return f"{drawn.getvalue()}\n{url}\nEverybody in this network can open the page."


def svg(link: str) -> str:
    """Return a QR code of a link as an SVG element with a white background."""
    return segno.make(link, micro=False).svg_inline(scale=8, border=4, light="#fff")


def _has_blocks(encoding: str) -> bool:
    try:
        "▀▄█".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
