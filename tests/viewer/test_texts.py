"""The dictionaries: the same keys in every language, all of them used, and none missing."""

import json
import re
from functools import cache
from pathlib import Path

import pytest

from app.gallery import EXAMPLES
from app.viewer import dictionaries, part_of_words
from asa_viz.networks.datasets import DATA_SETS

_ROOT = Path(__file__).parents[2]
_APP = _ROOT / "app"
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")

ENGLISH = dictionaries()["en"]
OTHERS = sorted(set(dictionaries()) - {"en"})
AREAS = {key.split(".")[0] for key in ENGLISH}

# A quoted key, whole; a template with holes in it, of JavaScript or of a Python f-string; and what
# the page's HTML says in its attributes.
_SAID = re.compile(r"""\bsay\(["']([a-z]+(?:\.\w+)+)["']""")
_QUOTED = re.compile(r"""["'`]([a-z]+(?:\.\w+)+)["'`]""")
_JS_TEMPLATE = re.compile(r"`([^`\s]*\$\{[^`]*)`")
_JS_HOLE = re.compile(r"\$\{[^{}]*\}")
_PY_TEMPLATE = re.compile(r"""f["']([^"'\s]*\{[^"'\s]*)["']""")
_ATTRIBUTE = re.compile(r'data-(?:text|title|label)="([^"]+)"')


def sources() -> list[Path]:
    """Return what the page and its server are written in, and not what is built of it."""
    files = [file for kind in ("js", "ts", "html", "py") for file in _APP.rglob(f"*.{kind}")]
    return [file for file in files if "built" not in file.parts]


@cache
def said() -> tuple[frozenset[str], frozenset[str]]:
    """Return the keys that the sources name, and those with holes as regular expressions."""
    keys, templates = set(), set()
    for file in sources():
        source = file.read_text("utf-8")
        quoted = {key for key in _QUOTED.findall(source) if key.split(".")[0] in AREAS}
        keys.update(key for key in quoted if not key.endswith(".npz"))
        keys.update(_SAID.findall(source), _ATTRIBUTE.findall(source))
        template, hole = (
            (_PY_TEMPLATE, _PLACEHOLDER) if file.suffix == ".py" else (_JS_TEMPLATE, _JS_HOLE)
        )
        for text in template.findall(source):
            pattern = r"[\w. -]+".join(re.escape(part) for part in hole.split(text))
            if _is_of_keys(text, hole):
                templates.add(pattern)
    return frozenset(keys), frozenset(templates)


def _is_of_keys(text: str, hole: re.Pattern[str]) -> bool:
    """Whether a template begins with an area, or is one hole and the last part of a key."""
    begins = text.partition(".")[0] in AREAS
    return begins or re.fullmatch(r"[._][a-z_]+", hole.sub("", text, count=1)) is not None


def named_by(key: str, template: str) -> bool:
    return re.fullmatch(template, key) is not None


def test_every_key_that_is_named_is_there():
    keys, _ = said()
    assert not sorted(keys - set(ENGLISH))


def test_every_template_of_keys_names_some():
    _, templates = said()
    whole = [each for each in templates if each.split("\\.")[0] in AREAS]
    assert len(whole) > 10
    assert not [each for each in whole if not any(named_by(key, each) for key in ENGLISH)]


def test_the_page_says_nothing_of_what_comes_with_the_lesson():
    """What the first screen says must be there before the lesson's words are."""
    lesson = part_of_words("en", "lesson")
    page = part_of_words("en", "page")
    assert set(lesson) | set(page) == set(ENGLISH)
    assert not set(lesson) & set(page)
    ours = [file for file in sources() if not {"lesson"} & set(file.relative_to(_APP).parts)]
    assert len(ours) > 50
    said = {key for file in ours for key in _QUOTED.findall(file.read_text("utf-8"))}
    said |= {key for file in ours for key in _ATTRIBUTE.findall(file.read_text("utf-8"))}
    assert not sorted(said & set(lesson))


def test_no_key_is_left_over():
    keys, templates = said()
    # Where the screen is touched the viewer takes the text with this ending by itself.
    left = {key.removesuffix(".finger") for key in ENGLISH} - keys
    assert not sorted(key for key in left if not any(named_by(key, each) for each in templates))


@pytest.mark.parametrize("language", OTHERS)
def test_languages_have_the_same_keys(language):
    assert sorted(dictionaries()[language]) == sorted(ENGLISH)


@pytest.mark.parametrize("language", OTHERS)
def test_languages_leave_the_same_holes(language):
    words = dictionaries()[language]
    holes = {
        key: (sorted(set(_PLACEHOLDER.findall(text))), bool(text)) for key, text in ENGLISH.items()
    }
    assert holes == {
        key: (sorted(set(_PLACEHOLDER.findall(text))), bool(text)) for key, text in words.items()
    }


@pytest.mark.parametrize(("language", "encoding"), [("zh-CN", "gb2312"), ("zh-TW", "big5")])
def test_chinese_is_written_in_one_script(language, encoding):
    ideographs = {each for text in dictionaries()[language].values() for each in text}
    strange = [each for each in sorted(ideographs) if "\u4e00" <= each <= "\u9fff"]
    assert not [each for each in strange if not _has(encoding, each)]


def _has(encoding: str, character: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


@pytest.mark.parametrize("language", dictionaries())
def test_classes_and_photographs_have_names(language):
    words = dictionaries()[language]
    cards = [json.loads(card.read_text("utf-8")) for card in _ROOT.glob("checkpoints/*.json")]
    assert cards
    for name in {name for card in cards for name in card["classes"]}:
        assert words[f"class.{name}"]
    for example in EXAMPLES:
        assert words[f"gallery.{example.name}"]


def test_a_key_stands_in_one_file_and_once():
    for folder in sorted(path for path in (_APP / "texts").iterdir() if path.is_dir()):
        keys = [
            key
            for file in folder.rglob("*.json")
            for key, _ in json.loads(file.read_text("utf-8"), object_pairs_hook=list)
        ]
        assert len(keys) == len(set(keys)), folder


def test_every_class_that_a_network_names_has_a_word():
    classes = {f"class.{name}" for facts in DATA_SETS.values() for name in facts.classes}
    assert classes == {key for key in ENGLISH if key.startswith("class.")}
