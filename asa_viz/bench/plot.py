"""The scaling as a picture."""

from typing import Any

import torch
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from asa_viz.bench.attention import DEFINED, FUSED, OURS
from asa_viz.bench.scaling import CHANNELS, Curves

_ALONE = {OURS: "#d55e00", FUSED: "#0072b2", DEFINED: "#000000"}
_BLOCKS = {"ISA": "#009e73", "CCNet": "#cc79a7", "ANN": "#e69f00"}


def plot(curves: Curves) -> Figure:
    """Draw time and memory over the number of cells; all axes are logarithmic."""
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "asa-viz", "font.size": 9}):
        figure = Figure(figsize=(7, 3.6), layout="constrained")
        threads = torch.get_num_threads()
        for axes, quantity, unit, title in zip(
            figure.subplots(1, 2),
            ("seconds", "bytes"),
            "sB",
            (f"one pass, {threads} thread{'s' * (threads > 1)}", "peak memory of one pass"),
            strict=True,
        ):
            for name, points in curves.items():
                axes.plot(
                    [point.n for point in points],
                    [getattr(point, quantity) for point in points],
                    "o-" if name in _ALONE else "o--",
                    color=(_ALONE | _BLOCKS)[name],
                    linewidth=2.5 if name == OURS else 1,
                    markersize=4.5 if name == OURS else 3,
                    zorder=3 if name == OURS else 2,
                    label=name,
                )
            axes.set(xlabel="cells of the map, n", xscale="log", yscale="log", title=title)
            sizes = [point.n for point in curves[OURS]]
            axes.set_xticks(sizes[::2], [f"{n}" for n in sizes[::2]])
            axes.set_xticks(sizes[1::2], [], minor=True)
            axes.yaxis.set_major_formatter(EngFormatter(unit))
            axes.grid(alpha=0.3)
            axes.spines[["top", "right"]].set_visible(False)
        lines, names = axes.get_legend_handles_labels()
        drawn = dict(zip(names, lines, strict=True))
        alone = f"attention alone, {CHANNELS} channels"
        blocks = f"blocks with their projections, {CHANNELS} channels"
        look: dict[str, Any] = {"alignment": "left", "frameon": False}
        figure.legend(
            [drawn[name] for name in _ALONE], _ALONE, title=alone, loc="outside lower left", **look
        )
        figure.legend(
            [drawn[name] for name in _BLOCKS], _BLOCKS, title=blocks, loc="outside lower right",
            **look,
        )  # fmt: skip
    return figure
