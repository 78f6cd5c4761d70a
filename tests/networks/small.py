"""A small ASA network with random weights, and a folder of made-up frames laid out as CamVid."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from asa_viz.networks import checkpoint

MODEL = {
    "type": "EncoderDecoder",
    "data_preprocessor": {
        "type": "SegDataPreProcessor",
        "mean": [120.0, 120.0, 120.0],
        "std": [60.0, 50.0, 70.0],
        "bgr_to_rgb": True,
    },
    "backbone": {
        "type": "MobileNetV2",
        "strides": [1, 2, 2, 1, 1, 1, 1],
        "dilations": [1, 1, 1, 2, 2, 4, 4],
        "out_indices": [1, 2, 4, 6],
    },
    "decode_head": {
        "type": "ASAHead",
        "in_channels": 320,
        "in_index": 3,
        "channels": 16,
        "num_classes": 3,
        "norm_cfg": {"type": "BN"},
        "loss_decode": {"type": "CrossEntropyLoss", "avg_non_ignore": True},
    },
}
FIELDS = {
    "name": "small",
    "model": MODEL,
    "classes": ("road", "car", "sky"),
    "palette": ((1, 2, 3), (4, 5, 6), (7, 8, 9)),
    "shapes": ((64, 96), (96, 64)),
    "training": {},
    "metrics": {},
    "licence": "none",
}


def save_small(folder: Path, head: str = "ASAHead", *, turned: bool = True, **settings: Any):
    """Write the small network as a checkpoint; return its path and the network.

    `settings` go to the head; not `turned`, it works on BGR.
    """
    torch.manual_seed(0)
    model = MODEL | {
        "data_preprocessor": MODEL["data_preprocessor"] | {"bgr_to_rgb": turned},
        "decode_head": MODEL["decode_head"] | {"type": head} | settings,
    }
    network = checkpoint.build(model)
    # Normalise by the statistics of one noisy image, so that features vary as much as trained ones.
    for part in network.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.momentum = 1.0
    with torch.no_grad():
        network.train().decode_head(network.extract_feat(torch.randn(1, 3, 64, 96)))
        for part in (network.decode_head.nl_block.theta, network.decode_head.nl_block.phi):
            part.conv.weight.mul_(30)
    path = folder / "small.safetensors"
    checkpoint.save_checkpoint(network.state_dict(), FIELDS | {"model": model}, path)
    return path, network


def make_frames(folder: Path, splits=("train", "val"), count=4, size=(64, 96), classes=3) -> Path:
    """Write frames of noise with blocks of labels, a strip of them not labelled (11)."""
    generator = np.random.default_rng(0)
    height, width = size
    for split in splits:
        for kind in ("images", "annotations"):
            (folder / kind / split).mkdir(parents=True)
        for number in range(count):
            image = generator.integers(0, 256, (height, width, 3), dtype=np.uint8)
            labels = generator.integers(0, classes, (height // 16, width // 16), dtype=np.uint8)
            labels = labels.repeat(16, 0).repeat(16, 1)
            labels[:8] = 11
            name = f"frame_{number}"
            Image.fromarray(image).save(folder / "images" / split / f"{name}.webp", lossless=True)
            Image.fromarray(labels).save(folder / "annotations" / split / f"{name}.png")
    return folder
