"""Plots time and memory over the number of cells."""

import torch
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from asa_viz.bench.attention import OURS
from asa_viz.bench.scaling import BLOCKS, CHANNELS, Curves

_COLOURS = ("#d55e00", "#0072b2", "#000000", "#009e73", "#cc79a7", "#e69f00")


def plot(curves: Curves) -> Figure:
    """Draw time and memory over the number of cells; all axes are logarithmic."""
    sizes = [point.n for point in curves[OURS]]
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "asa-viz", "font.size": 9}):
        figure = Figure(figsize=(7, 3.6), layout="constrained")
        time, memory = figure.subplots(1, 2)
        for axes, quantity, unit in (time, "seconds", "s"), (memory, "bytes", "B"):
            for (name, points), colour in zip(curves.items(), _COLOURS, strict=True):
                axes.plot(
                    [point.n for point in points],
                    [getattr(point, quantity) for point in points],
                    "o--" if name in BLOCKS else "o-",
                    color=colour,
                    linewidth=3 if name == OURS else 1,
                    markersize=5 if name == OURS else 3,
                    zorder=3 if name == OURS else 2,
                    label=name,
                )
            axes.set(xlabel="cells of the map, n", xscale="log", yscale="log")
            axes.set_xticks(sizes[1::2], [str(n) for n in sizes[1::2]])
            axes.set_xticks(sizes, [], minor=True)
            axes.yaxis.set_major_formatter(EngFormatter(unit))
            axes.grid(alpha=0.3)
            axes.spines[["top", "right"]].set_visible(False)
        threads = torch.get_num_threads()
        time.set_title(f"one pass, {threads} thread{'s' * (threads > 1)}")
        memory.set_title("its peak memory")
        figure.legend(
            *time.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False,
            title="solid: the attention alone; dashed: blocks, which hold their projections "
            f"(convolutions); {CHANNELS} channels", title_fontsize="medium",
        )  # fmt: skip
    return figure
