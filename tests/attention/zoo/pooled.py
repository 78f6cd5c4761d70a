"""Attention to averages over regions by loops."""

import math

import torch

from asa_viz.attention import pooled
from tests.attention.zoo.plain import (
    Case,
    cells,
    dot,
    normal,
    softmax,
    times,
    vectors,
)

WIDTH = 4
LIKE = torch.empty(0, dtype=torch.float64)


def regions(height, width, bins):
    """The rectangles of adaptive pooling as lists of cells."""
    rows, cols = (
        [range(a * size // bins, math.ceil((a + 1) * size / bins)) for a in range(bins)]
        for size in (height, width)
    )
    return [
        [(r, c) for r in some_rows for c in some_cols] for some_rows in rows for some_cols in cols
    ]


def averages(height, width, bins):
    return [
        [(cell in region) / len(region) for cell in cells(height, width)]
        for region in regions(height, width, bins)
    ]


def asymmetric(height, width, key_shape=None):
    grids = (1, 2, 3)
    query = normal(WIDTH, height, width)
    key = normal(WIDTH, *key_shape) if key_shape else query

    def matrix():
        gather = [row for bins in grids for row in averages(*key.shape[1:], bins)]
        keys = times(gather, vectors(key))
        distribute = [softmax([dot(q, k) / 2 for k in keys]) for q in vectors(query)]
        return times(distribute, gather)

    return Case(pooled.asymmetric(query, key, grids), matrix)


def fused(height, width):
    return asymmetric(height, width, key_shape=(height + 1, 2 * width))


def adaptive_context(height, width):
    logits = normal(9, height, width)
    return Case(
        pooled.adaptive_context(logits),
        lambda: times(
            [[1 / (1 + math.exp(-logit)) for logit in cell] for cell in vectors(logits)],
            averages(height, width, 3),
        ),
    )


def bilinear(size, bins, index):
    """Where the centre of a cell lies among the centres of the bins: {bin: share}."""
    place = min(max((index + 0.5) * bins / size - 0.5, 0), bins - 1)
    shares = {b: max(0.0, 1 - abs(place - b)) for b in range(bins)}
    return list(shares.values())


def pyramid_pooling(height, width, bins=3):
    def matrix():
        distribute = [
            [a * b for a in bilinear(height, bins, row) for b in bilinear(width, bins, col)]
            for row, col in cells(height, width)
        ]
        return times(distribute, averages(height, width, bins))

    return Case(pooled.pyramid_pooling(height, width, bins, LIKE), matrix)


CASES = {
    "ann_apnb": asymmetric,
    "ann_afnb": fused,
    "apcnet": adaptive_context,
    "pyramid_pooling": pyramid_pooling,
    "pyramid_pooling, more bins than cells": lambda h, w: pyramid_pooling(h, w, bins=8),
}
