"""The record of one attention method: facts, references and texts in every language."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Literal, NamedTuple

Family = Literal[
    "content", "dense", "pattern", "window", "pooled", "low_rank", "predicted", "shared",
    "classic", "gates",
]  # fmt: skip
Exactness = Literal["exact", "composed", "none"]
Text = Mapping[str, str]

LANGUAGES = ("en", "zh-CN", "zh-TW")


@dataclass(frozen=True)
class Paper:
    """Where a method comes from; `link` is an arXiv number or a DOI, empty where there is none."""

    authors: str
    title: str
    venue: str
    year: int
    link: str = ""


class Support(NamedTuple):
    """A number of keys: as text for the page, and as a function of the map's size."""

    text: str
    of: Callable[[int, int], int] | None = None


@dataclass(frozen=True, eq=False)
class Method:
    """One design of attention.

    `support_per_pass` is the number of weights computed for a query, summed over passes, and
    `effective_support` the largest number of keys that it reads in the end. `row_sum` is None where
    rows have no common sum. A row is "exact" where the block's output is the row applied to the
    values, "composed" where a step between the row's factors is left out or averaged, which the
    note says, and "none" where there is no matrix over cells. `unchecked` says what could not be
    compared with the paper or its code. `settings` are the head's settings that the texts print,
    under their names in the note.
    """

    name: str
    family: Family
    paper: Paper
    formula: str
    support_per_pass: Support
    effective_support: Support
    cost: str
    row_sum: float | None
    exact: Exactness
    unchecked: str = ""
    settings: Mapping[str, str | float] = field(default_factory=dict)

    @property
    def title(self) -> Text:
        """Its name, by language."""
        return _text(f"{self.name}.title")

    @property
    def note(self) -> Text:
        """What a reader of its rows should know, by language, with the settings filled in."""
        notes = _text(f"{self.name}.note")
        return {language: note.format_map(self.settings) for language, note in notes.items()}


def family_title(family: Family) -> Text:
    """Return the name of a family, by language."""
    return _text(f"family.{family}")


@cache
def texts(language: str) -> Mapping[str, str]:
    """Return all texts of a language; English where a translation is missing."""
    english = {} if language == "en" else texts("en")
    own = json.loads((files(__package__) / "texts" / f"{language}.json").read_text("utf-8"))
    return {**english, **own}


def _text(key: str) -> Text:
    return {language: texts(language)[key] for language in LANGUAGES}


ALL = Support("n", lambda h, w: h * w)
NONE = Support("–")


def square(window: int) -> Support:
    """Return the support of a clipped square window."""
    return Support(by([window] * 2), lambda h, w: min(h, window) * min(w, window))


def by(sizes: Sequence[int]) -> str:
    """Return sizes as the page writes them: 45 × 59."""
    return " × ".join(map(str, sizes))


def listed(numbers: Sequence[int]) -> str:
    """Return numbers as the page lists them: 1, 2, 3, 6."""
    return ", ".join(map(str, numbers))
