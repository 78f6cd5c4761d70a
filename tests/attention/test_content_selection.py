"""Keys selected by a cheaper score: numbers worked out by hand, and all small cases."""

import math
from itertools import product

import pytest
import torch

from asa_viz.attention.content_selection import (
    compressed,
    highest,
    index_scores,
    indexer_top_k,
    mixture_of_block,
    native_sparse,
)
from asa_viz.attention.neighbourhood import window_keys
from asa_viz.attention.squares import square_count, square_keys, square_means, square_of
from asa_viz.geometry import Cell
from tests.attention.zoo.content_selection import indexer_matrix, mixture_matrix, native_matrix
from tests.attention.zoo.content_selection import squares as squares_by_loops
from tests.attention.zoo.plain import normal

CPU = torch.device("cpu")
SMALL = [(h, w, side) for h, w in product(range(1, 7), repeat=2) for side in range(1, 5)]


def logs(numbers):
    """Logarithms as a map of one channel: a query of 1 weighs their keys as the numbers."""
    return torch.tensor(numbers, dtype=torch.float64).log()[None]


@pytest.mark.parametrize(("height", "width", "side"), SMALL)
def test_blocks_are_those_of_the_loops(height, width, side):
    blocks = list(squares_by_loops(height, width, side).values())
    keys = square_keys(height, width, side, CPU)
    assert square_count(height, width, side) == len(keys) == len(blocks)
    features = normal(2, height, width)
    means = square_means(features, side)
    own = square_of(height, width, side, CPU)
    for number, (block, found) in enumerate(zip(blocks, keys.tolist(), strict=True)):
        inside = [row * width + col for row, col in block]
        assert [key for key in found if key != height * width] == inside
        assert len(found) == side**2
        assert own[inside].tolist() == [number] * len(inside)
        torch.testing.assert_close(means[number], features.flatten(1)[:, inside].mean(-1))


def test_of_equal_scores_the_first_are_selected():
    scores = torch.tensor([[0.0, 1.0, 0.0, -1.0, 0.0], [2.0, 2.0, 2.0, 2.0, 2.0]])
    selected = [highest(scores, k).sort().values.tolist() for k in range(1, 6)]
    assert selected == [
        [[1], [0]],
        [[0, 1], [0, 1]],
        [[0, 1, 2], [0, 1, 2]],
        [[0, 1, 2, 4], [0, 1, 2, 3]],
        [[0, 1, 2, 3, 4], [0, 1, 2, 3, 4]],
    ]


@pytest.mark.parametrize("k", [0, 6])
def test_more_keys_than_there_are_and_none_are_refused(k):
    with pytest.raises(ValueError, match=f"Of 5 keys or blocks {k} cannot"):
        highest(torch.zeros(2, 5), k)


def test_index_scores_by_hand():
    query = torch.tensor([[[1.0, 0.0]], [[0.0, 2.0]]])
    key = torch.tensor([[3.0, 1.0], [-3.0, 1.0], [3.0, -1.0]])
    weight = torch.tensor([[2.0], [-1.0]])
    # 2 ReLU(3) - ReLU(2), then the first head is cut off, then the second.
    assert index_scores(query, key, weight).tolist() == [[4.0, -2.0, 6.0]]


def test_an_indexer_decides_who_is_read_and_the_query_how_much():
    key = logs([[1, 2], [3, 4]])
    one = torch.ones_like(key)
    index_key = torch.tensor([[[0.0, 5.0], [1.0, 3.0]]], dtype=torch.float64)
    attention = indexer_top_k(one, key, one[None], index_key, one, 2)
    expected = torch.tensor([[0, 2 / 6], [0, 4 / 6]], dtype=torch.float64)
    torch.testing.assert_close(attention.row(Cell(1, 0)), expected)
    # With a weight of -1 what scored lowest scores highest.
    attention = indexer_top_k(one, key, one[None], index_key, -one, 2)
    expected = torch.tensor([[1 / 4, 0], [3 / 4, 0]], dtype=torch.float64)
    torch.testing.assert_close(attention.row(Cell(1, 0)), expected)


@pytest.mark.parametrize("k", range(1, 13))
def test_every_query_keeps_k_keys(k):
    maps = normal(2, 4, 3, 4)
    index_query, index_key = normal(2, 3, 3, 4), normal(3, 3, 4)
    for weight in (normal(2, 3, 4), -normal(2, 3, 4).abs(), torch.zeros(2, 3, 4).double()):
        given = (*maps, index_query, index_key, weight, k)
        attention = indexer_top_k(*given)
        rows = torch.stack([attention.row(Cell(r, c)) for r, c in product(range(3), range(4))])
        assert (rows.flatten(1) > 0).sum(-1).tolist() == [k] * 12
        expected = torch.tensor(indexer_matrix(*given), dtype=torch.float64)
        torch.testing.assert_close(rows.flatten(1), expected)


def test_a_mixture_reads_its_own_block_and_the_best_of_the_others():
    key = logs([[1, 2], [3, 4]]).repeat_interleave(2, 1).repeat_interleave(2, 2)
    query = torch.ones_like(key)
    query[0, 0, 3] = -1
    attention = mixture_of_block(query, key, side=2, kept=2)

    def weights(row, col):
        """Of the blocks, from the cell in the middle of the map that belongs to each."""
        return attention.row(Cell(row, col))[1:3, 1:3].flatten().tolist()

    # Four cells of weight 1 and four of weight 4.
    assert weights(0, 0) == pytest.approx([1 / 20, 0, 0, 4 / 20])
    # The own block is the best; the second is the next one.
    assert weights(3, 3) == pytest.approx([0, 0, 3 / 28, 4 / 28])
    # To a query of -1 the lowest is the best, and its weights are inverse.
    assert weights(0, 3) == pytest.approx([1 / 6, 1 / 12, 0, 0])


@pytest.mark.parametrize(("height", "width", "side"), SMALL)
def test_a_mixture_of_any_number_of_blocks_is_that_of_the_loops(height, width, side):
    maps = normal(2, 2, height, width)
    for kept in range(1, 1 + min(3, square_count(height, width, side))):
        attention = mixture_of_block(*maps, side=side, kept=kept)
        values = normal(2, height, width)
        matrix = torch.tensor(mixture_matrix(*maps, side, kept), dtype=torch.float64)
        torch.testing.assert_close(attention.mix(values).flatten(1), values.flatten(1) @ matrix.mT)


def test_a_mixture_of_all_blocks_is_dense():
    query, key = normal(2, 3, 5, 7)
    attention = mixture_of_block(query, key, side=3, kept=6)
    row = (query[:, 2, 4] @ key.flatten(1) / math.sqrt(3)).softmax(-1).view(5, 7)
    torch.testing.assert_close(attention.row(Cell(2, 4)), row)


def test_a_block_is_pooled_by_the_softmax_of_its_cells_on_the_map():
    pool = torch.cat([torch.zeros(1, 3, 3).double(), logs([[1, 2, 5], [3, 2, 5], [1, 1, 9]])])
    gather = compressed(normal(2, 3, 3), normal(2, 3, 3), pool, 2).gather
    assert gather.tolist() == [
        pytest.approx([1 / 8, 2 / 8, 0, 3 / 8, 2 / 8, 0, 0, 0, 0]),
        pytest.approx([0, 0, 1 / 2, 0, 0, 1 / 2, 0, 0, 0]),
        pytest.approx([0, 0, 0, 0, 0, 0, 1 / 2, 1 / 2, 0]),
        pytest.approx([0, 0, 0, 0, 0, 0, 0, 0, 1]),
    ]


def test_the_key_of_a_block_is_pooled_by_the_first_logits():
    key = logs([[1, 2, 5, 7], [3, 2, 7, 5]])
    pool = torch.zeros(2, 2, 4, dtype=torch.float64)
    # All of the first block's key is its cell of 3, all of the second's is one of 7.
    pool[0, 1, 0] = pool[0, 0, 3] = 1e3
    affinity = compressed(torch.ones_like(key), key, pool, 2).distribute
    torch.testing.assert_close(affinity, torch.tensor([[0.3, 0.7]]).double().expand(8, 2))


def test_native_sparse_by_hand():
    nothing = torch.zeros(1, 4, 4, dtype=torch.float64)
    key = logs([[1, 2], [3, 4]]).repeat_interleave(2, 1).repeat_interleave(2, 2)
    gates = torch.tensor([0.5, 0.25, 0.125], dtype=torch.float64)[:, None, None].expand(3, 4, 4)
    one, pool = nothing + 1, nothing.expand(2, 4, 4)
    attention = native_sparse(one, (key, nothing, nothing), pool, gates, side=2, kept=1, window=3)
    # Blocks weigh 1 to 4 of 10, each cell a quarter; the last one is selected, a quarter a cell.
    blocks = torch.tensor([[1, 2], [3, 4]], dtype=torch.float64) / 80
    expected = blocks.repeat_interleave(2, 0).repeat_interleave(2, 1)
    expected[2:, 2:] += 1 / 16
    # The window of the corner has four cells, that of the cell beside it six.
    for query, near in ((Cell(0, 0), slice(0, 2)), (Cell(0, 1), slice(0, 3))):
        row = expected.clone()
        row[:2, near] += 1 / 8 / row[:2, near].numel()
        torch.testing.assert_close(attention.row(query), row)


@pytest.mark.parametrize(("height", "width", "side"), SMALL)
def test_native_sparse_is_that_of_the_loops_and_sums_to_its_gates(height, width, side):
    query, pool, gates = (
        normal(2, height, width),
        normal(2, height, width),
        normal(3, height, width),
    )
    keys = tuple(normal(3, 2, height, width))
    kept = max(1, square_count(height, width, side) // 2)
    attention = native_sparse(query, keys, pool, gates, side=side, kept=kept, window=3)
    matrix = native_matrix(query, keys, pool, gates, side, kept, 3)
    values = normal(2, height, width)
    expected = values.flatten(1) @ torch.tensor(matrix, dtype=torch.float64).mT
    torch.testing.assert_close(attention.mix(values).flatten(1), expected)
    sums = attention.mix(torch.ones(1, height, width, dtype=torch.float64))
    torch.testing.assert_close(sums[0], gates.sum(0))


def test_gradients_are_those_of_finite_differences():
    query, key, values = (normal(2, 3, 5).requires_grad_() for _ in range(3))
    keys = (key, normal(2, 3, 5).requires_grad_(), normal(2, 3, 5).requires_grad_())
    pool, gates = normal(2, 3, 5).requires_grad_(), normal(3, 3, 5).requires_grad_()
    index = (normal(2, 2, 3, 5), normal(2, 3, 5), normal(2, 3, 5))

    def native(query, pool, gates, values, *keys):
        return native_sparse(query, keys, pool, gates, side=2, kept=2, window=3).mix(values)

    def mixture(query, key, values):
        return mixture_of_block(query, key, side=2, kept=2).mix(values)

    def indexer(query, key, values):
        return indexer_top_k(query, key, *index, 4).mix(values)

    assert torch.autograd.gradcheck(native, (query, pool, gates, values, *keys))
    assert torch.autograd.gradcheck(mixture, (query, key, values))
    assert torch.autograd.gradcheck(indexer, (query, key, values))


def test_a_map_that_was_measured_can_still_be_trained_on():
    """The window's keys are kept: made without gradients, they serve with gradients later."""
    window_keys.cache_clear()
    query, pool, gates = normal(2, 3, 5), normal(2, 3, 5), normal(3, 3, 5)
    keys = tuple(normal(3, 2, 3, 5))

    def read():
        return native_sparse(query, keys, pool, gates, side=2, kept=1, window=3).mix(query)

    with torch.inference_mode():
        before = read()
    query.requires_grad_()
    after = read()
    after.sum().backward()
    torch.testing.assert_close(after, before)
    assert query.grad is not None
