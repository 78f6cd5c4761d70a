"""A measured figure beside its peer's, as a line of a table and as data."""

import os
from dataclasses import dataclass
from typing import Any, Literal

import torch

MEGABYTE = 10**6


@dataclass(frozen=True)
class Goal:
    """The most that the ratio or, where `of` is "ours", our own figure may be."""

    limit: float
    of: Literal["ratio", "ours"] = "ratio"


@dataclass(frozen=True)
class Line:
    """What ours takes and what its peer takes, both in seconds or both in bytes."""

    what: str
    unit: Literal["seconds", "bytes"]
    ours: float
    peer: float
    peer_name: str
    goal: Goal | None = None

    @property
    def ratio(self) -> float:
        """How many times as much as its peer ours takes."""
        return self.ours / self.peer

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None where there is none."""
        if self.goal is None:
            return None
        return (self.ratio if self.goal.of == "ratio" else self.ours) <= self.goal.limit

    @property
    def data(self) -> dict[str, Any]:
        """The line as plain data."""
        return vars(self) | {
            "goal": None if self.goal is None else vars(self.goal),
            "ratio": self.ratio,
            "met": self.met,
        }

    @property
    def text(self) -> str:
        """The line as a row of the table."""
        goal, verdict = "", ""
        if self.goal is not None:
            of_ratio = self.goal.of == "ratio"
            limit = f"{self.goal.limit:g} x" if of_ratio else _figure(self.goal.limit, self.unit)
            goal, verdict = f"<= {limit}", "met" if self.met else "missed"
        return _row(
            self.what, _figure(self.ours, self.unit), _figure(self.peer, self.unit),
            self.peer_name, f"{self.ratio:.3g} x", goal, verdict,
        )  # fmt: skip


def heading() -> str:
    """Return the names of the table's columns."""
    return _row("what", "ours", "peer", "which peer", "ratio", "goal", "")


def setting(rounds: int) -> dict[str, Any]:
    """Return what the figures hang on beside the code."""
    return {
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "processors": os.cpu_count(),
        "rounds": rounds,
    }


def _row(*parts: str) -> str:
    what, ours, peer, name, ratio, goal, verdict = parts
    row = f"{what:60} {ours:>9} {peer:>9}  {name:32} {ratio:>8}  {goal:10} {verdict}"
    return row.rstrip()


def _figure(value: float, unit: str) -> str:
    if unit == "bytes":
        return f"{value / MEGABYTE:.3g} MB" if value < 1000 * MEGABYTE else f"{value / 1e9:.3g} GB"
    return f"{value * 1000:.3g} ms" if value < 1 else f"{value:.3g} s"
