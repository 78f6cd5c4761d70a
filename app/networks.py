"""The networks that ship, as the page uses them."""

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from app.server.health import Readiness
from app.server.memory import give_back
from app.shared_gpu import on_shared_gpu
from asa_viz.images import framed, read_image
from asa_viz.views import SegmentationView

if TYPE_CHECKING:
    from asa_viz import Segmenter
    from asa_viz.attention.what_if import WhatIf
    from asa_viz.networks.zoo.ensemble import Ensemble
    from asa_viz.session import Session


class Networks:
    """The networks of `checkpoints/`, each loaded at its first use or earlier by `warm_up`."""

    def __init__(self, device: str | None) -> None:
        self._device = device
        self._loaded: dict[str, Segmenter] = {}
        self._loading = threading.Lock()
        # A Space must know at start-up which functions need its GPU.
        self._encode = on_shared_gpu(self._encode_loaded)
        self._rerun = on_shared_gpu(self._rerun_loaded)

    def warm_up(self, name: str, readiness: Readiness | None = None) -> threading.Thread:
        """Load a network in a thread; other requests for it wait on its lock.

        If loading fails, Python prints the error with the thread's name and the page goes on; the
        next request for the network loads it again and gets its own error.
        """

        def load() -> None:
            self._network(name)
            if readiness is not None:
                readiness.check()
            # Imports and weights leave 150 MB of free memory behind.
            give_back()

        thread = threading.Thread(target=load, name=f"warm-up of {name}", daemon=True)
        thread.start()
        return thread

    def encode(self, file: str, name: str) -> "Session":
        """Run a network on a picture's file."""
        self._network(name)
        session = self._encode(file, name)
        give_back()
        return session

    def attempt(self, name: str) -> None:
        """Run a network on a small synthetic picture.

        Raises:
            Exception: it does not load, does not run, or returns NaN or infinity.
        """
        ramp = np.linspace(0, 255, 64 * 64 * 3).astype(np.uint8).reshape(64, 64, 3)
        session = self._network(name).encode(ramp)
        for scale in session.scales:
            if not np.isfinite(scale).all():
                raise ValueError("The network's scales are no numbers.")

    def rerun(self, session: "Session", what_if: "WhatIf") -> SegmentationView:
        """Run the head of a session's network under another rule; returns the segmentation."""
        self._network(session.network)
        return self._rerun(session, what_if)

    # These run where the network is loaded, on a ZeroGPU Space in a copy of this process: they must
    # not wait for a lock.
    def _encode_loaded(self, file: str, name: str) -> "Session":
        network = self._loaded[name]
        return network.encode(framed(read_image(Path(file)), network.card.shapes))

    def _rerun_loaded(self, session: "Session", what_if: "WhatIf") -> SegmentationView:
        return self._loaded[session.network].rerun(session, what_if)

    def _network(self, name: str) -> "Segmenter":
        with self._loading:
            if name not in self._loaded:
                from app.torch_imports import load

                self._loaded[name] = load(name, self._device)
            return self._loaded[name]


def heads() -> "Ensemble":
    """Load the trained heads."""
    from app.torch_imports import load_ensemble

    return load_ensemble()
