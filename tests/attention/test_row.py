"""One query's row: the same as that row of the whole matrix, for every query."""

import numpy as np
import pytest
import torch

from asa_viz.attention import adaptive_sparse_weights
from asa_viz.attention.row import SparseAttention
from asa_viz.attention.what_if import AS_TRAINED, WhatIf
from asa_viz.geometry import Cell
from tests.attention import loops

GRIDS = [(1, 1), (1, 5), (2, 2), (3, 4), (5, 5)]


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("window", [1, 3])
@pytest.mark.parametrize("scaled", [True, False])
def test_every_row_is_that_of_the_definition(case, grid, window, scaled):
    height, width = grid
    query, key, _, nonlocal_scale, local_scale = (
        tensor.detach() for tensor in case(*grid, batch=1)
    )
    attention = SparseAttention.of(
        query[0],
        key[0],
        nonlocal_scale[0],
        local_scale[0],
        height=height,
        width=width,
        window=window,
        scaled=scaled,
    )
    weights = adaptive_sparse_weights(
        query,
        key,
        nonlocal_scale,
        local_scale,
        height=height,
        width=width,
        window=window,
        scaled=scaled,
    )[0]
    affinity = loops.softmax_rows(query[0].tolist(), key[0].tolist(), scaled)
    supports = loops.clean_support(
        affinity, nonlocal_scale[0].tolist(), local_scale[0].tolist(), *grid, window
    )
    for i, (reciprocal, local) in enumerate(supports):
        row = attention.row(Cell(*divmod(i, width)))
        torch.testing.assert_close(torch.from_numpy(row.weights.ravel()), weights[i])
        torch.testing.assert_close(row.dense.flatten().tolist(), affinity[i])
        torch.testing.assert_close(row.incoming.flatten().tolist(), [r[i] for r in affinity])
        assert _cells(row.reciprocal) == reciprocal
        assert _cells(row.local) == local
        assert _cells(row.support) == reciprocal | local
        assert np.array_equal(row.incoming_ratio >= 1, row.chooses_back)


def test_ties_pass_in_both_directions():
    flat, one = torch.zeros(12, 4), torch.ones(12)
    # All affinities are 1 / 12, up to the rounding of a log-sum-exp, and so is every threshold.
    row = SparseAttention.of(flat, flat, one, one, height=3, width=4).row(Cell(1, 2))
    assert row.chosen.all()
    assert row.chooses_back.all()
    assert row.local.sum() == 9
    np.testing.assert_allclose(row.weights, 1 / 12, rtol=1e-6)


def test_dense_attention_keeps_everything(case):
    query, key, _, nonlocal_scale, _ = (tensor.detach() for tensor in case(3, 4, batch=1))
    zero = torch.zeros_like(nonlocal_scale[0])
    row = SparseAttention.of(query[0], key[0], zero, zero, height=3, width=4).row(Cell(1, 2))
    assert row.support.all()
    np.testing.assert_allclose(row.weights, row.dense, rtol=1e-6)


def test_a_row_that_keeps_nothing_reads_itself(case):
    query, key, _, nonlocal_scale, _ = (tensor.detach() for tensor in case(3, 3, batch=1))
    far = torch.full_like(nonlocal_scale[0], 1e9)
    row = SparseAttention.of(query[0], key[0], far, far, height=3, width=3).row(Cell(2, 0))
    assert not row.support.any()
    assert row.weights[2, 0] == 1
    assert row.weights.sum() == 1


@pytest.mark.parametrize(
    "what_if", [AS_TRAINED, WhatIf(top_k=3), WhatIf(reciprocity=False)], ids=str
)
def test_a_batch_of_queries_and_sets_is_each_row_and_each_mean(case, what_if):
    query, key, _, nonlocal_scale, local_scale = (
        tensor.detach()[0] for tensor in case(3, 4, batch=1)
    )
    attention = SparseAttention.of(query, key, nonlocal_scale, local_scale, height=3, width=4)
    few = [Cell(0, 1), Cell(2, 3), Cell(1, 1)]
    one, mean, other, alone = attention.rows([Cell(1, 2), few, Cell(0, 0), [Cell(2, 2)]], what_if)
    for found, cell in ((one, Cell(1, 2)), (other, Cell(0, 0))):
        for name, wanted in vars(attention.row(cell, what_if)).items():
            if name == "image":
                assert found.image is None
                continue
            np.testing.assert_allclose(getattr(found, name), wanted)
    rows = [attention.row(cell, what_if) for cell in few]
    for name in ("dense", "incoming", "weights", "chosen", "reciprocal", "local", "support"):
        wanted = sum(getattr(row, name).astype(float) for row in rows) / 3
        np.testing.assert_allclose(getattr(mean, name), wanted, atol=1e-12)
    assert mean.weights.sum() == pytest.approx(1)
    # Who chooses them: a third for each cell of the set that the key chooses.
    choosers = sum(row.chooses_back.astype(int) for row in rows)
    assert np.array_equal(np.round(mean.chooses_back * 3), choosers)
    np.testing.assert_allclose(alone.weights, attention.row(Cell(2, 2), what_if).weights)


def test_a_set_of_no_cells_and_a_cell_outside_are_refused(case):
    query, key, _, nonlocal_scale, local_scale = (
        tensor.detach()[0] for tensor in case(3, 4, batch=1)
    )
    attention = SparseAttention.of(query, key, nonlocal_scale, local_scale, height=3, width=4)
    assert attention.rows([]) == []
    with pytest.raises(ValueError, match="must not be empty"):
        attention.rows([Cell(0, 0), []])
    with pytest.raises(ValueError, match="outside the grid"):
        attention.rows([[Cell(0, 0), Cell(3, 0)]])


def _cells(mask):
    return set(np.flatnonzero(mask).tolist())
