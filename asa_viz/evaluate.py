"""Evaluate a network: `python -m asa_viz.evaluate NETWORK --data ROOT --split val|test`.

Each frame is encoded as the page encodes it, so the numbers speak of what is shown: the labels of
the session, and its attention over the frame's cells. A cell's true class is the one labelled at
its centre; cells that are not labelled ask no question, and as keys count as another class.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from mmengine.utils import ProgressBar
from mmseg.evaluation import IoUMetric
from PIL import Image
from torch import Tensor

from asa_viz.attention.blockwise import attend
from asa_viz.attention.row import SparseAttention
from asa_viz.geometry import Cell
from asa_viz.networks.checkpoint import find
from asa_viz.networks.segmenter import Segmenter, load
from asa_viz.networks.weights import WeightsError
from asa_viz.session import Session

LabelMap = UInt8[np.ndarray, "height width"]


def frames(data: Path, split: str, limit: int | None = None) -> list[tuple[Path, Path]]:
    """List the images of a split with their label files, in the order of their names.

    Raises:
        FileNotFoundError: there are no such frames.
    """
    images = sorted((data / "images" / split).glob("*.webp"))[:limit]
    if not images:
        raise FileNotFoundError(f"There are no frames in {data / 'images' / split}.")
    return [(image, data / "annotations" / split / f"{image.stem}.png") for image in images]


def read_own_class(
    attention: SparseAttention, classes: np.ndarray, *, dense: bool = False
) -> tuple[Float[Tensor, " n"], Float[Tensor, " n"]]:
    """Return, for each query, the share of its weights on keys of its own class, and its support.

    The values that are mixed are the classes themselves, one channel for each: what a query reads
    in the channel of its own class is that share. A query that keeps nothing reads itself.
    """
    labels = torch.from_numpy(classes.ravel().astype(np.int64))
    values = torch.nn.functional.one_hot(labels).to(attention.key.dtype)
    factor = 0.0 if dense else 1.0
    mixed, support_size, _ = attend(
        attention.query[None], attention.key[None], values[None],
        attention.nonlocal_scale[None] * factor, attention.local_scale[None] * factor,
        height=attention.height, width=attention.width, window=attention.window, scaled=False,
    )  # fmt: skip
    return mixed[0].gather(1, labels[:, None])[:, 0], support_size[0]


def cell_classes(labels: LabelMap, session: Session) -> UInt8[np.ndarray, "h w"]:
    """Return the class labelled at the centre of each cell."""
    grid = session.grid
    centres = [
        [grid.centre_of(Cell(row, col)) for col in range(grid.width)] for row in range(grid.height)
    ]
    return np.array([[labels[y, x] for x, y in line] for line in centres], dtype=np.uint8)


def evaluate(segmenter: Segmenter, pairs: Sequence[tuple[Path, Path]]) -> dict[str, Any]:
    """Return segmentation and attention figures over all frames, shares between 0 and 1."""
    areas = np.zeros((4, len(segmenter.classes)))
    supports, dense, sparse, scales = [], [], [], []
    for session, labels in _encoded(segmenter, pairs):
        prediction = torch.from_numpy(session.segmentation.labels.astype(np.int64))
        truth = torch.from_numpy(labels.astype(np.int64))
        areas += np.stack(
            IoUMetric.intersect_and_union(prediction, truth, len(segmenter.classes), 255)
        )
        attention = session.attention
        classes = cell_classes(labels, session)
        # Not labelled is a class of its own here; its cells are not asked.
        asked = torch.from_numpy(classes.ravel() != 255)
        classes = np.where(classes == 255, len(segmenter.classes), classes)
        dense.append(read_own_class(attention, classes, dense=True)[0][asked])
        share, support_size = read_own_class(attention, classes)
        sparse.append(share[asked])
        supports.append(support_size / session.grid.size)
        scales.append(np.stack([scale.ravel() for scale in session.scales]))
    intersect, union, _, label = areas
    iou = {
        name: round(float(share), 4)
        for name, share in zip(segmenter.classes, intersect / union, strict=True)
    }
    return {
        "frames": len(pairs),
        "mIoU": round(float(np.nanmean(intersect / union)), 4),
        "pixel_accuracy": round(float(intersect.sum() / label.sum()), 4),
        "IoU": iou,
        "support": round(float(torch.cat(supports).mean()), 4),
        "own_class_dense": round(float(torch.cat(dense).mean()), 4),
        "own_class_sparse": round(float(torch.cat(sparse).mean()), 4),
        "nonlocal_scale": _spread(np.concatenate([pair[0] for pair in scales])),
        "local_scale": _spread(np.concatenate([pair[1] for pair in scales])),
    }


def _encoded(
    segmenter: Segmenter, pairs: Sequence[tuple[Path, Path]]
) -> Iterator[tuple[Session, LabelMap]]:
    progress = ProgressBar(len(pairs))
    for image, annotation in pairs:
        labels = np.asarray(Image.open(annotation)).copy()
        labels[labels >= len(segmenter.classes)] = 255
        yield segmenter.encode(image), labels
        progress.update()


def _spread(values: np.ndarray) -> dict[str, float]:
    """Describe how much a scale differs from place to place."""
    low, middle, high = np.percentile(values, (5, 50, 95))
    numbers = {"mean": values.mean(), "std": values.std(), "p5": low, "median": middle, "p95": high}
    return {name: round(float(number), 4) for name, number in numbers.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Evaluate and print; `--json` also writes a file, `--card` the network's card."""
    parser = argparse.ArgumentParser(prog="python -m asa_viz.evaluate", description=__doc__)
    parser.add_argument("network", help="a name in checkpoints/ or the path of a safetensors file")
    parser.add_argument("--data", required=True, type=Path, help="root folder of CamVid")
    parser.add_argument("--split", choices=["train", "val", "test"], default="val")
    parser.add_argument("--limit", type=int, help="only so many frames, the first by name")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--card", action="store_true", help="keep the figures on the card as well")
    parser.add_argument("--device", choices=["cpu", "cuda"])
    parsed = parser.parse_args(arguments)
    try:
        segmenter = load(parsed.network, parsed.device)
        figures = evaluate(segmenter, frames(parsed.data, parsed.split, parsed.limit))
    except (WeightsError, FileNotFoundError) as error:
        raise SystemExit(str(error)) from error
    text = json.dumps({"network": segmenter.name, "split": parsed.split} | figures, indent=1)
    print(f"\n{text}")
    if parsed.json:
        parsed.json.write_text(text + "\n", encoding="utf-8")
    if parsed.card:
        subset = f" first {parsed.limit}" if parsed.limit else ""
        card = segmenter.card
        metrics = card.metrics | {f"{parsed.split}{subset}": figures}
        replace(card, metrics=metrics).write(find(parsed.network).with_suffix(".json"))


if __name__ == "__main__":
    main()
