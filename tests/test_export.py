"""A checkpoint that is exported says what config, checkpoint and options say, and nothing else."""

import json

import pytest
import torch
from mmengine.config import Config

from asa_viz.export import main
from asa_viz.networks.checkpoint import build
from asa_viz.networks.segmenter import load
from tests.networks.small import MODEL

CLASSES = ("a", "b", "c")


@pytest.fixture
def trained(tmp_path):
    """A config of a user's own, and what mmengine's Runner leaves behind."""
    torch.manual_seed(0)
    config = Config(
        {
            "model": MODEL | {"auxiliary_head": {"type": "FCNHead", "loss_decode": {}}},
            "crop_size": (64, 96),
            "train_dataloader": {"dataset": {"type": "BaseSegDataset", "data_root": "x"}},
            "load_from": "start.pth",
        }
    )
    config.dump(tmp_path / "own.py")
    weights = build(MODEL).state_dict() | {"auxiliary_head.conv_seg.bias": torch.ones(3)}
    meta = {"dataset_meta": {"classes": CLASSES, "palette": [[9, 8, 7]] * 3}, "seed": 17}
    torch.save({"state_dict": weights, "meta": meta}, tmp_path / "iter_5.pth")
    return tmp_path


def export(folder, *options, weights="iter_5.pth"):
    main([f"{folder}/own.py", f"{folder}/{weights}", "own", "--folder", f"{folder}/out", *options])
    return json.loads((folder / "out" / "own.json").read_text())


def test_a_card_says_what_the_files_say(trained, capsys):
    card = export(trained)
    assert card["sha256"] in capsys.readouterr().out
    assert card["classes"] == list(CLASSES)
    assert card["palette"] == [[9, 8, 7]] * 3
    assert card["shapes"] == [[64, 96], [96, 64]]
    training = card["training"]
    assert (training["seed"], training["start"]) == (17, "start.pth")
    assert (training["data_set"], training["data"]) == ("BaseSegDataset", "BaseSegDataset")
    assert card["licence"] == "not stated"
    assert "CamVid" not in json.dumps(card)
    assert load(trained / "out" / "own.safetensors", "cpu").classes == CLASSES


def test_the_options_come_first(trained):
    (trained / "classes.json").write_text('[["x", [1, 2, 3]], ["y", [4, 5, 6]], ["z", [7, 8, 9]]]')
    card = export(
        trained, "--classes", f"{trained}/classes.json", "--shape", "128x64", "--licence", "MIT",
        "--data", "our photographs", "--start", "nothing", "--seed", "3",
    )  # fmt: skip
    assert card["classes"] == ["x", "y", "z"]
    assert card["palette"] == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    assert (card["shapes"], card["licence"]) == ([[128, 64]], "MIT")
    assert card["training"]["data"] == "our photographs"
    assert (card["training"]["start"], card["training"]["seed"]) == ("nothing", 3)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda w: w.pop("decode_head.conv_seg.bias"), r"1 are missing, .*conv_seg\.bias"),
        (lambda w: w.update({"decode_head.other": torch.ones(1)}), "1 are of another network"),
        (
            lambda w: w.update({"decode_head.conv_seg.bias": torch.ones(4)}),
            "do not fit: 1 differ",
        ),
    ],
)
def test_weights_of_another_network_are_refused(trained, change, sentence):
    content = torch.load(trained / "iter_5.pth")
    change(content["state_dict"])
    torch.save(content, trained / "other.pth")
    with pytest.raises(SystemExit, match=sentence):
        export(trained, weights="other.pth")
    assert not (trained / "out").exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--classes", "{0}/two.json"), "has 3 classes, and there are 2 names"),
        (("--classes", "{0}/page.json"), "page.json holds no list of classes"),
        (("--shape", "64x9"), "one to six shapes"),
    ],
)
def test_what_does_not_fit_is_said_in_a_sentence(trained, options, sentence):
    (trained / "two.json").write_text('["a", "b"]')
    (trained / "page.json").write_text("<html>")
    with pytest.raises(SystemExit, match=sentence):
        export(trained, *(option.format(trained) for option in options))


def test_what_is_not_stated_is_written_as_not_stated(trained):
    content = torch.load(trained / "iter_5.pth")
    del content["meta"]
    torch.save(content, trained / "bare.pth")
    with pytest.raises(SystemExit, match="has 3 classes, and there are no names"):
        export(trained, weights="bare.pth")
