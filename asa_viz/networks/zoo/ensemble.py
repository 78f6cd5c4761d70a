"""Runs the trained heads of the zoo on the features of one encoded image.

All heads use the backbone of one network, so that one pass serves all. They ship in
`checkpoints/heads`: weights of each, the projection to their input channels, and a card.
"""

import json
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from asa_viz.attention.base import flat
from asa_viz.checkpoints import HEADS_CARD, HEADS_FOLDER, HEADS_PROJECTION, damaged_heads
from asa_viz.geometry import Cell
from asa_viz.images import resize
from asa_viz.networks.capture import calls_of
from asa_viz.networks.weights import WeightsError
from asa_viz.networks.zoo.methods import HEADS, READERS, build_head
from asa_viz.networks.zoo.projection import Projection, load_projection
from asa_viz.networks.zoo.record import HeadMethod, ImageMethod, Reading
from asa_viz.session import Session, labels_of
from asa_viz.views import AgreementView, MethodView

PROJECTION = HEADS_PROJECTION


class Ensemble:
    """Heads on one backbone; `read` may be called from several threads.

    `network` is the name of the network whose backbone it is, `experiment` the comparison's table.
    """

    def __init__(
        self,
        network: str,
        heads: Mapping[str, nn.Module],
        projection: Projection,
        experiment: Mapping[str, Any],
    ) -> None:
        self.network = network
        self.experiment = experiment
        self.heads = heads
        self.projection = projection
        # Hooks act on the shared heads: without the lock one visitor could read another's picture.
        self.lock = threading.Lock()
        self.methods = tuple(
            name
            for name, record in READERS.items()
            if isinstance(record, ImageMethod) or record.head in heads
        )

    def read(self, session: Session) -> "Comparison":
        """Return the comparison of the heads on an encoded image; each head runs when first asked.

        Raises:
            ValueError: the session was made by another network.
        """
        if session.network != self.network or not session.features:
            raise ValueError(f"The heads stand on {self.network}; encode the picture by it.")
        return Comparison(self, session)


class Comparison:
    """The answers of many methods on one image; thread-safe."""

    def __init__(self, ensemble: Ensemble, session: Session) -> None:
        self._ensemble = ensemble
        self._picture = session.picture
        self._shape = (session.grid.height, session.grid.width)
        self._inputs = ensemble.projection(session.features)
        self._readings: dict[str, Reading] = {}
        self._labels: dict[str, np.ndarray] = {}

    @property
    def methods(self) -> tuple[str, ...]:
        """The names of the methods, ordered by family."""
        return self._ensemble.methods

    def query(self, cell: Cell, names: Sequence[str] | None = None) -> tuple[MethodView, ...]:
        """Return the answers of the methods `names`, or of all, for the query at `cell`.

        Raises:
            KeyError: there is no such method.
            ValueError: the cell lies outside the grid.
        """
        flat(cell, self._shape)
        return tuple(self._view(name, cell) for name in names or self.methods)

    def agreement(self, names: Sequence[str] | None = None) -> AgreementView:
        """Return the segmentations by the heads of the methods `names`, or by all heads."""
        labels = {}
        for name in names or self.methods:
            record = READERS[name]
            if isinstance(record, HeadMethod):
                self._reading(name)
                labels[record.head] = self._labels[record.head]
        return AgreementView(labels)

    @torch.no_grad()
    def _view(self, name: str, cell: Cell) -> MethodView:
        reading = self._reading(name)
        if reading.shown is None:
            gates = {kind: gate.cpu().numpy() for kind, gate in reading.gates.items()}
            return MethodView(name, None, gates)
        height, width = reading.shown.shape
        # A method may work on a finer grid than the network's; the query is the cell at the centre.
        own = Cell(
            (2 * cell.row + 1) * height // (2 * self._shape[0]),
            (2 * cell.col + 1) * width // (2 * self._shape[1]),
        )
        row = reading.shown.row(own).float().cpu().numpy()
        return MethodView(name, row, {}, reading.gain)

    def _reading(self, name: str) -> Reading:
        with self._ensemble.lock:
            if name not in self._readings:
                record = READERS[name]
                if isinstance(record, ImageMethod):
                    self._readings[name] = record.read(_colours(self._picture, self._shape))
                elif record.head in self._ensemble.heads:
                    self._run(record.head)
            return self._readings[name]

    @torch.no_grad()
    def _run(self, name: str) -> None:
        """Run a head once, and read every method that lives in it."""
        head = self._ensemble.heads[name]
        inside = methods_in(name)
        watched = {part for record in inside for part in record.watch}
        with calls_of(head, watched) as seen:
            logits = logits_of(head, self._inputs)
        for record in inside:
            self._readings[record.method.name] = record.read(head, seen)
        self._labels[name] = labels_of(logits)


def methods_in(head: str) -> list[HeadMethod]:
    """Return the methods of a head."""
    return [
        record
        for record in READERS.values()
        if isinstance(record, HeadMethod) and record.head == head
    ]


def logits_of(head: Any, inputs: Sequence[Tensor]) -> Tensor:
    """Return a head's logits on the grid; some heads return a tuple that begins with them."""
    out = head(list(inputs))
    return out[0] if isinstance(out, tuple | list) else out


@cache
def load_ensemble(folder: Path = HEADS_FOLDER) -> Ensemble:
    """Load the shipped heads on the CPU; a head with a damaged file is left out.

    Raises:
        WeightsError: there are none, or the projection does not match the card.
    """
    if not (folder / HEADS_CARD).is_file():
        raise WeightsError(f"There are no trained heads in {folder.name}.")
    card = json.loads((folder / HEADS_CARD).read_text(encoding="utf-8"))
    damaged = damaged_heads(folder)
    if PROJECTION in damaged:
        raise WeightsError(f"{PROJECTION} does not match the digest on the heads' card.")
    projection = load_projection(folder / PROJECTION)
    heads = {}
    for name in card["heads"]:
        if f"{name}.safetensors" in damaged:
            continue
        head = build_head(
            HEADS[name], projection.channels, card["width"], num_classes=len(card["classes"])
        )
        weights = load_file(folder / f"{name}.safetensors")
        missing = head.load_state_dict({k: v.float() for k, v in weights.items()}, strict=False)
        lost = [key for key in missing.missing_keys if not key.endswith("num_batches_tracked")]
        if lost or missing.unexpected_keys:
            raise WeightsError(f"{name}.safetensors is not of this head: {missing}.")
        heads[name] = head.eval()
    return Ensemble(card["network"], heads, projection, card["experiment"])


def _colours(picture: np.ndarray, shape: tuple[int, int]) -> Tensor:
    small = resize(picture, shape)
    return torch.from_numpy(np.ascontiguousarray(small)).permute(2, 0, 1).float() / 255
