"""The panels of one query as images, each with its title, unit and scale."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from asa_viz.figures.curves import Line, lines_of
from asa_viz.figures.panels import (
    Stage,
    dark_panel,
    group_panel,
    label_panel,
    map_panel,
    photo_panel,
    stage_of,
)
from asa_viz.figures.scales import Scale, dense_scale, kept_scale, kept_threshold, map_scale
from asa_viz.views import FloatMap, ImageView, QueryView

TIMES_UNIFORM = "times uniform weight"


@dataclass(frozen=True, eq=False)
class Panel:
    """One panel: its title, its image, and for a map of numbers its scale.

    `values` are the numbers in multiples of the uniform weight 1 / n, NaN where a cell is left out.
    `mark` is the query's threshold on the scale, None where there is none. With `outlined` a line
    parts the cells that are not left out from those that are. `lines` lead to partners.
    """

    title: str
    image: Image.Image
    scale: Scale | None = None
    values: FloatMap | None = None
    mark: float | None = None
    outlined: bool = False
    lines: Sequence[Line] = ()


def panels_of(view: QueryView, names: Iterable[str] | None = None) -> dict[str, Panel]:
    """Return the panels of a query by name: all of PANELS or those asked for, in that order.

    Raises:
        ValueError: the view has no image, or there is no panel of a name.
    """
    image = image_of(view)
    names = tuple(PANELS) if names is None else tuple(names)
    if unknown := [name for name in names if name not in PANELS]:
        raise ValueError(f"There is no panel {unknown[0]!r}; there are {', '.join(PANELS)}.")
    stage = stage_of(image.picture, image.grid)
    return {name: PANELS[name](stage, view, image) for name in names}


def image_of(view: QueryView) -> ImageView:
    """Return the image that a view belongs to.

    Raises:
        ValueError: it has none.
    """
    if view.image is None:
        raise ValueError("This view has no image to be drawn on; ask a session for it.")
    return view.image


def _photo(stage: Stage, view: QueryView, _: ImageView) -> Panel:
    return Panel("Picture and query", photo_panel(stage, view.query))


def _dense(stage: Stage, view: QueryView, _: ImageView) -> Panel:
    values, scale = view.dense_times_uniform, dense_scale(view)
    drawn = map_panel(stage, values, scale, view.query)
    return Panel("Dense attention", drawn, scale, values, view.nonlocal_scale or None)


def _sparse(stage: Stage, view: QueryView, image: ImageView) -> Panel:
    values, scale = view.weights_times_uniform, kept_scale(view)
    outlined = not _reads_all(view, image)
    drawn = map_panel(stage, values, scale, view.query, values > 0, outlined=outlined)
    read = np.where(values > 0, values, np.nan)
    return Panel("Sparse attention", drawn, scale, read, kept_threshold(view), outlined)


def _groups(stage: Stage, view: QueryView, image: ImageView) -> Panel:
    lines = [] if _reads_all(view, image) else lines_of(view)
    return Panel("Reciprocal and local neighbours", group_panel(stage, view, lines), lines=lines)


def _reads_all(view: QueryView, image: ImageView) -> bool:
    """Whether every cell is read because no rule removes any."""
    return image.nonlocal_scales is None and bool(view.support.all())


def _thresholds(stage: Stage, view: QueryView, image: ImageView) -> Panel:
    title, values = "Learned non-local thresholds", image.nonlocal_scales
    if values is None:
        return Panel(title, dark_panel(stage, view.query))
    scale, own = map_scale(values), float(values[view.query])
    return Panel(title, map_panel(stage, values, scale, view.query), scale, values, own)


def _segmentation(stage: Stage, view: QueryView, image: ImageView) -> Panel:
    return Panel("Segmentation", label_panel(stage, image.segmentation, view.query))


PANELS: dict[str, Callable[[Stage, QueryView, ImageView], Panel]] = {
    "photo": _photo,
    "dense": _dense,
    "sparse": _sparse,
    "groups": _groups,
    "thresholds": _thresholds,
    "segmentation": _segmentation,
}
