"""What-ifs: every row against loops, the mixed values against the rows, in bounded memory."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from asa_viz.attention import adaptive_sparse_attention, blockwise, engine, row
from asa_viz.attention.row import SparseAttention
from asa_viz.attention.what_if import AS_TRAINED, WhatIf
from asa_viz.geometry import Cell
from tests.attention import loops
from tests.attention.watch import Watch

WHAT_IFS = [
    AS_TRAINED,
    WhatIf(nonlocal_factor=0.0),
    WhatIf(nonlocal_factor=2.5, local_factor=0.5),
    WhatIf(local_factor=3.0, window=5),
    WhatIf(reciprocity=False),
    WhatIf(local_rule=False, nonlocal_factor=3.0),
    WhatIf(local_rule=False, reciprocity=False, window=1),
    WhatIf(top_k=1, local_rule=False),
    WhatIf(top_k=3, nonlocal_factor=9.0),
    WhatIf(top_k=4, reciprocity=False, window=1, local_factor=2.0),
    WhatIf(top_k=1000),
]


def expected_row(affinity, nonlocal_scale, local_scale, grid, window, what_if, i):
    """One query's row in plain Python: (chosen, chooses back, local, ratio, weights)."""
    n = len(affinity)
    if what_if.top_k is None:
        thresholds = [what_if.nonlocal_factor * scale / n for scale in nonlocal_scale]
    else:
        k = min(what_if.top_k, n)
        thresholds = [sorted(each, reverse=True)[k - 1] for each in affinity]
    chosen = {j for j in range(n) if affinity[i][j] >= thresholds[i] * (1 - 1e-12)}
    back = {j for j in range(n) if affinity[j][i] >= thresholds[j] * (1 - 1e-12)}
    near = loops.window_of(i, *grid, what_if.window or window)
    mean = sum(affinity[i][j] for j in near) / len(near)
    threshold = what_if.local_factor * local_scale[i] * mean
    local = {j for j in near if what_if.local_rule and affinity[i][j] >= threshold}
    support = (chosen & back if what_if.reciprocity else chosen) | local
    kept = support or {i}
    mass = sum(affinity[i][j] for j in kept)
    weights = [affinity[i][j] / mass if j in kept else 0.0 for j in range(n)]
    ratio = [affinity[j][i] / thresholds[j] if thresholds[j] else torch.inf for j in range(n)]
    return chosen, back, local, support, ratio, weights


@pytest.mark.parametrize("grid", [(1, 1), (1, 5), (3, 4), (5, 5)])
@pytest.mark.parametrize("what_if", WHAT_IFS, ids=str)
def test_every_row_is_what_loops_say(case, grid, what_if):
    attention, inputs = make(case, grid)
    affinity = loops.softmax_rows(inputs[0].tolist(), inputs[1].tolist())
    nonlocal_scale, local_scale = inputs[3].tolist(), inputs[4].tolist()
    for i in range(len(nonlocal_scale)):
        found = attention.row(Cell(*divmod(i, grid[1])), what_if)
        chosen, back, local, support, ratio, weights = expected_row(
            affinity, nonlocal_scale, local_scale, grid, 3, what_if, i
        )
        assert cells(found.chosen) == chosen
        assert cells(found.chooses_back) == back
        assert cells(found.local) == local
        assert cells(found.support) == support
        torch.testing.assert_close(found.incoming_ratio.flatten().tolist(), ratio)
        torch.testing.assert_close(found.weights.flatten().tolist(), weights)
        assert found.dense.sum().item() == pytest.approx(1)


def test_the_scales_told_are_those_that_decide(case):
    attention, _ = make(case, (3, 4))
    told = attention.row(Cell(1, 2), WhatIf(nonlocal_factor=2.0, local_factor=0.5))
    assert told.nonlocal_scale == 2 * attention.nonlocal_scale[6].item()
    assert told.local_scale == attention.local_scale[6].item() / 2
    third = attention.row(Cell(1, 2), WhatIf(top_k=3))
    assert third.nonlocal_scale == pytest.approx(12 * np.sort(third.dense, axis=None)[-3])


@pytest.mark.parametrize("block", [1, 3, 256])
@pytest.mark.parametrize("what_if", WHAT_IFS, ids=str)
def test_the_mixed_values_are_those_of_the_rows(case, what_if, block, monkeypatch):
    monkeypatch.setattr(engine, "ROWS", block)
    attention, inputs = make(case, (4, 5))
    rows = torch.stack(
        [
            torch.from_numpy(attention.row(Cell(r, c), what_if).weights.ravel())
            for r in range(4)
            for c in range(5)
        ]
    )
    torch.testing.assert_close(attention.mix(inputs[2], what_if), rows @ inputs[2])


def test_as_trained_the_mixed_values_are_the_networks(case):
    attention, inputs = make(case, (4, 5))
    output = adaptive_sparse_attention(*(part[None] for part in inputs), height=4, width=5)
    torch.testing.assert_close(attention.mix(inputs[2]), output[0])


def test_a_choice_of_k_is_the_same_seen_from_both_ends():
    """In single precision too, where affinities lie far apart: k chosen, each pair as one says."""
    generator = torch.Generator().manual_seed(0)
    query, key = (torch.randn(300, 64, generator=generator) * 8 for _ in range(2))
    ones = torch.ones(300)
    attention = SparseAttention.of(query, key, ones, ones, height=15, width=20)
    what_if = WhatIf(top_k=5)
    rows = [attention.row(Cell(*divmod(i, 20)), what_if) for i in range(300)]
    chosen = np.stack([each.chosen.ravel() for each in rows])
    chooses_back = np.stack([each.chooses_back.ravel() for each in rows])
    assert (chosen.sum(-1) == 5).all()
    assert np.array_equal(chosen.T, chooses_back)
    assert rows[0].weights.dtype == np.float32


def test_ties_are_kept():
    same = torch.full((12, 3), 0.7)
    ones = torch.ones(12)
    attention = SparseAttention.of(same, same, ones, ones, height=3, width=4)
    assert attention.row(Cell(0, 0), WhatIf(top_k=2)).support.all()


def test_a_row_that_keeps_nothing_reads_itself(case):
    attention, inputs = make(case, (3, 3))
    nothing = WhatIf(nonlocal_factor=1e9, local_rule=False)
    found = attention.row(Cell(2, 0), nothing)
    assert not found.support.any()
    assert found.weights[2, 0] == found.weights.sum() == 1
    assert torch.equal(attention.mix(inputs[2], nothing), inputs[2])


def test_thresholds_of_k_are_computed_once_and_belong_to_their_image(case, monkeypatch):
    asked = []

    def counted(query, key, k):
        asked.append(k)
        return blockwise.kth_largest(query, key, k)

    monkeypatch.setattr(row, "kth_largest", counted)
    one, _ = make(case, (4, 5))
    other, _ = make(case, (4, 5))
    before = one.size_in_bytes
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda i: one.row(Cell(0, i % 5), WhatIf(top_k=3)), range(40)))
    assert asked == [3]
    assert np.array_equal(found[0].weights, found[5].weights)
    assert not np.array_equal(other.row(Cell(0, 0), WhatIf(top_k=3)).weights, found[0].weights)
    one.row(Cell(0, 0), WhatIf(top_k=2))
    again = one.row(Cell(0, 0), WhatIf(top_k=3))
    assert np.array_equal(again.weights, found[0].weights)
    assert asked == [3, 3, 2, 3]
    # The store adds and subtracts this number at different times.
    assert one.size_in_bytes == before


@pytest.mark.parametrize("what_if", [AS_TRAINED, WhatIf(top_k=7, window=9)], ids=str)
def test_mixing_makes_no_array_of_n_by_n(case, what_if, monkeypatch):
    monkeypatch.setattr(blockwise, "BLOCK_WEIGHTS", 1 << 16)
    monkeypatch.setattr(engine, "ROWS", 50)
    attention, inputs = make(case, (30, 40))
    with Watch() as watch:
        attention.mix(inputs[2], what_if)
    # The largest are the bits, a byte for eight pairs.
    assert 0 < watch.largest <= 1200 * 1200 / 8


@pytest.mark.parametrize(
    "wrong",
    [
        {"nonlocal_factor": -0.1},
        {"nonlocal_factor": float("nan")},
        {"local_factor": float("inf")},
        {"window": 4},
        {"window": 11},
        {"window": 0},
        {"window": -1},
        {"top_k": 0},
        {"top_k": -3},
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(wrong):
    with pytest.raises(ValueError, match=r"must be .*; got .*\.$"):
        WhatIf(**wrong)


def test_only_the_rule_as_trained_is_unchanged():
    assert not AS_TRAINED.changed
    assert not WhatIf(1.0, 1.0).changed
    assert all(what_if.changed for what_if in WHAT_IFS[1:])


def make(case, grid):
    inputs = [tensor.detach()[0] for tensor in case(*grid, batch=1)]
    query, key, _, nonlocal_scale, local_scale = inputs
    return SparseAttention.of(
        query, key, nonlocal_scale, local_scale, height=grid[0], width=grid[1]
    ), inputs


def cells(mask):
    return set(np.flatnonzero(mask).tolist())
