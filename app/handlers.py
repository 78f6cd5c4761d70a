"""From what a visitor does to what the page shows; no component is named here."""

import itertools
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace

import plotly.graph_objects as go
from PIL import Image

from app import captions, texts
from asa_viz.figures.panels import (
    Stage,
    faint_panel,
    group_panel,
    label_panel,
    map_panel,
    panel_size,
    photo_panel,
    stage_of,
)
from asa_viz.figures.plots import pair_plane, sorted_row
from asa_viz.figures.scales import row_scale, threshold_scale
from asa_viz.geometry import Cell, Pixel
from asa_viz.session import Session, SessionStore
from asa_viz.views import QueryView

Encode = Callable[[str, str], Session]


@dataclass(frozen=True)
class Visit:
    """What the page remembers of a visitor; the session itself may leave the store meanwhile."""

    source: str
    network: str
    session_id: str
    query: Pixel


@dataclass(frozen=True, eq=False)
class Screen:
    """All that changes with the query, by the names of the panels."""

    visit: Visit
    cell: Cell
    last_cell: Cell
    sentence: str
    panels: dict[str, Image.Image]
    headings: dict[str, str]
    captions: dict[str, str]
    pair_plane: go.Figure
    sorted_row: go.Figure


class Desk:
    """Opens pictures, finds their sessions again and draws their queries."""

    def __init__(
        self, encode: Encode, store: SessionStore, shared: frozenset[str] = frozenset()
    ) -> None:
        """Sessions of the `shared` sources, the gallery's, serve every visitor."""
        self._encode = encode
        self._store = store
        self._shared = shared
        self._ids: dict[tuple[str, str], str] = {}
        self._encoding = threading.Lock()

    def open(self, source: str, network: str, query: Pixel | None) -> Visit:
        """Encode a picture; without a query, start a little below its middle."""
        session_id, session = self._session(source, network)
        grid = session.grid
        if query is None or not (query.x < grid.image_width and query.y < grid.image_height):
            query = Pixel(grid.image_width // 2, grid.image_height * 7 // 10)
        return Visit(source, network, session_id, query)

    def click(self, visit: Visit, x: int, y: int) -> Visit:
        """Move the query to the pixel of the image under pixel (x, y) of a panel."""
        visit, session = self._found(visit)
        grid = session.grid
        width, height = panel_size(session.picture)
        return replace(
            visit,
            query=Pixel(_moved(x, width, grid.image_width), _moved(y, height, grid.image_height)),
        )

    def move(self, visit: Visit, asked: Cell) -> Visit:
        """Move the query to a cell, or to the nearest there is."""
        visit, session = self._found(visit)
        grid = session.grid
        cell = Cell(min(max(asked.row, 0), grid.height - 1), min(max(asked.col, 0), grid.width - 1))
        return replace(visit, query=grid.centre_of(cell))

    def screen(self, visit: Visit, local: bool) -> Screen:
        """Draw a query; `local` chooses which of the learned numbers are mapped."""
        visit, session = self._found(visit)
        grid, segmentation, learned = session.grid, session.segmentation, session.thresholds_learned
        view = session.query(visit.query)
        stage = stage_of(session.picture, grid)
        query, scale = view.query, row_scale(view)
        dense, sparse = view.dense_times_uniform, view.weights_times_uniform
        panels = {
            "photo": photo_panel(stage, query),
            "dense": map_panel(stage, dense, scale, query),
            "sparse": map_panel(stage, sparse, scale, query, sparse > 0),
            "neighbours": group_panel(stage, view),
            "segmentation": label_panel(stage, segmentation, query),
        }
        notes = {
            "photo": captions.photo_line(grid, session.notes),
            "dense": captions.row_bar(view, scale, float(dense.max()), learned),
            "sparse": captions.row_bar(view, scale, float(sparse.max()), learned),
            "neighbours": captions.group_legend(view),
            "segmentation": captions.class_legend(segmentation),
        }
        panels["thresholds"], notes["thresholds"] = _thresholds(session, stage, view, local)
        headings = {name: captions.heading(*text) for name, text in texts.PANELS.items()}
        unit = (texts.LOCAL_UNIT if local else texts.NONLOCAL_UNIT) if learned else ""
        headings["thresholds"] = captions.heading(texts.PANELS["thresholds"][0], unit)
        headings["pair_plane"] = captions.heading(
            *(texts.PAIR_TITLE if learned else texts.PAIR_TITLE_DENSE)
        )
        headings["sorted_row"] = captions.heading(
            *(texts.CURVE_TITLE if learned else texts.CURVE_TITLE_DENSE)
        )
        return Screen(
            visit=visit,
            cell=query,
            last_cell=Cell(grid.height - 1, grid.width - 1),
            sentence=captions.sentence(view, segmentation, learned),
            panels=panels,
            headings=headings,
            captions=notes,
            pair_plane=pair_plane(view, texts.PLOTS),
            sorted_row=sorted_row(view, texts.PLOTS),
        )

    def _found(self, visit: Visit) -> tuple[Visit, Session]:
        """Return the visit's session, encoded again where the store has let it go."""
        session = self._store.get(visit.session_id)
        if session is None:
            session_id, session = self._session(visit.source, visit.network)
            visit = replace(visit, session_id=session_id)
        return visit, session

    def _session(self, source: str, network: str) -> tuple[str, Session]:
        # One at a time: a network's pass takes all the machine gives, and two at once take longer.
        with self._encoding:
            known = self._ids.get((source, network))
            session = self._store.get(known)
            if known is None or session is None:
                session = self._encode(source, network)
                known = self._store.put(session)
                if source in self._shared:
                    self._ids[source, network] = known
            return known, session


class Newest:
    """Tells the newest request of each visitor from older ones that are still being answered."""

    def __init__(self, visitors: int = 1000) -> None:
        self._visitors = visitors
        self._newest: OrderedDict[str, int] = OrderedDict()
        self._numbers = itertools.count()
        self._lock = threading.Lock()

    def take(self, visitor: str) -> int:
        """Return a number for a new request of `visitor`."""
        with self._lock:
            self._newest[visitor] = number = next(self._numbers)
            self._newest.move_to_end(visitor)
            while len(self._newest) > self._visitors:
                self._newest.popitem(last=False)
            return number

    def holds(self, visitor: str, number: int) -> bool:
        """Whether no later request of `visitor` has come; a forgotten visitor has none."""
        with self._lock:
            return self._newest.get(visitor, number) == number


def _thresholds(
    session: Session, stage: Stage, view: QueryView, local: bool
) -> tuple[Image.Image, str]:
    """Return the panel of the learned numbers and its caption."""
    if not session.thresholds_learned:
        return faint_panel(stage, view.query), captions.note(texts.NO_THRESHOLDS)
    values = session.scales[local]
    scale = threshold_scale(values)
    return (
        map_panel(stage, values, scale, view.query),
        captions.threshold_bar(view, scale, local),
    )


def _moved(index: int, pixels: int, image_pixels: int) -> int:
    """Return the pixel of the image under the centre of a panel's pixel, at most its last."""
    return min(max((2 * index + 1) * image_pixels // (2 * pixels), 0), image_pixels - 1)
