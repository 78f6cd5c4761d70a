"""Attention in windows, on cases small enough to say what is true."""

import pytest
import torch
import torch.nn.functional as F

from asa_viz.geometry import Cell
from asa_viz.networks.zoo.methods import READERS
from asa_viz.networks.zoo.window_layers import CARAFE, LocalRelation, around, outside, places
from tests.networks.zoo.small import features, head_of, run


def test_places_are_read_row_by_row_and_know_the_border():
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    seen = torch.stack(list(places(around(x, 3), 3)))
    assert seen[:, 0, 0].tolist() == [0, 0, 0, 0, 1, 2, 0, 3, 4]
    assert seen[:, 1, 1].tolist() == [1, 2, 0, 3, 4, 0, 0, 0, 0]
    assert torch.equal(outside(x[None, None], 3), seen == 0)


@pytest.mark.parametrize(
    ("name", "parts"), [("stand_alone", 8), ("local_relation", 2), ("san_pairwise", 2)]
)
def test_every_head_or_group_of_a_wide_head_reads_its_share(name, parts):
    record = READERS[name]
    head = head_of(name, width=32).double()
    seen = run(head, record.watch, [stage.double() for stage in features(7, 10)])
    with torch.no_grad():
        reading = record.read(head, seen)
        ours, network = record.rebuilt(head, seen, reading)
    assert len(reading.attentions) == parts
    torch.testing.assert_close(ours, network)


def test_where_nothing_differs_a_local_relation_is_the_mean_of_the_window_on_the_map():
    layer = LocalRelation(4, window=3)
    for parameter in layer.parameters():
        parameter.data.zero_()
    x = torch.randn(1, 4, 5, 6)
    mean = F.avg_pool2d(x, 3, 1, padding=1, count_include_pad=False)
    torch.testing.assert_close(layer(x), mean)


def test_san_compares_a_cell_with_the_mirrored_map():
    head = head_of("san_pairwise", width=32)
    layer = head.block.attention
    x = torch.randn(1, 32, 5, 6)
    with torch.no_grad():
        logits = layer.logits(x)
        # Above and left of the corner (0, 0) by (2, 1) lies its mirror image (2, 1).
        place = (3 - 2) * 7 + (3 - 1)
        across = torch.stack([torch.tensor(-1.0), torch.tensor(-1.0)])
        mirror = torch.tensor([-1 + 2 * 2 / 4, -1 + 2 * 1 / 5])
        apart = torch.cat(
            [
                layer.query(x)[0, :, 0, 0] - layer.key(x)[0, :, 2, 1],
                layer.position.weight[:, :, 0, 0] @ (across - mirror),
            ]
        )
        expected = layer.weigh(apart[None, :, None, None])[0, :, 0, 0]
    torch.testing.assert_close(logits[0, :, place, 0, 0], expected)


def test_carafe_with_all_weight_on_the_centre_repeats_every_coarse_cell():
    layer = CARAFE(3, 2)
    for parameter in layer.parameters():
        parameter.data.zero_()
    centre = 5**2 // 2
    assert layer.encode.bias is not None
    layer.encode.bias.data[4 * centre : 4 * centre + 4] = 100
    x = torch.randn(2, 3, 4, 5)
    expected = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
    torch.testing.assert_close(layer(x), expected)


def test_queries_of_carafe_lie_on_the_grid_and_keys_on_half_of_it():
    record = READERS["carafe"]
    head = head_of("carafe")
    seen = run(head, record.watch, features(9, 7))
    with torch.no_grad():
        attention = record.read(head, seen).shown
    assert (attention.shape, attention.key_shape) == ((9, 7), (5, 4))
    # Five by five coarse cells around (2, 1), which lies under (4, 3); one column is off the map.
    row = attention.row(Cell(4, 3))
    assert (row > 0).all()
    assert float(row.sum()) < 1
    assert (attention.row(Cell(8, 6))[:2] == 0).all()
