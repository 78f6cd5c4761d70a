"""One encoded image, which answers queries, and a bounded store of such sessions."""

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8

from asa_viz.attention.row import SparseAttention
from asa_viz.geometry import Cell, Grid, Pixel
from asa_viz.views import QueryView, SegmentationView


@dataclass(frozen=True, eq=False)
class Session:
    """What one network made of one image. Never changed, so any number of clicks may share it.

    `picture` is for display: upright, possibly smaller than the image that `grid` speaks of.
    `notes` say what was done to the image on its way in. `thresholds_learned` is False for a dense
    network, which keeps every cell.
    """

    network: str
    picture: UInt8[np.ndarray, "ph pw 3"]
    notes: tuple[str, ...]
    grid: Grid
    segmentation: SegmentationView
    attention: SparseAttention
    thresholds_learned: bool = True

    @property
    def scales(self) -> tuple[Float[np.ndarray, "h w"], Float[np.ndarray, "h w"]]:
        """The learned scales of every cell.

        The non-local one is a threshold in multiples of the uniform weight 1 / n; the local one
        multiplies the mean of the cell's window.
        """
        shape = (self.grid.height, self.grid.width)
        return (
            self.attention.nonlocal_scale.view(shape).numpy(),
            self.attention.local_scale.view(shape).numpy(),
        )

    @property
    def size_in_bytes(self) -> int:
        """The memory that the session takes."""
        segmentation = self.segmentation
        arrays = (self.picture, segmentation.working_labels, segmentation.cell_labels)
        return self.attention.size_in_bytes + sum(array.nbytes for array in arrays)

    def query(self, pixel: Pixel) -> QueryView:
        """Return what the cell under `pixel` attends to; `pixel` counts in the original image.

        Raises:
            ValueError: the pixel lies outside the image.
        """
        return self.query_cell(self.grid.cell_at(pixel))

    def query_cell(self, cell: Cell) -> QueryView:
        """Return what `cell` attends to.

        Raises:
            ValueError: the cell lies outside the grid.
        """
        self.grid.box_of(cell)
        row = self.attention.row(cell)
        nonlocal_scale, local_scale = self.scales
        return QueryView(
            query=cell,
            dense=row.dense.numpy(),
            incoming=row.incoming.numpy(),
            incoming_ratio=row.incoming_ratio.numpy(),
            weights=row.weights.numpy(),
            chosen=row.chosen.numpy(),
            chooses_back=row.chooses_back.numpy(),
            local=row.local.numpy(),
            nonlocal_scale=float(nonlocal_scale[cell]),
            local_scale=float(local_scale[cell]),
            local_threshold=row.local_threshold * self.grid.size,
        )


class SessionStore:
    """Sessions under unguessable ids; when they outgrow `max_bytes` the least recently used go.

    A session larger than the whole store is still kept, alone: its visitor has to see something.
    """

    def __init__(self, max_bytes: int = 256 * 2**20) -> None:
        self._max_bytes = max_bytes
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._sessions)

    @property
    def size_in_bytes(self) -> int:
        """The memory that all sessions take together."""
        return self._bytes

    def put(self, session: Session) -> str:
        """Keep a session and return the id it can be had back under."""
        key = secrets.token_urlsafe(16)
        with self._lock:
            self._sessions[key] = session
            self._bytes += session.size_in_bytes
            while self._bytes > self._max_bytes and len(self._sessions) > 1:
                _, oldest = self._sessions.popitem(last=False)
                self._bytes -= oldest.size_in_bytes
        return key

    def get(self, key: str | None) -> Session | None:
        """Return the session under `key`, or None if it is unknown or had to make room."""
        with self._lock:
            if key is None or key not in self._sessions:
                return None
            self._sessions.move_to_end(key)
            return self._sessions[key]
