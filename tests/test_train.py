"""Training from the command line, on a handful of made-up frames: starts, learns, goes on."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from asa_viz.networks.checkpoint import build
from asa_viz.networks.configs import read_config
from asa_viz.networks.stock import model_as_data
from asa_viz.train import main, parse_arguments, runner_config
from tests.networks.small import make_frames


def train(*arguments):
    command = [sys.executable, "-W", "ignore", "-m", "asa_viz.train", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    """Two steps of the second stage from the first's weights, with a validation at the end."""
    folder = tmp_path_factory.mktemp("training")
    data = make_frames(folder / "data", count=8, classes=11)
    torch.manual_seed(0)
    network = build(model_as_data(read_config("fcn_mobilenetv2_camvid")))
    save_file(network.state_dict(), folder / "first.safetensors")
    arguments = (
        "asa_mobilenetv2_camvid", "--data", data, "--init-backbone", folder / "first.safetensors",
        "--work-dir", folder / "work", "--resume", "--cfg-options",
        "train_dataloader.batch_size=2", "train_dataloader.num_workers=0",
        "train_dataloader.persistent_workers=False", "val_dataloader.num_workers=0",
        "val_dataloader.persistent_workers=False",
        "train_dataloader.dataset.pipeline.3.crop_size=(64,64)",
        "model.data_preprocessor.size=(64,64)", "default_hooks.logger.interval=1",
    )  # fmt: skip
    steps = ["train_cfg.max_iters=2", "train_cfg.val_interval=2"]
    return folder, arguments, train(*arguments, *steps)


@pytest.mark.slow
def test_it_trains_validates_and_saves_weights_as_data(started):
    folder, _, done = started
    assert done.returncode == 0, done.stderr[-2000:]
    assert "mIoU" in done.stdout
    assert "decode.support" in done.stdout
    before = load_file(folder / "first.safetensors")
    after = load_file(folder / "work" / "weights.safetensors")
    assert "decode_head.nl_block.nonlocal_scale.weight" in after
    # The backbone stays as it is, statistics included; the block has started.
    kept = [name for name in before if name.startswith("backbone.")]
    assert kept
    assert all(torch.equal(after[name], before[name]) for name in kept)
    query, key = (after[f"decode_head.nl_block.{name}.conv.weight"] for name in ("theta", "phi"))
    assert torch.allclose(query, key, atol=1e-2)


@pytest.mark.slow
def test_it_goes_on_from_its_work_dir(started):
    folder, arguments, _ = started
    done = train(*arguments, "train_cfg.max_iters=3", "train_cfg.val_interval=3")
    assert done.returncode == 0, done.stderr[-2000:]
    assert "resumed" in done.stdout.lower()
    assert "Iter(train) [3/3]" in done.stdout
    assert "Iter(train) [1/3]" not in done.stdout
    assert (folder / "work" / "iter_3.pth").exists()


@pytest.mark.parametrize("seed", [0, 7])
def test_the_seed_is_the_one_asked_for(seed):
    arguments = ["asa_mobilenetv2_voc2012", "--data", ".", "--seed", str(seed)]
    assert runner_config(parse_arguments(arguments)).randomness == {"seed": seed}


def test_a_teacher_is_passed_on():
    arguments = ["fcn_mobilenetv2_voc2012", "--data", ".", "--teacher", "teacher.safetensors"]
    config = runner_config(parse_arguments(arguments))
    assert config.model.teacher == str(Path("teacher.safetensors").resolve())


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--amp"], "needs a GPU"),
        (["--launcher", "pytorch"], "need a GPU each"),
        ([], r"no folder .*images/train; pictures are looked for there"),
    ],
)
def test_what_cannot_be_done_here_is_said_before_anything_is_built(tmp_path, options, sentence):
    if options and torch.cuda.is_available():
        pytest.skip("There is a GPU.")
    with pytest.raises(SystemExit, match=sentence):
        main(["asa_mobilenetv2_camvid", "--data", str(tmp_path), *options])


def test_labels_in_colours_are_refused_before_anything_is_built(tmp_path):
    data = make_frames(tmp_path / "data", count=1)
    (file,) = (data / "annotations/val").iterdir()
    Image.open(file).convert("RGB").save(file)
    with pytest.raises(SystemExit, match=r"frame_0\.png holds colours \(RGB\), not labels"):
        main(["asa_mobilenetv2_camvid", "--data", str(data)])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("nothing", "--data", "."), "There is no config 'nothing'"),
        (("asa_mobilenetv2_camvid", "--data", "nowhere"), "There is no data folder"),
        (("asa_mobilenetv2_camvid", "--data", "{data}", "--init", "no.pth"), "no file of weights"),
        (
            (
                "fcn_mobilenetv2_camvid",
                "--data",
                "{data}",
                "--teacher",
                "{data}/../first.safetensors",
            ),
            "holds no DeepLab network to learn from",
        ),
    ],
)
def test_what_is_missing_is_said_in_a_sentence(started, arguments, sentence, tmp_path):
    data = started[0] / "data"
    done = train(*(argument.format(data=data) for argument in arguments), "--work-dir", tmp_path)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
