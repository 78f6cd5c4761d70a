"""See what each pixel of a segmentation network attends to.

    segmenter = asa_viz.load()
    session = segmenter.encode(Image.open("street.jpg"))
    view = session.query(Pixel(240, 300))

The names below are imported when first used: a figure needs neither torch nor mmsegmentation.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "1.0.0"

if TYPE_CHECKING:
    from asa_viz.attention.what_if import WhatIf
    from asa_viz.checkpoints import available
    from asa_viz.geometry import Cell, Grid, Pixel
    from asa_viz.images import ImageError
    from asa_viz.networks.external import open_network
    from asa_viz.networks.pictures import DataError
    from asa_viz.networks.segmenter import Segmenter, load
    from asa_viz.networks.weights import WeightsError
    from asa_viz.notebook.show import show
    from asa_viz.notebook.widget import widget
    from asa_viz.session import Session

_HOMES = {
    "Cell": "geometry",
    "DataError": "networks.pictures",
    "Grid": "geometry",
    "ImageError": "images",
    "Pixel": "geometry",
    "Segmenter": "networks.segmenter",
    "Session": "session",
    "WeightsError": "networks.weights",
    "WhatIf": "attention.what_if",
    "available": "checkpoints",
    "load": "networks.segmenter",
    "open_network": "networks.external",
    "show": "notebook.show",
    "widget": "notebook.widget",
}

__all__ = [
    "Cell",
    "DataError",
    "Grid",
    "ImageError",
    "Pixel",
    "Segmenter",
    "Session",
    "WeightsError",
    "WhatIf",
    "available",
    "load",
    "open_network",
    "show",
    "widget",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
