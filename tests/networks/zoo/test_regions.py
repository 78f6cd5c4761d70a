"""ISA, ANN and PSP: composed passes, keys of another stage, averages that no image changes."""

import pytest
import torch
from torch import nn

from asa_viz.geometry import Cell
from asa_viz.networks.zoo.methods import READERS
from tests.networks.zoo.small import CHANNELS, features, head_of, run


@pytest.mark.parametrize(("height", "width"), [(16, 8), (11, 19)])
def test_the_composed_row_is_what_isa_reads_with_nothing_between_its_passes(height, width):
    record = READERS["isa"]
    head = head_of("isa")
    for relation in (head.global_relation, head.local_relation):
        relation.value_project = nn.Identity()
        relation.output_project = nn.Identity()
    seen = run(head, (*record.watch, "out_conv"), features(height, width))
    with torch.no_grad():
        reading = record.read(head, seen)
    read = seen["out_conv"][0].inputs[0][0, : head.channels]
    torch.testing.assert_close(
        reading.shown.mix(seen["in_conv"][0].output[0]), read, rtol=1e-4, atol=1e-5
    )


def test_padding_takes_its_part_of_an_isa_row():
    record = READERS["isa"]
    head = head_of("isa")
    with torch.no_grad():
        # Queries of 0: both passes are flat, and a query's paths end in every cell alike.
        for relation in (head.global_relation, head.local_relation):
            for parameter in relation.query_project[-1].bn.parameters():
                parameter.zero_()
        reading = record.read(head, run(head, record.watch, features(11, 19)))
    row = reading.shown.row(Cell(10, 18))
    torch.testing.assert_close(row, torch.full((11, 19), 1 / (16 * 24)))


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
