"""What the frozen backbone makes of every frame, computed once and kept on disk.

Heads are compared on the principal components of the backbone's last two stages: a fraction of the
work for each, and nearly all of what the stages say. Frames are read as the page reads them; those
to train on also as their mirror images.
"""

import json
from pathlib import Path

import numpy as np
import torch
from mmengine.utils import ProgressBar
from PIL import Image, ImageOps
from torch import Tensor
from torch.utils.data import Dataset

from asa_viz.evaluate import frames
from asa_viz.images import read_image
from asa_viz.networks.segmenter import Segmenter
from asa_viz.networks.zoo.ensemble import PROJECTION
from asa_viz.networks.zoo.projection import fit, save_projection

DONE = "done.json"
COMPONENTS = 64
FITTED_ON = 4  # every fourth frame decides on the components
UNLABELLED = 255
STRIDE = 8  # pixels of a cell


def encode_frames(segmenter: Segmenter, data: Path, folder: Path) -> None:
    """Write features and labels of both splits to `folder`, unless they are there.

    Raises:
        FileNotFoundError: there are no frames.
    """
    if (folder / DONE).is_file():
        return
    folder.mkdir(parents=True, exist_ok=True)
    train = frames(data, "train")
    projection, kept = fit(
        (segmenter.features(image) for image, _ in train[::FITTED_ON]), COMPONENTS
    )
    save_projection(projection, folder / PROJECTION)
    for split, pairs in (("train", train), ("val", frames(data, "val"))):
        stages: list[list[np.ndarray]] = [[], []]
        labels = []
        progress = ProgressBar(len(pairs))
        for image, annotation in pairs:
            picture = Image.fromarray(read_image(image).rgb)
            truth: Image.Image = Image.open(annotation)
            sides = [(picture, truth)]
            if split == "train":
                sides.append((ImageOps.mirror(picture), ImageOps.mirror(truth)))
            for picture, truth in sides:
                for stage, own in zip(stages, projection(segmenter.features(picture)), strict=True):
                    stage.append(own[0].half().numpy())
                label = np.asarray(truth).copy()
                label[label >= len(segmenter.classes)] = UNLABELLED
                labels.append(label)
            progress.update()
        for index, stage in enumerate(stages):
            np.save(folder / f"{split}_{index}.npy", np.stack(stage))
        np.save(folder / f"{split}_labels.npy", np.stack(labels))
    done = {"network": segmenter.name, "kept": [round(share, 4) for share in kept]}
    (folder / DONE).write_text(json.dumps(done) + "\n", encoding="utf-8")


class FrameFeatures(Dataset[dict[str, object]]):
    """The encoded frames of a split: whole, or a random crop of `crop` x `crop` cells each time.

    `seed` decides on the crops, whatever else draws random numbers in between.
    """

    def __init__(self, folder: Path, split: str, crop: int | None = None, seed: int = 0) -> None:
        self.stages = [np.load(folder / f"{split}_{i}.npy", mmap_mode="r") for i in range(2)]
        self.labels = np.load(folder / f"{split}_labels.npy", mmap_mode="r")
        self.crop = crop
        self._random = torch.Generator().manual_seed(seed)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> dict[str, object]:
        height, width = self.stages[0].shape[-2:]
        rows, cols = slice(0, height), slice(0, width)
        if self.crop is not None:
            top, left = (
                int(torch.randint(size - self.crop + 1, (), generator=self._random))
                for size in (height, width)
            )
            rows, cols = slice(top, top + self.crop), slice(left, left + self.crop)
        # To train on, every second label of a side is enough, and a good deal quicker.
        thin = 1 if self.crop is None else 2
        label = self.labels[index][
            rows.start * STRIDE : rows.stop * STRIDE : thin,
            cols.start * STRIDE : cols.stop * STRIDE : thin,
        ]
        inputs = [_tensor(stage[index][:, rows, cols]).float() for stage in self.stages]
        return {"inputs": inputs, "labels": _tensor(label)}


def _tensor(array: np.ndarray) -> Tensor:
    return torch.from_numpy(array.copy())
