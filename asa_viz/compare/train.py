"""Trains one head on encoded pictures with mmengine's Runner, the same steps for every head."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import torch
from mmengine.runner import Runner
from safetensors.torch import load_file

from asa_viz.compare.features import DONE, Pictures
from asa_viz.compare.model import TEACHER_WEIGHT, WIDTH, HeadModel
from asa_viz.networks.configs import read_config
from asa_viz.networks.datasets import DATA_SETS, DataSet
from asa_viz.networks.hooks import WEIGHTS_FILE
from asa_viz.networks.weights import save_weights
from asa_viz.networks.zoo.ensemble import PROJECTION
from asa_viz.networks.zoo.projection import load_projection
from asa_viz.networks.zoo.record import Head

STEPS = 300
BATCH = 8
CROP = 32  # cells
RATE = 4e-3
WARM_UP = 20

# The schedule, printed beside the results; it does not depend on the head.
SCHEDULE = {
    "steps": STEPS,
    "crops_per_step": BATCH,
    "crop": f"{CROP} x {CROP} cells",
    "optimiser": f"AdamW, rate {RATE:g}, decay 0.01, warm-up of {WARM_UP} steps, then cosine",
    "loss": f"the data set's cross-entropy, and {TEACHER_WEIGHT:g} x KL to a teacher where one is",
}


def data_set_in(features: Path) -> DataSet:
    """Return the facts of the data set whose pictures are encoded in `features`."""
    return DATA_SETS[json.loads((features / DONE).read_text(encoding="utf-8"))["data_set"]]


def new_model(head: Head, features: Path, width: int = WIDTH) -> HeadModel:
    """Return a head with random weights for the pictures encoded in `features`."""
    facts = data_set_in(features)
    loss = dict(read_config(f"asa_mobilenetv2_{facts.name}").model.decode_head.loss_decode)
    channels = load_projection(features / PROJECTION).channels
    return HeadModel(head, channels, loss, len(facts.classes), width)


def train(
    head: Head,
    seed: int,
    features: Path,
    work_dir: Path,
    *,
    started: bool = False,
    device: str = "cpu",
    width: int | None = None,
    rate: float | None = None,
    steps: int | None = None,
    repeat: float = 0.0,
) -> HeadModel:
    """Return the head trained from `seed`; its weights are stored in `work_dir` and reused.

    Width, rate and number of steps are those of the comparison unless others are given.

    The seed determines the initial weights and the crops, which are the same for every head. With
    `started` the attention block is initialised as in the shipped networks. `repeat` is that of
    `Pictures`.
    """
    weights = work_dir / WEIGHTS_FILE
    torch.manual_seed(seed)
    model = new_model(head, features, width or WIDTH)
    if weights.is_file():
        model.load_state_dict(load_file(weights))
        return model.eval()
    pictures = Pictures(features, "train", CROP, seed, device, repeat)
    model.to(device)
    if started:
        first = [pictures[i]["inputs"] for i in range(0, len(pictures), -(-len(pictures) // BATCH))]
        model.start([torch.stack(stage) for stage in zip(*first, strict=True)])
    schedule = (rate or RATE, steps or STEPS)
    runner = Runner(**_settings(model, pictures, seed, work_dir, *schedule))
    runner.train()
    model.cpu()
    save_weights(model.state_dict(), weights)
    return model.eval()


def _settings(
    model: HeadModel, pictures: Pictures, seed: int, work_dir: Path, rate: float, steps: int
) -> dict[str, Any]:
    return {
        "model": model,
        "work_dir": str(work_dir),
        "train_dataloader": {
            "batch_size": BATCH,
            "num_workers": 0,
            "sampler": {"type": "InfiniteSampler", "shuffle": True},
            "dataset": pictures,
            "collate_fn": {"type": "default_collate"},
        },
        "train_cfg": {"type": "IterBasedTrainLoop", "max_iters": steps},
        "optim_wrapper": {
            "type": "OptimWrapper",
            "optimizer": {"type": "AdamW", "lr": rate, "weight_decay": 0.01},
            "clip_grad": {"max_norm": 5.0},
        },
        "param_scheduler": [
            {"type": "LinearLR", "start_factor": 0.05, "end": WARM_UP, "by_epoch": False},
            {"type": "CosineAnnealingLR", "begin": WARM_UP, "end": steps, "by_epoch": False},
        ],
        "default_hooks": {
            "logger": {"type": "LoggerHook", "interval": 25, "log_metric_by_epoch": False},
            "checkpoint": None,
        },
        "log_processor": {"by_epoch": False, "window_size": 25},
        "randomness": {"seed": seed},
        # mmengine warns of two experiments of the same name within one second.
        "experiment_name": f"{work_dir.parent.name}_{seed}_{uuid4().hex[:8]}",
        "default_scope": "mmseg",
    }  # fmt: skip
