"""The canvas viewer: its scripts, style and words put together as one program, without a build."""

import json
import re
from functools import cache
from pathlib import Path

from asa_viz.images import NOTES, SENTENCES

_FOLDER = Path(__file__).parent
_TEXTS = _FOLDER.parent / "texts"

_IMPORT = re.compile(r"^import \{([^}]*)\} from \"\./([\w-]+)\.js\";\n", re.MULTILINE)
# Lines with nothing in them but a comment, and what lines are indented by.
_LAYOUT = re.compile(r"^ *(?:(?://.*|/\*(?:[^*]|\*(?!/))*\*/)?\n)?", re.MULTILINE)
# Ends of lines that a script does not need; a line with a comment on it keeps its own.
_LINE = re.compile(r"^((?:(?!//).)*[;{,(])\n", re.MULTILINE)
# Before a colon a space is a part of the selector.
_CSS_SPACE = re.compile(r"(?<=[{};,:])\s+|\s+(?=[{}])")
_CSS_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function\*?|class|const) (\w+))", re.MULTILINE)


@cache
def program() -> str:
    """Return the viewer as the source of one JavaScript function, `asaViz(role, given)`.

    Each module becomes a closure that returns what it exports, in the order of its imports, so that
    the same files are modules to Node and one script to the page, its worker and a saved file.
    Comments, indentation and most ends of lines, for those who read the modules, stay behind.
    """
    modules: dict[str, str] = {}
    _gather("main", modules)
    resources = {
        "HTML": _bare((_FOLDER / "viewer.html").read_text("utf-8")),
        "CSS": _style(),
        "TEXTS": _by_key(dictionaries()),
    }
    constants = "\n".join(f"const {name} = {_literal(value)};" for name, value in resources.items())
    body = "\n".join(modules.values())
    return (
        f'function asaViz(role, given) {{\n"use strict";\n{constants}\n{body}\n'
        "return _main[role](given);\n}"
    )


@cache
def dictionaries() -> dict[str, dict[str, str]]:
    """Return everything the page says, by language and key; each language is a folder of files.

    What is said of a picture that is refused, or taken in with a decision, comes in English from
    where that is decided.
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
    # No visitor can send an array.
    sentences = {code: text for code, text in SENTENCES.items() if code != "IMG_ARRAY"}
    words["en"].update({f"error.{code}": text for code, text in sentences.items()})
    words["en"].update({f"picture.{code}": text for code, text in NOTES.items()})
    return words


def _by_key(words: dict[str, dict[str, str]]) -> dict[str, list[str]]:
    """Return the words of all languages under each key, in the order of "": the languages' names.

    Written so, each key stands in the program once. The plane of pairs is drawn by the server.
    """
    keys = [key for key in words["en"] if not key.startswith("plane.")]
    return {"": list(words)} | {key: [each[key] for each in words.values()] for key in keys}


def _gather(name: str, modules: dict[str, str]) -> None:
    """Add a module to `modules`, after those that it imports."""
    source = (_FOLDER / f"{name}.js").read_text("utf-8")
    for _, other in _IMPORT.findall(source):
        if other not in modules:
            _gather(other, modules)
    exported = ", ".join(_EXPORT.findall(source))
    body = _LINE.sub(r"\1", _bare(_EXPORT.sub("", _IMPORT.sub(_destructured, source))))
    modules[name] = f"const _{name} = (() => {{\n{body}return {{ {exported} }};\n}})();"


def _bare(source: str) -> str:
    return _LAYOUT.sub("", source)


def _style() -> str:
    """Return all style sheets as one, without the spaces that only people need."""
    whole = _bare("\n".join(file.read_text("utf-8") for file in sorted(_FOLDER.glob("*.css"))))
    return _CSS_COMMENT.sub("", _CSS_SPACE.sub("", whole)).replace(";}", "}")


def _destructured(found: re.Match[str]) -> str:
    """`import { a, b as c } from "./d.js"` as `const { a, b: c } = _d`."""
    return f"const {{{found[1].replace(' as ', ': ')}}} = _{found[2]};\n"


def _literal(value: object) -> str:
    """Write a value as JavaScript that may also stand in an HTML file."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("</", "<\\/")
