"""What a trained head does on the validation frames."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from mmseg.evaluation import IoUMetric
from torch import Tensor

from asa_viz.attention.operator import Attention
from asa_viz.compare.features import STRIDE, UNLABELLED, FrameFeatures
from asa_viz.geometry import Cell
from asa_viz.networks.camvid import CLASSES
from asa_viz.networks.capture import calls_of
from asa_viz.networks.zoo.ensemble import logits_of
from asa_viz.networks.zoo.record import HeadMethod
from asa_viz.views import MethodView, labels_at

# Rows are asked for on every tenth frame, at the middle of every 5 x 5 cells.
ROW_FRAMES = 10
ROW_CELLS = 5


@torch.no_grad()
def segmentation(head: Any, frames: FrameFeatures) -> dict[str, float]:
    """Return mIoU and pixel accuracy over whole frames, at the size of the labels."""
    areas = np.zeros((4, len(CLASSES)))
    for index in range(len(frames)):
        inputs, labels = frame_of(frames, index)
        logits = F.interpolate(logits_of(head, inputs), labels.shape, mode="bilinear")
        areas += np.stack(
            IoUMetric.intersect_and_union(
                logits[0].argmax(0), labels.long(), len(CLASSES), UNLABELLED
            )
        )
    intersect, union, _, label = areas
    return {
        "mIoU": float(np.nanmean(intersect / union)),
        "pixel_accuracy": float(intersect.sum() / label.sum()),
    }


@torch.no_grad()
def attention(
    head: Any, records: Sequence[HeadMethod], frames: FrameFeatures
) -> dict[str, dict[str, float]]:
    """Return means over queries for each of the head's methods that has a matrix of cells.

    `support` and `effective_support`, the exponential of the entropy, are shares of the cells;
    `entropy` is in bits; `own_class` is the share of the weights' absolute values on cells of the
    query's true class. Queries without a label are left out; as keys they are another class.
    """
    found: dict[str, list[tuple[float, ...]]] = {}
    for index in range(0, len(frames), ROW_FRAMES):
        inputs, labels = frame_of(frames, index)
        classes = labels[STRIDE // 2 :: STRIDE, STRIDE // 2 :: STRIDE].numpy()
        with calls_of(head, {part for record in records for part in record.watch}) as seen:
            logits_of(head, inputs)
        for record in records:
            shown = record.read(head, seen).shown
            if shown is None:
                continue
            figures = found.setdefault(record.method.name, [])
            figures += [_figures(record, shown, cell, classes) for cell in queries(classes)]
    names = ("support", "effective_support", "entropy", "own_class")
    return {
        method: dict(zip(names, np.mean(figures, axis=0).tolist(), strict=True))
        for method, figures in found.items()
    }


def _figures(
    record: HeadMethod, shown: Attention, cell: Cell, classes: np.ndarray
) -> tuple[float, ...]:
    view = MethodView(record.method.name, shown.row(cell).numpy(), {})
    # Keys may lie on a coarser grid than queries.
    keys = labels_at(classes, *shown.key_shape)
    size = keys.size
    effective = view.effective_support
    return (
        view.support / size,
        effective / size,
        float(np.log2(max(effective, 1.0))),
        view.own_class(keys, int(classes[cell.row, cell.col])),
    )


def queries(classes: np.ndarray) -> list[Cell]:
    """Return the cells that are asked: the middles of squares of cells, where there is a label."""
    height, width = classes.shape
    half = ROW_CELLS // 2
    return [
        Cell(row, col)
        for row in range(half, height, ROW_CELLS)
        for col in range(half, width, ROW_CELLS)
        if classes[row, col] != UNLABELLED
    ]


def frame_of(frames: FrameFeatures, index: int) -> tuple[list[Tensor], Tensor]:
    """Return the stages of one frame as a batch of one, and its labels."""
    item: Any = frames[index]
    return [stage[None] for stage in item["inputs"]], item["labels"]
