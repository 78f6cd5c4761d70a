"""The arms: each differs from its peer in what its name says, and its rows are the head's own."""

import pytest
import torch

from asa_viz.compare.ablations import AblatedASAHead
from asa_viz.compare.arms import ARMS, FORMS
from asa_viz.networks.heads import AttentionHead, largest
from tests.networks.zoo.small import features, head_of, run

WITH_ROWS = [name for name, arm in ARMS.items() if arm.methods]


@pytest.mark.parametrize("name", WITH_ROWS)
def test_rows_rebuild_what_the_head_computed(name):
    head = head_of(ARMS[name].head)
    (asked,) = ARMS[name].methods
    seen = run(head, asked.watch, features(9, 13))
    with torch.no_grad():
        reading = asked.read(head, seen)
        ours, network = asked.rebuilt(head, seen, reading)
    torch.testing.assert_close(ours, network, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ARMS)
def test_every_arm_trains(name):
    head = head_of(ARMS[name].head).train()
    logits = head(features(9, 13, images=2))
    logits.square().mean().backward()
    assert logits.shape == (2, 5, 9, 13)
    assert head.conv_seg.weight.grad.abs().sum() > 0


@pytest.mark.parametrize("name", [f"{arm}_read_only" for arm in ("fcn", "nonlocal", "asa")])
def test_read_only_heads_use_nothing_but_what_is_read(name):
    """With what is read at a cell held, nothing that enters the head changes the cell's class."""
    head = head_of(ARMS[name].head)
    (x,) = features(6, 7)[:1]
    with torch.no_grad():
        entering = head.convs[0](x)
        read = head.nl_block.values(entering)
        one = head.conv_seg(head.convs[1](head.nl_block.write(entering, read)))
        other = head.conv_seg(head.convs[1](head.nl_block.write(torch.rand_like(entering), read)))
    assert torch.equal(one, other)
    assert {layer.conv.kernel_size for layer in head.convs} == {(1, 1)}
    assert not hasattr(head, "conv_cat")


@pytest.mark.parametrize("name", [f"{arm}_published" for arm in ("nonlocal", "asa")])
def test_published_heads_have_their_skips(name):
    head = head_of(ARMS[name].head)
    entering = torch.rand(1, 8, 6, 7)
    with torch.no_grad():
        read = head.nl_block.values(entering) * 0
        written = head.nl_block.write(entering, read) - head.nl_block.write(entering * 0, read)
    torch.testing.assert_close(written, entering, atol=1e-6, rtol=0)
    assert {layer.conv.kernel_size for layer in head.convs} == {(3, 3)}
    assert head.conv_cat.conv.in_channels == 12 + 8


def test_both_forms_have_the_same_arms():
    arms = [
        {name.removesuffix(f"_{form}") for name in ARMS if name.endswith(form)} for form in FORMS
    ]
    assert arms[0] == arms[1]
    assert len(ARMS) == len(FORMS) * len(arms[0])


def test_every_arm_with_a_block_starts_alike_but_one():
    for name, arm in ARMS.items():
        has_block = issubclass(type(head_of(arm.head)), AttentionHead) and "fcn" not in name
        assert arm.started == (has_block and not name.startswith(("nonlocal_p", "nonlocal_r")))


@torch.no_grad()
def test_what_each_ablation_keeps():
    whole = head_of(ARMS["asa_read_only"].head).nl_block
    x = torch.rand(1, 8, 9, 13, generator=torch.Generator().manual_seed(0))

    def kept(name):
        block = head_of(ARMS[f"asa_{name}_read_only"].head).nl_block
        block.load_state_dict(whole.state_dict(), strict=False)
        return block.attend(x).support_size[0]

    both = whole.attend(x).support_size[0]
    assert kept("top_k").unique().tolist() == [largest(9 * 13)]
    assert kept("local_only").max() <= 9
    assert (kept("one_sided") >= both).all()
    assert (kept("one_sided") > both).any()
    assert (kept("nonlocal_only") <= both.clamp_min(1)).all()
    assert (kept("nonlocal_only") < both).any()


def test_fixed_scales_are_one_number_that_only_the_push_moves():
    head = head_of(ARMS["asa_fixed_read_only"].head).train()
    assert isinstance(head, AblatedASAHead)
    x = torch.rand(1, 8, 9, 13)
    made = head.nl_block.attend(x)
    assert made.projections.nonlocal_scale.unique().numel() == 1
    made.output.square().sum().backward()
    assert head.nl_block.shared_scale.grad is None
    head.nl_block.attend(x).projections.nonlocal_scale.log().mean().backward()
    assert head.nl_block.shared_scale.grad.abs() > 0
