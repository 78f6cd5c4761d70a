"""Turns any attention, given as queries and keys or as rows, into a session for notebooks."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from asa_viz.attention.fixed import FixedAttention
from asa_viz.attention.row import SparseAttention
from asa_viz.attention.stored import Stored
from asa_viz.geometry import Grid
from asa_viz.images import fit_within, read_image
from asa_viz.session import Session
from asa_viz.views import SegmentationView, labels_at

LONGEST_SIDE = 1280
# Pixels of a cell where no picture is given.
CELL = 16
UNLABELLED = "unlabelled"
# Okabe and Ito's colours, for labels without colours.
_COLOURS = (
    (0, 114, 178), (230, 159, 0), (0, 158, 115), (204, 121, 167), (86, 180, 233), (213, 94, 0),
    (240, 228, 66), (127, 127, 127),
)  # fmt: skip


def show(
    query: Any = None,
    key: Any = None,
    height: int = 0,
    width: int = 0,
    picture: Any = None,
    *,
    weights: Any = None,
    head: int | None = None,
    scaled: bool = True,
    nonlocal_scale: float = 0.0,
    local_scale: float = 0.0,
    window: int = 3,
    labels: Any = None,
    classes: Sequence[str] | None = None,
    name: str = "attention",
) -> Session:
    """Return a session of any attention over the cells of an image; a notebook shows it as a page.

    Arrays may be numpy or torch. Extra tokens beyond the height * width cells, such as a class
    token, must come first and are left out; rows are then shown as shares of what remains.

    Args:
        query: [t, d] or [heads, t, d], a leading axis of 1 is dropped; with `key`.
        key: as `query`.
        height: the rows of the grid of cells; cells are counted row by row.
        width: the columns of the grid.
        picture: what the attention is over: anything `Segmenter.encode` takes; grey without one.
        weights: in place of query and key: attention itself, [t, t] or [heads, t, t], row i what
            token i reads; rows need not add up to one.
        head: which head, counted from 0; None for the mean of the rows of all.
        scaled: whether similarities are divided by the square root of d.
        nonlocal_scale: threshold on every row in multiples of the uniform weight; 0 keeps all.
        local_scale: threshold in the window in multiples of its mean; 0 keeps all.
        window: side of the local window in cells, odd.
        labels: [rows, columns], a class for each place of the image, at any resolution.
        classes: names of the labels; their numbers without.
        name: what the attention is called on the page.

    Raises:
        ValueError: shapes do not fit together, or both or neither of (query, key) and weights are
            given.
        ImageError: the picture cannot be used.

    >>> session = show(np.eye(6, 4), np.eye(6, 4), height=2, width=3)
    >>> session.query(Pixel(0, 0)).dense.shape
    (2, 3)
    """
    n = height * width
    if n < 1:
        raise ValueError(f"Give the grid's height and width in cells, not {height} x {width}.")
    if (query is None) != (key is None) or (query is None) == (weights is None):
        raise ValueError("Give query and key, or weights in their place.")
    if weights is not None:
        attention: SparseAttention | FixedAttention = _of_rows(
            _one(_tensor("weights", weights), head), height, width
        )
    else:
        attention = _of_projections(
            _tensor("query", query), _tensor("key", key), height, width, head=head, scaled=scaled
        )
    if nonlocal_scale or local_scale:
        attention = attention.with_thresholds(nonlocal_scale, local_scale, window)
    if picture is None:
        rgb = np.full((CELL * height, CELL * width, 3), 128, np.uint8)
    else:
        rgb = read_image(picture).rgb
    return Session(
        network=name,
        picture=fit_within(rgb, LONGEST_SIDE),
        notes=(),
        grid=Grid(height, width, *rgb.shape[:2]),
        segmentation=_segmentation(labels, classes, height, width, *rgb.shape[:2]),
        attention=attention,
        own_value_logits=None,
        thresholds_learned=False,
    )


def _tensor(name: str, values: Any) -> Float[Tensor, "*heads t d"]:
    """Return an array of two or three axes as a float32 tensor.

    Raises:
        ValueError: it has another number of axes, or values that are not finite.
    """
    tensor = values if isinstance(values, Tensor) else torch.from_numpy(np.asarray(values, float))
    tensor = tensor.detach().cpu().float()
    while tensor.ndim > 2 and len(tensor) == 1:
        tensor = tensor[0]
    if tensor.ndim not in (2, 3):
        raise ValueError(
            f"{name} must be [tokens, _] or [heads, tokens, _], not of shape {tuple(tensor.shape)}."
        )
    if not tensor.isfinite().all():
        raise ValueError(f"Some numbers of {name} are not finite.")
    return tensor


def _one(tensor: Float[Tensor, "*heads t d"], head: int | None) -> Float[Tensor, "t d"]:
    """Return one head of several, or the mean over heads."""
    if tensor.ndim == 2:
        return tensor
    if head is None:
        return tensor.mean(0)
    if not 0 <= head < len(tensor):
        raise ValueError(f"There is no head {head}; there are {len(tensor)}, counted from 0.")
    return tensor[head]


def _of_rows(rows: Float[Tensor, "t u"], height: int, width: int) -> FixedAttention:
    tokens = _extra("weights", rows, height * width)
    if rows.shape[0] != rows.shape[1]:
        raise ValueError(f"weights must be as many rows as columns, not {tuple(rows.shape)}.")
    matrix = rows[tokens:, tokens:].contiguous()
    return FixedAttention.of(Stored((height, width), (height, width), matrix))


def _of_projections(
    query: Tensor, key: Tensor, height: int, width: int, *, head: int | None, scaled: bool
) -> SparseAttention | FixedAttention:
    """Return softmax attention of queries and keys, averaged over heads."""
    if query.shape != key.shape:
        raise ValueError(f"query is {tuple(query.shape)} and key {tuple(key.shape)}.")
    tokens = _extra("query", query, height * width)
    if query.ndim == 3 and head is not None:
        query, key = _one(query, head), _one(key, head)
    if query.ndim == 2 and not tokens:
        nothing = torch.zeros(len(query))
        return SparseAttention.of(
            query, key, nothing, nothing, height=height, width=width, window=1, scaled=scaled
        )
    factor = query.shape[-1] ** -0.5 if scaled else 1.0
    return _of_rows(_one((factor * query @ key.mT).softmax(-1), None), height, width)


def _extra(name: str, tensor: Tensor, cells: int) -> int:
    """Return the number of tokens before those of the cells."""
    tokens = tensor.shape[-2]
    if tokens < cells:
        raise ValueError(f"{name} has {tokens} tokens, fewer than the {cells} cells of the grid.")
    return tokens - cells


def _segmentation(
    labels: Any, classes: Sequence[str] | None, height: int, width: int, image_height: int,
    image_width: int,
) -> SegmentationView:  # fmt: skip
    """Return the given labels as a segmentation, or a single class."""
    if labels is None:
        given: UInt8[np.ndarray, "h w"] = np.zeros((height, width), np.uint8)
        classes = (UNLABELLED,)
    else:
        given = np.asarray(labels)
        if given.ndim != 2 or not np.issubdtype(given.dtype, np.integer):
            raise ValueError("labels must be whole numbers of shape [rows, columns].")
        count = len(classes) if classes is not None else int(given.max()) + 1
        if given.min() < 0 or given.max() >= min(count, 256):
            raise ValueError(f"labels must lie from 0 to {min(count, 256) - 1}.")
        given = given.astype(np.uint8)
        classes = tuple(classes) if classes is not None else tuple(map(str, range(count)))
    palette = tuple(_COLOURS[i % len(_COLOURS)] for i in range(len(classes)))
    cells = labels_at(given, height, width)
    return SegmentationView(tuple(classes), palette, given, cells, image_height, image_width)
