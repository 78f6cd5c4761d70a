"""ASA and displaced samples by loops."""

import math

import torch

from asa_viz.attention import content
from asa_viz.attention.base import mean_of
from asa_viz.attention.row import SparseAttention
from asa_viz.attention.what_if import AS_TRAINED, WhatIf
from tests.attention import loops
from tests.attention.zoo.plain import (
    Case,
    cells,
    normal,
    softmax,
)
from tests.attention.zoo.plain import window as around

WIDTH = 4


def adaptive(height, width, what_if=AS_TRAINED):
    n = height * width
    query, key = normal(n, WIDTH, spread=2), normal(n, WIDTH, spread=2)
    nonlocal_scale, local_scale = (torch.rand(n, dtype=torch.float64) * 2 + 0.1 for _ in range(2))

    def matrix():
        affinity = loops.softmax_rows(query.tolist(), key.tolist())
        scale = (what_if.nonlocal_factor * nonlocal_scale).tolist()
        window = what_if.window or 3
        return loops.clean_weights(affinity, scale, local_scale.tolist(), height, width, window)

    sparse = SparseAttention.of(query, key, nonlocal_scale, local_scale, height=height, width=width)
    return Case(content.adaptive_attention(sparse, what_if), matrix)


def adaptive_what_if(height, width):
    return adaptive(height, width, WhatIf(nonlocal_factor=3, window=5))


def dynamic_graph(height, width, rate=1):
    offsets = normal(9, 2, height, width, spread=1.5)
    filters, affinities = normal(9, height, width), normal(9, height, width)

    def matrix():
        rows = []
        for row, col in cells(height, width):
            reads = dict.fromkeys(cells(height, width), 0.0)
            shares = softmax(filters[:, row, col].tolist())
            for place, (down, right) in enumerate(around(0, 0, 3)):
                r = row + rate * down + offsets[place, 0, row, col].item()
                c = col + rate * right + offsets[place, 1, row, col].item()
                weight = shares[place] / (1 + math.exp(-affinities[place, row, col].item()))
                for cell in reads:
                    closeness = max(0, 1 - abs(r - cell[0])) * max(0, 1 - abs(c - cell[1]))
                    reads[cell] += weight * closeness
            rows.append(list(reads.values()))
        return rows

    return Case(content.dynamic_graph(offsets, filters, affinities, rate=rate), matrix)


def dynamic_graph_of_two_rates(height, width):
    parts = [dynamic_graph(height, width, rate) for rate in (1, 4)]

    def matrix():
        one, four = (part.matrix() for part in parts)
        return [
            [(a + b) / 2 for a, b in zip(r, s, strict=True)] for r, s in zip(one, four, strict=True)
        ]

    return Case(mean_of([part.attention for part in parts]), matrix)


CASES = {
    "asa": adaptive,
    "asa, what if": adaptive_what_if,
    "dgmn": dynamic_graph,
    "dgmn, two rates": dynamic_graph_of_two_rates,
}
