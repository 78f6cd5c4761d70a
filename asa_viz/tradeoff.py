"""Plot support against mIoU: python -m asa_viz.tradeoff FIGURES.json... --picture FILE.

The files are written by `python -m asa_viz.evaluate ... --json`, one for each network.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure


@dataclass(frozen=True)
class Point:
    """The figures of one trained network; all are fractions."""

    name: str
    support: float
    miou: float
    own_class: float

    @classmethod
    def of(cls, file: Path) -> "Point":
        """Read the figures of one network."""
        figures = json.loads(file.read_text(encoding="utf-8"))
        return cls(
            figures["network"], figures["support"], figures["mIoU"], figures["own_class_sparse"]
        )


def table(points: Sequence[Point]) -> str:
    """Return the points as a table for a README, the largest support first."""
    head = "| network | mean support | mIoU | own class, sparse |\n| --- | --- | --- | --- |\n"
    return head + "\n".join(
        f"| {point.name} | {point.support:.3f} | {point.miou:.3f} | {point.own_class:.3f} |"
        for point in sorted(points, key=lambda point: -point.support)
    )


def picture(points: Sequence[Point]) -> Figure:
    """Plot mIoU and own-class share over the support, on a logarithmic axis."""
    points = sorted(points, key=lambda point: point.support)
    support = [point.support for point in points]
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "asa-viz", "font.size": 9}):
        figure = Figure(figsize=(7, 2.8), layout="constrained")
        for axes, values, title in zip(
            figure.subplots(1, 2),
            ([point.miou for point in points], [point.own_class for point in points]),
            ("mIoU", "attention on the query's own class"),
            strict=True,
        ):
            axes.plot(support, values, "o-", color="#0072b2", markersize=4, linewidth=1)
            axes.set(xscale="log", xlabel="mean support, share of the cells", title=title)
            axes.set_ylim(min(values) - 0.02, max(values) + 0.02)
            axes.grid(alpha=0.3, which="both")
            axes.spines[["top", "right"]].set_visible(False)
    return figure


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table and draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("figures", nargs="+", type=Path)
    parser.add_argument("--picture", type=Path, help="write the curve to this file, SVG or PNG")
    parsed = parser.parse_args(arguments)
    points = [Point.of(file) for file in parsed.figures]
    print(table(points))
    if parsed.picture:
        picture(points).savefig(parsed.picture, metadata={"Date": None})


if __name__ == "__main__":
    main()
