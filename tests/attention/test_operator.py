"""The engine: output and gradients equal those of the definition, in memory linear in n."""

import math

import pytest
import torch

from asa_viz.attention import adaptive_sparse_attention, adaptive_sparse_weights, blockwise, engine
from asa_viz.attention.operator import attend
from asa_viz.measuring import peak_bytes
from tests.attention.watch import Watch

GRIDS = [(1, 1), (1, 2), (2, 2), (1, 7), (3, 5)]


@pytest.fixture(params=[1, 4, 512], ids="blocks of {}".format)
def _block_size(request, monkeypatch):
    """Blocks of a single row, blocks that do not divide n, and one block for all."""
    monkeypatch.setattr(engine, "ROWS", request.param)
    monkeypatch.setattr(blockwise, "BLOCK_WEIGHTS", request.param * 10)


@pytest.mark.usefixtures("_block_size")
@pytest.mark.parametrize("rule", ["clean", "released"])
@pytest.mark.parametrize(
    ("window", "grid"), [*((3, grid) for grid in GRIDS), (1, (2, 3)), (5, (4, 3))]
)
def test_output_and_gradients_are_those_of_the_definition(case, rule, window, grid):
    inputs = case(*grid)
    settings = {"height": grid[0], "width": grid[1], "window": window, "rule": rule}
    output = adaptive_sparse_attention(*inputs, **settings)
    expected = adaptive_sparse_weights(*inputs[:2], *inputs[3:], **settings) @ inputs[2]
    torch.testing.assert_close(output, expected)
    towards = torch.randn_like(output)
    gradients = torch.autograd.grad(output, inputs, towards)
    expected_gradients = torch.autograd.grad(
        expected, inputs, towards, allow_unused=True, materialize_grads=True
    )
    for gradient, expected_gradient in zip(gradients, expected_gradients, strict=True):
        torch.testing.assert_close(gradient, expected_gradient)


@pytest.mark.usefixtures("_block_size")
@pytest.mark.parametrize("spread", [0.0, 1.0, 1e2, 1e4], ids="logits of {}".format)
@pytest.mark.parametrize("scale", [0.0, 0.3, 1.0, 3.0, 1e6, "some of them 0"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_no_logits_and_no_scales_are_too_extreme(case, spread, scale, dtype):
    """Equal logits, logits far apart, and scales that all keys and that no key reaches."""
    query, key, value, nonlocal_scale, local_scale = (
        tensor.detach().to(dtype) for tensor in case(4, 5)
    )
    # Whole numbers: no order of summation changes a product, and none lies near a threshold.
    query, key = ((tensor * 4).round() * spread**0.5 for tensor in (query, key))
    scales = [
        torch.where(torch.arange(20) % 3 == 0, 0.0, s * 2) if isinstance(scale, str)
        else torch.full_like(s, scale)
        for s in (nonlocal_scale, local_scale)
    ]  # fmt: skip
    arguments = (query, key, *scales)
    output = adaptive_sparse_attention(query, key, value, *scales, height=4, width=5)
    expected = adaptive_sparse_weights(*arguments, height=4, width=5) @ value
    torch.testing.assert_close(output, expected, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("rule", ["clean", "released"])
def test_gradients_of_queries_keys_and_values_by_finite_differences(case, rule):
    """Away from thresholds the support does not change, and the output is smooth."""
    query, key, value, nonlocal_scale, local_scale = case(3, 4, batch=1)

    def attention(*tensors):
        return adaptive_sparse_attention(
            *tensors, nonlocal_scale.detach(), local_scale.detach(), height=3, width=4, rule=rule
        )

    assert torch.autograd.gradcheck(attention, (query, key, value), eps=1e-7, atol=1e-4)


def test_both_thresholds_learn_under_the_clean_rule_and_not_under_the_released(case):
    for rule, learns in (("clean", True), ("released", False)):
        inputs = case(4, 5)
        adaptive_sparse_attention(*inputs, height=4, width=5, rule=rule).square().sum().backward()
        for scale in inputs[3:]:
            assert bool(scale.grad.abs().sum() > 0) is learns
            assert scale.grad.isfinite().all()


def test_following_the_gradient_of_the_thresholds_lowers_the_error(case):
    """Two kinds of cell, noisy values: thresholds alone learn to read one's own kind."""
    kind = (torch.arange(36) % 6 < 3).double()
    query = torch.stack([kind, 1 - kind], -1)[None] * 1.2
    value = (kind + torch.randn(36, dtype=torch.float64) * 0.3)[None, :, None]
    logs = torch.full((2, 1, 36), math.log(0.2), dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.Adam([logs], lr=0.2)
    errors = []
    for _ in range(60):
        output = adaptive_sparse_attention(query, query, value, *logs.exp(), height=6, width=6)
        error = (output[0, :, 0] - kind).square().mean()
        errors.append(error.item())
        optimiser.zero_grad()
        error.backward()
        optimiser.step()
    assert errors[-1] < errors[0] / 2


def test_scales_of_zero_have_a_finite_gradient(case):
    query, key, value, nonlocal_scale, local_scale = case(3, 3)
    zeros = [torch.zeros_like(scale).requires_grad_() for scale in (nonlocal_scale, local_scale)]
    adaptive_sparse_attention(query, key, value, *zeros, height=3, width=3).sum().backward()
    assert all(scale.grad.isfinite().all() for scale in zeros)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_comes_back_as_it_went_in(case, dtype):
    inputs = [tensor.detach().to(dtype) for tensor in case(3, 4)]
    output = adaptive_sparse_attention(*inputs, height=3, width=4)
    wide = adaptive_sparse_attention(*(tensor.float() for tensor in inputs), height=3, width=4)
    assert output.dtype == dtype
    torch.testing.assert_close(output, wide.to(dtype))


@pytest.mark.parametrize("rule", ["clean", "released"])
def test_no_array_of_n_by_n(case, rule, monkeypatch):
    """Watch every tensor the forward and backward pass make at n = 2304."""
    height = width = 48
    n = height * width
    inputs = case(height, width, batch=1, d=4, c=2, dtype=torch.float32)
    with Watch() as watch:
        output = adaptive_sparse_attention(*inputs, height=height, width=width, rule=rule)
        output.sum().backward()
    assert 0 < watch.largest <= max(engine.ROWS * n, blockwise.BLOCK_WEIGHTS + n) < n * n


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_cuda_agrees_with_the_cpu(case, dtype):
    inputs = [tensor.detach().to(dtype) for tensor in case(5, 7)]
    here = adaptive_sparse_attention(*inputs, height=5, width=7)
    there = adaptive_sparse_attention(*(tensor.cuda() for tensor in inputs), height=5, width=7)
    torch.testing.assert_close(there.cpu(), here)


def _grouped(height, width, requires_grad=False):
    """Cells of four kinds, as a picture's: a block of rows keeps few columns."""
    draw = torch.Generator().manual_seed(3)
    n = height * width
    kind = (torch.arange(n) // width * 4 // height)[:, None]
    features = [
        torch.nn.functional.one_hot(kind[:, 0], 16) * 2 + torch.randn(n, 16, generator=draw) * 0.2
        for _ in range(2)
    ]
    value = torch.randn(n, 5, generator=draw)
    scales = [0.7 + torch.rand(n, generator=draw) for _ in range(2)]
    inputs = [tensor[None].contiguous() for tensor in (*features, value, *scales)]
    return [tensor.requires_grad_(requires_grad) for tensor in inputs]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_where_most_columns_are_left_out_output_and_gradients_are_still_exact(dtype, monkeypatch):
    monkeypatch.setattr(engine, "ROWS", 48)
    height, width = 24, 31
    inputs = [part.detach().to(dtype).requires_grad_() for part in _grouped(height, width)]
    output = adaptive_sparse_attention(*inputs, height=height, width=width)
    weights = adaptive_sparse_weights(*inputs[:2], *inputs[3:], height=height, width=width)
    assert (weights > 0).float().mean() < 0.3
    expected = weights @ inputs[2]
    torch.testing.assert_close(output, expected, rtol=2e-5, atol=2e-5)
    towards = torch.randn(output.shape, dtype=dtype, generator=torch.Generator().manual_seed(5))
    pairs = zip(
        torch.autograd.grad(output, inputs, towards),
        torch.autograd.grad(expected, inputs, towards),
        strict=True,
    )
    for gradient, expected_gradient in pairs:
        scale = expected_gradient.abs().max().item()
        torch.testing.assert_close(gradient, expected_gradient, rtol=1e-4, atol=2e-5 * scale)


def test_the_same_from_run_to_run_and_over_thread_counts():
    inputs = _grouped(30, 40)

    def output():
        return attend(*inputs, height=30, width=40)

    read = output()
    assert all(torch.equal(*parts) for parts in zip(read, output(), strict=True))
    threads = torch.get_num_threads()
    try:
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            other = output()
            torch.testing.assert_close(other, read, rtol=1e-5, atol=1e-6)
            assert torch.equal(other.support_size, read.support_size)
    finally:
        torch.set_num_threads(threads)


def test_a_training_step_takes_a_tenth_of_the_definitions_memory():
    height, width = 48, 64
    inputs = _grouped(height, width, requires_grad=True)

    def ours():
        output = adaptive_sparse_attention(*inputs, height=height, width=width)
        return torch.autograd.grad(output.sum(), inputs)

    def definition():
        weights = adaptive_sparse_weights(*inputs[:2], *inputs[3:], height=height, width=width)
        return torch.autograd.grad((weights @ inputs[2]).sum(), inputs)

    assert peak_bytes(ours) <= peak_bytes(definition) / 10
