"""Two Plotly figures of one query: the plane of pairs and the sorted row."""

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from asa_viz.figures.palettes import GROUPS, REST, group_map
from asa_viz.views import QueryView

# Mid-tones that can be read on white and on black; the page decides which lies behind.
INK = "#7d838c"
LINE = "rgba(125,131,140,0.28)"
FAINT = "rgba(125,131,140,0.38)"
ACCENT = "#D55E00"
HEIGHT = 290


@dataclass(frozen=True)
class PlotTexts:
    """What the figures say: titles of axes, and the names of the groups, the rest last."""

    chooses: str
    chooses_dense: str
    chosen_back: str
    chosen_back_dense: str
    rank: str
    weight: str
    kept: str
    row: str
    threshold: str
    hover: str
    groups: dict[str, str]


def pair_plane(view: QueryView, texts: PlotTexts) -> go.Figure:
    """Every key by how much the query chooses it and how much it chooses the query.

    Both in multiples of the threshold they are held against, which are the lines at 1. Without
    thresholds (a dense network) both are in multiples of the uniform weight.
    """
    learned = view.nonlocal_scale > 0
    across, along = pair_coordinates(view)
    groups = group_map(view).ravel()
    if not learned:
        groups = np.full_like(groups, REST)
    cells = np.stack(np.indices(view.dense.shape), axis=-1).reshape(-1, 2)
    figure = go.Figure()
    for index in (REST, *reversed(range(len(GROUPS)))):
        inside = groups == index
        rest = index == REST
        name = "rest" if rest else GROUPS[index].name
        figure.add_scatter(
            x=across[inside],
            y=along[inside],
            customdata=cells[inside].astype(np.int32),
            mode="markers",
            name=texts.groups[name],
            marker={
                "size": 3 if rest else 5,
                "color": FAINT if rest else GROUPS[index].colour,
                "line": {"width": 0},
            },
            hovertemplate=texts.hover,
        )
    figure.update_layout(_layout())
    figure.update_xaxes(_axis(texts.chooses if learned else texts.chooses_dense), type="log")
    figure.update_yaxes(
        _axis(texts.chosen_back if learned else texts.chosen_back_dense), type="log"
    )
    figure.update_xaxes(range=_log_range(across))
    figure.update_yaxes(range=_log_range(along))
    if learned:
        figure.add_vline(x=1, line=_threshold_line())
        figure.add_hline(y=1, line=_threshold_line())
    return figure


def pair_coordinates(
    view: QueryView,
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Return what the pair plane shows of each key, across and along."""
    across = view.dense_times_uniform.astype(float)
    if view.nonlocal_scale > 0:
        return (across / view.nonlocal_scale).ravel(), view.incoming_ratio.astype(float).ravel()
    return across.ravel(), (view.incoming * view.incoming.size).astype(float).ravel()


def sorted_row(view: QueryView, texts: PlotTexts) -> go.Figure:
    """The dense row from the largest weight down, the kept keys marked on it."""
    row = view.dense_times_uniform.astype(float).ravel()
    order = np.argsort(-row, kind="stable")
    ranks = np.arange(1, row.size + 1)
    kept = view.support.ravel()[order]
    figure = go.Figure()
    figure.add_scatter(
        x=ranks,
        y=row[order],
        mode="lines",
        name=texts.row,
        line={"color": INK, "width": 1.5},
        hovertemplate="%{x}: %{y:.3g}<extra></extra>",
    )
    figure.update_layout(_layout())
    figure.update_xaxes(_axis(texts.rank), type="log", range=[-0.08, np.log10(row.size) + 0.08])
    figure.update_yaxes(_axis(texts.weight), type="log", range=_log_range(row))
    if view.nonlocal_scale > 0:
        figure.add_scatter(
            x=ranks[kept],
            y=row[order][kept],
            mode="markers",
            name=texts.kept,
            marker={"size": 5, "color": GROUPS[0].colour, "line": {"width": 0}},
            hovertemplate="%{x}: %{y:.3g}<extra></extra>",
        )
        figure.add_hline(y=view.nonlocal_scale, line=_threshold_line())
    return figure


def _log_range(values: Float[np.ndarray, " n"]) -> list[float]:
    """Return a range of exponents that holds the values down to a millionth, and the line at 1."""
    seen = values[np.isfinite(values) & (values > 0)]
    top = max(float(seen.max(initial=1.0)), 1.0)
    bottom = min(max(float(seen.min(initial=1.0)), 1e-6), 1.0)
    margin = 0.04 * max(np.log10(top / bottom), 1.0)
    return [float(np.log10(bottom) - margin), float(np.log10(top) + margin)]


def _threshold_line() -> dict[str, object]:
    return {"color": ACCENT, "width": 1.2}


def _layout() -> dict[str, object]:
    return {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "system-ui, sans-serif", "size": 11, "color": INK},
        "height": HEIGHT,
        "margin": {"l": 58, "r": 8, "t": 6, "b": 38},
        "showlegend": False,
        "hovermode": "closest",
        "dragmode": False,
        "modebar": {"remove": ["zoom", "pan", "select", "lasso", "zoomIn", "zoomOut"]},
    }


def _axis(title: str) -> dict[str, object]:
    return {
        "title": {"text": title, "standoff": 4},
        "gridcolor": LINE,
        "linecolor": LINE,
        "zeroline": False,
        "showline": True,
        "mirror": True,
        "exponentformat": "power",
        "dtick": 1,
        "automargin": False,
    }
