"""Blocks that reason on graphs: the knowledge graph, and what their steps compute."""

import torch

from asa_viz.networks.datasets import CAMVID, VOC2012
from asa_viz.networks.zoo import low_rank_graphs as graphs
from tests.networks.zoo.small import head_of


def test_every_class_of_the_data_sets_that_heads_are_compared_on_has_a_place_in_the_graph():
    below = {name for members in graphs.CONCEPTS.values() for name in members}
    classes = {*VOC2012.classes, *CAMVID.classes}
    assert classes == below - set(graphs.CONCEPTS)
    adjacency = graphs.SymbolicReasoningBlock(8, graphs.CONCEPTS).adjacency
    assert len(adjacency) == len(classes) + len(graphs.CONCEPTS)
    torch.testing.assert_close(adjacency, adjacency.mT)
    assert adjacency.diagonal().count_nonzero() == 0


def test_edges_of_the_graph_by_hand():
    block = graphs.SymbolicReasoningBlock(8, {"both": ("one", "two")})
    # both, one, two; joined to themselves the degrees are 3, 2, 2.
    aside = 6**-0.5
    expected = torch.tensor([[1 / 3, aside, aside], [aside, 0.5, 0], [aside, 0, 0.5]])
    torch.testing.assert_close(block.propagation, expected)


def test_the_graph_stays_out_of_checkpoints():
    assert "adjacency" not in graphs.SymbolicReasoningBlock(8, graphs.CONCEPTS).state_dict()


def test_shares_sum_to_one_for_cells_far_from_all_symbols():
    block = head_of("sgr").block
    x = torch.randn(1, 8, 4, 4)
    x[..., 0, 0] *= 1e4
    with torch.no_grad():
        symbols = torch.randn(1, len(block.adjacency), 4)
        shares = block.shares(x, symbols)
    torch.testing.assert_close(shares.sum(1), torch.ones(1, 16))
    # Cells differ: one and the same answer for all would be no mapping.
    assert shares.std(-1).max() > 0.01
