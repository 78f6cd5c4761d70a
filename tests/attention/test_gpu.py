"""The Triton kernels: equal to the definition; on a GPU, or in Triton's interpreter without one."""

import pytest
import torch

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
pytest.importorskip("triton", reason="Triton is not installed")

from asa_viz.attention import adaptive_sparse_attention, adaptive_sparse_weights  # noqa: E402
from asa_viz.attention.blockwise import log_normalisers  # noqa: E402
from asa_viz.attention.gpu import forward as passes  # noqa: E402
from asa_viz.attention.gpu import operator, tiles  # noqa: E402

GRIDS = [(1, 1), (1, 2), (3, 5), (7, 9)]


@pytest.fixture(autouse=True)
def _tiles(monkeypatch):
    """Tiles of 16 rows: the largest map here has four, the last of them not full."""
    monkeypatch.setattr(tiles, "LARGEST_BLOCK", 16)


def definition(query, key, value, nonlocal_scale, local_scale, shape, scaled=True):
    """Output and support sizes by the n x n matrix, in float32 whatever the inputs are."""
    height, width, window = shape
    query, key, value, nonlocal_scale, local_scale = (
        tensor.float() for tensor in (query, key, value, nonlocal_scale, local_scale)
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
    )
    return weights @ value, weights


def run(query, key, value, nonlocal_scale, local_scale, shape, similarity_scale=None):
    tensors = [
        tensor.detach().to(DEVICE) for tensor in (query, key, value, nonlocal_scale, local_scale)
    ]
    scale = query.shape[-1] ** -0.5 if similarity_scale is None else similarity_scale
    assert passes.serves(*tensors[:3])
    return passes.Found(*(part.cpu() for part in passes.forward(*tensors, shape, scale)))


def draw(case, *grid, **settings):
    return [tensor.detach() for tensor in case(*grid, dtype=torch.float32, **settings)]


def whole(tensors):
    """Whole numbers: no order of summation changes a product, and ties are ties."""
    return [tensor.round() for tensor in tensors]


def kept_by(read, weights):
    """The support of the definition, where only an empty one may read as a support of itself."""
    sizes = (weights > 0).sum(-1).float()
    return torch.where(read.support_size == 0, sizes == 1, sizes == read.support_size)


@pytest.mark.parametrize("window", [1, 3, 5])
@pytest.mark.parametrize("grid", GRIDS)
def test_output_and_support_are_those_of_the_definition(case, grid, window):
    inputs = draw(case, *grid, d=5, c=3)
    read = run(*inputs, (*grid, window))
    expected, weights = definition(*inputs, (*grid, window))
    torch.testing.assert_close(read.output, expected)
    assert kept_by(read, weights).all()
    query, key = inputs[0] * 5**-0.5, inputs[1]
    normalisers = torch.stack([log_normalisers(*pair) for pair in zip(query, key, strict=True)])
    torch.testing.assert_close(read.log_normaliser, normalisers)


@pytest.mark.parametrize(("d", "c"), [(1, 1), (2, 40), (33, 2), (16, 16)])
def test_any_number_of_channels(case, d, c):
    inputs = draw(case, 3, 7, d=d, c=c)
    expected, weights = definition(*inputs, (3, 7, 3))
    read = run(*inputs, (3, 7, 3))
    torch.testing.assert_close(read.output, expected)
    assert kept_by(read, weights).all()


@pytest.mark.parametrize("spread", [0.0, 1.0, 1e2, 1e4], ids="logits of {}".format)
@pytest.mark.parametrize("scale", [0.0, 0.3, 1.0, 3.0, 1e6, "some of them 0"])
def test_no_logits_and_no_scales_are_too_extreme(case, spread, scale):
    query, key, value, nonlocal_scale, local_scale = draw(case, 4, 5)
    query, key = (tensor * spread**0.5 for tensor in whole((query, key)))
    nonlocal_scale, local_scale = (
        torch.where(torch.arange(20) % 3 == 0, 0.0, t * 2) if isinstance(scale, str)
        else torch.full_like(t, scale)
        for t in (nonlocal_scale, local_scale)
    )  # fmt: skip
    read = run(query, key, value, nonlocal_scale, local_scale, (4, 5, 3))
    expected, weights = definition(query, key, value, nonlocal_scale, local_scale, (4, 5, 3))
    torch.testing.assert_close(read.output, expected, rtol=2e-5, atol=2e-5)
    # Where a kept weight falls below the smallest float, the definition's matrix shows no support.
    if spread <= 1:
        assert kept_by(read, weights).all()
    else:
        assert ((read.support_size == 0) | (read.support_size >= (weights > 0).sum(-1))).all()


def test_a_query_that_keeps_nothing_reads_itself(case):
    query, key, value, _, _ = draw(case, 3, 7)
    # More than the whole of every row is asked for, but in the first map by the even queries.
    scales = torch.full((2, 21), 1e6)
    scales[0, ::2] = 0.5
    read = run(query, key, value, scales, scales, (3, 7, 3))
    expected, _ = definition(query, key, value, scales, scales, (3, 7, 3))
    torch.testing.assert_close(read.output, expected)
    empty = read.support_size == 0
    assert torch.equal(read.output[empty], value[empty])
    assert empty[1].all()
    assert empty[0, 1::2].all()
    assert not empty[0, ::2].all()


def test_scales_of_zero_keep_every_cell_and_none_outside_the_map():
    flat = torch.zeros(1, 35, 4)
    value = torch.randn(1, 35, 3)
    zero, huge = torch.zeros(1, 35), torch.full((1, 35), 1e6)
    dense = run(flat, flat, value, zero, huge, (5, 7, 3))
    assert (dense.support_size == 35).all()
    torch.testing.assert_close(dense.output, value.mean(1, keepdim=True).expand_as(value))
    local = run(flat, flat, value, huge, zero, (5, 7, 3))
    assert local.support_size.view(5, 7)[0].tolist() == [4, 6, 6, 6, 6, 6, 4]
    assert local.support_size.view(5, 7)[2].tolist() == [6, 9, 9, 9, 9, 9, 6]


@pytest.mark.parametrize("height", [0.0, 300.0, 1e4], ids="logits of {}".format)
def test_ties_pass_a_scale_of_one_at_any_height(height):
    query = torch.full((1, 35, 1), height)
    ones = torch.ones(1, 35)
    value = torch.randn(1, 35, 2)
    for scales in ((ones, ones * 1e6), (ones * 1e6, ones)):
        read = run(query, torch.ones_like(query), value, *scales, (5, 7, 3))
        expected, weights = definition(query, torch.ones_like(query), value, *scales, (5, 7, 3))
        torch.testing.assert_close(read.output, expected)
        assert torch.equal(read.support_size, (weights > 0).sum(-1).float())


@pytest.mark.parametrize("mutual", [True, False])
def test_only_tiles_that_choose_each_other_or_are_near_are_visited(monkeypatch, mutual):
    """Cell i chooses the cell n - 1 - i, far beyond any window, or the cell i + 16."""
    n = 96
    code = torch.eye(n)[None] * 20
    value = torch.randn(1, n, 3)
    scales = torch.full((1, n), 5.0), torch.full((1, n), 1e6)
    visited = []
    compact = passes._compact
    monkeypatch.setattr(passes, "_compact", lambda may: visited.append(may) or compact(may))
    key = code.flip(1) if mutual else code.roll(16, 1)
    read = run(code, key, value, *scales, (8, 12, 1), similarity_scale=1.0)
    assert (read.support_size == int(mutual)).all()
    assert torch.equal(read.output, value.flip(1) if mutual else value)
    # The six tiles of the diagonal by the window's reach, the six of the other one by choice.
    assert visited[0].sum() == (12 if mutual else 6)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_narrow_inputs_keep_what_they_keep_in_float32(case, dtype):
    """Products of narrow numbers are exact in float32, and `d` is no power of four."""
    *tensors, nonlocal_scale, local_scale = draw(case, 7, 9, d=6, c=5)
    query, key, value = (tensor.to(dtype) for tensor in tensors)
    read = run(query, key, value, nonlocal_scale, local_scale, (7, 9, 3))
    wide = run(query.float(), key.float(), value.float(), nonlocal_scale, local_scale, (7, 9, 3))
    expected, weights = definition(query, key, value, nonlocal_scale, local_scale, (7, 9, 3))
    assert kept_by(read, weights).all()
    assert torch.equal(read.support_size, wide.support_size)
    assert read.output.dtype == torch.float32
    rounding = torch.finfo(dtype).eps
    torch.testing.assert_close(read.output, expected, rtol=rounding, atol=2 * rounding)


def test_every_support_is_the_definitions_key_by_key(case):
    """Values that name their key: what a query reads lists whom it keeps."""
    query, key, _, nonlocal_scale, local_scale = draw(case, 7, 9, batch=1)
    names = torch.eye(63)[None]
    read = run(query, key, names, nonlocal_scale, local_scale, (7, 9, 3))
    weights, _ = definition(query, key, names, nonlocal_scale, local_scale, (7, 9, 3))
    assert torch.equal(read.output > 0, weights > 0)
    assert 1 < read.support_size.mean() < 40


def test_no_order_of_the_inputs_in_memory_matters(case):
    inputs = draw(case, 3, 7)
    turned = [tensor.mT.contiguous().mT for tensor in inputs]
    for here, there in zip(run(*turned, (3, 7, 3)), run(*inputs, (3, 7, 3)), strict=True):
        assert torch.equal(here, there)


@pytest.mark.parametrize("window", [0, 2, -1])
def test_a_window_is_odd_and_positive(case, window):
    with pytest.raises(ValueError, match="odd number"):
        run(*draw(case, 3, 5), (3, 5, window))


def test_what_the_kernels_do_not_serve():
    narrow = torch.zeros(1, 4, 8)
    assert passes.serves(narrow, narrow, narrow.bfloat16())
    assert not passes.serves(narrow.double(), narrow.double(), narrow)
    assert not passes.serves(narrow, narrow.bfloat16(), narrow)
    assert not passes.serves(narrow[:0], narrow[:0], narrow[:0])
    assert not passes.serves(torch.zeros(1, 1, 1 << 16), torch.zeros(1, 1, 1 << 16), narrow)


@pytest.fixture
def _served(monkeypatch):
    """Let the dispatch take tensors that are on no GPU, and forget failures."""
    monkeypatch.setattr(operator, "_on_gpu", lambda tensor: tensor.device.type == DEVICE)
    monkeypatch.setattr(operator, "_failures", [])


def gradients_of(inputs, shape, towards, weights_of=None):
    height, width, window = shape
    settings = {"height": height, "width": width, "window": window}
    inputs = [tensor.detach().to(DEVICE).requires_grad_() for tensor in inputs]
    if weights_of:
        output = weights_of(*inputs[:2], *inputs[3:], **settings) @ inputs[2]
    else:
        output = adaptive_sparse_attention(*inputs, **settings)
    return [each.cpu() for each in torch.autograd.grad(output, inputs, towards.to(DEVICE))]


@pytest.mark.usefixtures("_served")
@pytest.mark.parametrize(("grid", "window"), [((1, 1), 3), ((3, 5), 1), ((3, 7), 5), ((7, 9), 3)])
def test_gradients_are_those_of_the_definition(case, grid, window):
    inputs = draw(case, *grid, d=5, c=3)
    # A scale of 0 has no gradient; rows of the second map keep nothing.
    inputs[3][0, 0] = 0
    inputs[3][1, ::2] = inputs[4][1, ::2] = 1e6
    towards = torch.randn_like(inputs[2])
    expected = gradients_of(inputs, (*grid, window), towards, adaptive_sparse_weights)
    for found, wanted in zip(gradients_of(inputs, (*grid, window), towards), expected, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)
    assert not operator._failures


@pytest.mark.usefixtures("_served")
@pytest.mark.parametrize("spread", [1e2, 1e4], ids="logits of {}".format)
def test_gradients_of_extreme_logits(case, spread):
    inputs = draw(case, 4, 5)
    inputs[:2] = [tensor * spread**0.5 for tensor in whole(inputs[:2])]
    towards = torch.randn_like(inputs[2])
    expected = gradients_of(inputs, (4, 5, 3), towards, adaptive_sparse_weights)
    for found, wanted in zip(gradients_of(inputs, (4, 5, 3), towards), expected, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.usefixtures("_served")
@pytest.mark.parametrize("which", ["forward", "backward"])
def test_kernels_that_fail_leave_the_work_to_torch(case, which, monkeypatch):
    def fail(*_):
        raise RuntimeError("no such instruction")

    inputs = draw(case, 3, 5)
    towards = torch.randn_like(inputs[2])
    expected = gradients_of(inputs, (3, 5, 3), towards, adaptive_sparse_weights)
    monkeypatch.setattr(f"asa_viz.attention.gpu.{which}.{which}", fail)
    with pytest.warns(RuntimeWarning, match=f"{which} kernels for GPUs failed.*no such instr"):
        found = gradients_of(inputs, (3, 5, 3), towards)
    for here, there in zip(found, expected, strict=True):
        torch.testing.assert_close(here, there, rtol=1e-4, atol=1e-5)
    # Not tried again.
    monkeypatch.setattr(passes, "serves", None)
    gradients_of(inputs, (3, 5, 3), towards)


@pytest.mark.usefixtures("_served")
def test_what_the_dispatch_leaves_to_torch(case):
    inputs = draw(case, 3, 5)
    there = [tensor.to(DEVICE) for tensor in inputs]
    assert operator.serves(*there)
    assert not operator.serves(*(tensor.double() for tensor in there))
    there[1][0, 0, 0] = torch.nan
    assert not operator.serves(*there)
