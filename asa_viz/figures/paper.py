"""One query's panels as a matplotlib figure, saved as PDF or SVG without a browser."""

from collections.abc import Sequence
from io import BytesIO
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import NullLocator
from typing_extensions import override

from asa_viz.figures.colormap import viridis
from asa_viz.figures.groups import GROUPS, group_counts
from asa_viz.figures.panels import OPACITY
from asa_viz.figures.query import TIMES_UNIFORM, image_of, panels_of
from asa_viz.figures.scales import Scale
from asa_viz.views import QueryView

MOST_COLUMNS = 3
FONT_SIZE = 7.0
# The resolution in a notebook.
SCREEN_DPI = 150
THRESHOLD_COLOUR = "#D55E00"
GROUP_NAMES = {
    "reciprocal": "reciprocal",
    "local": "local",
    "query_only": "query only",
    "key_only": "key only",
}
# Texts stay texts, which can be edited and searched. A fixed salt gives the same file each time.
_SETTINGS: Any = {"svg.fonttype": "none", "pdf.fonttype": 42, "svg.hashsalt": "asa-viz"}
_UNDATED = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}


class PaperFigure(Figure):
    """A matplotlib figure that is saved with editable texts and without a date."""

    @override
    def savefig(self, fname: Any, **settings: Any) -> None:
        """Save the figure as matplotlib does; the ending (.pdf, .svg, .png) gives the format."""
        from matplotlib import rc_context

        suffix = Path(fname).suffix.lower() if isinstance(fname, str | Path) else ""
        settings["metadata"] = _UNDATED.get(suffix, {}) | settings.get("metadata", {})
        with rc_context(_SETTINGS):
            super().savefig(fname, **settings)

    def _repr_png_(self) -> bytes:
        """Return the figure as a PNG, which notebooks show."""
        data = BytesIO()
        self.savefig(data, format="png", dpi=SCREEN_DPI)
        return data.getvalue()


def paper_figure(view: QueryView, names: Sequence[str] | None, width: float) -> Figure:
    """Draw panels of a query side by side, three in a row, each map with its colour bar.

    Raises:
        ValueError: the view has no image, or there is no panel of a name.
    """
    panels = panels_of(view, names)
    columns = min(MOST_COLUMNS, len(panels))
    rows = ceil(len(panels) / columns)
    picture_width, picture_height = next(iter(panels.values())).image.size
    # The title and the colour bar take about this many inches.
    height = rows * (width / columns * picture_height / picture_width + 0.65)
    figure = PaperFigure(figsize=(width, height), layout="compressed")
    axes = figure.subplots(rows, columns, squeeze=False)
    for each in axes.flat[len(panels) :]:
        each.axis("off")
    for (name, panel), each in zip(panels.items(), axes.flat, strict=False):
        each.imshow(np.asarray(panel.image), interpolation="none")
        each.set(xticks=[], yticks=[])
        each.set_title(panel.title, fontsize=FONT_SIZE + 1)
        if panel.scale is not None:
            _colour_bar(figure, each, panel.scale, panel.mark)
        elif name == "groups":
            _legend(each, view)
        elif name == "segmentation":
            each.set_xlabel(_class_of(view), fontsize=FONT_SIZE)
    return figure


def _colour_bar(figure: Figure, axes: Any, scale: Scale, mark: float | None) -> None:
    """Draw the colour bar of a map under it, with the query's threshold marked."""
    norm = (LogNorm if scale.kind == "log" else Normalize)(scale.low, scale.high)
    # As colours lie on a dark photo of middle brightness.
    colours = OPACITY * viridis(np.linspace(0, 1, 256)[None])[0] + (1 - OPACITY) * 71
    mappable = ScalarMappable(norm, ListedColormap(colours / 255))
    beyond = {
        (False, False): "neither", (False, True): "max", (True, False): "min", (True, True): "both",
    }  # fmt: skip
    bar = figure.colorbar(
        mappable, ax=axes, orientation="horizontal", aspect=40, pad=0.02,
        extend=beyond[scale.clipped_below, scale.clipped],
    )  # fmt: skip
    bar.set_ticks(scale.ticks(), labels=[f"{each:g}" for each in scale.ticks()])
    bar.ax.xaxis.set_minor_locator(NullLocator())
    label = TIMES_UNIFORM
    if mark is not None:
        bar.ax.axvline(mark, color=THRESHOLD_COLOUR, linewidth=1.5)
        label += f" (threshold {mark:.3g})"
    bar.set_label(label, fontsize=FONT_SIZE)
    bar.ax.tick_params(labelsize=FONT_SIZE)


def _legend(axes: Any, view: QueryView) -> None:
    """Draw a legend of the groups with their numbers of cells under the panel."""
    counts = group_counts(view)
    handles = [
        Patch(color=group.colour, label=f"{GROUP_NAMES[group.name]} ({counts[group.name]})")
        for group in GROUPS
    ]
    axes.legend(
        handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.01), ncols=2, frameon=False,
        fontsize=FONT_SIZE, handlelength=1, columnspacing=1,
    )  # fmt: skip


def _class_of(view: QueryView) -> str:
    segmentation = image_of(view).segmentation
    return f"query: {segmentation.classes[segmentation.cell_labels[view.query]]}"
