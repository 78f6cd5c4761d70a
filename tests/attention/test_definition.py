"""The definition against loops and against numbers worked out by hand, and its invariants."""

import math

import pytest
import torch

from asa_viz.attention import adaptive_sparse_attention, adaptive_sparse_weights
from asa_viz.attention.definition import step, tie_slack
from asa_viz.attention.neighbourhood import window_keys
from asa_viz.attention.row import SparseAttention
from asa_viz.geometry import Cell
from tests.attention import loops

GRIDS = [(h, w) for h in range(1, 5) for w in range(1, 5)] + [(1, 9), (7, 1), (5, 6)]
RULES = {"clean": loops.clean_weights, "released": loops.released_weights}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("window", [1, 3, 5])
@pytest.mark.parametrize("grid", GRIDS)
def test_definition_agrees_with_loops(case, rule, window, grid):
    scaled = sum(grid) % 2 == 0
    query, key, _, nonlocal_scale, local_scale = (tensor.detach() for tensor in case(*grid))
    weights = adaptive_sparse_weights(
        query,
        key,
        nonlocal_scale,
        local_scale,
        height=grid[0],
        width=grid[1],
        window=window,
        scaled=scaled,
        rule=rule,
    )
    for image in range(len(query)):
        affinity = loops.softmax_rows(query[image].tolist(), key[image].tolist(), scaled)
        expected = RULES[rule](
            affinity, nonlocal_scale[image].tolist(), local_scale[image].tolist(), *grid, window
        )
        torch.testing.assert_close(weights[image], torch.tensor(expected, dtype=torch.float64))


def test_two_by_two_by_hand():
    """Similarities chosen so that the affinities are plain fractions.

    Rows of P: (1/2, 1/4, 1/8, 1/8), (1/4, 1/2, 1/8, 1/8), (1/8, 1/8, 1/4, 1/2) and
    (1/2, 1/8, 1/8, 1/4); the uniform weight is 1/4. With a non-local scale of 1 a key is chosen
    from 1/4 on: 0 chooses {0, 1}, 1 {0, 1}, 2 {2, 3}, 3 {0, 3}. Reciprocal: 0-0, 0-1, 1-1, 2-2,
    3-3; 2 chooses 3 and 3 chooses 0, neither is chosen back. With a local scale of 2 the local rule
    asks for 2 x 1/4 = 1/2, the window being the whole map: it keeps 0-0, 1-1, 2-3 and 3-0.
    """
    affinity = (
        torch.tensor([[4, 2, 1, 1], [2, 4, 1, 1], [1, 1, 2, 4], [4, 1, 1, 2]], dtype=torch.float64)
        / 8
    )
    query, key = affinity.log()[None], torch.eye(4, dtype=torch.float64)[None]
    ones = torch.ones(1, 4, dtype=torch.float64)
    weights = adaptive_sparse_weights(query, key, ones, 2 * ones, height=2, width=2, scaled=False)
    expected = torch.tensor(
        [[2 / 3, 1 / 3, 0, 0], [1 / 3, 2 / 3, 0, 0], [0, 0, 1 / 3, 2 / 3], [2 / 3, 0, 0, 1 / 3]],
        dtype=torch.float64,
    )
    torch.testing.assert_close(weights[0], expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_flat_row_passes_a_scale_of_one_whole(dtype):
    """Ties are kept whatever rounding makes of them: a constant map stays dense."""
    for size in range(1, 40):
        same = torch.full((1, size, 3), 0.7, dtype=dtype)
        ones = torch.ones(1, size, dtype=dtype)
        weights = adaptive_sparse_weights(same, same, ones, ones, height=1, width=size)
        torch.testing.assert_close(weights, torch.full_like(weights, 1 / size))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_what_lies_just_below_its_threshold_is_left_out(dtype):
    """Of a flat map each key lies two hundred slacks below scales of a little more than 1."""
    n, above = 12, math.exp(200 * 64 * torch.finfo(dtype).eps)
    same, value = torch.full((1, n, 3), 0.7, dtype=dtype), torch.eye(n, dtype=dtype)[None]
    ones, over = torch.ones(1, n, dtype=dtype), torch.full((1, n), above, dtype=dtype)
    itself = torch.eye(n, dtype=dtype)
    grid = {"height": 3, "width": 4}
    for scales in ((over, 2 * ones), (2 * ones, over)):
        torch.testing.assert_close(adaptive_sparse_weights(same, same, *scales, **grid)[0], itself)
        mixed = adaptive_sparse_attention(same, same, value, *scales, **grid)
        torch.testing.assert_close(mixed[0], itself)
        row = SparseAttention.of(same[0], same[0], *(each[0] for each in scales), **grid).row(
            Cell(1, 2)
        )
        assert not row.support.any()


def test_the_gradient_of_a_step_is_that_of_a_sigmoid_of_width_one():
    log_affinity = torch.tensor([-2.0, -0.5, 0.0, 1.0, 3.0], dtype=torch.float64) - 7
    threshold = torch.tensor([-7.0], dtype=torch.float64, requires_grad=True)
    passed = step(log_affinity[None, :, None], threshold[None, None]).flatten()
    assert passed.tolist() == [0, 0, 1, 1, 1]
    for i, margin in enumerate([-2, -0.5, 0, 1, 3]):
        (slope,) = torch.autograd.grad(passed[i], threshold, retain_graph=True)
        assert -slope.item() == pytest.approx(math.exp(margin) / (1 + math.exp(margin)) ** 2)
    # By hand: at the threshold the slope of the sigmoid is 1/2 * 1/2.
    assert torch.autograd.grad(passed[2], threshold)[0].item() == -0.25


@pytest.mark.parametrize(("dtype", "slack"), [(torch.float32, 2.0**-17), (torch.float64, 2.0**-46)])
def test_a_tie_is_64_units_of_rounding_wide(dtype, slack):
    """By hand: a unit of rounding at 1 is 2^-23 or 2^-52, and 64 of them are 2^6 times as much."""
    assert tie_slack(dtype) == slack
    log_affinity = torch.tensor([-slack, -2 * slack], dtype=dtype)[None, :, None]
    assert step(log_affinity, torch.zeros(1, 1, 1, dtype=dtype)).flatten().tolist() == [1, 0]


def test_a_scale_of_zero_is_dense_attention(case):
    query, key, _, nonlocal_scale, _ = case(4, 5, sharpness=8.0)
    zero = torch.zeros_like(nonlocal_scale)
    weights = adaptive_sparse_weights(query, key, zero, zero, height=4, width=5)
    torch.testing.assert_close(weights, (query @ key.mT / 2).softmax(-1))


def test_a_row_that_keeps_nothing_reads_itself(case):
    query, key, _, nonlocal_scale, _ = case(3, 3)
    far = torch.full_like(nonlocal_scale, 1e9)
    weights = adaptive_sparse_weights(query, key, far, far, height=3, width=3)
    torch.testing.assert_close(weights, torch.eye(9, dtype=weights.dtype).expand_as(weights))


def test_reciprocity_is_symmetric_and_rows_sum_to_one(case):
    query, key, _, nonlocal_scale, _ = case(5, 6)
    far = torch.full_like(nonlocal_scale, 1e9)
    # With the local rule out of reach the support is the reciprocal neighbours alone.
    alone = adaptive_sparse_weights(query, key, nonlocal_scale, far, height=5, width=6) > 0
    off_diagonal = alone & ~torch.eye(30, dtype=torch.bool)
    assert torch.equal(off_diagonal, off_diagonal.mT)
    assert 0 < off_diagonal.float().mean() < 0.5
    weights = adaptive_sparse_weights(query, key, nonlocal_scale, nonlocal_scale, height=5, width=6)
    torch.testing.assert_close(weights.sum(-1), torch.ones_like(nonlocal_scale))


@pytest.mark.parametrize("factor", [1.0, 1.3, 3.0, 20.0])
def test_support_is_bounded_and_shrinks_as_thresholds_rise(case, factor):
    query, key, _, nonlocal_scale, local_scale = case(6, 7)
    settings = {"height": 6, "width": 7}
    support = adaptive_sparse_weights(query, key, nonlocal_scale, local_scale, **settings) > 0
    assert (support.sum(-1) <= 42 / nonlocal_scale + 9).all()
    for raised in ((nonlocal_scale * factor, local_scale), (nonlocal_scale, local_scale * factor)):
        smaller = adaptive_sparse_weights(query, key, *raised, **settings) > 0
        emptied = torch.eye(42, dtype=torch.bool)
        assert not (smaller & ~support & ~emptied).any()


def test_a_local_scale_up_to_one_always_keeps_a_neighbour(case):
    query, key, _, nonlocal_scale, local_scale = case(4, 4)
    far, at_most_one = torch.full_like(nonlocal_scale, 1e9), (local_scale / 2.1).clamp(max=1)
    weights = adaptive_sparse_weights(query, key, far, at_most_one, height=4, width=4)
    near = torch.zeros(16, 17, dtype=torch.bool).scatter_(
        1, window_keys(4, 4, 3, torch.device("cpu")), True
    )[:, :16]
    assert (((weights > 0) & near).sum(-1) > 0).all()


def test_released_rule_keeps_its_halves():
    """A flat map at scale 1: every comparison ties.

    Inside the window the local rule gives a half; outside, reciprocity gives half of a half. With
    a local scale of 0 the local rule gives one inside and a half outside.
    """
    same = torch.zeros(1, 16, 2, dtype=torch.float64)
    one, zero = torch.ones(1, 16, dtype=torch.float64), torch.zeros(1, 16, dtype=torch.float64)
    settings = {"height": 4, "width": 4, "rule": "released"}
    corner = adaptive_sparse_weights(same, same, one, one, **settings)[0, 0].view(4, 4)
    expected = torch.full((4, 4), 0.25, dtype=torch.float64)
    expected[:2, :2] = 0.5
    torch.testing.assert_close(corner, expected / expected.sum())
    dense = adaptive_sparse_weights(same, same, 100 * one, zero, **settings)[0, 0].view(4, 4)
    expected = torch.full((4, 4), 0.5, dtype=torch.float64)
    expected[:2, :2] = 1.0
    torch.testing.assert_close(dense, expected / expected.sum())


def test_nothing_underflows_where_affinities_do():
    """Logits a thousand apart: the affinity is 0 in floats, its logarithm is not."""
    query = torch.tensor([[[1000.0], [0.0]]])
    key = torch.tensor([[[1.0], [0.0]]])
    tiny = torch.full((1, 2), 1e-30)
    weights = adaptive_sparse_weights(query, key, tiny, tiny, height=1, width=2, scaled=False)
    assert weights.isfinite().all()
    assert math.isclose(weights[0, 0, 0], 1.0)


@pytest.mark.parametrize("wrong", [{"height": 3}, {"window": 2}, {"window": -1}])
def test_wrong_settings_are_refused(case, wrong):
    query, key, _, nonlocal_scale, local_scale = case(2, 2)
    with pytest.raises(ValueError, match=r"map|window"):
        adaptive_sparse_weights(
            query, key, nonlocal_scale, local_scale, **({"height": 2, "width": 2} | wrong)
        )
