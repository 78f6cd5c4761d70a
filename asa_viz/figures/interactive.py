"""One query's panels as an interactive Plotly figure, maps at the grid's resolution."""

import base64
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import numpy as np
import plotly.graph_objects as go
from PIL import Image
from plotly.subplots import make_subplots

from asa_viz.figures.colormap import VIRIDIS_STOPS
from asa_viz.figures.curves import DARK, curves_of
from asa_viz.figures.groups import GROUPS, REST, group_map
from asa_viz.figures.panels import EDGE, OPACITY, group_panel, stage_of
from asa_viz.figures.query import TIMES_UNIFORM, Panel, image_of, panels_of
from asa_viz.figures.scales import Scale
from asa_viz.views import FloatMap, ImageView, MaskMap, QueryView

COLUMNS = 3
WIDTH = 960
# The gap between columns as a fraction of the figure, and that between rows in pixels: a map has
# its colour bar under it, a panel its title over it.
GAP, ROW_GAP = 0.02, 90
MARGIN = {"l": 10, "r": 10, "t": 30, "b": 70}
# The widths of lines in pixels by those in a panel of its own, which is twice as large.
FINER_LINES = 0.6
# Weights that underflow to 0 have a logarithm too.
LEAST = 1e-300
# The hover text of a map's cell.
_HOVER = "row %{y}, column %{x}<br>%{customdata}<extra></extra>"


def interactive_figure(view: QueryView) -> go.Figure:
    """Draw all panels of a query; rows and columns are counted from 1.

    Raises:
        ValueError: the view has no image.
    """
    image, panels = image_of(view), panels_of(view)
    rows = -(-len(panels) // COLUMNS)
    figure = make_subplots(
        rows, COLUMNS, subplot_titles=[panel.title for panel in panels.values()],
        horizontal_spacing=GAP, vertical_spacing=ROW_GAP / _height(image, rows),
        shared_xaxes="all", shared_yaxes="all",
    )  # fmt: skip
    stage = stage_of(image.picture, image.grid)
    dark = Image.fromarray(stage.dark)
    for index, (name, panel) in enumerate(panels.items()):
        place = {"row": index // COLUMNS + 1, "col": index % COLUMNS + 1}
        axes = _axes(index)
        if panel.values is not None and panel.scale is not None:
            figure.add_layout_image(_laid(dark, image, axes))
            subplot = figure.get_subplot(**place)
            trace = _map(
                panel, panel.values, panel.scale, subplot.xaxis.domain, subplot.yaxis.domain
            )
        else:
            # Lines are drawn over it, so that they stay sharp when the figure is zoomed.
            drawn = group_panel(stage, view) if panel.lines else panel.image
            figure.add_layout_image(_laid(drawn, image, axes))
            # The heatmap over the picture is invisible; it only provides hover texts.
            trace = go.Heatmap(
                z=np.zeros(view.dense.shape), x0=1, y0=1, dx=1, dy=1, opacity=0, showscale=False,
                customdata=_words(name, view, image), hovertemplate=_HOVER,
            )  # fmt: skip
        figure.add_trace(trace, **place)
        for shape in _lines(view, image, panel):
            figure.add_shape(shape, **place)
        figure.add_shape(_mark(view), **place)
        if panel.values is not None and panel.outlined:
            figure.add_shape(_outline(np.isfinite(panel.values)), **place)
    _lay_out(figure, image, rows)
    return figure


def _map(
    panel: Panel,
    values: FloatMap,
    scale: Scale,
    across: tuple[float, float],
    along: tuple[float, float],
) -> go.Heatmap:
    """Return a map with its colour bar under it.

    Plotly has no logarithmic colours: a logarithmic map is drawn by the logarithms of its values.
    """

    def of(numbers: Any) -> np.ndarray:
        """Return what is drawn of numbers."""
        drawn = np.array(numbers, float)
        return np.log10(np.maximum(drawn, LEAST)) if scale.kind == "log" else drawn

    low, high = of([scale.low, scale.high])
    unit = TIMES_UNIFORM
    if panel.mark is not None:
        unit += f" (threshold {panel.mark:.3g})"
    return go.Heatmap(
        z=of(values), x0=1, y0=1, dx=1, dy=1, zmin=low, zmax=high,
        colorscale=list(VIRIDIS_STOPS), opacity=OPACITY,
        colorbar={
            "orientation": "h", "len": across[1] - across[0],
            "x": sum(across) / 2, "xanchor": "center",
            "y": along[0], "yanchor": "top", "thickness": 10, "xpad": 0, "ypad": 4,
            "title": {"text": unit, "side": "bottom"},
            "tickvals": of(scale.ticks()), "ticktext": [f"{each:g}" for each in scale.ticks()],
        },
        customdata=_numbers(values), hovertemplate=_HOVER,
    )  # fmt: skip


def _axes(index: int) -> dict[str, str]:
    number = "" if index == 0 else str(index + 1)
    return {"xref": f"x{number}", "yref": f"y{number}"}


def _numbers(values: np.ndarray) -> np.ndarray:
    shown = np.nan_to_num(values)
    return np.array([[f"{value:.3g} × uniform" for value in row] for row in shown])


def _words(name: str, view: QueryView, image: ImageView) -> np.ndarray:
    """Return the hover text of each cell of a panel without numbers."""
    classes = np.array(image.segmentation.classes)[image.segmentation.cell_labels]
    if name != "groups":
        return classes
    words = np.array([group.name.replace("_", " ") for group in GROUPS] + ["neither"])
    groups = group_map(view)
    return words[np.where(groups == REST, len(GROUPS), groups)]


def _laid(picture: Image.Image, image: ImageView, axes: dict[str, str]) -> dict[str, Any]:
    """Return a picture as a layout image that covers the cells of a panel."""
    file = BytesIO()
    picture.save(file, "png")
    source = f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
    return {
        "source": source, "x": 0.5, "y": 0.5, "sizex": image.grid.width,
        "sizey": image.grid.height, "sizing": "stretch", "layer": "below", **axes,
    }  # fmt: skip


def _mark(view: QueryView) -> dict[str, Any]:
    """Return the frame around the query's cell."""
    row, col = view.query.row + 1, view.query.col + 1
    return {
        "type": "rect", "x0": col - 0.5, "x1": col + 0.5, "y0": row - 0.5, "y1": row + 0.5,
        "line": {"color": "#D55E00", "width": 2},
    }  # fmt: skip


def _lines(view: QueryView, image: ImageView, panel: Panel) -> Iterator[dict[str, Any]]:
    """Return the lines to partners, each a white one over a dark one."""
    grid = image.grid
    # Cells are counted from 1, and have their middle there.
    size, first = np.array([grid.width, grid.height]), 0.5
    for curve in curves_of(grid, view.query, panel.lines):
        start, control, end = (
            f"{x:.6g},{y:.6g}"
            for x, y in np.array([curve.start, curve.control, curve.end]) * size + first
        )
        for colour, width in (
            (f"rgba(0,0,0,{DARK})", curve.casing),
            (f"rgba(255,255,255,{curve.opacity:.3f})", curve.width),
        ):
            yield {
                "type": "path", "path": f"M{start}Q{control} {end}",
                "line": {"color": colour, "width": width * FINER_LINES},
            }  # fmt: skip


def _outline(shown: MaskMap) -> dict[str, Any]:
    """Return the lines between cells that are shown and cells that are not."""
    around = np.pad(shown, 1)
    lying = np.argwhere(around[1:, 1:-1] != around[:-1, 1:-1]) + 0.5
    standing = np.argwhere(around[1:-1, 1:] != around[1:-1, :-1]) + 0.5
    lines = [f"M{x},{y}H{x + 1}" for y, x in lying] + [f"M{x},{y}V{y + 1}" for y, x in standing]
    return {
        "type": "path", "path": "".join(lines),
        "line": {"color": f"rgba(255,255,255,{EDGE})", "width": 1},
    }  # fmt: skip


def _lay_out(figure: go.Figure, image: ImageView, rows: int) -> None:
    """Set axes with the picture's proportions: linked axes ignore a scale ratio of their own."""
    grid = image.grid
    bare = {"showticklabels": False, "ticks": "", "showgrid": False, "zeroline": False}
    figure.update_xaxes(range=[0.5, grid.width + 0.5], **bare)
    # Plotly counts rows upwards, images downwards.
    figure.update_yaxes(range=[grid.height + 0.5, 0.5], **bare)
    height = _height(image, rows) + MARGIN["t"] + MARGIN["b"]
    figure.update_layout(
        template="none", width=WIDTH, height=round(height), margin=MARGIN, font={"size": 11}
    )


def _height(image: ImageView, rows: int) -> float:
    """Return the height of all rows of panels with their gaps, in pixels."""
    panel_width = (WIDTH - MARGIN["l"] - MARGIN["r"]) * (1 - (COLUMNS - 1) * GAP) / COLUMNS
    panel_height = panel_width * image.grid.image_height / image.grid.image_width
    return rows * panel_height + (rows - 1) * ROW_GAP
