"""ASA, fixed patterns and displaced samples by loops."""

import math

import torch

from asa_viz.attention import deformable, pattern
from asa_viz.attention.adaptive import adaptive_attention
from asa_viz.attention.base import mean_of
from asa_viz.attention.row import SparseAttention
from asa_viz.attention.what_if import WhatIf
from tests.attention import loops
from tests.attention.zoo.plain import (
    Case,
    cells,
    dot,
    identity,
    normal,
    over,
    softmax,
    softmax_among,
    times,
    vectors,
)
from tests.attention.zoo.plain import window as around

WIDTH = 4


def adaptive(height, width):
    n = height * width
    query, key = normal(n, WIDTH, spread=2), normal(n, WIDTH, spread=2)
    t1, t2 = (torch.rand(n, dtype=torch.float64) * 2 + 0.1 for _ in range(2))

    def matrix():
        affinity = loops.softmax_rows(query.tolist(), key.tolist())
        return loops.clean_weights(affinity, t1.tolist(), t2.tolist(), height, width)

    sparse = SparseAttention.of(query, key, t1, t2, height=height, width=width)
    return Case(adaptive_attention(sparse), matrix)


def adaptive_what_if(height, width):
    n = height * width
    query, key = normal(n, WIDTH, spread=2), normal(n, WIDTH, spread=2)
    t1, t2 = (torch.rand(n, dtype=torch.float64) * 2 + 0.1 for _ in range(2))

    def matrix():
        affinity = loops.softmax_rows(query.tolist(), key.tolist())
        return loops.clean_weights(affinity, (3 * t1).tolist(), t2.tolist(), height, width, 5)

    sparse = SparseAttention.of(query, key, t1, t2, height=height, width=width)
    return Case(adaptive_attention(sparse, WhatIf(nonlocal_factor=3, window=5)), matrix)


def pyramid(height, width, splits=3):
    splits = min(splits, height, width)
    feature = normal(WIDTH, height, width)
    step = height // splits, width // splits

    def block(cell):
        # What is left over belongs to the last block.
        return tuple(min(c // s, splits - 1) for c, s in zip(cell, step, strict=True))

    def matrix():
        value = dict(zip(cells(height, width), vectors(feature), strict=True))
        chosen = [
            softmax_among(
                query,
                [key for key in value if block(key) == block(query)],
                lambda q, k: dot(value[q], value[k]) / 2,
            )
            for query in value
        ]
        return over((height, width), chosen)

    return Case(pattern.ocnet_pyramid(feature, splits), matrix)


def interlaced(height, width):
    block = (2, 3)
    shape = (math.ceil(height / 2) * 2, math.ceil(width / 3) * 3)
    # Of an odd number of rows or columns the larger half comes last.
    top, left = (shape[0] - height) // 2, (shape[1] - width) // 2
    long = normal(WIDTH, *shape), normal(WIDTH, *shape)
    short = normal(WIDTH, *shape), normal(WIDTH, *shape)

    def one_pass(maps, same_group):
        query, key = (dict(zip(cells(*shape), vectors(m), strict=True)) for m in maps)
        chosen = [
            softmax_among(
                q,
                [k for k in key if same_group(q, k)],
                lambda q, k: dot(query[q], key[k]) / 2,
            )
            for q in query
        ]
        return over(shape, chosen)

    def matrix():
        first = one_pass(
            long,
            lambda a, b: (a[0] - b[0]) % block[0] == 0 and (a[1] - b[1]) % block[1] == 0,
        )
        second = one_pass(
            short,
            lambda a, b: all(x // s == y // s for x, y, s in zip(a, b, block, strict=True)),
        )
        whole = times(second, first)
        inside = [
            index
            for index, (row, col) in enumerate(cells(*shape))
            if top <= row < top + height and left <= col < left + width
        ]
        return [[whole[i][j] for j in inside] for i in inside]

    attention = pattern.interlaced(long, short, height=height, width=width, block=block)
    return Case(attention, matrix)


def cross(query, key, height, width):
    q, k = (dict(zip(cells(height, width), vectors(m), strict=True)) for m in (query, key))
    chosen = [
        softmax_among(
            own,
            [key for key in k if key[0] == own[0] or key[1] == own[1]],
            lambda a, b: dot(q[a], k[b]),
        )
        for own in q
    ]
    return over((height, width), chosen)


def one_cross(height, width):
    query, key = normal(WIDTH, height, width), normal(WIDTH, height, width)
    return Case(pattern.criss_cross(query, key), lambda: cross(query, key, height, width))


def two_crosses(height, width, gain=None):
    passes = [(normal(WIDTH, height, width), normal(WIDTH, height, width)) for _ in range(2)]

    def matrix():
        first, second = (cross(q, k, height, width) for q, k in passes)
        if gain is not None:
            n = range(height * width)
            one = identity(height * width)
            first, second = (
                [[one[i][j] + gain * crossed[i][j] for j in n] for i in n]
                for crossed in (first, second)
            )
        return times(second, first)

    return Case(pattern.recurrent_criss_cross(passes, gain), matrix)


def gained_crosses(height, width):
    return two_crosses(height, width, gain=0.7)


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

    return Case(deformable.dynamic_graph(offsets, filters, affinities, rate=rate), matrix)


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
    "ocnet_pyramid": pyramid,
    "isa": interlaced,
    "ccnet": two_crosses,
    "ccnet, one pass": one_cross,
    "ccnet, with gain": gained_crosses,
    "dgmn": dynamic_graph,
    "dgmn, two rates": dynamic_graph_of_two_rates,
}
