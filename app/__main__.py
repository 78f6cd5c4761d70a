"""Open the page: python -m app [--host H] [--port P] [--device auto|cpu|cuda] [--network NAME]."""

import argparse
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from app.comparing import Comparisons
from app.desk import Desk, SessionStore
from app.handlers import Answers
from app.page import build_page, launch_settings
from asa_viz.shipped import available, has_heads
from asa_viz.views import SegmentationView

if TYPE_CHECKING:
    from asa_viz import Segmenter
    from asa_viz.attention.what_if import WhatIf
    from asa_viz.networks.zoo.ensemble import Ensemble
    from asa_viz.session import Session


class Networks:
    """The networks that ship, each loaded when it is first asked for, or earlier by `warm_up`."""

    def __init__(self, device: str | None) -> None:
        self._device = device
        self._loaded: dict[str, Segmenter] = {}
        self._loading = threading.Lock()

    def warm_up(self, name: str) -> threading.Thread:
        """Load a network in a thread; whoever asks meanwhile waits for it.

        If that fails, Python prints the error with the thread's name, and the page goes on: who
        asks for the network tries again, and gets the error of that.
        """
        thread = threading.Thread(
            target=self._network, args=[name], name=f"warm-up of {name}", daemon=True
        )
        thread.start()
        return thread

    def encode(self, file: str, name: str) -> "Session":
        """Run a network on a picture's file."""
        return self._network(name).encode(Path(file))

    def rerun(self, session: "Session", what_if: "WhatIf") -> SegmentationView:
        """Run the head of a session's network again under another rule."""
        return self._network(session.network).rerun(session, what_if)

    def _network(self, name: str) -> "Segmenter":
        with self._loading:
            if name not in self._loaded:
                from app.late import load

                self._loaded[name] = load(name, self._device)
            return self._loaded[name]


def heads() -> "Ensemble":
    """Load the trained heads."""
    from app.late import load_ensemble

    return load_ensemble()


def main() -> None:
    """Read the arguments, build the page and serve it."""
    parser = argparse.ArgumentParser(prog="python -m app", description="Open the page of asa-viz.")
    # Without them Gradio's own settings count, which a Space gives as environment variables.
    parser.add_argument("--host", help="address to listen at; this machine alone by default")
    parser.add_argument("--port", type=int, help="port to listen at; the first free from 7860 on")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--network", help="the network that is chosen first; one that ships")
    arguments = parser.parse_args()
    names = available()
    if not names:
        parser.error("there is no network in checkpoints/; train one first, see README.md")
    if arguments.network is not None:
        if arguments.network not in names:
            parser.error(f"no network {arguments.network}; there are {', '.join(names)}")
        names.sort(key=lambda name: name != arguments.network)
    networks = Networks(None if arguments.device == "auto" else arguments.device)
    desk = Desk(networks.encode, SessionStore())
    comparisons = Comparisons(desk, heads) if has_heads() else None
    answers = Answers(desk, networks.rerun, names, comparisons)
    page = build_page(answers, names)
    page.launch(
        server_name=arguments.host,
        server_port=arguments.port,
        prevent_thread_lock=True,
        **launch_settings(answers),
    )
    # The page listens, and photographs are stored: the network is needed for uploads alone.
    networks.warm_up(names[0])
    page.block_thread()


if __name__ == "__main__":
    main()
