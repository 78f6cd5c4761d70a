"""The viewer's server functions: each answers with `ok`, or with the key of an error sentence.

Gradio does not show errors of server functions to the page, so each error is returned as an answer.
"""

import base64
import math
from collections.abc import Awaitable, Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
from anyio import to_thread

from app.comparing import Comparisons, method_names
from app.packet_cache import PacketCache
from app.server.errors import is_disk_full, report
from app.server.fair_queue import Asker, BusyError, FairQueue, LeftError
from app.server.visitors import asker_of
from app.session_cache import CachedEncoder
from app.validation import ElsewhereError, enlarged, network_name, picture_file, pixel_at, what_if
from app.viewer import dictionaries, part_of_words
from asa_viz.figures.plots import PlotTexts, pair_plane
from asa_viz.images import ImageError
from asa_viz.views import SegmentationView, flips

if TYPE_CHECKING:
    from asa_viz.attention.what_if import WhatIf
    from asa_viz.session import Session

Rerun = Callable[["Session", "WhatIf"], SegmentationView]
Answer = dict[str, Any]

NOBODY = Asker()
# A link of a class; a QR code of more could not be read from the last row.
MOST_LETTERS = 600


def answered(ask: Callable[..., Answer]) -> Callable[..., Awaitable[Answer]]:
    """Return a handler that waits for its turn, runs `ask`, and turns errors into answers."""

    @wraps(ask)
    async def answer(self: "Answers", question: Any, asker: Asker = NOBODY) -> Answer:
        try:
            if not isinstance(question, dict):
                raise TypeError("A question must be an object.")
            return {"ok": True, **await self.turn(ask, question, asker)}
        except BusyError:
            return {"ok": False, "error": "error.busy"}
        except LeftError:
            return {"ok": False, "error": "error.server"}
        except ImageError as refusal:
            facts = {name: str(value) for name, value in refusal.facts.items()}
            return {"ok": False, "error": f"error.{refusal.code}", "values": facts}
        except ElsewhereError:
            # The file is on another replica; the browser still has the picture and uploads it here
            # too.
            return {"ok": False, "error": "error.gone"}
        except OSError as error:
            return {"ok": False, "error": "error.disk" if is_disk_full(error) else "error.gone"}
        except Exception as error:
            report(error)
            return {"ok": False, "error": "error.failed"}

    return answer


class Answers:
    """The server functions of the viewer; one heavy request runs at a time.

    Without `comparisons`, methods cannot be compared.
    """

    def __init__(
        self,
        encoder: CachedEncoder,
        rerun: Rerun,
        networks: list[str],
        packets: PacketCache,
        comparisons: Comparisons | None = None,
    ) -> None:
        self.encoder = encoder
        self._rerun = rerun
        self._networks = networks
        self.comparisons = comparisons
        self._packets = packets
        # Three queues: the network, all comparison heads, and drawing from a cached session. A
        # request for one does not wait for the others.
        self._turns = {"network": FairQueue(), "compare": FairQueue(), "draw": FairQueue()}

    @property
    def functions(self) -> list[Callable[[Any, gr.Request], Awaitable[Answer]]]:
        """Plain functions: Gradio sets attributes on server functions; bound methods refuse."""
        asked = [self.words, self.qr, self.encode, self.place, self.rerun, self.pair_plane]
        if self.compares:
            asked += [self.methods, self.compare]
        return [_function(ask) for ask in asked]

    @property
    def compares(self) -> bool:
        """Whether there are trained heads for the comparison of methods."""
        return self.comparisons is not None

    @property
    def folder(self) -> Path:
        """The folder of the packet files."""
        return self._packets.folder

    async def turn(
        self, ask: Callable[..., Answer], question: dict[str, Any], asker: Asker
    ) -> Answer:
        """Run `ask` when its turn comes; what is cached is answered at once.

        Raises:
            BusyError: too many wait already.
            LeftError: the visitor has disconnected meanwhile.
        """
        name, lane = ask.__name__, "network"
        if name in ("methods", "compare"):
            lane = "compare"
        elif name == "encode" and (file := self._packets.find(self._key(question))):
            return {"file": file}
        elif name == "pair_plane" and self.encoder.cached(*self._key(question)):
            lane = "draw"
        async with self._turns[lane].turn(asker):
            return await to_thread.run_sync(ask, self, question)

    async def words(self, question: Any, asker: Asker = NOBODY) -> Answer:
        """Return the texts of a language by key, for a part of the page; English if unknown."""
        asked = question if isinstance(question, dict) else {}
        language = str(asked.get("language"))
        part = "lesson" if asked.get("part") == "lesson" else "page"
        known = language if language in dictionaries() else "en"
        return {"ok": True, "words": part_of_words(known, part)}

    async def qr(self, question: Any, asker: Asker = NOBODY) -> Answer:
        """Return a QR code of a link as SVG: a class points its phones at it."""
        text = question.get("text") if isinstance(question, dict) else None
        if not isinstance(text, str) or not 0 < len(text) <= MOST_LETTERS:
            return {"ok": False, "error": "error.failed"}
        # Later than the start of the page: few visitors ask for it.
        from app.qr_code import svg

        return {"ok": True, "svg": svg(text)}

    async def place(self, question: Any, asker: Asker = NOBODY) -> Answer:
        """Return how many requests run before the visitor's, and about how many seconds."""
        place = self._turns["network"].place(asker.visitor)
        if place is None:
            return {"ok": True, "before": 0, "seconds": 0}
        return {"ok": True, "before": place[0], "seconds": math.ceil(place[1])}

    @answered
    def encode(self, question: dict[str, Any]) -> Answer:
        """Encode a picture and return the path of its packet."""
        from app.torch_imports import pack

        key = self._key(question)
        # The packet may have been written for an earlier request.
        file = self._packets.find(key) or self._packets.put(key, pack(self.encoder.session(*key)))
        return {"file": file}

    @answered
    def rerun(self, question: dict[str, Any]) -> Answer:
        """Run the head under a changed rule; returns the labels, and which pixels change class."""
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
        """Return the scatter plot of a query's pairs as a Plotly figure."""
        session = self._session(question)
        cell = enlarged(session.grid, question.get("lattice", 1)).cell_at(
            pixel_at(*question["pixel"])
        )
        view = session.query_cell(cell, _rule(question))
        return {"figure": pair_plane(view, plot_texts(question["language"])).to_json()}

    @answered
    def methods(self, question: dict[str, Any]) -> Answer:
        """Return the records of all methods, which do not depend on a picture."""
        return self._compared.facts(str(question["language"]))

    @answered
    def compare(self, question: dict[str, Any]) -> Answer:
        """Return the answers of some or all methods for one pixel."""
        return self._compared.compare(
            picture_file(question["source"]),
            network_name(question["network"], self._networks),
            pixel_at(*question["pixel"]),
            method_names(question.get("methods")),
            question.get("lattice", 1),
        )

    @property
    def _compared(self) -> Comparisons:
        if self.comparisons is None:
            raise RuntimeError("There are no trained heads to compare methods with.")
        return self.comparisons

    def _session(self, question: dict[str, Any]) -> "Session":
        return self.encoder.session(*self._key(question))

    def _key(self, question: dict[str, Any]) -> tuple[str, str]:
        """Return the picture's file and the network of a request."""
        network = network_name(question["network"], self._networks)
        return picture_file(question["source"]), network


def _function(
    method: Callable[[Any, Asker], Awaitable[Answer]],
) -> Callable[[Any, gr.Request], Awaitable[Answer]]:
    async def function(question: Any, request: gr.Request) -> Answer:
        # Gradio passes FastAPI's own request to a server function.
        return await method(question, asker_of(request))  # type: ignore[arg-type]

    function.__name__ = method.__name__
    return function


def plot_texts(language: str) -> PlotTexts:
    """Return the texts of the figures in a language; English for an unknown language."""
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
    """Return the rule that the viewer's state describes."""
    asked = question["what_if"]
    return what_if(
        asked["nonlocalFactor"],
        asked["localFactor"],
        asked["reciprocity"],
        asked["localRule"],
        asked["window"],
        asked["topK"],
    )
