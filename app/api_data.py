"""The data and files that endpoints return."""

import base64
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np
from gradio.processing_utils import save_bytes_to_cache
from gradio.utils import get_upload_folder
from PIL import Image

from app.panels_image import panels_image
from asa_viz.geometry import Cell
from asa_viz.views import MaskMap, QueryView

if TYPE_CHECKING:
    from asa_viz.session import Session

Points = list[list[int]]


def setting_of(session: "Session") -> dict[str, Any]:
    """Return what an answer refers to: network, sizes of image and grid, notes on the picture.

    For a framed picture also which part of the image it covers.
    """
    grid = session.grid
    return {
        "network": session.network,
        "image": {"width": grid.image_width, "height": grid.image_height},
        "grid": {"height": grid.height, "width": grid.width},
        "notes": list(session.notes),
        **({"inner": session.inner._asdict()} if session.inner else {}),
    }


def place_of(session: "Session", cell: Cell) -> dict[str, Any]:
    """Return a cell, the pixels that it covers, and its class."""
    segmentation = session.segmentation
    return {
        "cell": cell._asdict(),
        "box": session.grid.box_of(cell)._asdict(),
        "class": segmentation.classes[segmentation.cell_labels[cell]],
    }


def cells_of(view: QueryView, mask: MaskMap, order: np.ndarray) -> list[dict[str, Any]]:
    """List the cells of `mask`, sorted by `order`, the largest first."""
    rows, cols = np.nonzero(mask)
    largest = np.argsort(-order[rows, cols], kind="stable")
    n = view.dense.size
    return [
        {
            "row": int(row),
            "col": int(col),
            "weight": float(view.weights[row, col]),
            "affinity": float(view.dense[row, col]) * n,
            "incoming": float(view.incoming[row, col]) * n,
        }
        for row, col in zip(rows[largest], cols[largest], strict=True)
    ]


def stacked(session: "Session", views: Sequence[QueryView]) -> dict[str, np.ndarray]:
    """Return the rows of several queries as arrays [queries, h, w], and the class of every cell."""
    names = {
        "dense": "dense", "sparse": "weights", "incoming": "incoming", "chosen": "chosen",
        "chooses_back": "chooses_back", "local": "local",
    }  # fmt: skip
    arrays = {name: np.stack([getattr(view, of) for view in views]) for name, of in names.items()}
    cells = np.array([view.query for view in views])
    return arrays | {"cells": cells, "cell_labels": session.segmentation.cell_labels}


def encoded_rows(methods: Sequence[Mapping[str, Any]]) -> dict[str, np.ndarray]:
    """Decode the base64 rows of the comparison's answer into arrays, by method."""
    return {
        each["name"]: np.frombuffer(base64.b64decode(each["row"]), "<f4").reshape(each["keys"])
        for each in methods
        if each["row"] is not None
    }


def file_of(view: QueryView, kind: str) -> gr.FileData:
    """Write the panels of a query as a PNG, SVG or PDF file.

    Raises:
        ValueError: it is none of these.
    """
    if kind == "png":
        return drawn_file(panels_image(view), "attention.png")
    if kind not in ("svg", "pdf"):
        raise ValueError(f"format must be png, svg or pdf, not {kind!r:.40}.")
    data = BytesIO()
    view.panels().savefig(data, format=kind)
    return served(data.getvalue(), f"attention.{kind}")


def drawn_file(image: Image.Image, name: str) -> gr.FileData:
    """Write a picture as a PNG."""
    data = BytesIO()
    image.save(data, "png")
    return served(data.getvalue(), name)


def array_file(arrays: Mapping[str, np.ndarray], name: str) -> gr.FileData:
    """Write arrays by name as an NPZ, as `numpy.load` reads it."""
    data = BytesIO()
    np.savez_compressed(data, **dict(arrays))  # type: ignore[arg-type]
    return served(data.getvalue(), name)


def served(data: bytes, name: str) -> gr.FileData:
    """Write a file into the folder that Gradio serves files from."""
    return gr.FileData(path=save_bytes_to_cache(data, name, get_upload_folder()))
