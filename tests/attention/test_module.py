"""The plain module: what it computes from its input, where it starts, and that it learns."""

import subprocess
import sys

import pytest
import torch

from asa_viz.attention import AdaptiveSparseAttention2d, adaptive_sparse_weights
from asa_viz.networks.blocks import ASABlock


def opened(module):
    """The module with a projection back that is not zero."""
    torch.nn.init.normal_(module.conv_out.weight)
    return module


def test_it_starts_as_the_identity():
    x = torch.rand(2, 8, 5, 7)
    assert torch.equal(AdaptiveSparseAttention2d(8)(x), x)
    assert (AdaptiveSparseAttention2d(8, residual=False)(x) == 0).all()


@pytest.mark.parametrize("residual", [True, False])
@pytest.mark.parametrize("scaled", [True, False])
@pytest.mark.parametrize("window", [1, 5])
def test_its_output_is_that_of_the_definition(residual, scaled, window):
    settings = {"residual": residual, "scaled": scaled, "window": window}
    module = opened(AdaptiveSparseAttention2d(8, reduction=4, **settings))
    x = torch.randn(2, 8, 5, 7)
    made = module.attend(x)
    query, key, value, *scales = made.projections
    assert query.shape == (2, 35, 2)
    weights = adaptive_sparse_weights(
        query, key, *scales, height=5, width=7, window=window, scaled=scaled
    )
    read = module.conv_out((weights @ value).mT.unflatten(2, (5, 7)))
    torch.testing.assert_close(made.output, x + read if residual else read)
    assert torch.equal(made.support_size, (weights > 0).sum(-1).float())


def test_all_of_it_learns():
    module = opened(AdaptiveSparseAttention2d(8))
    module(torch.randn(2, 8, 5, 7)).square().sum().backward()
    for name, parameter in module.named_parameters():
        # A bias of the keys moves all similarities of a row alike.
        assert parameter.grad.isfinite().all()
        assert name == "phi.bias" or parameter.grad.abs().sum() > 0


def test_the_networks_block_is_this_module():
    """With the same weights, in mmcv's convolutions, the block gives what the module gives."""
    block, module = ASABlock(8, read_only=True), AdaptiveSparseAttention2d(8, residual=False)
    weights = {name.replace(".conv.", "."): each for name, each in block.state_dict().items()}
    module.load_state_dict(weights)
    torch.nn.init.normal_(module.conv_out.weight)
    block.conv_out.conv.weight.data.copy_(module.conv_out.weight)
    x = torch.randn(2, 8, 5, 7)
    assert isinstance(block, AdaptiveSparseAttention2d)
    assert torch.equal(block(x), module(x))
    assert block(x).abs().sum() > 0


def test_it_needs_no_framework():
    frameworks = "{'mmcv', 'mmengine', 'mmseg'} & set(sys.modules)"
    code = f"import sys, asa_viz.attention; assert not {frameworks}, {frameworks}"
    subprocess.run([sys.executable, "-c", code], check=True)
