"""The head: dense checkpoints load into it, its block does what the rows shown say, it trains."""

import pytest
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from asa_viz.attention.row import SparseAttention
from asa_viz.geometry import Cell
from asa_viz.networks.checkpoint import build
from asa_viz.networks.hooks import start_attention
from asa_viz.networks.weights import WeightsError


def make_head(kind="ASAHead", **settings):
    torch.manual_seed(0)
    head = build(
        {
            "type": kind,
            "in_channels": 6,
            "channels": 8,
            "num_classes": 3,
            "norm_cfg": {"type": "BN"},
            "loss_decode": {"type": "CrossEntropyLoss", "avg_non_ignore": True},
            **settings,
        }
    )
    # The last layer starts at zero: open it, so that attention shows in the output.
    torch.nn.init.normal_(head.nl_block.conv_out.bn.weight)
    for part in (head.nl_block.theta, head.nl_block.phi, head.nl_block.g):
        torch.nn.init.normal_(part.conv.weight)
    return head.eval()


@pytest.mark.parametrize("use_scale", [True, False])
def test_the_blocks_output_is_rebuilt_from_the_rows_shown(use_scale):
    block = make_head(use_scale=use_scale).nl_block
    x = torch.rand(1, 8, 5, 7)
    with torch.no_grad():
        query, key, value, nonlocal_scale, local_scale = (part[0] for part in block.project(x))
        attention = SparseAttention.of(
            query, key, nonlocal_scale, local_scale, height=5, width=7, scaled=use_scale
        )
        rows = torch.stack(
            [
                torch.from_numpy(attention.row(Cell(r, c)).weights.ravel())
                for r in range(5)
                for c in range(7)
            ]
        )
        rebuilt = x + block.conv_out((rows @ value).mT.reshape(1, 4, 5, 7))
        torch.testing.assert_close(block(x), rebuilt)
        assert 0.02 < (rows > 0).float().mean() < 0.98


def test_scales_of_zero_make_it_the_dense_head():
    """A dense checkpoint loads by name, and with nothing to sparsify gives the same logits."""
    dense, sparse = make_head("NLHead"), make_head("ASAHead")
    missing, unexpected = sparse.load_state_dict(dense.state_dict(), strict=False)
    assert not unexpected
    assert {name.split(".")[1] for name in missing} == {"nonlocal_scale", "local_scale"}
    torch.nn.init.constant_(sparse.nl_block.nonlocal_scale.weight, 0)
    torch.nn.init.constant_(sparse.nl_block.nonlocal_scale.bias, -50)
    torch.nn.init.constant_(dense.nl_block.theta.conv.bias, 0)
    inputs = [torch.rand(2, 6, 4, 5)]
    for head in (dense, sparse):
        # Gentle similarities: no affinity falls under the smallest scale there is.
        torch.nn.init.normal_(
            head.nl_block.theta.conv.weight, std=0.1, generator=torch.Generator().manual_seed(1)
        )
    with torch.no_grad():
        torch.testing.assert_close(sparse(inputs), dense(inputs))


def test_scales_start_in_the_middle_and_stay_where_they_mean_something():
    block = make_head().nl_block
    x = torch.rand(4, 8, 6, 6)
    projections = block.project(x)
    assert 0.7 < projections.nonlocal_scale.mean() < 1.4
    assert 0.4 < projections.local_scale.mean() < 0.6
    for far in (-1e4, 1e4):
        extreme = block.project(x * far)
        assert (extreme.nonlocal_scale > 0).all()
        assert (extreme.local_scale > 0).all()
        assert (extreme.local_scale <= 1).all()


@pytest.mark.parametrize("sharpness", [0.1, 30.0])
def test_no_row_is_empty(sharpness):
    """With a local scale of at most 1 the strongest key of each window reaches its threshold."""
    block = make_head().nl_block
    torch.nn.init.constant_(block.nonlocal_scale.bias, 50)
    torch.nn.init.constant_(block.local_scale.bias, 50)
    made = block.attend(sharpness * torch.randn(2, 8, 7, 9))
    assert (made.support_size >= 1).all()
    assert made.support_size.mean() < 9


def samples(batch, height, width):
    generator = torch.Generator().manual_seed(0)
    labels = (torch.randint(3, (1, height, width), generator=generator) for _ in range(batch))
    return [SegDataSample(gt_sem_seg=PixelData(data=label)) for label in labels]


@pytest.mark.parametrize(("target", "direction"), [(0.0, 1), (1.0, -1)])
def test_the_head_is_pushed_towards_its_target(target, direction):
    """Under too large a support the scales rise, under too small a one they fall."""
    head = make_head(support_target=target, sparsity_weight=100.0).train()
    inputs = [torch.rand(2, 6, 8, 8)]
    before = head.nl_block.project(head.convs[0](inputs[0])).nonlocal_scale.mean()
    optimiser = torch.optim.SGD(head.nl_block.nonlocal_scale.parameters(), lr=1e-3)
    for _ in range(5):
        losses = head.loss(inputs, samples(2, 16, 16), None)
        optimiser.zero_grad()
        (losses["loss_ce"] + losses["loss_sparsity"]).backward()
        optimiser.step()
    after = head.nl_block.project(head.convs[0](inputs[0])).nonlocal_scale.mean()
    assert (after - before) * direction > 0
    assert 0 < losses["support"] <= 1


@pytest.mark.parametrize(("target", "direction"), [(0.9, 1), (0.1, -1)])
def test_local_scales_are_drawn_to_their_target(target, direction):
    head = make_head(local_target=target).train()
    inputs = [torch.rand(2, 6, 8, 8)]
    before = head.nl_block.project(head.convs[0](inputs[0])).local_scale.mean()
    head.loss(inputs, samples(2, 16, 16), None)["loss_local"].backward()
    optimiser = torch.optim.SGD(head.nl_block.local_scale.parameters(), lr=0.1)
    optimiser.step()
    after = head.nl_block.project(head.convs[0](inputs[0])).local_scale.mean()
    assert (after - before) * direction > 0
    assert all(p.grad is None for p in head.nl_block.nonlocal_scale.parameters())


def test_without_a_target_the_loss_is_the_segmentations_and_still_teaches_thresholds():
    head = make_head().train()
    losses = head.loss([torch.rand(2, 6, 8, 8)], samples(2, 16, 16), None)
    assert not {"loss_sparsity", "loss_local"} & set(losses)
    losses["loss_ce"].backward()
    for convolution in (head.nl_block.nonlocal_scale, head.nl_block.local_scale):
        assert convolution.weight.grad.abs().sum() > 0


def test_only_softmax_affinities_are_allowed():
    with pytest.raises(WeightsError, match=r"mode 'dot_product'\.$"):
        make_head(mode="dot_product")


def test_start_attention_makes_queries_and_keys_alike():
    """Queries and keys alike, centred, of the spread asked for, whatever the features' level."""
    block = make_head().nl_block
    x = torch.rand(2, 8, 6, 6) + 5
    start_attention(block, x, spread=1.5)
    query, key, *_ = block.project(x)
    torch.testing.assert_close(query, key)
    similarity = query @ key.mT / 2
    assert torch.isclose(similarity.std(), torch.tensor(1.5), rtol=1e-3)
    assert query.mean((0, 1)).abs().max() < 1e-3
    # Each cell is most similar to itself, or to a cell of larger norm in its direction.
    assert (similarity.argmax(-1) == torch.arange(36)).float().mean() > 0.15
