"""The built viewer and its dictionaries, and the HTML page that they stand in without a server.

`build.mjs` bundles `built/viewer.js` from the sources in the other folders, from `lesson` the
lesson, `built/lesson.js`, which the page loads when it is first needed, and from `mcp` what makes
an app of a program that speaks the Model Context Protocol of them, `built/mcp.js`.
"""

import json
import re
from collections.abc import Sequence
from functools import cache
from html import escape
from pathlib import Path

from asa_viz.images import NOTES, SENTENCES

_BUILT = Path(__file__).parent / "built" / "viewer.js"
LESSON = _BUILT.with_stem("lesson")
_MCP = _BUILT.with_stem("mcp")
_TEXTS = Path(__file__).parents[1] / "texts"
# The page never loads anything from outside, whatever it contains.
_POLICY = "; ".join(
    [
        "default-src 'none'", "script-src 'unsafe-inline'", "worker-src blob:",
        "style-src 'unsafe-inline'", "img-src data: blob:", "base-uri 'none'", "form-action 'none'",
    ]
)  # fmt: skip
# Page margins and background, which Gradio sets on the served page.
_STYLE = """body { margin: 0; padding: 14px 18px; background: #fff }
body.dark { background: #0f1318; color-scheme: dark }"""


@cache
def program() -> str:
    """Return the source of one JavaScript function, `asaViz(role, given)`.

    It is the same for the page, its worker and a saved file.
    """
    return _BUILT.read_text("utf-8")


@cache
def lesson() -> str:
    """Return the source of one JavaScript function, `asaLesson(viewer, seen)`."""
    return LESSON.read_text("utf-8")


@cache
def mcp() -> str:
    """Return the source of one JavaScript function, `asaMcp(given)`, which starts an MCP app."""
    return _MCP.read_text("utf-8")


def document(scripts: Sequence[str], *, title: str, language: str = "en", packet: str = "") -> str:
    """Return an HTML page of scripts around the empty element `viewer`; it asks for nothing.

    `packet` is a session in base64, which a script finds as the text of the element `packet`.
    """
    stored = [f'<script id="packet" type="text/plain">{packet}</script>'] if packet else []
    return "\n".join(
        [
            "<!doctype html>",
            f'<html lang="{language}">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>",
            f"<style>{_STYLE}</style>",
            "</head>",
            "<body>",
            '<main id="viewer"></main>',
            *stored,
            *(f"<script>\n{script}\n</script>" for script in scripts),
            "</body>",
            "</html>",
            "",
        ]
    )


def as_script(source: str) -> str:
    """Return source escaped for a <script> element: only strings and comments are affected."""
    return re.sub(r"<(?=/script|script|!--)", r"\\x3c", source, flags=re.IGNORECASE)


@cache
def dictionaries() -> dict[str, dict[str, str]]:
    """Return all texts of the page, by language and key; each language is a folder of files.

    The sentences on refused pictures and the notes on accepted ones come in English from
    `asa_viz.images`.
    """
    words = {
        folder.name: _texts_in(folder) | _texts_in(folder / "lesson")
        for folder in sorted(_TEXTS.iterdir())
        if folder.is_dir()
    }
    # A visitor cannot send an array.
    sentences = {code: text for code, text in SENTENCES.items() if code != "IMG_ARRAY"}
    words["en"].update({f"error.{code}": text for code, text in sentences.items()})
    words["en"].update({f"picture.{code}": text for code, text in NOTES.items()})
    return words


@cache
def part_of_words(language: str, part: str) -> dict[str, str]:
    """Return the texts of one part, by key: "page", or "lesson", which goes with that program."""
    lesson = _texts_in(_TEXTS / language / "lesson")
    if part == "lesson":
        return lesson
    return {key: text for key, text in dictionaries()[language].items() if key not in lesson}


def _texts_in(folder: Path) -> dict[str, str]:
    """Return the texts of a folder's files, by key."""
    return {
        key: text
        for file in sorted(folder.glob("*.json"))
        for key, text in json.loads(file.read_text("utf-8")).items()
    }
