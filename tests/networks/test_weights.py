"""Weights from files: names mapped, nothing executed, nothing silently wrong."""

import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from asa_viz.networks.checkpoint import build, model_as_data
from asa_viz.networks.configs import read_config
from asa_viz.networks.weights import WeightsError, load_weights, read_weights


@pytest.fixture(scope="module")
def network():
    return build(model_as_data(read_config("asa_mobilenetv2_camvid")))


def torchvision_names():
    """MobileNetV2's entries as torchvision names them, each with a number of its own."""
    names = ["features.0.0.weight", "features.0.1.bias", "features.1.conv.0.0.weight"]
    names += ["features.1.conv.1.weight", "features.1.conv.2.running_mean"]
    names += ["features.17.conv.0.1.weight", "features.17.conv.1.0.weight"]
    names += ["features.17.conv.2.weight", "features.17.conv.3.bias", "features.18.0.weight"]
    return {name: torch.full((1,), float(i)) for i, name in enumerate(names)}


def test_torchvisions_names_become_the_backbones(tmp_path):
    save_file(torchvision_names(), tmp_path / "imagenet.safetensors")
    weights = read_weights(tmp_path / "imagenet.safetensors")
    assert {name: int(value) for name, value in weights.items()} == {
        "backbone.conv1.conv.weight": 0,
        "backbone.conv1.bn.bias": 1,
        "backbone.layer1.0.conv.0.conv.weight": 2,
        "backbone.layer1.0.conv.1.conv.weight": 3,
        "backbone.layer1.0.conv.1.bn.running_mean": 4,
        "backbone.layer7.0.conv.0.bn.weight": 5,
        "backbone.layer7.0.conv.1.conv.weight": 6,
        "backbone.layer7.0.conv.2.conv.weight": 7,
        "backbone.layer7.0.conv.2.bn.bias": 8,
    }


def test_a_checkpoint_keeps_its_names_and_loses_a_wrappers_prefix(tmp_path):
    state = {"module.backbone.conv1.conv.weight": torch.ones(1, dtype=torch.float16)}
    torch.save({"state_dict": state, "meta": {"epoch": 3}}, tmp_path / "zoo.pth")
    weights = read_weights(tmp_path / "zoo.pth")
    assert weights["backbone.conv1.conv.weight"].dtype == torch.float32
    assert len(weights) == 1


class Canary:
    def __reduce__(self):
        return (Path.touch, (Path("canary"),))


@pytest.mark.parametrize("content", [{"state_dict": {"a": Canary()}}, Canary()])
def test_a_pickle_with_code_is_not_opened(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    torch.save(content, "evil.pth")
    with pytest.raises(WeightsError, match="program code"):
        read_weights("evil.pth")
    (tmp_path / "plain.pth").write_bytes(pickle.dumps(content, protocol=2))
    with pytest.raises(WeightsError, match=r"code|not a checkpoint"):
        read_weights("plain.pth")
    assert not Path("canary").exists()


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("cut.safetensors", b"\x10\x00\x00", "damaged"),
        ("page.safetensors", b"<html>not found</html>", "damaged"),
        ("page.pth", b"<html>not found</html>", "code|not a checkpoint"),
        ("empty.pth", b"", "not a checkpoint"),
    ],
)
def test_damaged_files_end_in_a_sentence(tmp_path, name, content, sentence):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(WeightsError, match=sentence):
        read_weights(tmp_path / name)


@pytest.mark.parametrize("content", [[1, 2], {"epoch": 3}, {"state_dict": {}}, torch.ones(2)])
def test_a_pickle_without_named_weights_is_refused(tmp_path, content):
    torch.save(content, tmp_path / "other.pth")
    with pytest.raises(WeightsError, match="no named weights"):
        read_weights(tmp_path / "other.pth")


def test_a_missing_file_is_named():
    with pytest.raises(WeightsError, match="no file of weights at nowhere"):
        read_weights("nowhere.pth")


def test_backbone_weights_alone_may_be_loaded_but_not_half_of_them(network):
    backbone = {
        name: torch.zeros_like(value)
        for name, value in network.state_dict().items()
        if name.startswith("backbone.")
    }
    missing = load_weights(network, backbone)
    assert missing
    assert all(name.startswith("decode_head.") for name in missing)
    assert network.backbone.conv1.conv.weight.abs().sum() == 0
    del backbone["backbone.layer3.0.conv.0.conv.weight"]
    with pytest.raises(WeightsError, match=r"have no backbone\.layer3\.0\.conv\.0\.conv\.weight"):
        load_weights(network, backbone)


def test_a_wrong_shape_is_refused(network):
    weights = dict(network.state_dict())
    weights["decode_head.conv_seg.weight"] = torch.zeros(19, 256, 1, 1)
    with pytest.raises(WeightsError, match=r"1 differ.*conv_seg\.weight is \(19, 256, 1, 1\)"):
        load_weights(network, weights)
