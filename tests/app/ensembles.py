"""An ensemble without networks: rows, gates and labels by plain formulas."""

import numpy as np

from asa_viz.catalogue.methods import METHODS
from asa_viz.networks.zoo.methods import READERS
from asa_viz.networks.zoo.record import HeadMethod
from asa_viz.views import AgreementView, MethodView

# Every method of the zoo has an answer here; which design it is decides on the kind of answer.
NAMES = tuple(READERS)
CHANNELS = 16
_COSTS = {"parameters": 64000, "multiply_adds": 3e7, "milliseconds": 12.4, "megabytes": 9.6}


def _row(head, share, methods, **more):
    names = {"support": 0.25, "effective_support": 0.125, "entropy": 8, "own_class": 0.5}
    return {
        "head": head,
        "mIoU": share,
        "mIoU_deviation": float("nan"),
        "pixel_accuracy": 0.9,
        "attention": dict.fromkeys(methods, names),
        **_COSTS,
        **more,
    }


EXPERIMENT = {
    "setting": {
        "steps": 150,
        "crops_per_step": 8,
        "crop": "32 x 32 cells",
        "optimiser": "AdamW",
        "loss": "cross-entropy",
        "backbone": "asa",
        "width": 64,
        "arms": {"width": 128, "rate": 0.002},
        "seeds": 3,
        "threads": 1,
    },
    "contrasts": [
        {
            "first": "asa_read_only",
            "second": "nonlocal_started_read_only",
            "difference": -0.012,
            "low": -0.02,
            "high": 0.001,
            "seeds": 3,
            "verdict": "not established",
        }
    ],
    "arms": [_row("fcn_read_only", 0.5, [])],
    "rows": [
        _row("ccnet", 0.632, ["ccnet"]),
        _row("asa", 0.6125, ["asa"], without_attention={"mIoU": 0.55, "flips": 0.07}),
    ],
}


class FakeEnsemble:
    """As `asa_viz.networks.zoo.ensemble.Ensemble`; notes what it reads."""

    def __init__(self, network="asa"):
        self.network = network
        self.experiment = EXPERIMENT
        self.methods = NAMES
        self.read_sessions = []

    def read(self, session):
        if session.network != self.network:
            raise ValueError("another network")
        self.read_sessions.append(session)
        return FakeComparison(self, session)


class FakeComparison:
    """As `Comparison`: what every method answers for one session."""

    def __init__(self, ensemble, session):
        self.session = session
        self.methods = ensemble.methods
        self.asked = []

    def query(self, cell, names=None):
        self.asked.append((cell, names))
        return tuple(self._view(name, cell) for name in names or self.methods)

    def agreement(self, names=None):
        """Each head shifts the labels by as many rows as its name has letters modulo three."""
        labels = self.session.segmentation.cell_labels
        records = [READERS[name] for name in names or self.methods]
        heads = [each.head for each in records if isinstance(each, HeadMethod)]
        return AgreementView({head: np.roll(labels, len(head) % 3, 0) for head in heads})

    def _view(self, name, cell):
        grid = self.session.grid
        rows, cols = np.indices((grid.height, grid.width))
        down, right = np.abs(rows - cell.row), np.abs(cols - cell.col)
        match METHODS[name].family:
            case "gates":
                return MethodView(name, None, gates_of(name, grid))
            case "pattern":
                row = ((down == 0) | (right == 0)).astype(float)
            case "window" | "classic":
                row = np.maximum(0, 3.0 - np.maximum(down, right))
            case "shared":
                row = np.exp(-rows / 3)
            case "pooled":
                # On a finer grid than the session's.
                row = np.repeat(np.repeat(np.exp(-(down // 3 + right // 3) / 2), 2, 0), 2, 1)
            case "low_rank" if name == "cgnl":
                row = np.cos(down + right)
            case _:
                row = self.session.query_cell(cell).dense.astype(float)
        if name == "asa":
            row = self.session.query_cell(cell).weights.astype(float)
        total = 2.0 if name == "dnl" else 1.0
        return MethodView(name, (total * row / row.sum()).astype(np.float32), {})


def gates_of(name, grid):
    """A matrix, a map with channels, or several sets of channels."""
    channels = np.linspace(0.1, 0.9, CHANNELS, dtype=np.float32)
    if name == "danet_channel":
        return {"matrix": np.outer(channels, channels[::-1])}
    if name in ("cbam", "bam"):
        cells = np.linspace(0, 1, grid.height * grid.width, dtype=np.float32)
        return {"cells": cells.reshape(grid.height, grid.width), "channels": channels[None]}
    return {"channels": np.stack([channels, 1 - channels]) if name == "sknet" else channels[None]}
