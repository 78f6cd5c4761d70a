"""One query's panels as an interactive Plotly figure, maps at the grid's resolution."""

import base64
from io import BytesIO
from typing import Any

import numpy as np
import plotly.graph_objects as go
from PIL import Image
from plotly.subplots import make_subplots

from asa_viz.figures.colormap import CIVIDIS_STOPS
from asa_viz.figures.groups import GROUPS, REST, group_map
from asa_viz.figures.query import TIMES_UNIFORM, image_of, panels_of
from asa_viz.views import ImageView, QueryView

COLUMNS = 3
WIDTH = 960
# Gaps between columns and rows as fractions of the figure; the colour bar is in the right margin.
GAP, ROW_GAP = 0.02, 0.1
MARGIN = {"l": 0, "r": 90, "t": 30, "b": 10}
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
        horizontal_spacing=GAP, vertical_spacing=ROW_GAP, shared_xaxes="all", shared_yaxes="all",
    )  # fmt: skip
    for index, (name, panel) in enumerate(panels.items()):
        place = {"row": index // COLUMNS + 1, "col": index % COLUMNS + 1}
        axes = _axes(index)
        if panel.values is not None and panel.scale is not None:
            shown = np.where(panel.values > 0, panel.values, np.nan)
            trace = go.Heatmap(
                z=shown, x0=1, y0=1, dx=1, dy=1, zmin=panel.scale.low, zmax=panel.scale.high,
                colorscale=list(CIVIDIS_STOPS), showscale=name == "dense",
                colorbar={"title": {"text": TIMES_UNIFORM, "side": "right"}, "thickness": 12},
                customdata=_numbers(panel.values), hovertemplate=_HOVER,
            )  # fmt: skip
        else:
            figure.add_layout_image(_laid(panel.image, image, axes))
            # The heatmap over the picture is invisible; it only provides hover texts.
            trace = go.Heatmap(
                z=np.zeros(view.dense.shape), x0=1, y0=1, dx=1, dy=1, opacity=0, showscale=False,
                customdata=_words(name, view, image), hovertemplate=_HOVER,
            )  # fmt: skip
        figure.add_trace(trace, **place)
        figure.add_shape(_mark(view), **place)
    _lay_out(figure, image, rows)
    return figure


def _axes(index: int) -> dict[str, str]:
    number = "" if index == 0 else str(index + 1)
    return {"xref": f"x{number}", "yref": f"y{number}"}


def _numbers(values: np.ndarray) -> np.ndarray:
    return np.array([[f"{value:.3g} × uniform" for value in row] for row in values])


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


def _lay_out(figure: go.Figure, image: ImageView, rows: int) -> None:
    """Set axes with the picture's proportions: linked axes ignore a scale ratio of their own."""
    grid = image.grid
    bare = {"showticklabels": False, "ticks": "", "showgrid": False, "zeroline": False}
    figure.update_xaxes(range=[0.5, grid.width + 0.5], **bare)
    # Plotly counts rows upwards, images downwards.
    figure.update_yaxes(range=[grid.height + 0.5, 0.5], **bare)
    panel_width = (WIDTH - MARGIN["r"]) * (1 - (COLUMNS - 1) * GAP) / COLUMNS
    panels_height = rows * panel_width * grid.image_height / grid.image_width
    height = panels_height / (1 - (rows - 1) * ROW_GAP) + MARGIN["t"] + MARGIN["b"]
    figure.update_layout(
        template="none", width=WIDTH, height=round(height), margin=MARGIN, font={"size": 11}
    )
