"""HTTP and MCP endpoints for programs and agents: stateless, each takes a picture and answers.

The docstring of an endpoint is its public description. The descriptions of parameters, which all
endpoints share, are added where endpoints are registered (`api_words`).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import gradio as gr
import numpy as np
from PIL import Image

from app.api_data import (
    Points,
    array_file,
    cells_of,
    drawn_file,
    encoded_rows,
    file_of,
    place_of,
    served,
    setting_of,
    stacked,
)
from app.api_errors import error_sentences
from app.comparing import Comparisons, method_names
from app.gallery import EXAMPLES
from app.session_cache import Encode
from app.validation import network_name, picture_file, pixel_at, pixels_at, what_if
from asa_viz.images import ImageError
from asa_viz.views import QueryView

if TYPE_CHECKING:
    from asa_viz.session import Session

Format = Literal["png", "svg", "pdf"]
# The name of a photograph of the gallery, a data URL, or an uploaded file.
Picture = str | gr.FileData


class Endpoints:
    """The endpoint functions; their docstrings are what Gradio publishes as API documentation."""

    def __init__(
        self, encode: Encode, networks: Sequence[str], comparisons: Comparisons | None = None
    ) -> None:
        self._encode = encode
        self._networks = networks
        self._comparisons = comparisons

    def networks(self) -> dict[str, Any]:
        """List the networks, the default first, and the names of the photographs that ship.

        Returns:
            networks: their names; `pictures`: names that every endpoint takes for a picture.
        """
        return {
            "networks": list(self._networks),
            "pictures": [example.name for example in EXAMPLES],
            "compares": self._comparisons is not None,
        }

    def segmentation(self, picture: Picture, network: str) -> tuple[dict[str, Any], gr.FileData]:
        """Segment a picture: each class with its share, the class of every cell, and a label map.

        Returns:
            segmentation: classes, palette, the share of each class, and the class of every cell.
            label_map: a PNG of the picture's size whose pixels are indices into the classes.
        """
        with error_sentences():
            session = self._session(picture, network)
            view = session.segmentation
            labels = view.labels
        shares = np.bincount(labels.ravel(), minlength=len(view.classes)) / labels.size
        label_map = Image.fromarray(labels)
        label_map.putpalette([level for colour in view.palette for level in colour])
        return {
            **setting_of(session),
            "classes": list(view.classes),
            "palette": [list(colour) for colour in view.palette],
            "shares": {
                view.classes[i]: float(shares[i])
                for i in np.argsort(-shares, kind="stable")
                if shares[i]
            },
            "cell_labels": view.cell_labels.tolist(),
        }, drawn_file(label_map, "labels.png")

    def attention(
        self,
        picture: Picture,
        x: int,
        y: int,
        network: str,
        nonlocal_factor: float = 1.0,
        local_factor: float = 1.0,
        reciprocity: bool = True,
        local_rule: bool = True,
        window: int | None = None,
        top_k: int | None = None,
    ) -> dict[str, Any]:
        """Say what the pixel (x, y) of a picture attends to, as trained or under another rule.

        Scales are thresholds in multiples of the uniform weight 1 / n; weights sum to one.

        Returns:
            attention: cell, class, scales, counts, kept mass, shares by class, and each kept cell.
        """
        rule = (nonlocal_factor, local_factor, reciprocity, local_rule, window, top_k)
        session, view = self._query(picture, network, x, y, *rule)
        return {
            **setting_of(session),
            **place_of(session, view.query),
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
            # Where no key is kept, the query reads its own value: weights > 0 includes it,
            # view.support would not.
            "support": cells_of(view, view.weights > 0, view.weights),
        }

    def attention_arrays(
        self,
        picture: Picture,
        points: Points,
        network: str,
        nonlocal_factor: float = 1.0,
        local_factor: float = 1.0,
        reciprocity: bool = True,
        local_rule: bool = True,
        window: int | None = None,
        top_k: int | None = None,
    ) -> tuple[dict[str, Any], gr.FileData]:
        """Give the rows of up to 64 pixels as arrays, as trained or under another rule.

        Returns:
            queries: for each point its cell, box, class, scales and kept mass, in their order.
            arrays: NPZ of dense, sparse, incoming, chosen, chooses_back, local [points, h, w].
        """
        rule = (nonlocal_factor, local_factor, reciprocity, local_rule, window, top_k)
        with error_sentences():
            session = self._session(picture, network)
            asked = what_if(*rule)
            views = [session.query(pixel, asked) for pixel in pixels_at(points)]
            file = array_file(stacked(session, views), "attention.npz")
        queries = [
            {
                **place_of(session, view.query),
                "scales": {"nonlocal": view.nonlocal_scale, "local": view.local_scale},
                "support": int(view.support.sum()),
                "kept_mass": view.kept_mass,
            }
            for view in views
        ]
        return {**setting_of(session), "queries": queries}, file

    def maps(self, picture: Picture, network: str) -> tuple[dict[str, Any], gr.FileData]:
        """Give the learned thresholds and what every cell keeps, as maps of the whole picture.

        Returns:
            means: the mean of each map over the cells.
            arrays: NPZ of nonlocal_scale, local_scale, support_size, in_degree, kept_mass [h, w].
        """
        with error_sentences():
            session = self._session(picture, network)
            whole = session.whole_image()
            nonlocal_scale, local_scale = session.scales
            arrays = {
                "nonlocal_scale": nonlocal_scale,
                "local_scale": local_scale,
                "support_size": whole.support_size,
                "in_degree": whole.in_degree,
                "kept_mass": whole.kept_mass,
            }
            means = {name: float(values.mean()) for name, values in arrays.items()}
            arrays["cell_labels"] = session.segmentation.cell_labels
            file = array_file(arrays, "maps.npz")
        return {
            **setting_of(session),
            "thresholds_learned": session.thresholds_learned,
            "means": means,
        }, file

    def reciprocal_neighbours(
        self, picture: Picture, x: int, y: int, network: str
    ) -> dict[str, Any]:
        """List the cells that the pixel (x, y) chooses and that choose it back, strongest first.

        Affinities are in multiples of the uniform weight 1 / n.

        Returns:
            neighbours: cell, class and box of the query, and row, column and affinity of each.
        """
        session, view = self._query(picture, network, x, y)
        return {
            **setting_of(session),
            **place_of(session, view.query),
            "count": int(view.reciprocal.sum()),
            "neighbours": cells_of(view, view.reciprocal, view.dense),
        }

    def attention_picture(
        self,
        picture: Picture,
        x: int,
        y: int,
        network: str,
        nonlocal_factor: float = 1.0,
        local_factor: float = 1.0,
        reciprocity: bool = True,
        local_rule: bool = True,
        window: int | None = None,
        top_k: int | None = None,
        format: Format = "png",  # noqa: A002 - what programs call it
    ) -> gr.FileData:
        """Draw what the pixel (x, y) of a picture attends to: six panels on one sheet.

        Returns:
            sheet: a PNG, or an SVG or PDF with texts as texts.
        """
        rule = (nonlocal_factor, local_factor, reciprocity, local_rule, window, top_k)
        _, view = self._query(picture, network, x, y, *rule)
        with error_sentences():
            return file_of(view, format)

    def compare(
        self, picture: Picture, x: int, y: int, network: str, methods: list[str] | None = None
    ) -> tuple[dict[str, Any], gr.FileData]:
        """Ask other designs of attention, each on a trained head, for the same pixel (x, y).

        Returns:
            comparison: numbers of each design, and how the heads' classes agree with the network's.
            arrays: NPZ of a row for each design that has one, in multiples of the uniform weight.
        """
        with error_sentences():
            if self._comparisons is None:
                raise ValueError("There are no trained heads here to compare designs with.")
            name = network_name(network, self._networks)
            told = self._comparisons.compare(
                picture_file(picture), name, pixel_at(x, y), method_names(methods)
            )
            rows = encoded_rows(told["methods"])
            file = array_file(rows, "designs.npz")
        left_out = ("row", "gates")
        return {
            "labels_of": told["labels_of"],
            "grid": told["grid"],
            "methods": [
                {key: value for key, value in each.items() if key not in left_out}
                for each in told["methods"]
            ],
            "heads": told["heads"],
        }, file

    def page(self, picture: Picture, network: str) -> gr.FileData:
        """Give the whole viewer with one picture as an HTML file, which works without a server.

        Returns:
            page: an HTML file of some megabytes.
        """
        from app.torch_imports import page

        with error_sentences():
            session = self._session(picture, network)
            return served(page(session).encode(), "page.html")

    def _query(
        self, picture: object, network: object, x: object, y: object, *rule: object
    ) -> "tuple[Session, QueryView]":
        """Return the session of a picture and what its pixel (x, y) attends to under a rule."""
        with error_sentences():
            session = self._session(picture, network)
            return session, session.query(pixel_at(x, y), what_if(*rule))

    def _session(self, picture: object, network: object) -> "Session":
        name = network_name(network, self._networks)
        file = picture_file(picture)
        try:
            return self._encode(file, name)
        except ImageError:
            raise
        except ValueError as error:
            # The cause is a fault of the server, so the program is not told its details.
            raise RuntimeError("A picture could not be encoded.") from error
