"""Weights from files: names mapped, nothing executed, nothing silently wrong."""

import importlib
import os
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from safetensors.torch import save_file

from asa_viz.networks.checkpoint import build
from asa_viz.networks.configs import read_config
from asa_viz.networks.stock import model_as_data
from asa_viz.networks.weights import (
    WeightsError,
    load_weights,
    read_checkpoint,
    read_weights,
    save_weights,
)


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


FORMATS = {"archive": {}, "before": {"_use_new_zipfile_serialization": False}}


@pytest.mark.parametrize("protocol", [2, 4, 5])
@pytest.mark.parametrize("written", FORMATS)
def test_code_in_a_pickle_is_not_run(tmp_path, monkeypatch, written, protocol):
    monkeypatch.chdir(tmp_path)
    for content in ({"state_dict": {"a": Canary()}}, Canary()):
        torch.save(content, "evil.pth", pickle_protocol=protocol, **FORMATS[written])
        with pytest.raises(WeightsError, match="no named weights"):
            read_weights("evil.pth")
    Path("plain.pth").write_bytes(pickle.dumps(Canary(), protocol=protocol))
    with pytest.raises(WeightsError, match="not a checkpoint"):
        read_weights("plain.pth")
    assert not Path("canary").exists()


class Keeper:
    """An object with a state, items and a module of its own, as a message hub has."""

    def __init__(self):
        self.kept = [1]


class Growing(list, Keeper):
    pass


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("written", FORMATS)
def test_of_a_training_checkpoint_the_tensors_are_taken(tmp_path, monkeypatch, written, protocol):
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(4, 3, 2, generator=generator)
    state = {
        "backbone.a": weight,
        "backbone.turned": weight.permute(2, 0, 1)[:, 1:],
        "backbone.half": weight.to(torch.bfloat16),
        "backbone.nothing": torch.empty(0, 3),
        "decode_head.count": torch.tensor(7),
        "decode_head.parameter": torch.nn.Parameter(weight[0]),
        "decode_head.note": "not a tensor",
    }
    hub = {"loss": HistoryBuffer([1.0], [1]), "keeper": Keeper(), "set": {Keeper()}}
    content = {
        "state_dict": OrderedDict(state),
        "optimizer": {"state": {0: {"exp_avg": torch.ones(5, dtype=torch.float64)}}},
        "message_hub": hub | {"rates": np.float64(2), "array": np.ones(3), "items": Growing([1])},
        "meta": {"dataset_meta": {"classes": ("a", "b")}, "cfg": "model = dict()"},
    }
    path = tmp_path / "iter_5.pth"
    torch.save(content, path, pickle_protocol=protocol, **FORMATS[written])
    monkeypatch.setattr("builtins.__import__", forbidden)
    weights, meta = read_checkpoint(path)
    monkeypatch.undo()
    assert set(weights) == set(state) - {"decode_head.note"}
    for name, value in weights.items():
        torch.testing.assert_close(value, state[name].detach(), check_dtype=False)
    assert weights["backbone.half"].dtype == torch.float32
    assert meta["dataset_meta"] == {"classes": ("a", "b")}


def forbidden(name, *rest, **named):
    if name.partition(".")[0] in ("mmengine", "numpy", "tests"):
        raise AssertionError(f"{name} was imported")
    return importlib.__import__(name, *rest, **named)


@pytest.mark.parametrize("written", FORMATS)
def test_half_a_checkpoint_is_refused_wherever_it_ends(tmp_path, written):
    state = {"backbone.a": torch.arange(30.0), "backbone.b": torch.ones(3)}
    whole, cut = tmp_path / "whole.pth", tmp_path / "cut.pth"
    torch.save({"state_dict": state}, whole, **FORMATS[written])
    content = whole.read_bytes()
    for end in range(1, len(content) - 1, 7):
        cut.write_bytes(content[:end])
        with pytest.raises(WeightsError, match="damaged, not fully copied"):
            read_weights(cut)


def test_a_tensor_cannot_reach_out_of_its_storage(tmp_path):
    """The description of the tensor asks for more than there is."""
    path = tmp_path / "wide.pth"
    torch.save({"a": torch.zeros(200)}, path)
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            # 200 as one byte, the number of values and the size.
            archive.writestr(name, content.replace(b"K\xc8", b"K\xff"))
    with pytest.raises(WeightsError, match="damaged"):
        read_weights(path)


def test_files_are_readable_by_whom_the_umask_says(tmp_path):
    before = os.umask(0o027)
    try:
        save_weights({"a": torch.ones(1)}, tmp_path / "a.safetensors")
    finally:
        os.umask(before)
    assert (tmp_path / "a.safetensors").stat().st_mode & 0o777 == 0o640
    assert [path.name for path in tmp_path.iterdir()] == ["a.safetensors"]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("cut.safetensors", b"\x10\x00\x00", "damaged"),
        ("page.safetensors", b"<html>not found</html>", "is a web page"),
        ("page.pth", b"\n <!DOCTYPE html><title>Sign in</title>", "is a web page"),
        ("empty.pth", b"", "is empty"),
        ("lfs.pth", b"version https://git-lfs.github.com/spec/v1\noid 1", "pointer of Git LFS"),
        ("lfs.safetensors", b"version https://git-lfs.github.com/spec/v1", "pointer of Git LFS"),
        ("words.pth", b"hello", "not a checkpoint"),
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
