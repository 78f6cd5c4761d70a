"""One query's row: the same as that row of the whole matrix, for every query."""

import numpy as np
import pytest
import torch

from asa_viz.attention import adaptive_sparse_weights
from asa_viz.attention.row import SparseAttention
from asa_viz.geometry import Cell
from tests.attention import loops

GRIDS = [(1, 1), (1, 5), (2, 2), (3, 4), (5, 5)]


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("window", [1, 3])
@pytest.mark.parametrize("scaled", [True, False])
def test_every_row_is_that_of_the_definition(case, grid, window, scaled):
    height, width = grid
    query, key, _, t1, t2 = (tensor.detach() for tensor in case(*grid, batch=1))
    attention = SparseAttention.of(
        query[0], key[0], t1[0], t2[0], height=height, width=width, window=window, scaled=scaled
    )
    weights = adaptive_sparse_weights(
        query, key, t1, t2, height=height, width=width, window=window, scaled=scaled
    )[0]
    affinity = loops.softmax_rows(query[0].tolist(), key[0].tolist(), scaled)
    supports = loops.clean_support(affinity, t1[0].tolist(), t2[0].tolist(), *grid, window)
    for i, (reciprocal, local) in enumerate(supports):
        row = attention.row(Cell(*divmod(i, width)))
        torch.testing.assert_close(torch.from_numpy(row.weights.ravel()), weights[i])
        torch.testing.assert_close(row.dense.flatten().tolist(), affinity[i])
        torch.testing.assert_close(row.incoming.flatten().tolist(), [r[i] for r in affinity])
        assert _cells(row.reciprocal) == reciprocal
        assert _cells(row.local) == local
        assert _cells(row.support) == reciprocal | local
        assert np.array_equal(row.incoming_ratio >= 1, row.chooses_back)


def test_dense_attention_keeps_everything(case):
    query, key, _, t1, _ = (tensor.detach() for tensor in case(3, 4, batch=1))
    zero = torch.zeros_like(t1[0])
    row = SparseAttention.of(query[0], key[0], zero, zero, height=3, width=4).row(Cell(1, 2))
    assert row.support.all()
    np.testing.assert_allclose(row.weights, row.dense, rtol=1e-6)


def test_a_row_that_keeps_nothing_reads_itself(case):
    query, key, _, t1, _ = (tensor.detach() for tensor in case(3, 3, batch=1))
    far = torch.full_like(t1[0], 1e9)
    row = SparseAttention.of(query[0], key[0], far, far, height=3, width=3).row(Cell(2, 0))
    assert not row.support.any()
    assert row.weights[2, 0] == 1
    assert row.weights.sum() == 1


def _cells(mask):
    return set(np.flatnonzero(mask).tolist())
