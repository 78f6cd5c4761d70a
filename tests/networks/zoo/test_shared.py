"""Global context: every query has the same row."""

import torch

from asa_viz.geometry import Cell
from asa_viz.networks.zoo.methods import READERS
from tests.networks.zoo.small import features, head_of, run


def test_global_context_is_one_row_for_all_queries():
    record = READERS["gcnet"]
    head = head_of("gcnet")
    with torch.no_grad():
        reading = record.read(head, run(head, record.watch, features(6, 5)))
    first, last = (reading.shown.row(cell) for cell in (Cell(0, 0), Cell(5, 4)))
    torch.testing.assert_close(first, last)
    assert first.std() > 1e-3
