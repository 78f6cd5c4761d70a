"""A small comparison: a few pictures of random features, a few steps."""

import json

import numpy as np
import pytest
import torch

from asa_viz.compare import train
from asa_viz.networks.zoo.ensemble import PROJECTION
from asa_viz.networks.zoo.projection import Projection, save_projection

CHANNELS = (12, 10)
CLASSES = 11


@pytest.fixture
def work_dir(tmp_path, monkeypatch):
    """A folder with encoded frames of two formats, and a schedule of four steps."""
    monkeypatch.setattr(train, "STEPS", 4)
    monkeypatch.setattr(train, "WARM_UP", 2)
    monkeypatch.setattr(train, "BATCH", 4)
    random = np.random.default_rng(0)
    folder = tmp_path / "features"
    folder.mkdir()
    for split, frames in (("train", 6), ("val", 3)):
        shapes = [((36, 34), (33, 40))[number % 2] for number in range(frames)]
        cells = sum(height * width for height, width in shapes)
        firsts = np.cumsum([0, *(height * width for height, width in shapes)])
        index = [
            (f"video{number // 2}_{number}", *shape, int(first))
            for number, (shape, first) in enumerate(zip(shapes, firsts, strict=False))
        ]
        (folder / f"{split}_index.json").write_text(json.dumps(index))
        for name, channels in enumerate(CHANNELS):
            random.normal(size=(cells, channels)).astype(np.float16).tofile(
                folder / f"{split}_{name}.bin"
            )
        random.normal(size=(cells, CLASSES)).astype(np.float16).tofile(
            folder / f"{split}_teacher.bin"
        )
        labels = random.integers(0, CLASSES, cells * 64, dtype=np.uint8)
        labels[: 9 * 64] = 255
        labels.tofile(folder / f"{split}_labels.bin")
    weights = tuple(torch.randn(channels, 20) for channels in CHANNELS)
    save_projection(Projection(weights, (torch.zeros(20), torch.zeros(20))), folder / PROJECTION)
    done = {"network": "small", "data_set": "camvid", "kept": [0.9, 0.9], "taught": True}
    done["pictures"] = 3
    (folder / "done.json").write_text(json.dumps(done))
    return tmp_path
