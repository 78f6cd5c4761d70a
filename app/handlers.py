"""What the viewer asks of the server, and its answers: `ok`, or the key of a sentence.

Gradio hides every error of a server function from the page, so each becomes an answer here.
"""

import base64
import logging
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anyio import CapacityLimiter, to_thread

from app.comparing import Comparisons, method_names
from app.desk import Desk
from app.questions import network_name, picture_file, pixel_at, what_if
from app.viewer import dictionaries
from asa_viz.figures.plots import PlotTexts, pair_plane
from asa_viz.images import ImageError
from asa_viz.views import SegmentationView, flips

if TYPE_CHECKING:
    from asa_viz.attention.what_if import WhatIf
    from asa_viz.session import Session

Rerun = Callable[["Session", "WhatIf"], SegmentationView]
Answer = dict[str, Any]

# A page fetches its packet at once; who comes an hour later asks again.
PACKET_SECONDS = 3600
MOST_WAITING = 200

_log = logging.getLogger(__name__)


class BusyError(Exception):
    """More pictures wait than can be answered in reasonable time."""


def answered(ask: Callable[..., Answer]) -> Callable[..., Awaitable[Answer]]:
    """Run a question in the desk's own thread, and turn what goes wrong into an answer."""

    @wraps(ask)
    async def answer(self: "Answers", question: Any) -> Answer:
        try:
            if not isinstance(question, dict):
                raise TypeError(f"A question must be an object, not {question!r:.40}.")
            return {"ok": True, **await self.turn(ask, question)}
        except BusyError:
            return {"ok": False, "error": "error.busy"}
        except ImageError as refusal:
            facts = {name: str(value) for name, value in refusal.facts.items()}
            return {"ok": False, "error": f"error.{refusal.code}", "values": facts}
        except OSError:
            return {"ok": False, "error": "error.gone"}
        except Exception:
            _log.exception("A question of the viewer could not be answered.")
            return {"ok": False, "error": "error.failed"}

    return answer


class Answers:
    """The server functions of the viewer; one heavy question is worked on at a time.

    Without `comparisons`, methods cannot be compared.
    """

    def __init__(
        self,
        desk: Desk,
        rerun: Rerun,
        networks: list[str],
        comparisons: Comparisons | None = None,
    ) -> None:
        self.desk = desk
        self._rerun = rerun
        self._networks = networks
        self._comparisons = comparisons
        self._packets = Packets()
        # A limiter of its own: who waits here keeps no thread from those who ask for little.
        self._turns: CapacityLimiter | None = None
        self._waiting = 0

    @property
    def functions(self) -> list[Callable[[Any], Awaitable[Answer]]]:
        """The answers as functions: Gradio marks what it is given, and a method takes no mark."""
        asked = [self.encode, self.rerun, self.pair_plane]
        if self.compares:
            asked += [self.methods, self.compare]
        return [_function(ask) for ask in asked]

    @property
    def compares(self) -> bool:
        """Whether there are trained heads to compare methods with."""
        return self._comparisons is not None

    @property
    def folder(self) -> Path:
        """Where packets are fetched from."""
        return self._packets.folder

    async def turn(self, ask: Callable[..., Answer], question: dict[str, Any]) -> Answer:
        """Run `ask` when its turn comes.

        Raises:
            BusyError: too many wait already.
        """
        if self._waiting >= MOST_WAITING:
            raise BusyError
        if self._turns is None:
            self._turns = CapacityLimiter(1)
        self._waiting += 1
        try:
            return await to_thread.run_sync(ask, self, question, limiter=self._turns)
        finally:
            self._waiting -= 1

    @answered
    def encode(self, question: dict[str, Any]) -> Answer:
        """Encode a picture and say where its packet lies."""
        from app.late import pack

        return {"file": self._packets.put(pack(self._session(question)))}

    @answered
    def rerun(self, question: dict[str, Any]) -> Answer:
        """Run the head again under a what-if: the labels, and which pixels flip."""
        session = self._session(question)
        after = self._rerun(session, _rule(question))
        found = flips(session.segmentation, after)
        index = {name: i for i, name in enumerate(after.classes)}
        return {
            "labels": base64.b64encode(after.working_labels.tobytes()).decode(),
            "count": found.count,
            "share": found.share,
            "flips": [
                {"from": index[each.before], "to": index[each.after], "pixels": each.pixels}
                for each in found.changes
            ],
        }

    @answered
    def pair_plane(self, question: dict[str, Any]) -> Answer:
        """Draw the plane of pairs of a query."""
        session = self._session(question)
        view = session.query(pixel_at(*question["pixel"]), _rule(question))
        return {"figure": pair_plane(view, plot_texts(question["language"])).to_json()}

    @answered
    def methods(self, question: dict[str, Any]) -> Answer:
        """Say what is known of every method, whatever the picture."""
        return self._compared.facts(str(question["language"]))

    @answered
    def compare(self, question: dict[str, Any]) -> Answer:
        """Ask methods, or all of them, for the same pixel."""
        return self._compared.compare(
            picture_file(question["source"]),
            network_name(question["network"], self._networks),
            pixel_at(*question["pixel"]),
            method_names(question.get("methods")),
        )

    @property
    def _compared(self) -> Comparisons:
        if self._comparisons is None:
            raise RuntimeError("There are no trained heads to compare methods with.")
        return self._comparisons

    def _session(self, question: dict[str, Any]) -> "Session":
        network = network_name(question["network"], self._networks)
        return self.desk.session(picture_file(question["source"]), network)


class Packets:
    """Files that a page is about to fetch, under names that cannot be guessed."""

    def __init__(self) -> None:
        self._own = tempfile.TemporaryDirectory(prefix="asa-viz-")
        self._lock = threading.Lock()

    @property
    def folder(self) -> Path:
        """Where they lie."""
        return Path(self._own.name).resolve()

    def put(self, data: bytes) -> str:
        """Write a packet, and delete those that nobody will fetch any more."""
        with self._lock:
            for old in self.folder.iterdir():
                if old.stat().st_mtime < time.time() - PACKET_SECONDS:
                    old.unlink()
            with tempfile.NamedTemporaryFile(
                dir=self.folder, suffix=".safetensors", delete=False
            ) as file:
                file.write(data)
            return file.name


def _function(method: Callable[[Any], Awaitable[Answer]]) -> Callable[[Any], Awaitable[Answer]]:
    @wraps(method)
    async def function(question: Any) -> Answer:
        return await method(question)

    return function


def plot_texts(language: str) -> PlotTexts:
    """Return what the figures say in a language of the dictionary, or in English."""
    words = dictionaries().get(language, dictionaries()["en"])
    names = ("reciprocal", "local", "query_only", "key_only", "rest")
    return PlotTexts(
        chooses=words["plane.chooses"],
        chooses_dense=words["plane.chooses_dense"],
        chosen_back=words["plane.chosen_back"],
        chosen_back_dense=words["plane.chosen_back_dense"],
        hover=words["plane.hover"],
        groups={name: words[f"group.{name}"] for name in names},
    )


def _rule(question: dict[str, Any]) -> "WhatIf":
    """Return the rule that a viewer's state asks for."""
    asked = question["what_if"]
    return what_if(
        asked["nonlocal"],
        asked["local"],
        asked["reciprocity"],
        asked["localRule"],
        asked["window"],
        asked["topK"],
    )
