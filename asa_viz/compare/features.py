"""Encodes every picture of a data set by a frozen backbone, once, into files.

Heads are compared on the principal components of the backbone's last two stages, which cost a
fraction of the work and keep nearly all of the variance. Pictures are read as the page reads them;
training pictures also as mirror images. With a teacher its logits are stored too.

A split consists of flat files, with the cells or pixels of all pictures one after another, and an
index of names and grids, because pictures differ in format.
"""

import json
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, UInt8
from mmengine.utils import ProgressBar
from PIL import Image, ImageOps
from torch import Tensor
from torch.utils.data import Dataset

from asa_viz.images import nearest_shape, read_image
from asa_viz.networks.datasets import DataSet
from asa_viz.networks.distillation import BACKGROUND, DeepLabTeacher
from asa_viz.networks.pictures import IGNORED, frames
from asa_viz.networks.segmenter import Segmenter
from asa_viz.networks.zoo.ensemble import PROJECTION
from asa_viz.networks.zoo.projection import Projection, fit, load_projection, save_projection

DONE = "done.json"
COMPONENTS = 64
FITTED_ON = 8  # every eighth picture is used to fit the components
STRIDE = 8  # pixels of a cell


class Picture(NamedTuple):
    """One picture in a split's files: its name, its grid, and the offset of its cells."""

    name: str
    height: int
    width: int
    first_cell: int


def encode_pictures(
    segmenter: Segmenter,
    facts: DataSet,
    data: Path,
    folder: Path,
    teacher: DeepLabTeacher | None = None,
    every: int = 1,
    rare: int = 0,
) -> None:
    """Write features and labels of both splits to `folder`, unless they are there.

    The pictures to train on are `thinned` by `every` and `rare`; all others are measured on. A
    projection in `folder` is used as it is, so that heads trained before read the same components.

    Raises:
        DataError: there are no pictures.
    """
    if (folder / DONE).is_file():
        return
    folder.mkdir(parents=True, exist_ok=True)
    train = thinned(frames(data, "train"), len(facts.classes), every, rare)
    projection, kept = fit(
        (segmenter.features(image) for image, _ in train[::FITTED_ON]), COMPONENTS
    )
    if (folder / PROJECTION).is_file():
        projection = load_projection(folder / PROJECTION)
    else:
        save_projection(projection, folder / PROJECTION)
    for split, pairs in (("train", train), ("val", frames(data, "val"))):
        progress = ProgressBar(len(pairs))
        writer = _Writer(segmenter, facts, projection, teacher, folder, split)
        with writer:
            for image, annotation in pairs:
                writer.add(image, annotation, mirrored=split == "train")
                progress.update()
    done = {
        "network": segmenter.name,
        "data_set": facts.name,
        "kept": [round(share, 4) for share in kept],
        "taught": teacher is not None,
        "pictures": len(train),
    }
    (folder / DONE).write_text(json.dumps(done) + "\n", encoding="utf-8")


def thinned(
    pairs: Sequence[tuple[Path, Path]], classes: int, every: int, rare: int
) -> list[tuple[Path, Path]]:
    """Return one picture in `every`, and all that show a class which fewer than `rare` show."""
    if not rare:
        return list(pairs[::every])
    shown = [set(np.unique(np.array(Image.open(annotation))).tolist()) for _, annotation in pairs]
    pictures = Counter(label for labels in shown for label in labels)
    few = {label for label in range(classes) if pictures[label] < rare}
    return [
        pair
        for number, (pair, labels) in enumerate(zip(pairs, shown, strict=True))
        if number % every == 0 or labels & few
    ]


class _Writer:
    """Appends pictures to the files of a split; the index is written at the end."""

    def __init__(
        self,
        segmenter: Segmenter,
        facts: DataSet,
        projection: Projection,
        teacher: DeepLabTeacher | None,
        folder: Path,
        split: str,
    ) -> None:
        self._segmenter, self._facts, self._teacher = segmenter, facts, teacher
        self._projection = projection
        self._folder, self._split = folder, split
        self._index: list[Picture] = []
        self._cells = 0

    def __enter__(self) -> "_Writer":
        self._files = ExitStack()
        names = ("labels", "teacher", *map(str, range(len(self._projection.channels))))
        self._open: dict[str, IO[bytes]] = {
            name: self._files.enter_context((self._folder / f"{self._split}_{name}.bin").open("wb"))
            for name in names
        }
        return self

    def __exit__(self, *_: object) -> None:
        self._files.close()
        index = json.dumps([list(picture) for picture in self._index])
        (self._folder / f"{self._split}_index.json").write_text(index + "\n", encoding="utf-8")

    def add(self, image: Path, annotation: Path, *, mirrored: bool) -> None:
        """Encode a picture, and with `mirrored` its mirror image as well."""
        picture, truth = Image.fromarray(read_image(image).rgb), Image.open(annotation)
        self._encode(image.stem, picture, truth)
        if mirrored:
            self._encode(image.stem, ImageOps.mirror(picture), ImageOps.mirror(truth))

    def _encode(self, name: str, picture: Image.Image, truth: Image.Image) -> None:
        shape = nearest_shape(picture.height, picture.width, self._facts.shapes)
        labels = np.array(truth.resize(shape[::-1], Image.Resampling.NEAREST))
        labels[labels >= len(self._facts.classes)] = IGNORED
        stages = self._projection(self._segmenter.features(picture))
        height, width = stages[0].shape[-2:]
        for index, stage in enumerate(stages):
            self._write(str(index), stage)
        if self._teacher is not None:
            taught = self._teacher(self._segmenter.pixels(picture))
            self._write("teacher", taught)
            self._leave_out(name, labels, taught)
        self._open["labels"].write(np.ascontiguousarray(labels).tobytes())
        self._index.append(Picture(name, height, width, self._cells))
        self._cells += height * width

    def _write(self, file: str, of_cells: Float[Tensor, "1 c h w"]) -> None:
        self._open[file].write(of_cells[0].flatten(1).mT.half().contiguous().numpy().tobytes())

    def _leave_out(
        self, name: str, labels: UInt8[np.ndarray, "_ _"], taught: Float[Tensor, "1 classes h w"]
    ) -> None:
        """Ignore background where the teacher sees the class that may be unannotated."""
        seen = taught[0].argmax(0).numpy().repeat(STRIDE, 0).repeat(STRIDE, 1)
        for prefix, class_name in self._facts.not_annotated.items():
            if name.startswith(prefix):
                missed = seen == self._facts.classes.index(class_name)
                labels[(labels == BACKGROUND) & missed] = IGNORED


class Pictures(Dataset[dict[str, Any]]):
    """The encoded pictures of a split: whole, or a random crop of `crop` x `crop` cells each time.

    `seed` decides on the crops, whatever else draws random numbers in between. On a `device` other
    than the CPU everything is held there. With `repeat` a picture stands in the index
    sqrt(repeat / share of the pictures that show its rarest class) times, rounded, and at least
    once (Gupta, Dollar, Girshick: LVIS, CVPR 2019, arXiv 1908.03195).
    """

    def __init__(
        self,
        folder: Path,
        split: str,
        crop: int | None = None,
        seed: int = 0,
        device: str = "cpu",
        repeat: float = 0.0,
    ) -> None:
        index = json.loads((folder / f"{split}_index.json").read_text(encoding="utf-8"))
        self.index = [Picture(*entry) for entry in index]
        self.crop = crop
        self._random = torch.Generator().manual_seed(seed)
        channels = load_projection(folder / PROJECTION).channels
        cells = self.index[-1].first_cell + self.index[-1].height * self.index[-1].width

        def read(name: str, kind: type) -> Tensor:
            flat = np.memmap(folder / f"{split}_{name}.bin", kind, "c")
            return torch.from_numpy(flat).view(cells, -1).to(device)

        self._stages = [read(str(number), np.float16) for number in range(len(channels))]
        taught = (folder / f"{split}_teacher.bin").stat().st_size
        self._taught = read("teacher", np.float16) if taught else None
        self._labels = read("labels", np.uint8).flatten()
        if repeat:
            self.index = self._repeated(repeat)

    def _repeated(self, threshold: float) -> list[Picture]:
        shown = [set(self._labels_of(picture).unique().tolist()) for picture in self.index]
        pictures = Counter(label for labels in shown for label in labels - {IGNORED})
        # A picture without labels is not repeated.
        rarest = [
            min((pictures[label] for label in labels - {IGNORED}), default=len(shown))
            for labels in shown
        ]
        return [
            picture
            for picture, count in zip(self.index, rarest, strict=True)
            for _ in range(max(1, round(math.sqrt(threshold * len(shown) / count))))
        ]

    def _labels_of(self, picture: Picture) -> UInt8[Tensor, " pixels"]:
        first, cells = picture.first_cell, picture.height * picture.width
        return self._labels[first * STRIDE**2 : (first + cells) * STRIDE**2]

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, number: int) -> dict[str, Any]:
        _, height, width, first = self.index[number]
        rows, cols = slice(0, height), slice(0, width)
        if self.crop is not None:
            top, left = (
                int(torch.randint(size - self.crop + 1, (), generator=self._random))
                for size in (height, width)
            )
            rows, cols = slice(top, top + self.crop), slice(left, left + self.crop)
        last = first + height * width

        def cut(flat: Tensor) -> Tensor:
            of_picture = flat[first:last].view(height, width, -1)
            return of_picture[rows, cols].permute(2, 0, 1).float()

        # For training every second label in each direction suffices, and is faster.
        thin = 1 if self.crop is None else 2
        labels = self._labels_of(self.index[number]).view(height * STRIDE, width * STRIDE)[
            rows.start * STRIDE : rows.stop * STRIDE : thin,
            cols.start * STRIDE : cols.stop * STRIDE : thin,
        ]
        item: dict[str, Any] = {"inputs": [cut(stage) for stage in self._stages], "labels": labels}
        if self._taught is not None:
            item["taught"] = cut(self._taught)
        return item

    def whole(self, step: int = 1) -> Iterator[tuple[list[Tensor], Tensor]]:
        """Yield the stages of every `step`-th picture as a batch of one, and its labels."""
        for number in range(0, len(self), step):
            item = self[number]
            yield [stage[None] for stage in item["inputs"]], item["labels"]
