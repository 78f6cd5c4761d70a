"""The deliberate faults: what to replace in which file, and which tests must find it."""

import tomllib
from pathlib import Path
from typing import NamedTuple


class Fault(NamedTuple):
    """One fault: `before` stands once in `file` and becomes `after`; `tests` must find it.

    `tests` are arguments of pytest. `survives` says why no test can find a fault that changes
    nothing anybody could notice; without it a fault that stays unnoticed is an error.
    """

    name: str
    file: str
    before: str
    after: str
    tests: str
    survives: str = ""


FAULTS = tuple(
    Fault(**entry)
    for entry in tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))[
        "fault"
    ]
)
