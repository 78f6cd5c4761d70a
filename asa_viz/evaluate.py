"""Evaluate a network: `python -m asa_viz.evaluate NETWORK --data ROOT --split val|test`.

Each picture is encoded as the page encodes it, so the figures describe what the page shows: the
session's labels, and the attention over the picture's cells. A cell's true class is the label at
its centre. Unlabelled cells are left out as queries, and as keys count as another class.

Also evaluated are controls: the same network without attention (every cell reads its own value
alone), without its block, without the local rule, and rows of the same size chosen in a simpler way
(`asa_viz.controls`).

`--as voc2012` scores a network with more classes on the pictures of VOC 2012: its classes that
VOC 2012 does not have, such as sky, count as background.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8
from mmengine.utils import ProgressBar
from mmseg.evaluation import IoUMetric
from torch import Tensor

from asa_viz.attention.what_if import WhatIf
from asa_viz.controls import OWN_CLASS, means, of_queries
from asa_viz.geometry import Cell
from asa_viz.images import ImageError
from asa_viz.networks.checkpoint import find
from asa_viz.networks.datasets import DATA_SETS, DataSet
from asa_viz.networks.external import add_arguments, asked
from asa_viz.networks.pictures import IGNORED, DataError, frames, read_labels
from asa_viz.networks.segmenter import Segmenter
from asa_viz.networks.weights import WeightsError
from asa_viz.session import Session
from asa_viz.views import SegmentationView, flips

LabelMap = UInt8[np.ndarray, "height width"]


def cell_classes(labels: LabelMap, session: Session) -> UInt8[np.ndarray, "h w"]:
    """Return the class labelled at the centre of each cell."""
    grid = session.grid
    centres = [
        [grid.centre_of(Cell(row, col)) for col in range(grid.width)] for row in range(grid.height)
    ]
    return np.array([[labels[y, x] for x, y in line] for line in centres], dtype=np.uint8)


@dataclass
class Tally:
    """Pixel counts over pictures: by class, and the pixels whose class a control changes."""

    classes: tuple[str, ...]
    scored: tuple[str, ...]
    # The class that each label of the network counts as.
    counts_as: UInt8[np.ndarray, " labels"]
    areas: np.ndarray = field(init=False)
    changed: int = 0
    pixels: int = 0

    def __post_init__(self) -> None:
        self.areas = np.zeros((4, len(self.classes)))

    def add(self, shown: SegmentationView, truth: LabelMap, trained: SegmentationView) -> None:
        """Count one picture; `trained` is the segmentation of the network as trained."""
        self.areas += np.stack(
            IoUMetric.intersect_and_union(
                torch.from_numpy(self.counts_as[shown.labels].astype(np.int64)),
                torch.from_numpy(truth.astype(np.int64)),
                len(self.classes),
                IGNORED,
            )
        )
        self.changed += flips(trained, shown).count
        self.pixels += shown.working_labels.size

    @property
    def iou(self) -> dict[str, float]:
        """The IoU of every class that is labelled in some picture."""
        intersect, union, _, label = self.areas
        return {
            name: float(intersect[i] / union[i])
            for i, name in enumerate(self.classes)
            if label[i] > 0
        }

    def figures(self) -> dict[str, float]:
        """Return mIoU over all classes present and over the scored ones, and pixel accuracy."""
        iou = self.iou
        scored = [iou[name] for name in self.scored if name in iou]
        return {
            "mIoU": _rounded(np.mean(list(iou.values()))),
            "mIoU_scored": _rounded(np.mean(scored)),
            "pixel_accuracy": _rounded(self.areas[0].sum() / self.areas[3].sum()),
        }

    def control(self) -> dict[str, float]:
        """Return the figures, and the share of pixels that differ from the network as trained."""
        return self.figures() | {"flips": _rounded(self.changed / self.pixels)}


def counted_as(names: Sequence[str], data_set: DataSet) -> UInt8[np.ndarray, " labels"]:
    """Return for each class of a network the index of its class in a data set.

    Classes are matched by name; one that the data set does not have counts as background.

    Raises:
        ValueError: the data set has no background.
    """
    known = {name: index for index, name in enumerate(data_set.classes)}
    if "background" not in known and not known.keys() >= set(names):
        raise ValueError(f"{data_set.name} has no background for what it does not name.")
    return np.array([known.get(name, known.get("background")) for name in names], np.uint8)


def evaluate(
    segmenter: Segmenter, pairs: Sequence[tuple[Path, Path]], labelled_as: DataSet | None = None
) -> dict[str, Any]:
    """Return segmentation and attention figures over all pictures, shares between 0 and 1.

    `mIoU` is over all classes labelled in some picture, `mIoU_scored` over those that the data set
    scores. `flips` are shares of the pixels at working size. The labels are those of the network's
    classes, or of the data set `labelled_as` (`counted_as`).

    Raises:
        ValueError: a class of the network has no counterpart in the data set.
    """
    data_set = labelled_as or DATA_SETS.get(str(segmenter.card.training.get("data_set")))
    scored = data_set.scored if data_set else segmenter.classes
    classes = labelled_as.classes if labelled_as else segmenter.classes
    counts_as = (
        counted_as(segmenter.classes, labelled_as)
        if labelled_as
        else np.arange(len(classes), dtype=np.uint8)
    )
    tallies: dict[str, Tally] = {}
    of_rows: list[dict[str, Tensor]] = []
    scales = []
    for session, labels in _encoded(segmenter, pairs, len(classes)):
        for name, shown in _controls(segmenter, session).items():
            tally = tallies.setdefault(name, Tally(classes, scored, counts_as))
            tally.add(shown, labels, session.segmentation)
        of_truth = cell_classes(labels, session)
        of_cells = of_queries(session.attention, of_truth)
        of_rows.append(
            of_cells
            | {
                "asked": torch.from_numpy(of_truth.ravel() != IGNORED),
                "share": of_cells["support"] / session.grid.size,
            }
        )
        scales.append(np.stack([scale.ravel() for scale in session.scales]))
    trained = tallies.pop("trained")
    rows = means(of_rows)
    return {
        "pictures": len(pairs),
        **trained.figures(),
        "IoU": {name: _rounded(share) for name, share in trained.iou.items()},
        **{name: tally.control() for name, tally in tallies.items()},
        "support": _rounded(rows["share"]),
        "empty_rows": _rounded(rows["empty_rows"]),
        "keys_by_local_rule_alone": _rounded(rows["local_alone"]),
        "keys_by_nonlocal_rule_alone": _rounded(rows["nonlocal_alone"]),
        **{f"own_class_{name}": _rounded(rows[name]) for name in OWN_CLASS},
        "nonlocal_scale": _spread(np.concatenate([pair[0] for pair in scales])),
        "local_scale": _spread(np.concatenate([pair[1] for pair in scales])),
    }


def _controls(segmenter: Segmenter, session: Session) -> dict[str, SegmentationView]:
    """Return the segmentations of the network as trained and of its controls."""
    shown = {"trained": session.segmentation}
    # Heads whose rows cannot be replaced have no controls.
    with suppress(ValueError):
        shown["without_attention"] = session.without_attention
    if (without_block := segmenter.without_block(session)) is not None:
        shown["without_block"] = without_block
    if session.thresholds_learned:
        shown["without_local_rule"] = segmenter.rerun(session, WhatIf(local_rule=False))
    return shown


def _encoded(
    segmenter: Segmenter, pairs: Sequence[tuple[Path, Path]], classes: int
) -> Iterator[tuple[Session, LabelMap]]:
    progress = ProgressBar(len(pairs), file=sys.stderr)
    for image, annotation in pairs:
        labels = read_labels(annotation, classes, reduce_zero_label=segmenter.reduce_zero_label)
        try:
            session = segmenter.encode(image)
        except ImageError as error:
            raise DataError(f"{image}: {error}") from error
        grid = session.grid
        if labels.shape != (grid.image_height, grid.image_width):
            raise DataError(
                f"{annotation} has {labels.shape[1]} x {labels.shape[0]} pixels, its picture "
                f"{grid.image_width} x {grid.image_height}."
            )
        yield session, labels
        progress.update()


def _spread(values: np.ndarray) -> dict[str, float]:
    """Return mean and deviation figures of a scale over the cells."""
    low, middle, high = np.percentile(values, (5, 50, 95))
    numbers = {"mean": values.mean(), "std": values.std(), "p5": low, "median": middle, "p95": high}
    return {name: _rounded(number) for name, number in numbers.items()}


def _rounded(number: float | np.floating[Any]) -> float:
    return round(float(number), 4)


def main(arguments: Sequence[str] | None = None) -> None:
    """Evaluate and print figures as JSON; `--json` writes them to a file, `--card` on the card."""
    parser = argparse.ArgumentParser(prog="python -m asa_viz.evaluate", description=__doc__)
    parser.add_argument(
        "network", nargs="?", help="a name in checkpoints/ or the path of a safetensors file"
    )
    parser.add_argument("--data", required=True, type=Path, help="root folder of the data set")
    parser.add_argument("--split", choices=["train", "val", "test"], default="val")
    parser.add_argument(
        "--as", choices=sorted(DATA_SETS), dest="labelled_as", metavar="DATA_SET",
        help="the labels are this data set's classes, not the network's",
    )  # fmt: skip
    parser.add_argument("--limit", type=int, help="only so many pictures, the first by name")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--card", action="store_true", help="keep the figures on the card as well")
    parser.add_argument("--device", choices=["cpu", "cuda"])
    add_arguments(parser)
    parsed = parser.parse_args(arguments)
    try:
        segmenter = asked(parsed, parsed.network)
        if parsed.card and parsed.config:
            raise WeightsError("A network that was opened has no card; export it first.")
        pairs = frames(parsed.data, parsed.split, parsed.limit)
        figures = evaluate(segmenter, pairs, DATA_SETS.get(parsed.labelled_as))
    except (WeightsError, DataError, ValueError) as error:
        raise SystemExit(str(error)) from error
    text = json.dumps({"network": segmenter.name, "split": parsed.split} | figures, indent=1)
    print(text)
    if parsed.json:
        parsed.json.write_text(text + "\n", encoding="utf-8")
    if parsed.card:
        of_data = f" as {parsed.labelled_as}" if parsed.labelled_as else ""
        subset = f" first {parsed.limit}" if parsed.limit else ""
        card = segmenter.card
        metrics = card.metrics | {f"{parsed.split}{of_data}{subset}": figures}
        replace(card, metrics=metrics).write(find(parsed.network).with_suffix(".json"))


if __name__ == "__main__":
    main()
