"""ANN and PSP: keys of another stage, averages that no image changes."""

import torch

from asa_viz.geometry import Cell
from asa_viz.networks.zoo.methods import READERS
from tests.networks.zoo.small import CHANNELS, features, head_of, run


def test_fusion_reads_the_grid_of_the_earlier_stage():
    record = READERS["ann_afnb"]
    head = head_of("ann")
    deep, earlier = torch.randn(1, CHANNELS[0], 9, 7), torch.randn(1, CHANNELS[1], 18, 14)
    seen = run(head, record.watch, [deep, earlier])
    with torch.no_grad():
        reading = record.read(head, seen)
        ours, network = record.rebuilt(head, seen, reading)
    assert reading.shown.shape == (9, 7)
    assert reading.shown.row(Cell(8, 6)).shape == (18, 14)
    torch.testing.assert_close(ours, network, rtol=1e-4, atol=1e-5)


def test_pyramid_pooling_reads_every_image_alike():
    record = READERS["pyramid_pooling"]
    head = head_of("pyramid_pooling")
    with torch.no_grad():
        one, other = (
            record.read(head, run(head, record.watch, inputs))
            for inputs in (features(9, 7), [torch.randn(1, c, 9, 7) for c in CHANNELS])
        )
    torch.testing.assert_close(one.shown.row(Cell(3, 3)), other.shown.row(Cell(3, 3)))
    assert len(one.attentions) == 4
