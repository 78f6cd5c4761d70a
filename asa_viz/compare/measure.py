"""Evaluates a trained head on the validation pictures."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from mmseg.evaluation import IoUMetric
from torch import Tensor

from asa_viz.attention.base import Attention
from asa_viz.compare.features import STRIDE, Pictures
from asa_viz.geometry import Cell
from asa_viz.networks.blocks import block_output
from asa_viz.networks.capture import calls_of
from asa_viz.networks.datasets import DataSet
from asa_viz.networks.heads import AttentionHead, classify
from asa_viz.networks.pictures import IGNORED
from asa_viz.networks.zoo.ensemble import logits_of
from asa_viz.networks.zoo.record import HeadMethod
from asa_viz.views import MethodView, labels_at

# Rows are evaluated on every tenth picture, at the centre of every 5 x 5 cells.
ROW_PICTURES = 10
ROW_CELLS = 5

Areas = Int[np.ndarray, "pictures 3 classes"]


@torch.no_grad()
def segmentation(head: Any, pictures: Pictures, classes: int) -> tuple[Areas, dict[str, Any]]:
    """Return areas per picture, and what a head without its attention would do.

    The areas are the pixels of each class that are right, found or labelled, and labelled: from
    them every share can be computed, of any set of pictures. The second is empty for heads without
    a block of attention that can be taken out; else it holds the `areas` where every cell reads its
    own value alone, and the share of the pixels that `flips` by it.
    """
    areas, without, changed, pixels = [], [], 0, 0
    for inputs, labels in pictures.whole():
        shown = _labels(logits_of(head, inputs), labels)
        areas.append(_areas(shown, labels, classes))
        if isinstance(head, AttentionHead):
            alone = _labels(without_attention(head, inputs), labels)
            without.append(_areas(alone, labels, classes))
            changed += int((alone != shown).sum())
            pixels += shown.numel()
    control = {"areas": np.stack(without), "flips": changed / pixels} if without else {}
    return np.stack(areas), control


def without_attention(
    head: AttentionHead, inputs: Sequence[Tensor]
) -> Float[Tensor, "b classes h w"]:
    """Return the logits if every cell read its own value alone, without retraining."""
    x = head._transform_inputs(inputs)
    entering = head.convs[0](x)
    return classify(head, x, block_output(head.nl_block, entering, head.nl_block.values(entering)))


def _labels(logits: Tensor, labels: Tensor) -> Tensor:
    return F.interpolate(logits, labels.shape, mode="bilinear")[0].max(0).indices


def _areas(shown: Tensor, labels: Tensor, classes: int) -> Int[np.ndarray, "3 classes"]:
    right, union, _, labelled = IoUMetric.intersect_and_union(
        shown, labels.long(), classes, IGNORED
    )
    return torch.stack([right, union, labelled]).long().numpy()


def shares(areas: Areas, facts: DataSet) -> dict[str, float]:
    """Return mIoU over the scored classes and over all that are labelled, and pixel accuracy."""
    right, union, labelled = areas.sum(0)
    present = labelled > 0
    scored = present & np.isin(facts.classes, facts.scored)
    return {
        "mIoU": float((right[scored] / union[scored]).mean()),
        "mIoU_all": float((right[present] / union[present]).mean()),
        "pixel_accuracy": float(right.sum() / labelled.sum()),
    }


@torch.no_grad()
def attention(
    head: Any, records: Sequence[HeadMethod], pictures: Pictures
) -> dict[str, dict[str, float]]:
    """Return means over queries for each of the head's methods that has a matrix of cells.

    `support` and `effective_support`, the exponential of the entropy, are shares of the cells;
    `entropy` is in bits; `own_class` is the share of the weights' absolute values on cells of the
    query's true class. Queries without a label are left out; as keys they are another class.
    """
    found: dict[str, list[tuple[float, ...]]] = {}
    for inputs, labels in pictures.whole(ROW_PICTURES):
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
    """Return the evaluated queries: the centres of squares of cells, where labelled."""
    height, width = classes.shape
    half = ROW_CELLS // 2
    return [
        Cell(row, col)
        for row in range(half, height, ROW_CELLS)
        for col in range(half, width, ROW_CELLS)
        if classes[row, col] != IGNORED
    ]
