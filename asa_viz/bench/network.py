"""Benchmarks of what a visitor waits for: one query's row, and the encoding of a picture."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from jaxtyping import Float

from asa_viz.attention.row import SparseAttention
from asa_viz.bench.inputs import GRIDS, Options, opened, segmenter
from asa_viz.bench.report import Goal, Line
from asa_viz.geometry import Cell
from asa_viz.images import read_image
from asa_viz.measuring import seconds
from asa_viz.networks.capture import calls_of

QUERY = Goal(2)
ENCODE = Goal(1.05)
# A query takes well under a millisecond: the median is taken over rounds of so many.
_QUERIES_A_ROUND = 20


def query_lines(options: Options) -> Iterator[Line]:
    """Measure one row against the two matrix-vector products that any implementation needs.

    Measured are the row from the attention and the view from the session, which converts it to
    numpy.
    """
    for height, width in options.grids((*GRIDS, (128, 256))):
        on_cpu = replace(options, device="cpu")
        session = segmenter(height, width, on_cpu).encode(options.picture)
        attention = session.attention
        if not isinstance(attention, SparseAttention):
            raise TypeError("What is measured are rows of queries and keys.")
        cell = Cell(attention.height // 2, attention.width // 3)
        i = cell.row * attention.width + cell.col
        taken = seconds(
            {
                "row": partial(attention.row, cell),
                "answer": partial(session.query_cell, cell),
                "peer": partial(_products, attention.query.numpy(), attention.key.numpy(), i),
            },
            options.rounds * _QUERIES_A_ROUND,
        )
        for ours, name in (("row", "row of one query"), ("answer", "session's answer to it")):
            what = f"{name}, n = {session.grid.size}"
            yield Line(what, "seconds", taken[ours], taken["peer"], "two matrix-vectors", QUERY)


def _products(
    query: Float[np.ndarray, "n d"], key: Float[np.ndarray, "n d"], i: int
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Return the similarities from and to one query; numpy is twice as fast as torch here."""
    return key @ query[i], query @ key[i]


def encode_lines(options: Options) -> Iterator[Line]:
    """Measure encoding a decoded picture against the network's forward pass on it."""
    rgb = read_image(options.picture).rgb
    network, _ = opened(options.network)
    for height, width in options.grids(GRIDS):
        ours = segmenter(height, width, options)
        with calls_of(network, ["backbone"]) as seen:
            ours.encode(rgb)
        (pixels,) = seen["backbone"][0].inputs
        with torch.inference_mode():
            taken = seconds(
                {"ours": partial(ours.encode, rgb), "peer": partial(network, pixels)},
                options.rounds,
            )
        size = " x ".join(map(str, pixels.shape[-2:]))
        what = f"encode a picture at {size}"
        yield Line(what, "seconds", taken["ours"], taken["peer"], "bare network", ENCODE)
