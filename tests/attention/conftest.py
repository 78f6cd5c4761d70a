"""Random cases of adaptive sparse attention."""

import pytest
import torch


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def _in_torch(monkeypatch):
    """Switch compiled kernels off where a test does not ask for them."""
    monkeypatch.setattr("asa_viz.attention.native.operator.compiled", lambda: ())


def make_case(height, width, *, batch=2, d=4, c=3, dtype=torch.float64, sharpness=2.0):
    """Queries, keys, values and two scales of a batch of maps, all asking for a gradient."""
    n = height * width
    query, key = (torch.randn(batch, n, d, dtype=dtype) * sharpness for _ in range(2))
    value = torch.randn(batch, n, c, dtype=dtype)
    scales = (torch.rand(batch, n, dtype=dtype) * 2 + 0.1 for _ in range(2))
    return [tensor.requires_grad_() for tensor in (query, key, value, *scales)]


@pytest.fixture
def case():
    return make_case
