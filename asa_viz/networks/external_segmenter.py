"""A segmenter for any mmsegmentation network whose attention can be read.

The labels are those of the network's own `predict`, with its own test pipeline and data
preprocessor; the zoo's readers read the attention during that pass. `open_network` creates it.
"""

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8
from typing_extensions import override

from asa_viz.attention.base import Attention
from asa_viz.attention.fixed import FixedAttention
from asa_viz.attention.row import SparseAttention
from asa_viz.attention.rowwise import SoftmaxAttention
from asa_viz.attention.stored import OwnValue
from asa_viz.attention.what_if import AS_TRAINED, WhatIf
from asa_viz.geometry import Grid
from asa_viz.images import fit_within, read_image
from asa_viz.networks.blocks import ASABlock
from asa_viz.networks.capture import Seen
from asa_viz.networks.checkpoint import Card
from asa_viz.networks.passes import Mixing, Pass, Passes, Prepare
from asa_viz.networks.segmenter import LONGEST_DISPLAY_SIDE, Segmenter
from asa_viz.networks.weights import WeightsError
from asa_viz.networks.zoo.content import sparse_attention
from asa_viz.networks.zoo.record import HeadMethod, Reading
from asa_viz.session import Session
from asa_viz.views import SegmentationView, labels_at

# Rows must rebuild the network's values within this fraction of the largest value, in float32.
REBUILT_WITHIN = 1e-2
_CHECKED_SIDES = (96, 128)


class ExternalSegmenter(Segmenter):
    """A network run as a whole; `encode` may be called from several threads.

    `methods` are the readers of its attention, by name, the first one shown unless another is
    asked for. Labels are at the size of the image, as mmsegmentation gives them.
    """

    def __init__(
        self,
        network: Any,
        card: Card,
        device: torch.device,
        *,
        methods: Mapping[str, HeadMethod],
        prepare: Prepare,
        attention: str | None = None,
    ) -> None:
        self.name = card.name
        self.classes = card.classes
        self.card = card
        self.device = device
        self.reduce_zero_label = bool(card.training.get("reduce_zero_label", False))
        self.attentions = tuple(methods)
        self._passes = Passes(network.to(device).eval(), card.name, prepare)
        self._methods = dict(methods)
        # Hooks act on the shared network: without the lock one picture could read another's
        # attention.
        self._lock = threading.Lock()
        self._shown = self._named(attention)
        self.check()

    def encode(self, image: Any) -> Session:
        """Run the network once on an image and return the session that answers queries on it.

        `image` is a Pillow image, a uint8 RGB array or tensor [height, width, 3], a file's path, or
        its bytes.

        Raises:
            ImageError: the image cannot be used; the message says why.
        """
        picture = read_image(image)
        return self._session(picture.rgb, self._shown, picture.notes)

    @override
    def encode_batch(self, images: Iterable[Any], batch: int = 8) -> list[Session]:
        """Return the session of each image, one pass an image, because hooks record single images.

        Raises:
            ImageError: one of the images cannot be used; the message says why.
        """
        return [self.encode(image) for image in images]

    def encode_by(self, image: Any, attention: str) -> Session:
        """Return a session like `encode` that shows another attention of the network.

        Raises:
            ImageError: the image cannot be used; the message says why.
            WeightsError: there is no such attention.
        """
        picture = read_image(image)
        return self._session(picture.rgb, self._named(attention), picture.notes)

    def rerun(self, session: Session, what_if: WhatIf) -> SegmentationView:
        """Run the network with its rows under another rule; unchanged, it gives `encode`'s.

        Raises:
            ValueError: the session is another network's, or the head cannot be run under other
                rows.
        """
        source = self._source_of(session)
        attention = session.attention
        if what_if == AS_TRAINED and not attention.decides:
            return session.segmentation
        if isinstance(attention, SparseAttention):
            rows: Attention = Mixing(
                (attention.height, attention.width), (attention.height, attention.width),
                attention, what_if,
            )  # fmt: skip
        else:
            rows = attention.under(what_if)
        with self._lock, torch.no_grad():
            changed = self._passes.under(self._methods[session.shown], rows)
            found = self._passes.run(source, changed)
        return session.segmentation.relabelled(found.labels)

    def post_hoc(
        self, session: Session, nonlocal_scale: float, local_scale: float, window: int = 3
    ) -> Session:
        """Return the session under thresholds set by the user, the same for all cells.

        The head is run again with the rows that the thresholds keep.

        Raises:
            ValueError: the thresholds are learned, the rows are no shares, or the head cannot be
                run under other rows.
        """
        if session.thresholds_learned:
            raise ValueError(f"{session.network} has learned its thresholds; ask a what-if.")
        attention = session.attention
        posed = attention.with_thresholds(nonlocal_scale, local_scale, window)
        changed = replace(session, attention=posed)
        return replace(changed, segmentation=self.rerun(changed, AS_TRAINED))

    def without_block(self, session: Session) -> SegmentationView | None:
        """Return None: a head without its block is not defined for every kind of head."""
        self._source_of(session)
        return None

    def check(self) -> None:
        """Check on random input that the rows of every method rebuild its block's output.

        Raises:
            WeightsError: the rows of one do not rebuild its block's output.
        """
        noise = np.random.default_rng(0).integers(0, 256, (*_CHECKED_SIDES, 3), dtype=np.uint8)
        name = "A picture"
        try:
            with self._lock, torch.no_grad(), self._passes.watched(*self._methods.values()) as seen:
                self._passes.run(noise)
                pairs = {}
                for name, method in self._methods.items():
                    head, calls = self._passes.head, self._passes.of(method, seen)
                    pairs[name] = method.rebuilt(head, calls, method.read(head, calls))
        # Unknown combinations of parts may fail with any exception.
        except Exception as error:
            reason = " ".join(str(error).split())
            raise WeightsError(f"{name} in {self.name} cannot be read: {reason}.") from error
        for name, (ours, own) in pairs.items():
            if not (ours - own).abs().max() <= REBUILT_WITHIN * own.abs().max():
                raise WeightsError(
                    f"The rows of {name} in {self.name} do not rebuild what its head computes, so "
                    "they are not shown; some setting of the head is not supported."
                )

    def _named(self, attention: str | None) -> str:
        if attention is None:
            return self.attentions[0]
        if attention not in self._methods:
            known = ", ".join(self.attentions)
            raise WeightsError(f"There is no attention {attention!r} in {self.name}; try {known}.")
        return attention

    def _session(
        self, rgb: UInt8[np.ndarray, "height width 3"], shown: str, notes: tuple[str, ...]
    ) -> Session:
        method = self._methods[shown]
        with self._lock, torch.no_grad():
            with self._passes.watched(method) as seen:
                features, labels = self._passes.run(rgb)
                calls = self._passes.of(method, seen)
                reading = method.read(self._passes.head, calls)
            attention = self._stored(reading, calls)
            own_value = self._own_value(method, attention, rgb, features)
        height, width = rgb.shape[:2]
        segmentation = SegmentationView(
            self.classes, self.card.palette, labels,
            labels_at(labels, attention.height, attention.width), height, width,
        )  # fmt: skip
        return Session(
            network=self.name,
            picture=fit_within(rgb, LONGEST_DISPLAY_SIDE),
            notes=notes,
            grid=Grid(attention.height, attention.width, height, width),
            segmentation=segmentation,
            attention=attention,
            own_value_logits=None,
            thresholds_learned=isinstance(getattr(self._passes.head, "nl_block", None), ASABlock),
            shown=shown,
            own_value=None if own_value is None else segmentation.relabelled(own_value.labels),
            source=rgb,
        )

    def _stored(self, reading: Reading, seen: Seen) -> SparseAttention | FixedAttention:
        """Return a reading's rows as a session's attention."""
        block = getattr(self._passes.head, "nl_block", None)
        if isinstance(block, ASABlock):
            return sparse_attention(block, seen["nl_block"][0].inputs[0])
        rows = reading.shown
        if rows is None:
            raise WeightsError(f"{self.name} has gates, and no attention between cells.")
        # Exactly this type: rows of a subclass may sum to less than one.
        if type(rows) is SoftmaxAttention and rows.shape == rows.key_shape:
            nothing = torch.zeros(len(rows.key))
            parts = (rows.query, rows.key, rows.log_normaliser)
            query, key, normaliser = (part.float().cpu().contiguous() for part in parts)
            return SparseAttention(query, key, normaliser, nothing, nothing, *rows.shape, 1)
        try:
            return FixedAttention.of(rows)
        except ValueError as error:
            raise WeightsError(f"{self.name} cannot be shown: {error}") from error

    def _own_value(
        self,
        method: HeadMethod,
        attention: SparseAttention | FixedAttention,
        rgb: UInt8[np.ndarray, "height width 3"],
        features: Any,
    ) -> Pass | None:
        """Run the head with every cell reading its own value; None where that is not defined.

        Where the attention is the backbone's, its features change too, and all is run.
        """
        given = features
        if method.replaces is not None:
            if method.replaces.startswith("backbone."):
                given = None
            like = features[0] if isinstance(features, Sequence) else features
            shape = (attention.height, attention.width)
            changed = self._passes.under(method, OwnValue(shape, shape, like))
        elif method.alone is not None:
            changed = self._passes.alone(method)
        else:
            return None
        return self._passes.run(rgb, changed, given)

    def _source_of(self, session: Session) -> UInt8[np.ndarray, "height width 3"]:
        if session.network != self.name or session.source is None:
            raise ValueError(f"The session was not made by {self.name}; encode the picture anew.")
        return session.source
