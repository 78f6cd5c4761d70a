"""Four endpoints for programs: each is given a picture and answers, and nothing is remembered.

A picture is an uploaded file (`gradio_client.handle_file`) or the name of a photograph that ships.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np
from gradio.events import api
from gradio.processing_utils import save_bytes_to_cache
from gradio.utils import get_upload_folder
from PIL import Image

from app.desk import Encode
from app.questions import network_name, picture_file, pixel_at, what_if
from app.server.blocks import FAILED, FULL
from app.server.faults import is_disk_full, report
from app.sheet import sheet
from asa_viz.geometry import Cell
from asa_viz.images import ImageError
from asa_viz.views import MaskMap, QueryView

if TYPE_CHECKING:
    from asa_viz.session import Session

GONE = "That picture is no longer here. Send it again."


def add_api(encode: Encode, networks: list[str]) -> None:
    """Add the endpoints to the page that is being built; the first network is the default."""
    endpoints = Endpoints(encode, networks)
    for answer in (
        endpoints.segmentation,
        endpoints.attention,
        endpoints.reciprocal_neighbours,
        endpoints.attention_picture,
    ):
        api(answer, api_name=answer.__name__, concurrency_id="api", concurrency_limit=1)


class Endpoints:
    """What programs may ask; the docstrings are what they are told."""

    def __init__(self, encode: Encode, networks: list[str]) -> None:
        self._encode = encode
        self._networks = networks

    def segmentation(
        self, picture: gr.FileData, network: str | None = None
    ) -> tuple[dict[str, Any], gr.FileData]:
        """Segment a picture: each class with its share, the class of every cell, and a label map.

        The label map is a PNG of the picture's size whose pixels are indices into the classes.
        """
        with _sentences():
            session = self._session(picture, network)
            view = session.segmentation
            labels = view.labels
        shares = np.bincount(labels.ravel(), minlength=len(view.classes)) / labels.size
        label_map = Image.fromarray(labels)
        label_map.putpalette([level for colour in view.palette for level in colour])
        return {
            **_setting(session),
            "classes": list(view.classes),
            "palette": [list(colour) for colour in view.palette],
            "shares": {
                view.classes[i]: float(shares[i])
                for i in np.argsort(-shares, kind="stable")
                if shares[i]
            },
            "cell_labels": view.cell_labels.tolist(),
        }, _file(label_map, "labels.png")

    def attention(
        self,
        picture: gr.FileData,
        x: int,
        y: int,
        network: str | None = None,
        nonlocal_factor: float = 1.0,
        local_factor: float = 1.0,
        reciprocity: bool = True,
        local_rule: bool = True,
        window: int | None = None,
        top_k: int | None = None,
    ) -> dict[str, Any]:
        """Say what the pixel (x, y) of a picture attends to, as trained or under another rule.

        Scales are thresholds in multiples of the uniform weight 1 / n; weights sum to one. The
        factors multiply both learned scales of every cell, `window` replaces the trained window,
        and `top_k` chooses the k strongest keys instead of those over the threshold.
        """
        rule = (nonlocal_factor, local_factor, reciprocity, local_rule, window, top_k)
        session, view = self._query(picture, network, x, y, *rule)
        return {
            **_setting(session),
            **_place(session, view.query),
            "scales": {"nonlocal": view.nonlocal_scale, "local": view.local_scale},
            "local_threshold": view.local_threshold,
            "counts": {
                name: int(getattr(view, name).sum())
                for name in ("chosen", "chooses_back", "reciprocal", "local", "support")
            },
            "kept_mass": view.kept_mass,
            "class_shares": {
                "dense": session.segmentation.shares(view.dense),
                "sparse": session.segmentation.shares(view.weights),
            },
            # The query itself where nothing is kept: what it reads has a weight all the same.
            "support": _cells(view, view.weights > 0, view.weights),
        }

    def reciprocal_neighbours(
        self, picture: gr.FileData, x: int, y: int, network: str | None = None
    ) -> dict[str, Any]:
        """List the cells that the pixel (x, y) chooses and that choose it back, strongest first.

        Affinities are in multiples of the uniform weight 1 / n.
        """
        session, view = self._query(picture, network, x, y)
        return {
            **_setting(session),
            **_place(session, view.query),
            "count": int(view.reciprocal.sum()),
            "neighbours": _cells(view, view.reciprocal, view.dense),
        }

    def attention_picture(
        self,
        picture: gr.FileData,
        x: int,
        y: int,
        network: str | None = None,
        nonlocal_factor: float = 1.0,
        local_factor: float = 1.0,
        reciprocity: bool = True,
        local_rule: bool = True,
        window: int | None = None,
        top_k: int | None = None,
    ) -> gr.FileData:
        """Draw what the pixel (x, y) of a picture attends to: six panels on one sheet, a PNG."""
        rule = (nonlocal_factor, local_factor, reciprocity, local_rule, window, top_k)
        session, view = self._query(picture, network, x, y, *rule)
        return _file(sheet(view), "attention.png")

    def _query(
        self, picture: object, network: object, x: object, y: object, *rule: object
    ) -> "tuple[Session, QueryView]":
        """Return the session of a picture and what its pixel (x, y) attends to under a rule."""
        with _sentences():
            session = self._session(picture, network)
            return session, session.query(pixel_at(x, y), what_if(*rule))

    def _session(self, picture: object, network: object) -> "Session":
        name = network_name(self._networks[0] if network is None else network, self._networks)
        file = picture_file(picture)
        try:
            return self._encode(file, name)
        except ImageError:
            raise
        except ValueError as error:
            # Not of the asker's making, so not for the asker to read.
            raise RuntimeError("A picture could not be encoded.") from error


@contextmanager
def _sentences() -> Iterator[None]:
    """Turn what a program asked wrongly into one sentence for it."""
    try:
        yield
    except ValueError as refusal:
        raise gr.Error(str(refusal), print_exception=False) from refusal
    except OSError as error:
        raise gr.Error(FULL if is_disk_full(error) else GONE, print_exception=False) from error
    except Exception as error:
        raise gr.Error(FAILED.format(code=report(error)), print_exception=False) from error


def _setting(session: "Session") -> dict[str, Any]:
    grid = session.grid
    return {
        "network": session.network,
        "image": {"width": grid.image_width, "height": grid.image_height},
        "grid": {"height": grid.height, "width": grid.width},
        "notes": list(session.notes),
    }


def _place(session: "Session", cell: Cell) -> dict[str, Any]:
    segmentation = session.segmentation
    return {
        "cell": cell._asdict(),
        "box": session.grid.box_of(cell)._asdict(),
        "class": segmentation.classes[segmentation.cell_labels[cell]],
    }


def _cells(view: QueryView, mask: MaskMap, order: np.ndarray) -> list[dict[str, Any]]:
    """List the cells of `mask`, the largest of `order` first."""
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


def _file(image: Image.Image, name: str) -> gr.FileData:
    """Write a picture where Gradio serves from."""
    data = BytesIO()
    image.save(data, "png")
    return gr.FileData(path=save_bytes_to_cache(data.getvalue(), name, get_upload_folder()))
