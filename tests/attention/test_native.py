"""The compiled path, in every set of instructions the processor has, against the definition."""

import math
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
import torch

from asa_viz.attention import adaptive_sparse_attention, adaptive_sparse_weights, native
from asa_viz.attention.native import build, library
from asa_viz.attention.native.library import Kernels
from asa_viz.measuring import peak_bytes

# Maps, and the channels of queries and of values.
CASES = [
    ((1, 1), 16, 32), ((1, 2), 5, 3), ((1, 7), 20, 70), ((3, 5), 5, 3), ((8, 8), 64, 272),
    ((9, 13), 16, 32), ((20, 27), 20, 70),
]  # fmt: skip


@pytest.fixture(scope="session")
def libraries(tmp_path_factory):
    if not build.compiler():
        pytest.skip("there is no C compiler")
    folder = tmp_path_factory.mktemp("kernels")
    made = build.build(folder)
    if not made:
        pytest.skip("the C compiler cannot compile the kernels")
    return {path.name.split("_")[1]: path for path in made}


@pytest.fixture(params=build.INSTRUCTIONS)
def kernels(request, libraries):
    if request.param not in libraries:
        pytest.skip(f"the C compiler cannot compile for {request.param}")
    loaded = Kernels(libraries[request.param])
    if not loaded.runs:
        pytest.skip(f"the processor has no {request.param}")
    return loaded


def single(tensors):
    return [tensor.detach().float() for tensor in tensors]


def defined(query, key, value, *scales, **settings):
    return adaptive_sparse_weights(query, key, *scales, **settings) @ value


@pytest.mark.parametrize(("grid", "d", "c"), CASES)
def test_what_is_read_is_the_definitions(case, kernels, grid, d, c):
    tensors = single(case(*grid, d=d, c=c))
    for window, scaled in ((1, True), (3, False), (5, True), (9, True)):
        settings = {"height": grid[0], "width": grid[1], "window": window, "scaled": scaled}
        output, kept, log_normaliser = native.attend(*tensors, **settings, kernels=kernels)
        weights = adaptive_sparse_weights(*tensors[:2], *tensors[3:], **settings)
        torch.testing.assert_close(output, weights @ tensors[2], rtol=2e-5, atol=2e-5)
        similarity = tensors[0] @ tensors[1].mT * (d**-0.5 if scaled else 1)
        torch.testing.assert_close(log_normaliser, similarity.logsumexp(-1))
        # Of weights that underflow the definition does not tell whether they are kept.
        if similarity.abs().max() < 40:
            assert ((kept == (weights > 0).sum(-1)) | (kept == 0)).all()


@pytest.mark.parametrize("spread", [0.0, 1.0, 1e2, 1e4], ids="logits of {}".format)
@pytest.mark.parametrize("scale", [0.0, 1e-30, 1.0, 1e20, "some of them 0"])
def test_no_logits_and_no_scales_are_too_extreme(case, kernels, spread, scale):
    query, key, value, nonlocal_scale, local_scale = single(case(7, 10))
    # Whole numbers: no order of summation changes a product, and none lies near a threshold.
    query, key = ((tensor * 4).round() * spread**0.5 for tensor in (query, key))
    scales = [
        torch.where(torch.arange(70) % 3 == 0, 0.0, s * 2) if isinstance(scale, str)
        else torch.full_like(s, scale)
        for s in (nonlocal_scale, local_scale)
    ]  # fmt: skip
    settings = {"height": 7, "width": 10}
    output, *_ = native.attend(query, key, value, *scales, **settings, kernels=kernels)
    expected = defined(query, key, value, *scales, **settings)
    torch.testing.assert_close(output, expected, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("which", range(3), ids=["query", "key", "value"])
@pytest.mark.parametrize("scale", [0.0, 1.5])
def test_what_is_not_finite_spreads_as_in_the_definition(case, kernels, which, bad, scale):
    if scale == 0 and which == 1 and bad == -math.inf:
        pytest.skip("Here 0 does not reach a threshold of 0; torch serves such keys.")
    tensors = single(case(10, 13, batch=1))[:3]
    tensors[0], tensors[1] = tensors[0].abs(), tensors[1].abs()
    tensors[which][0, 77, 1] = bad
    scales = [torch.full((1, 130), scale), torch.ones(1, 130)]
    settings = {"height": 10, "width": 13}
    output, *_ = native.attend(*tensors, *scales, **settings, kernels=kernels)
    expected = defined(*tensors, *scales, **settings)
    # A key of minus infinity has the similarity minus infinity to positive queries: it is not read.
    assert not expected.isfinite().all() or (which == 1 and bad == -math.inf)
    torch.testing.assert_close(output, expected, rtol=2e-5, atol=2e-5, equal_nan=True)


def test_a_flat_map_ties_everywhere_and_stays_dense(kernels):
    for size in (1, 2, 63, 64, 65, 300):
        same, value = torch.full((1, size, 3), 0.7), torch.randn(1, size, 2)
        ones = torch.ones(1, size)
        output, kept, _ = native.attend(
            same, same, value, ones, ones, height=1, width=size, kernels=kernels
        )
        assert (kept == size).all()
        torch.testing.assert_close(output, value.mean(1, keepdim=True).expand_as(output))


def test_what_lies_just_below_its_threshold_is_left_out(kernels):
    """Of a flat map each key lies two hundred slacks below scales of a little more than 1."""
    n, above = 12, math.exp(200 * 64 * torch.finfo(torch.float32).eps)
    same, value = torch.full((1, n, 3), 0.7), torch.eye(n)[None]
    over, twice = torch.full((1, n), above), torch.full((1, n), 2.0)
    for scales in ((over, twice), (twice, over)):
        output, kept, _ = native.attend(
            same, same, value, *scales, height=3, width=4, kernels=kernels
        )
        assert (kept == 0).all()
        torch.testing.assert_close(output, value)


def test_a_query_whose_keys_are_next_to_nothing_reads_them_all_the_same(kernels):
    """Its strongest key is e^200 times stronger, and does not choose back."""
    n = 130
    query, key = torch.zeros(1, n, 2), torch.zeros(1, n, 2)
    query[0, 0, 0], key[0, 100, 0] = 200.0, 1.0
    query[0, 100, 1], key[0, 100, 1] = 200.0, 1.0
    value = torch.arange(n, dtype=torch.float32)[None, :, None]
    nonlocal_scale = torch.full((1, n), 1e-45)
    nonlocal_scale[0, 0] = 0
    settings = {"height": 10, "width": 13, "scaled": False}
    output, *_ = native.attend(
        query, key, value, nonlocal_scale, 2 * nonlocal_scale + 1, **settings, kernels=kernels
    )
    expected = defined(query, key, value, nonlocal_scale, 2 * nonlocal_scale + 1, **settings)
    assert abs(expected[0, 0, 0] - 100) > 1
    torch.testing.assert_close(output, expected, rtol=2e-5, atol=2e-5)


def test_a_large_map_is_exact_and_the_same_over_thread_counts(case, kernels):
    """Several blocks of rows, several runs of keys, queries read together and one by one."""
    height, width = 26, 41
    tensors = single(case(height, width, batch=1, d=24, c=150, sharpness=0.6))
    tensors[0][0, 300:700] = tensors[0][0, 300]
    tensors[1][0, 300:700] = tensors[1][0, 300]
    settings = {"height": height, "width": width}
    expected = defined(*tensors, **settings)
    threads = torch.get_num_threads()
    read = []
    try:
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            read.append(native.attend(*tensors, **settings, kernels=kernels))
    finally:
        torch.set_num_threads(threads)
    # All but a few pairs that lie at their threshold to the last bit.
    wrong = (read[0][0] - expected).abs().amax(-1) > 1e-4
    assert wrong.sum() <= 2
    for other in read[1:]:
        assert torch.equal(other[1], read[0][1])
        torch.testing.assert_close(other[0], read[0][0])


def test_no_array_of_n_by_n(case, kernels):
    height, width = 48, 64
    n = height * width
    tensors = single(case(height, width, batch=1, c=16))
    held = peak_bytes(lambda: native.attend(*tensors, height=height, width=width, kernels=kernels))
    assert held < n * n  # a byte a pair; bits and a block of 256 rows take half of it


def test_wrong_settings_are_refused(case, kernels):
    tensors = single(case(2, 3))
    with pytest.raises(ValueError, match="do not fill"):
        native.attend(*tensors, height=2, width=2, kernels=kernels)
    with pytest.raises(ValueError, match="odd"):
        native.attend(*tensors, height=2, width=3, window=2, kernels=kernels)


def test_without_a_compiler_nothing_is_built_and_nothing_fails(monkeypatch, tmp_path):
    for command in (tmp_path / "absent", sys.executable):  # neither compiles C
        monkeypatch.setenv("CC", str(command))
        assert build.build(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_a_library_of_other_sources_or_of_another_platform_is_left_alone(monkeypatch, tmp_path):
    monkeypatch.setattr(library, "library_path", lambda name: tmp_path / name)
    library.compiled.cache_clear()
    try:
        assert library.compiled() == ()
        assert not native.available()
        assert native.path() == "not compiled"
        assert not native.serves(torch.ones(1, 2, 3))
        library.compiled.cache_clear()
        (tmp_path / "plain").write_bytes(b"another platform's")
        assert library.compiled() == ()
    finally:
        library.compiled.cache_clear()
    text = b"".join((build.FOLDER / name).read_bytes() for name in (*build.SOURCES, *build.HEADERS))
    assert build.library_path("plain").name == f"kernels_plain_{zlib.crc32(text):08x}.so"


def test_only_plain_tensors_in_float32_on_the_cpu_are_served(monkeypatch, kernels):
    monkeypatch.setattr("asa_viz.attention.native.operator.compiled", lambda: (kernels,))
    plain = torch.ones(1, 2, 3)
    assert native.serves(plain, torch.nn.Parameter(plain))
    for other in (plain.double(), plain.half(), torch.empty(0, 2, 3), plain.to("meta")):
        assert not native.serves(plain, other)
    for bad in (math.nan, math.inf, -math.inf):
        assert not native.serves(plain, torch.tensor([[[1.0, bad]]]))
    served = []
    torch.func.vmap(lambda tensor: served.append(native.serves(tensor)) or tensor)(plain)
    assert served == [False]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_attention_is_computed_by_it_where_it_serves(case, kernels, monkeypatch, dtype):
    monkeypatch.setattr("asa_viz.attention.native.operator.compiled", lambda: (kernels,))
    called = []
    block = kernels.block
    monkeypatch.setattr(kernels, "block", lambda *given: called.append(True) or block(*given))
    tensors = [each.detach().to(dtype).requires_grad_() for each in case(3, 4)]
    output = adaptive_sparse_attention(*tensors, height=3, width=4)
    output.float().sum().backward()
    assert bool(called) is (dtype != torch.float64)
    assert output.dtype == dtype
    wide = [each.detach().double() for each in tensors]
    expected = defined(*wide, height=3, width=4)
    torch.testing.assert_close(output.double(), expected, rtol=1e-2, atol=1e-2)
    assert all(each.grad.isfinite().all() for each in tensors)


@pytest.mark.slow
def test_the_command_builds_what_the_package_then_loads(libraries, tmp_path):
    """In a copy, as it builds beside its sources."""
    package = tmp_path / "kernels"
    package.mkdir()
    for name in (*build.SOURCES, *build.HEADERS, "build.py"):
        (package / name).write_bytes((build.FOLDER / name).read_bytes())
    script = "import build; print(*build.build(), sep='\\n')"
    made = subprocess.run(
        [sys.executable, "-c", script], cwd=package, capture_output=True, text=True, check=True
    ).stdout.split()
    assert [Path(path).name for path in made] == [path.name for path in libraries.values()]
    assert all(Path(path).parent == package for path in made)


@pytest.mark.parametrize(("grid", "d", "c"), CASES)
def test_the_gradients_are_the_definitions(case, kernels, grid, d, c):
    tensors = [tensor.requires_grad_() for tensor in single(case(*grid, d=d, c=c, sharpness=1.0))]
    for window, scaled in ((1, True), (3, False), (5, True)):
        settings = {"height": grid[0], "width": grid[1], "window": window, "scaled": scaled}
        output, *_ = native.attend(*tensors, **settings, kernels=kernels)
        towards = torch.randn_like(output)
        gradients = torch.autograd.grad(output, tensors, towards)
        expected = torch.autograd.grad(defined(*tensors, **settings), tensors, towards)
        for gradient, wanted in zip(gradients, expected, strict=True):
            bound = wanted.abs().max().item()
            torch.testing.assert_close(gradient, wanted, rtol=1e-4, atol=1e-4 * bound + 1e-5)


@pytest.mark.parametrize("scale", [0.0, 1e20])
def test_gradients_at_scales_that_all_and_that_none_pass(case, kernels, scale):
    query, key, value, nonlocal_scale, local_scale = single(case(7, 10, d=16, c=16, sharpness=1.0))
    for scales in (
        (nonlocal_scale, 0 * local_scale + scale),
        (0 * nonlocal_scale + scale, local_scale),
        (0 * nonlocal_scale + scale, 0 * local_scale + scale),
    ):
        tensors = [tensor.requires_grad_() for tensor in (query, key, value, *scales)]
        output, *_ = native.attend(*tensors, height=7, width=10, kernels=kernels)
        towards = torch.randn_like(output)
        gradients = torch.autograd.grad(output, tensors, towards)
        expected = torch.autograd.grad(defined(*tensors, height=7, width=10), tensors, towards)
        for gradient, wanted in zip(gradients, expected, strict=True):
            torch.testing.assert_close(gradient, wanted, rtol=1e-4, atol=1e-5)


def test_gradients_of_nan_inputs_are_nan(case, kernels):
    tensors = single(case(3, 4, batch=1))
    tensors[1][0, 5, 0] = math.nan
    tensors = [tensor.requires_grad_() for tensor in tensors]
    output, *_ = native.attend(*tensors, height=3, width=4, kernels=kernels)
    for gradient in torch.autograd.grad(output.sum(), tensors):
        assert gradient.isnan().all()


@pytest.mark.slow
def test_a_training_step_takes_a_tenth_of_the_definitions_memory(case, kernels):
    height, width = 48, 64
    tensors = [each.requires_grad_() for each in single(case(height, width, batch=1, c=16))]

    def ours():
        output, *_ = native.attend(*tensors, height=height, width=width, kernels=kernels)
        return torch.autograd.grad(output.sum(), tensors)

    def definition():
        return torch.autograd.grad(defined(*tensors, height=height, width=width).sum(), tensors)

    assert peak_bytes(ours) <= peak_bytes(definition) / 10
