"""The operator with unusual inputs: not finite, wrong shapes, not float32, other autograd."""

import subprocess
import sys

import pytest
import torch
from torch.autograd import forward_ad

from asa_viz.attention import adaptive_sparse_attention, adaptive_sparse_weights, engine
from asa_viz.attention.checks import check_map

GRID = {"height": 4, "width": 5}
BAD = [float("nan"), float("inf"), -float("inf")]


def attend(*inputs, **settings):
    return adaptive_sparse_attention(*inputs, **(GRID | settings))


def define(query, key, value, nonlocal_scale, local_scale, **settings):
    return (
        adaptive_sparse_weights(query, key, nonlocal_scale, local_scale, **(GRID | settings))
        @ value
    )


def plain(case, dtype=torch.float32, **settings):
    return [tensor.detach().to(dtype) for tensor in case(4, 5, **settings)]


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("which", ["query", "key", "value"])
def test_what_is_not_a_number_shows_where_the_definition_shows_it(case, bad, which):
    inputs = plain(case)
    inputs[["query", "key", "value"].index(which)][0, 7, 1] = bad
    output, expected = attend(*inputs), define(*inputs)
    assert expected.isnan().any()
    assert torch.equal(output.isnan(), expected.isnan())
    torch.testing.assert_close(output, expected, equal_nan=True)


@pytest.mark.parametrize("bad", BAD)
def test_a_value_that_is_not_finite_reaches_rows_that_do_not_read_it(case, bad, monkeypatch):
    """By the definition, 0 times it is no number: also in blocks of rows none of which keeps it."""
    monkeypatch.setattr(engine, "ROWS", 4)
    query, key, value, nonlocal_scale, _ = plain(case)
    value[0, 7, 1] = bad
    far = torch.full_like(nonlocal_scale, 1e6)
    output, expected = (f(query, key, value, far, far) for f in (attend, define))
    assert expected[0, :, 1].isnan().sum() >= 19
    torch.testing.assert_close(output, expected, equal_nan=True)


@pytest.mark.parametrize("at", [3, 4])
def test_a_scale_of_infinity_passes_nothing(case, at):
    inputs = plain(case)
    inputs[at][0, ::2] = float("inf")
    torch.testing.assert_close(attend(*inputs), define(*inputs))


@pytest.mark.parametrize("bad", [-0.5, float("nan"), -float("inf")])
@pytest.mark.parametrize("at", [3, 4])
@pytest.mark.parametrize("rule", ["clean", "released"])
@pytest.mark.parametrize("function", [attend, define])
def test_scales_that_nothing_can_be_compared_with_are_refused(case, bad, at, rule, function):
    inputs = plain(case)
    inputs[at][1, 3] = bad
    with pytest.raises(ValueError, match=r"^Scales must be numbers from 0 on; .*\.$"):
        function(*inputs, rule=rule)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"key": (2, 19, 4)}, "Keys must have the shape"),
        ({"key": (2, 20, 3)}, "Keys must have the shape"),
        ({"value": (2, 19, 3)}, "Values must have the axes"),
        ({"value": (1, 20, 3)}, "Values must have the axes"),
        ({"nonlocal_scale": (2, 19)}, "one number a query"),
        ({"local_scale": (2, 20, 1)}, "one number a query"),
        ({"query": (2, 19, 4)}, "19 queries do not fill a 4 x 5 map"),
        ({"query": (0, 20, 4)}, "no axis of 0"),
        ({"query": (20,)}, "no axis of 0"),
        ({"rule": "soft"}, "The rule is"),
    ],
    ids=str,
)
def test_shapes_that_do_not_fit_are_refused_in_one_sentence(wrong, says):
    """Asked of the check itself: in these tests jaxtyping stands before the operator."""
    shapes = {"query": (2, 20, 4), "key": (2, 20, 4), "value": (2, 20, 3)}
    shapes |= {"nonlocal_scale": (2, 20), "local_scale": (2, 20)} | {
        k: v for k, v in wrong.items() if k != "rule"
    }
    query, key, value, nonlocal_scale, local_scale = (
        torch.zeros(shape) for shape in shapes.values()
    )
    with pytest.raises(ValueError, match=says) as refused:
        check_map(
            query, key, value, (nonlocal_scale, local_scale), 4, 5, wrong.get("rule", "clean")
        )
    assert str(refused.value).endswith(".")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("function", [attend, define])
def test_an_empty_batch_is_refused(case, function):
    with pytest.raises(ValueError, match="no axis of 0"):
        function(*(tensor[:0] for tensor in plain(case)))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_the_definition_in_half_precision_is_that_of_the_same_numbers_in_float32(case, dtype):
    query, key, _, nonlocal_scale, local_scale = plain(case, dtype)
    weights = adaptive_sparse_weights(query, key, nonlocal_scale, local_scale, **GRID)
    wide = adaptive_sparse_weights(
        query.float(), key.float(), nonlocal_scale.float(), local_scale.float(), **GRID
    )
    assert weights.dtype == dtype
    assert torch.equal(weights, wide.to(dtype))


@pytest.mark.parametrize("rule", ["clean", "released"])
@pytest.mark.parametrize("function", [attend, define])
def test_autocast_changes_nothing(case, rule, function):
    inputs = [tensor.requires_grad_() for tensor in plain(case)]
    towards = torch.randn(2, 20, 3)
    output = function(*inputs, rule=rule)
    with torch.autocast("cpu", torch.bfloat16):
        narrow = attend(*inputs, rule=rule) if function is attend else None
        if narrow is None:
            # The product with the values is the caller's, and narrowed.
            query, key, value, *scales = inputs
            weights = adaptive_sparse_weights(query, key, *scales, **GRID, rule=rule)
            assert weights.dtype == torch.float32
            with torch.autocast("cpu", enabled=False):
                narrow = weights @ value
    gradients = torch.autograd.grad(narrow, inputs, towards)
    assert torch.equal(narrow, output)
    for gradient, expected in zip(
        gradients, torch.autograd.grad(output, inputs, towards), strict=True
    ):
        assert torch.equal(gradient, expected)


@pytest.mark.parametrize("rule", ["clean", "released"])
def test_heads_are_maps_of_their_own(case, rule):
    """[b, h, n, d] is b times h maps, and [n, d] is one."""
    inputs = plain(case, batch=6)
    flat = attend(*inputs, rule=rule)
    heads = [tensor.view(2, 3, *tensor.shape[1:]) for tensor in inputs]
    assert torch.equal(attend(*heads, rule=rule), flat.view(2, 3, 20, 3))
    torch.testing.assert_close(define(*heads, rule=rule), flat.view(2, 3, 20, 3))
    assert torch.equal(attend(*(tensor[4] for tensor in inputs), rule=rule), flat[4])


def test_any_layout_in_memory_gives_the_same(case):
    inputs = plain(case)
    turned = [tensor.mT.contiguous().mT for tensor in inputs[:3]]
    assert torch.equal(attend(*turned, *inputs[3:]), attend(*inputs))


def squares(*inputs):
    return attend(*inputs).square().sum()


def test_vmap_is_another_axis_of_the_batch(case):
    inputs = plain(case, torch.float64, batch=6)
    maps = [tensor.view(3, 2, *tensor.shape[1:]) for tensor in inputs]
    assert torch.equal(torch.func.vmap(attend)(*maps).flatten(0, 1), attend(*inputs))
    # One query for all, values along another axis.
    query, value = maps[0][1], maps[2].movedim(0, 1)
    mapped = torch.func.vmap(attend, in_dims=(None, 0, 1, 0, 0))(query, maps[1], value, *maps[3:])
    assert torch.equal(mapped[2], attend(query, *(each[2] for each in maps[1:])))


def test_functional_gradients_are_those_of_autograd(case):
    inputs = case(4, 5)
    expected = torch.autograd.grad(squares(*inputs), inputs)
    free = [tensor.detach() for tensor in inputs]
    for gradient, wanted in zip(
        torch.func.grad(squares, (0, 1, 2, 3, 4))(*free), expected, strict=True
    ):
        torch.testing.assert_close(gradient, wanted)
    each = torch.func.vmap(torch.func.grad(squares))(*(tensor[:, None] for tensor in free))
    torch.testing.assert_close(each[:, 0], expected[0])


def test_derivatives_that_do_not_exist_are_refused_in_words(case):
    inputs = case(4, 5)
    (gradient,) = torch.autograd.grad(squares(*inputs), inputs[0], create_graph=True)
    with pytest.raises(NotImplementedError, match="no second derivative"):
        gradient.sum().backward()
    free = [tensor.detach() for tensor in inputs]
    with pytest.raises(NotImplementedError, match="jvp"):
        torch.func.jvp(squares, tuple(free), tuple(free))
    with forward_ad.dual_level(), pytest.raises(NotImplementedError, match="jvp"):
        squares(forward_ad.make_dual(free[0], free[0]), *free[1:])


VALUES_ALONE = """
import sys
import torch
from asa_viz.attention.operator import attend, native

native.serves = lambda *tensors: False
drawn = [torch.rand(2, 20, 3) for _ in range(3)] + [torch.rand(2, 20) for _ in range(2)]
found = attend(*drawn, height=4, width=5)
assert "torch._dynamo" not in sys.modules
drawn[0].requires_grad_()
with torch.no_grad():
    attend(*drawn, height=4, width=5)
assert "torch._dynamo" not in sys.modules
derived = attend(*drawn, height=4, width=5)
assert derived.output.requires_grad
assert all(torch.equal(*both) for both in zip(found, derived, strict=True))
"""


@pytest.mark.slow
def test_values_without_a_gradient_need_no_compiler_of_torch():
    """Which a server would import at its first picture, for 95 MB."""
    subprocess.run([sys.executable, "-c", VALUES_ALONE], check=True)


COMPILED = """
import torch
from asa_viz.attention import adaptive_sparse_attention

def squares(*inputs):
    return adaptive_sparse_attention(*inputs, height=4, width=5).square().sum()

torch.manual_seed(0)
inputs = [torch.randn(2, 20, 4) for _ in range(3)] + [torch.rand(2, 20) for _ in range(2)]
inputs = [each.requires_grad_() for each in inputs]
# Compiled, sums are formed in another order.
near = {"rtol": 1e-4, "atol": 1e-4}
compiled = torch.compile(squares, fullgraph=True, backend="aot_eager")(*inputs)
torch.testing.assert_close(compiled, squares(*inputs), **near)
for ours, wanted in zip(
    torch.autograd.grad(compiled, inputs), torch.autograd.grad(squares(*inputs), inputs)
):
    torch.testing.assert_close(ours, wanted, **near)
"""


@pytest.mark.slow
def test_it_compiles_whole_with_its_gradients():
    """In a process of its own: in this one every signature is checked, which cannot be compiled."""
    subprocess.run([sys.executable, "-c", COMPILED], check=True)


def test_the_operator_is_registered_as_torch_asks(case):
    """Schema, shapes without data, and that nothing is changed in place."""
    inputs = plain(case)
    checks = ("test_schema", "test_faketensor")
    torch.library.opcheck(torch.ops.asa_viz.attend.default, (*inputs, 4, 5, 3), test_utils=checks)
    output, _, *found = torch.ops.asa_viz.attend(*inputs, 4, 5, 3)
    arguments = (torch.ones_like(output), *inputs, output, *found, 4, 5, 3)
    backward = torch.ops.asa_viz.attend_backward.default
    torch.library.opcheck(backward, arguments, test_utils=checks)
