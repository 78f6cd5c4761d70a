"""Blocks with nodes: what they compute, worked out by hand."""

import pytest
import torch

from asa_viz.geometry import Cell
from asa_viz.networks.zoo import low_rank
from asa_viz.networks.zoo.methods import READERS
from asa_viz.views import MethodView
from tests.networks.zoo.small import features, head_of, run


@pytest.mark.parametrize("name", ["a2net", "cgnl", "latentgnn", "glore", "sgr", "beyond_grids"])
def test_a_map_of_twice_the_size_is_read_alike(name: str):
    # Heads are trained on smaller maps than they are shown on.
    block = head_of(name).block
    x = torch.randn(1, 8, 6, 5)
    with torch.no_grad():
        small, large = block(x), block(x.repeat_interleave(2, -1).repeat_interleave(2, -2))
    torch.testing.assert_close(large[..., ::2, ::2], small, rtol=1e-4, atol=1e-5)


def test_double_attention_without_preference_reads_the_mean():
    torch.manual_seed(0)
    block = low_rank.DoubleAttentionBlock(4)
    for parameter in (block.gather.weight, block.distribute.weight):
        torch.nn.init.zeros_(parameter)
    x = torch.randn(2, 4, 3, 5)
    mean = x.mean((2, 3), keepdim=True)
    torch.testing.assert_close(block(x), x + block.out(block.value(mean)))


def test_generalised_pairs_join_cells_and_channels_of_one_group():
    torch.manual_seed(0)
    block = low_rank.CompactGeneralisedBlock(8, groups=2).eval()
    x = torch.randn(1, 8, 2, 3)
    theta, phi, g = (part(x)[0].flatten(1) for part in (block.theta, block.phi, block.g))
    expected = torch.zeros(4, 6)
    for c in range(4):
        for i in range(6):
            for b in (0, 1) if c < 2 else (2, 3):
                for j in range(6):
                    expected[c, i] += theta[c, i] * phi[b, j] * g[b, j] / 12
    mixed = block.norm(block.out(expected.view(1, 4, 2, 3)))
    torch.testing.assert_close(block(x), x + mixed)


def test_a_group_has_channels_to_join():
    assert low_rank.CompactGeneralisedBlock(64).groups == 8
    assert low_rank.CompactGeneralisedBlock(8).groups == 2


def test_a_cell_without_latent_nodes_reads_nothing():
    record, head = READERS["latentgnn"], head_of("latentgnn")
    # The last layer of the map back: its constants so low that no cell passes the ReLU.
    head.block.distribute[0][1].bias.data.fill_(-1e3)
    seen = run(head, record.watch, features(5, 6))
    with torch.no_grad():
        row = record.read(head, seen).shown.row(Cell(2, 3))
    assert row.count_nonzero() == 0
    assert MethodView("latentgnn", row.numpy(), {}).dead
