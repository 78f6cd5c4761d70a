"""The scatter plot of one query's pairs (how much it chooses, how much it is chosen) in Plotly."""

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from asa_viz.figures.groups import GROUPS, REST, group_map
from asa_viz.views import QueryView

# A mid grey, legible on white and on black, because the page decides the background.
INK = "#7d838c"
LINE = "rgba(125,131,140,0.28)"
FAINT = "rgba(125,131,140,0.38)"
ACCENT = "#D55E00"
HEIGHT = 290

_THRESHOLD: dict[str, object] = {"type": "line", "line": {"color": ACCENT, "width": 1.2}}


@dataclass(frozen=True)
class PlotTexts:
    """The texts of the figure: titles of axes, and names of the groups, the rest last."""

    chooses: str
    chooses_dense: str
    chosen_back: str
    chosen_back_dense: str
    hover: str
    groups: dict[str, str]


def pair_plane(view: QueryView, texts: PlotTexts) -> go.Figure:
    """Return a scatter plot of all keys: affinity from the query against affinity to it.

    Both are in multiples of the threshold that decides, drawn as lines at 1. Without thresholds (a
    dense network) both are in multiples of the uniform weight.
    """
    learned = view.nonlocal_scale > 0
    across, along = pair_coordinates(view)
    groups = group_map(view).ravel()
    if not learned:
        groups = np.full_like(groups, REST)
    # Readers count rows and columns from 1.
    cells = np.indices(view.dense.shape).reshape(2, -1).T.astype(np.int32) + 1
    traces = []
    for index in (REST, *reversed(range(len(GROUPS)))):
        inside = groups == index
        rest = index == REST
        traces.append(
            go.Scatter(
                x=across[inside],
                y=along[inside],
                customdata=cells[inside],
                mode="markers",
                name=texts.groups["rest" if rest else GROUPS[index].name],
                marker={
                    "size": 3 if rest else 5,
                    "color": FAINT if rest else GROUPS[index].colour,
                    "line": {"width": 0},
                },
                hovertemplate=texts.hover,
            )
        )
    return _figure(
        traces,
        _axis(texts.chooses if learned else texts.chooses_dense, _log_range(across)),
        _axis(texts.chosen_back if learned else texts.chosen_back_dense, _log_range(along)),
        [_upright(1.0), _level(1.0)] if learned else [],
    )


def pair_coordinates(
    view: QueryView,
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Return the horizontal and vertical coordinates of each key."""
    across = view.dense_times_uniform.astype(float)
    if view.nonlocal_scale > 0:
        return (across / view.nonlocal_scale).ravel(), view.incoming_ratio.astype(float).ravel()
    return across.ravel(), (view.incoming * view.incoming.size).astype(float).ravel()


def _log_range(values: Float[np.ndarray, " n"]) -> list[float]:
    """Return a range of exponents that covers the values down to 1e-6, and the line at 1."""
    seen = values[np.isfinite(values) & (values > 0)]
    top = max(float(seen.max(initial=1.0)), 1.0)
    bottom = min(max(float(seen.min(initial=1.0)), 1e-6), 1.0)
    margin = 0.04 * max(np.log10(top / bottom), 1.0)
    return [float(np.log10(bottom) - margin), float(np.log10(top) + margin)]


def _figure(
    traces: list[go.Scatter],
    across: dict[str, object],
    up: dict[str, object],
    lines: list[dict[str, object]],
) -> go.Figure:
    """Build the figure in one call: each later change of a layout costs as much as building it."""
    layout = {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "system-ui, sans-serif", "size": 11, "color": INK},
        "height": HEIGHT,
        "margin": {"l": 58, "r": 8, "t": 6, "b": 38},
        "showlegend": False,
        "hovermode": "closest",
        "dragmode": False,
        "modebar": {"remove": ["zoom", "pan", "select", "lasso", "zoomIn", "zoomOut"]},
        "xaxis": across,
        "yaxis": up,
        "shapes": lines,
        # Plotly's default template would set a white background and fonts.
        "template": {},
    }
    return go.Figure(traces, layout)


def _axis(title: str, exponents: list[float]) -> dict[str, object]:
    """Return a logarithmic axis over a range of exponents, with a grid line at each power of ten.

    A range shorter than two decades gets ticks at 2 and 5 as well, so that there are several.
    """
    short = exponents[1] - exponents[0] < 2
    return {
        "type": "log",
        "range": exponents,
        "title": {"text": title, "standoff": 4},
        "gridcolor": LINE,
        "linecolor": LINE,
        "zeroline": False,
        "showline": True,
        "mirror": True,
        "exponentformat": "power",
        "dtick": "D2" if short else 1,
        "automargin": False,
    }


def _upright(x: float) -> dict[str, object]:
    """Return a threshold as a vertical line."""
    return {**_THRESHOLD, "xref": "x", "yref": "paper", "x0": x, "x1": x, "y0": 0, "y1": 1}


def _level(y: float) -> dict[str, object]:
    """Return a threshold as a horizontal line."""
    return {**_THRESHOLD, "xref": "paper", "yref": "y", "x0": 0, "x1": 1, "y0": y, "y1": y}
