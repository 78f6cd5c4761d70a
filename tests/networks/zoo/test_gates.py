"""Gates: how many there are and what they weigh; DANet's and EncNet's as released."""

import pytest
import torch
from mmseg.models.backbones.resnest import SplitAttentionConv2d
from mmseg.models.decode_heads import EncHead

from asa_viz.networks.capture import Call
from asa_viz.networks.zoo import gates
from asa_viz.networks.zoo.methods import HEADS, READERS, build_head
from tests.networks.zoo.small import CHANNELS, CLASSES, SHARED, features, head_of, labelled, run

SE_LOSS = {"type": "CrossEntropyLoss", "use_sigmoid": True, "loss_weight": 0.2}
SETS = {"senet": 1, "ecanet": 1, "sknet": 2, "resnest": 2, "cbam": 1, "bam": 1}


def gates_of(name: str):
    record, head = READERS[name], head_of(name)
    with torch.no_grad():
        return record.read(head, run(head, record.watch, features(5, 7))).gates


@pytest.mark.parametrize(("name", "sets"), SETS.items())
def test_gates_are_as_many_as_channels_and_cells(name: str, sets: int):
    shapes = {weighed: gate.shape for weighed, gate in gates_of(name).items()}
    cells = {"cells": (5, 7)} if name in {"cbam", "bam"} else {}
    assert shapes == {"channels": (sets, 8), **cells}


@pytest.mark.parametrize("name", ["senet", "ecanet", "cbam"])
def test_gates_lie_between_0_and_1(name: str):
    for gate in gates_of(name).values():
        assert 0 < gate.min() < gate.max() < 1


@pytest.mark.parametrize("name", ["sknet", "resnest"])
def test_branches_share_each_channel(name: str):
    gate = gates_of(name)["channels"]
    torch.testing.assert_close(gate.sum(0), torch.ones(8))
    assert (gate[0] - gate[1]).abs().max() > 0.1


@pytest.mark.parametrize("name", ["senet", "ecanet"])
def test_a_cell_weighs_in_channel_gates_wherever_it_lies(name: str):
    block, x = head_of(name).block, torch.randn(1, 8, 5, 7)
    torch.testing.assert_close(block(x.flip(-1)), block(x).flip(-1))


@pytest.mark.parametrize(("channels", "length"), [(8, 3), (64, 3), (256, 5), (512, 5)])
def test_the_convolution_along_channels_grows_with_their_number(channels: int, length: int):
    block = gates.EfficientChannelBlock(channels)
    assert block.along.kernel_size == (length,)
    assert block(torch.randn(1, channels, 2, 2)).shape == (1, channels, 2, 2)


def test_splits_are_those_of_mmsegmentation():
    torch.manual_seed(0)
    ours, theirs = gates.SplitAttentionBlock(64).eval(), SplitAttentionConv2d(64, 64, 3, padding=1)
    parts = {
        "splits.0": "conv", "splits.1": "bn0",
        "choose.1.0": "fc1", "choose.1.1": "bn1", "choose.2": "fc2",
    }  # fmt: skip
    for our, their in parts.items():
        layer = theirs.get_submodule(their)
        ours.get_submodule(our).load_state_dict(layer.state_dict(), strict=our != "choose.1.0")
    torch.nn.init.zeros_(theirs.fc1.bias)
    x = torch.randn(2, 64, 4, 5)
    torch.testing.assert_close(ours(x), theirs.eval()(x))


def test_unlike_channels_weigh_most():
    # Products of channels: 1 with themselves, 0 and -1 with the others.
    x = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]).view(1, 3, 1, 2)
    seen = {"cam": [Call((x,), x)]}
    matrix = READERS["danet_channel"].read(head_of("danet"), seen).gates["matrix"]
    e = torch.tensor(1.0).exp()
    rows = torch.stack(
        [
            torch.stack([1 / e, torch.tensor(1.0), e]) / (1 / e + 1 + e),
            torch.stack([torch.tensor(1.0), 1 / e, torch.tensor(1.0)]) / (2 + 1 / e),
            torch.stack([e, torch.tensor(1.0), 1 / e]) / (1 / e + 1 + e),
        ]
    )
    torch.testing.assert_close(matrix, rows)


@pytest.mark.filterwarnings("ignore:Default ``avg_non_ignore`` is False")
def test_an_encoding_head_of_three_stages_loads_into_that_of_one():
    torch.manual_seed(0)
    stages = {"in_channels": (3, *CHANNELS[::-1]), "in_index": (0, 1, 2)}
    stock = EncHead(channels=8, loss_se_decode=SE_LOSS, **stages, **SHARED).eval()
    head = build_head(HEADS["encnet"], CHANNELS, 8, num_classes=CLASSES).eval()
    head.load_state_dict(stock.state_dict())
    deep, before = features(6, 7, images=2)
    with torch.no_grad():
        ours, theirs = head([deep, before]), stock([deep[:, :3], before, deep])
        torch.testing.assert_close(ours, theirs)
        samples = labelled(12, 14)
        assert head.loss_by_feat(ours, samples) == stock.loss_by_feat(theirs, samples)
