"""A session as one HTML page with the whole viewer, which works without a server."""

import base64
import json
from dataclasses import replace
from functools import cache
from html import escape
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from urllib.parse import urlencode

from asa_viz.catalogue.method import LANGUAGES
from asa_viz.geometry import Grid, Pixel
from asa_viz.packet import pack
from asa_viz.session import Session

HEIGHT = 720
# The names of picture and network inside a page, which holds one of each.
PICTURE, NETWORK = "picture", "network"

_VIEWER = Path(__file__).parents[2] / "app" / "viewer" / "__init__.py"
_START = """const dark = matchMedia("(prefers-color-scheme: dark)").matches;
document.body.classList.toggle("dark", dark);
const bytes = atob(document.getElementById("packet").textContent);
asaViz("offline", {
  ...given,
  element: document.getElementById("viewer"),
  packet: Uint8Array.from(bytes, (each) => each.charCodeAt(0)).buffer,
  program: asaViz,
  lesson: asaLesson,
});"""


def page(
    session: Session, pixel: Pixel | None = None, *, language: str = "en", script: str = ""
) -> str:
    """Return a session as an HTML page with the viewer, some megabytes of text.

    Queries and keys are in half precision. The page starts with the query `pixel` locked, or with a
    query chosen by the viewer; `language` is one of LANGUAGES; `script` runs after the viewer has
    started.

        Path("cat.html").write_text(page(session, Pixel(240, 300)), encoding="utf-8")

    Raises:
        ValueError: the session cannot be packed, the pixel lies outside the image, or the page does
            not speak that language.
    """
    if language not in LANGUAGES:
        raise ValueError(f"The page speaks {', '.join(LANGUAGES)}, not {language!r:.40}.")
    words = {"picture": PICTURE, "network": NETWORK, "lang": language}
    if pixel is not None:
        cell, grid = session.grid.cell_at(pixel), grid_of_page(session.grid)
        if grid != session.grid:
            pixel = grid.centre_of(cell)
        words |= {"at": f"{pixel[0]}.{pixel[1]}", "lock": "1"}
    given = {
        "networkTitle": session.network,
        "language": language,
        "words": viewer().dictionaries()[language],
        "state": {
            "picture": PICTURE,
            "network": NETWORK,
            "query": pixel,
            "words": urlencode(words),
        },
    }
    packet = base64.b64encode(pack(session, half=True)).decode()
    first = f"const given = {viewer().as_script(json.dumps(given, ensure_ascii=False))};"
    source = viewer().as_script(viewer().program() + viewer().lesson())
    return str(
        viewer().document(
            [source, "\n".join([first, _START, script])],
            title=session.network, language=language, packet=packet,
        )
    )  # fmt: skip


def grid_of_page(grid: Grid) -> Grid:
    """Return the grid as the viewer has it: over an image enlarged to a pixel per cell."""
    down, across = -(-grid.height // grid.image_height), -(-grid.width // grid.image_width)
    times = max(1, down, across)
    return replace(
        grid, image_height=times * grid.image_height, image_width=times * grid.image_width
    )


def framed(html: str, height: int = HEIGHT) -> str:
    """Return a page inside an iframe for use in another page; `height` is in CSS pixels."""
    # ASCII, because the surrounding page may have any encoding.
    srcdoc = escape(html).encode("ascii", "xmlcharrefreplace").decode()
    return (
        f'<iframe srcdoc="{srcdoc}" width="100%" height="{height}" '
        'sandbox="allow-scripts allow-downloads allow-popups" style="border: 0" title="asa-viz">'
        "</iframe>"
    )


@cache
def viewer() -> ModuleType:
    """Return the module `app.viewer`, loaded from its file beside this package.

    Loaded by path: `import app` could find a package of that name in the user's own folder.
    """
    loader = SourceFileLoader("asa_viz_viewer", str(_VIEWER))
    module = ModuleType(loader.name)
    module.__file__ = loader.path
    loader.exec_module(module)
    return module
