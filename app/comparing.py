"""Runs the comparison heads on a picture and returns every method's answer for one query."""

import base64
import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from app.session_cache import CachedEncoder
from app.validation import enlarged
from asa_viz.geometry import Pixel
from asa_viz.views import DEAD_BELOW, AgreementView, LabelMap, MethodView, labels_at

if TYPE_CHECKING:
    from asa_viz.catalogue.method import Paper
    from asa_viz.networks.zoo.ensemble import Comparison, Ensemble
    from asa_viz.networks.zoo.record import HeadMethod, ImageMethod
    from asa_viz.session import Session

NO_METHOD = "There is no method {name!r:.40}; there are {names}."
NO_LIST = "methods must be a list of names, or null for all, not {value!r:.40}."

# The number of pictures whose outputs of all heads are cached, so that a click computes rows only.
KEPT_READINGS = 4


class Comparisons:
    """Answers all methods for one query; the heads' outputs for the last pictures are cached."""

    def __init__(self, encoder: CachedEncoder, load: "Callable[[], Ensemble]") -> None:
        self._desk = encoder
        self._load = cache(load)
        self._readings: OrderedDict[str, Comparison] = OrderedDict()
        self._reading = threading.Lock()

    def facts(self, language: str) -> dict[str, Any]:
        """Return the record of every method, with texts in a language, and of the experiment."""
        from app.torch_imports import FAMILIES, LANGUAGES, READERS, family_title

        language = language if language in LANGUAGES else "en"
        with self._reading:
            ensemble = self._load()
        return {
            "network": ensemble.network,
            "families": [
                {"name": family, "title": family_title(family)[language]} for family in FAMILIES
            ],
            "methods": [_facts(READERS[name], language) for name in ensemble.methods],
            "experiment": _finite(ensemble.experiment),
        }

    def compare(
        self,
        file: str,
        network: str,
        pixel: Pixel,
        names: Sequence[str] | None,
        lattice: object = 1,
    ) -> dict[str, Any]:
        """Return methods' answers for a pixel, and how their heads agree; None asks all.

        The pixel is one of the image enlarged `lattice` times. The own-class share and the
        agreement go by the labels of `network` where its classes are those of the heads.

        Raises:
            ImageError: the picture cannot be used.
            OSError: the file has been deleted.
            ValueError: the pixel lies outside the image.
        """
        session, comparison = self._read(file)
        shown = self._desk.session(file, network)
        if shown.segmentation.classes != session.segmentation.classes:
            shown = session
        grid = session.grid
        cell = enlarged(grid, lattice).cell_at(pixel)
        labels = labels_at(shown.segmentation.cell_labels, grid.height, grid.width)
        asked = [name for name in comparison.methods if names is None or name in names]
        # `query` would take an empty list for all methods.
        views = comparison.query(cell, asked) if asked else ()
        agreement = comparison.agreement(asked) if asked else AgreementView({})
        classes = session.segmentation.classes
        return {
            "labels_of": shown.network,
            "grid": [grid.height, grid.width],
            "methods": [_answer(view, labels, int(labels[cell])) for view in views],
            "heads": {
                head: {"label": classes[agreement.labels[head][cell]], "share": share}
                for head, share in agreement.share_with(labels).items()
            },
            "agreeing": (
                _base64(agreement.agreeing.astype(np.uint8)) if agreement.labels else None
            ),
        }

    def _read(self, file: str) -> "tuple[Session, Comparison]":
        """Return a picture's session under the heads' network, and the heads' reading of it."""
        with self._reading:
            ensemble = self._load()
            session = self._desk.session(file, ensemble.network)
            comparison = self._readings.pop(file, None) or ensemble.read(session)
            self._readings[file] = comparison
            while len(self._readings) > KEPT_READINGS:
                self._readings.popitem(last=False)
            return session, comparison


def method_names(asked: object) -> list[str] | None:
    """Return the validated names of methods; None stands for all.

    Raises:
        ValueError: it is no list, or there is no such method.
    """
    from app.torch_imports import READERS

    if asked is None:
        return None
    if not isinstance(asked, list) or len(asked) > len(READERS):
        raise ValueError(NO_LIST.format(value=asked))
    for name in asked:
        if not isinstance(name, str) or name not in READERS:
            raise ValueError(NO_METHOD.format(name=name, names=", ".join(READERS)))
    return asked


def _facts(record: "HeadMethod | ImageMethod", language: str) -> dict[str, Any]:
    from app.torch_imports import HeadMethod

    method = record.method
    return {
        "name": method.name,
        "family": method.family,
        "title": method.title[language],
        "note": method.note[language],
        "paper": _cited(method.paper),
        "formula": method.formula,
        "support_per_pass": method.support_per_pass.text,
        "effective_support": method.effective_support.text,
        "cost": method.cost,
        "exact": method.exact,
        "unchecked": method.unchecked,
        # A method that weighs the image itself has no head.
        "head": record.head if isinstance(record, HeadMethod) else None,
    }


def _cited(paper: "Paper") -> str:
    kind = "doi" if paper.link.startswith("10.") else "arXiv"
    link = f", {kind}:{paper.link}" if paper.link else ""
    return f"{paper.authors}: {paper.title}. {paper.venue} {paper.year}{link}"


def _answer(view: MethodView, labels: LabelMap, query_class: int) -> dict[str, Any]:
    answer: dict[str, Any] = {"name": view.name, "row": None, "gates": {}}
    if view.row is None:
        gates = {
            kind: {"values": _base64(_floats(gate)), "shape": list(gate.shape)}
            for kind, gate in view.gates.items()
        }
        return answer | {"gates": gates}
    height, width = view.row.shape
    return answer | {
        "row": _base64(_floats(view.row * view.row.size)),
        "keys": [height, width],
        "total": view.total,
        "dead_below": DEAD_BELOW if view.dead else None,
        "support": view.support,
        "effective_support": view.effective_support,
        "own_class": view.own_class(labels_at(labels, height, width), query_class),
    }


def _finite(part: Any) -> Any:
    """Return data with None in place of NaN and infinity, which JSON cannot hold."""
    if isinstance(part, Mapping):
        return {name: _finite(value) for name, value in part.items()}
    if isinstance(part, list):
        return [_finite(value) for value in part]
    return None if isinstance(part, float) and not math.isfinite(part) else part


def _floats(values: np.ndarray) -> np.ndarray:
    return values.astype("<f4")


def _base64(values: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode()
