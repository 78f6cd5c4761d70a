"""One measured figure with its peer's, as a row of the table and as data."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

MEGABYTE = 10**6

_ROW = "{:60} {:>9} {:>9}  {:32} {:>8}  {:10} {}"
HEADING = _ROW.format("what", "ours", "peer", "which peer", "ratio", "goal", "").rstrip()


@dataclass(frozen=True)
class Goal:
    """An upper limit on the ratio or, where `of` is "ours", on our own figure."""

    limit: float
    of: Literal["ratio", "ours"] = "ratio"


@dataclass(frozen=True)
class Line:
    """Our figure and the peer's, both in seconds or both in bytes."""

    what: str
    unit: Literal["seconds", "bytes"]
    ours: float
    peer: float
    peer_name: str
    goal: Goal | None = None

    @property
    def ratio(self) -> float:
        """Our figure divided by the peer's."""
        return self.ours / self.peer

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None where there is none."""
        return None if self.goal is None else getattr(self, self.goal.of) <= self.goal.limit

    @property
    def data(self) -> dict[str, Any]:
        """The line as plain data."""
        return asdict(self) | {"ratio": self.ratio, "met": self.met}

    @property
    def text(self) -> str:
        """The line as a row of the table."""
        goal = verdict = ""
        if self.goal is not None:
            unit = "ratio" if self.goal.of == "ratio" else self.unit
            goal, verdict = f"<= {_figure(self.goal.limit, unit)}", "met" if self.met else "missed"
        return _ROW.format(
            self.what, _figure(self.ours, self.unit), _figure(self.peer, self.unit),
            self.peer_name, _figure(self.ratio, "ratio"), goal, verdict,
        ).rstrip()  # fmt: skip


def _figure(value: float, unit: str) -> str:
    if unit == "ratio":
        return f"{value:.3g} x"
    if unit == "bytes":
        return f"{value / MEGABYTE:.3g} MB" if value < 1000 * MEGABYTE else f"{value / 1e9:.3g} GB"
    return f"{value * 1000:.3g} ms" if value < 1 else f"{value:.3g} s"
