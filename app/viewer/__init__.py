"""The built viewer and its dictionaries.

`build.mjs` bundles `built/viewer.js` from the sources in the other folders, and from `lesson` the
lesson, `built/lesson.js`, which the page loads when it is first needed.
"""

import json
from functools import cache
from pathlib import Path

from asa_viz.images import NOTES, SENTENCES

_BUILT = Path(__file__).parent / "built" / "viewer.js"
LESSON = _BUILT.with_stem("lesson")
_TEXTS = Path(__file__).parents[1] / "texts"


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
def dictionaries() -> dict[str, dict[str, str]]:
    """Return all texts of the page, by language and key; each language is a folder of files.

    The sentences on refused pictures and the notes on accepted ones come in English from
    `asa_viz.images`.
    """
    words = {
        folder.name: {
            key: text
            for file in sorted(folder.glob("*.json"))
            for key, text in json.loads(file.read_text("utf-8")).items()
        }
        for folder in sorted(_TEXTS.iterdir())
        if folder.is_dir()
    }
    # A visitor cannot send an array.
    sentences = {code: text for code, text in SENTENCES.items() if code != "IMG_ARRAY"}
    words["en"].update({f"error.{code}": text for code, text in sentences.items()})
    words["en"].update({f"picture.{code}": text for code, text in NOTES.items()})
    return words
