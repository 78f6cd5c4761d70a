"""Checkpoints: what is written is read back; what is not as written is refused in a sentence."""

import json

import numpy as np
import pytest
import torch

from asa_viz import checkpoints
from asa_viz.geometry import Pixel
from asa_viz.networks import checkpoint
from asa_viz.networks.segmenter import load
from asa_viz.networks.weights import WeightsError
from tests.networks.small import FIELDS, MODEL, save_small


@pytest.fixture
def saved(tmp_path):
    return save_small(tmp_path)


def test_a_checkpoint_comes_back_as_it_was_saved(saved):
    path, network = saved
    again, card = checkpoint.open_checkpoint(path)
    assert vars(card) == FIELDS | {"sha256": card.sha256}
    for name, value in network.state_dict().items():
        if value.is_floating_point():
            assert torch.equal(again.state_dict()[name], value.half().float())
    assert not again.training


def test_a_segmenter_answers_for_the_original_image(saved):
    segmenter = load(saved[0], device="cpu")
    generator = np.random.default_rng(0)
    image = generator.integers(0, 256, (50, 70, 3), dtype=np.uint8)
    session = segmenter.encode(image)
    assert (session.grid.height, session.grid.width) == (8, 12)
    assert session.segmentation.labels.shape == (50, 70)
    assert session.picture.shape == (50, 70, 3)
    assert session.network == "small"
    view = session.query(Pixel(69, 49))
    assert view.query == (7, 11)
    assert np.isclose(view.weights.sum(), 1, atol=1e-5)
    assert segmenter.classes == ("road", "car", "sky")
    upright = segmenter.encode(np.ascontiguousarray(image.transpose(1, 0, 2)))
    assert (upright.grid.height, upright.grid.width) == (12, 8)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"type": "os.system"}, "'os.system' is not allowed"),
        ({"backbone": {"type": "torch.hub.load"}}, "not allowed"),
        ({"pretrained": "open-mmlab://resnet50_v1c"}, "pretrained is not allowed"),
        ({"decode_head": {"init_cfg": {"checkpoint": "http://x"}}}, "init_cfg is not allowed"),
        ({"decode_head": {"channels": 10**9}}, "too large"),
        ({"decode_head": {"channels": float("nan")}}, "too large"),
        ({"_scope_": "some_module"}, "'_scope_' is not allowed"),
        (
            {"backbone": {"type": "ResNet", "norm_cfg": {"_scope_": "x"}}},
            "'_scope_' is not allowed",
        ),
        ({"backbone": [{"plugins": [{"_delete_": True}]}]}, "'_delete_' is not allowed"),
        ({"backbone": {"type": ["ResNet"]}}, "not allowed"),
        ({"decode_head": {"loss_decode": {"class_weight": "a.pkl"}}}, "class_weight may not be a"),
        ({"backbone": {"type": "ResNet", "depth": 7}}, "No network can be built"),
        ({"decode_head": 3}, "head has None"),
        ({"decode_head": []}, "head has None"),
    ],
)
def test_a_card_cannot_ask_for_anything_but_a_network(saved, change, sentence):
    card = saved[0].with_suffix(".json")
    fields = json.loads(card.read_text())
    fields["model"] |= change
    card.write_text(json.dumps(fields))
    with pytest.raises(WeightsError, match=sentence):
        checkpoint.open_checkpoint(saved[0])


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "is empty"),
        ("[]", "not a card"),
        ("{}", "not a card of a network; see: classes, licence"),
        ('{"classes": 3}', "not a card"),
        ("<html>", "is a web page"),
        ("[" * 100_000, "not a card"),
        ('{"name": "half', "not fully copied"),
        ("version https://git-lfs.github.com/spec/v1\n", "pointer of Git LFS"),
    ],
)
def test_a_file_that_is_no_card_is_refused(saved, content, sentence):
    saved[0].with_suffix(".json").write_text(content)
    with pytest.raises(WeightsError, match=sentence):
        checkpoint.open_checkpoint(saved[0])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"classes": ["road", "car"], "palette": [[1, 2, 3]] * 2}, "names 2 classes.*has 3"),
        ({"classes": []}, "0 classes"),
        ({"classes": [1, 2, 3]}, "must be texts"),
        ({"classes": None}, "0 classes"),
        ({"palette": [[1, 2, 3]] * 2}, "a colour per class"),
        ({"palette": [[1, 2, 300]] * 3}, "a colour per class"),
        ({"palette": [[1, 2]] * 3}, "a colour per class"),
        ({"shapes": []}, "one to six shapes"),
        ({"shapes": [[64, 10**6]]}, "one to six shapes"),
        ({"shapes": [[0, 64]]}, "one to six shapes"),
        ({"shapes": [[64.5, 64]]}, "one to six shapes"),
        ({"shapes": 64}, "one to six shapes"),
        ({"model": [1]}, "must be objects"),
        ({"training": "much"}, "must be objects"),
        ({"licence": None}, "must be texts"),
        ({"extra": 1}, "not a card of a network; see: extra"),
    ],
)
def test_a_card_is_checked_whole(saved, change, sentence):
    card = saved[0].with_suffix(".json")
    card.write_text(json.dumps(json.loads(card.read_text()) | change))
    with pytest.raises(WeightsError, match=sentence):
        checkpoint.open_checkpoint(saved[0])


def test_a_model_that_is_none_is_refused_in_a_sentence(saved):
    card = saved[0].with_suffix(".json")
    fields = json.loads(card.read_text())
    fields["model"]["backbone"]["nonsense"] = 1
    card.write_text(json.dumps(fields))
    with pytest.raises(WeightsError, match=r"No network can be built .*nonsense"):
        checkpoint.open_checkpoint(saved[0])


def test_a_file_is_found_by_name_with_its_ending_and_by_a_path_from_home(saved, monkeypatch):
    path = saved[0]
    monkeypatch.setenv("HOME", str(path.parent))
    monkeypatch.setattr(checkpoints, "FOLDER", path.parent)
    for name in ("small", "small.safetensors", "~/small.safetensors", "~/small", path):
        assert checkpoint.find(name) == path
    # A path means the file there, not one of that name among the networks that ship.
    with pytest.raises(WeightsError, match="no network 'elsewhere/small"):
        checkpoint.find("elsewhere/small.safetensors")


def test_a_file_with_tensors_of_another_network_is_refused(saved):
    path, network = saved
    weights = network.state_dict() | {"decode_head.extra.weight": torch.ones(1)}
    checkpoint.save_checkpoint(weights, FIELDS, path)
    with pytest.raises(WeightsError, match=r"1 are of another network, .*decode_head\.extra"):
        checkpoint.open_checkpoint(path)


def test_a_changed_bit_is_noticed(saved):
    content = bytearray(saved[0].read_bytes())
    content[-100] ^= 1
    saved[0].write_bytes(content)
    with pytest.raises(WeightsError, match="digest"):
        checkpoint.open_checkpoint(saved[0])


def test_invalid_numbers_and_missing_parts_are_noticed(tmp_path):
    weights = checkpoint.build(MODEL).state_dict()
    weights["decode_head.conv_seg.bias"][1] = torch.nan
    path = tmp_path / "bad.safetensors"
    checkpoint.save_checkpoint(weights, FIELDS, path)
    with pytest.raises(WeightsError, match=r"1 tensors .*conv_seg\.bias"):
        checkpoint.open_checkpoint(path)
    del weights["decode_head.conv_seg.bias"]
    checkpoint.save_checkpoint(weights, FIELDS, path)
    with pytest.raises(WeightsError, match=r"1 are missing, .*decode_head\.conv_seg\.bias"):
        checkpoint.open_checkpoint(path)


def test_an_unknown_network_lists_those_there_are(monkeypatch, tmp_path):
    monkeypatch.setattr(checkpoints, "FOLDER", tmp_path)
    for name in ("a_network", checkpoint.DEFAULT):
        (tmp_path / f"{name}.safetensors").touch()
    with pytest.raises(WeightsError, match=f"there are: {checkpoint.DEFAULT}, a_network"):
        checkpoint.find("nothing")
    assert checkpoint.find().stem == checkpoint.DEFAULT
    assert checkpoint.find("a_network") == tmp_path / "a_network.safetensors"


def test_the_released_rule_is_not_shown_as_the_clean_one(tmp_path):
    model = MODEL | {"decode_head": MODEL["decode_head"] | {"rule": "released"}}
    path = tmp_path / "released.safetensors"
    state = checkpoint.build(model).state_dict()
    checkpoint.save_checkpoint(state, FIELDS | {"model": model}, path)
    with pytest.raises(WeightsError, match="can be shown"):
        load(path)
