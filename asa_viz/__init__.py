"""See what each pixel of a segmentation network attends to.

    segmenter = asa_viz.load()
    session = segmenter.encode(Image.open("street.jpg"))
    view = session.query(Pixel(240, 300))

The names below are imported when first used: a figure needs neither torch nor mmsegmentation.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asa_viz.geometry import Cell, Grid, Pixel
    from asa_viz.networks.segmenter import Segmenter, load
    from asa_viz.session import Session
    from asa_viz.shipped import available

_HOMES = {
    "Cell": "geometry",
    "Grid": "geometry",
    "Pixel": "geometry",
    "Segmenter": "networks.segmenter",
    "Session": "session",
    "available": "shipped",
    "load": "networks.segmenter",
}

__all__ = ["Cell", "Grid", "Pixel", "Segmenter", "Session", "available", "load"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
