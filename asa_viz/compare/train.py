"""Train one head on encoded frames: the same few steps for every head, on mmengine's Runner."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import torch
from mmengine.runner import Runner
from safetensors.torch import load_file, save_file

from asa_viz.compare.features import FrameFeatures
from asa_viz.compare.model import HeadModel
from asa_viz.networks.camvid import CLASSES
from asa_viz.networks.configs import read_config
from asa_viz.networks.hooks import WEIGHTS_FILE
from asa_viz.networks.zoo.ensemble import PROJECTION
from asa_viz.networks.zoo.projection import load_projection
from asa_viz.networks.zoo.record import Head

STEPS = 200
BATCH = 4
CROP = 32  # cells
RATE = 8e-3
WARM_UP = 10

# What is stated beside the results. Chosen by a few trials of the head without attention; nothing
# here depends on the head.
SCHEDULE = {
    "steps": STEPS,
    "crops_per_step": BATCH,
    "crop": f"{CROP} x {CROP} cells",
    "optimiser": f"AdamW, rate {RATE:g}, decay 0.01, warm-up of {WARM_UP} steps, then cosine",
    "loss": "cross-entropy weighted by class",
}


def new_model(head: Head, folder: Path) -> HeadModel:
    """Return a head with random weights for the frames encoded in `folder`."""
    loss = dict(read_config("dense_mobilenetv2_camvid").model.decode_head.loss_decode)
    channels = load_projection(folder / PROJECTION).channels
    return HeadModel(head, channels, loss, len(CLASSES))


def train(head: Head, seed: int, features: Path, work_dir: Path) -> HeadModel:
    """Return the head trained from `seed`; its weights are kept in `work_dir` and read from there.

    The seed decides on the first weights and on the crops, the same crops for every head.
    """
    weights = work_dir / WEIGHTS_FILE
    torch.manual_seed(seed)
    model = new_model(head, features)
    if weights.is_file():
        model.load_state_dict(load_file(weights))
        return model.eval()
    runner = Runner(**_settings(model, seed, features, work_dir))
    runner.train()
    part = weights.with_suffix(".part")
    # Clones, for layers may share their weights, and each name shall be in the file.
    save_file({name: tensor.clone() for name, tensor in model.state_dict().items()}, part)
    part.replace(weights)
    return model.eval()


def _settings(model: HeadModel, seed: int, features: Path, work_dir: Path) -> dict[str, Any]:
    return {
        "model": model,
        "work_dir": str(work_dir),
        "train_dataloader": {
            "batch_size": BATCH,
            "num_workers": 0,
            "sampler": {"type": "InfiniteSampler", "shuffle": True},
            "dataset": FrameFeatures(features, "train", CROP, seed),
            "collate_fn": {"type": "default_collate"},
        },
        "train_cfg": {"type": "IterBasedTrainLoop", "max_iters": STEPS},
        "optim_wrapper": {
            "type": "OptimWrapper",
            "optimizer": {"type": "AdamW", "lr": RATE, "weight_decay": 0.01},
            "clip_grad": {"max_norm": 5.0},
        },
        "param_scheduler": [
            {"type": "LinearLR", "start_factor": 0.1, "end": WARM_UP, "by_epoch": False},
            {"type": "CosineAnnealingLR", "begin": WARM_UP, "end": STEPS, "by_epoch": False},
        ],
        "default_hooks": {
            "logger": {"type": "LoggerHook", "interval": 25, "log_metric_by_epoch": False},
            "checkpoint": None,
        },
        "log_processor": {"by_epoch": False, "window_size": 25},
        "randomness": {"seed": seed},
        # mmengine warns of two in one second that have the same name.
        "experiment_name": f"{work_dir.parent.name}_{seed}_{uuid4().hex[:8]}",
        "default_scope": "mmseg",
    }  # fmt: skip
