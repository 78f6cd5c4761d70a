"""Checkpoints: what is written is read back; what is not as written is refused in a sentence."""

import json

import numpy as np
import pytest
import torch

from asa_viz import shipped
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
    ],
)
def test_a_card_cannot_ask_for_anything_but_a_network(saved, change, sentence):
    card = saved[0].with_suffix(".json")
    fields = json.loads(card.read_text())
    fields["model"] |= change
    card.write_text(json.dumps(fields))
    with pytest.raises(WeightsError, match=sentence):
        checkpoint.open_checkpoint(saved[0])


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"classes": 3}', "<html>"])
def test_a_file_that_is_no_card_is_refused(saved, content):
    saved[0].with_suffix(".json").write_text(content)
    with pytest.raises(WeightsError, match="not a card"):
        checkpoint.open_checkpoint(saved[0])


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
    with pytest.raises(WeightsError, match=r"has no decode_head\.conv_seg\.bias"):
        checkpoint.open_checkpoint(path)


def test_an_unknown_network_lists_those_there_are(monkeypatch, tmp_path):
    for module in (checkpoint, shipped):
        monkeypatch.setattr(module, "FOLDER", tmp_path)
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
