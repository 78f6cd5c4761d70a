"""Attention to some of the keys by loops: patterns, windows, filters, samples, ASA."""

import math

import torch

from asa_viz.attention import classic, deformable, pattern, window
from asa_viz.attention.adaptive import adaptive_attention
from asa_viz.attention.operator import mean_of
from asa_viz.attention.row import SparseAttention
from asa_viz.attention.what_if import WhatIf
from tests.attention import loops
from tests.attention.zoo.plain import (
    Case,
    cells,
    distance2,
    dot,
    identity,
    normal,
    softmax,
    times,
    vectors,
)
from tests.attention.zoo.plain import window as around

WIDTH = 4


def over(matrix_shape, chosen):
    """A matrix from the weights {key: weight} of each query."""
    return [[keys.get(cell, 0.0) for cell in cells(*matrix_shape)] for keys in chosen]


def softmax_among(query, keys, logit):
    """The weights of one query over `keys`, by the softmax of logit(query, key)."""
    return dict(zip(keys, softmax([logit(query, key) for key in keys]), strict=True))


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


def on_map(keys, height, width):
    return [(r, c) for r, c in keys if 0 <= r < height and 0 <= c < width]


def stand_alone(height, width):
    size = 5
    query, key = normal(WIDTH, height, width), normal(WIDTH, height, width)
    row_offsets, col_offsets = normal(size, 1), normal(size, 3)

    def matrix():
        q, k = (dict(zip(cells(height, width), vectors(m), strict=True)) for m in (query, key))

        def logit(a, b):
            down, right = b[0] - a[0] + 2, b[1] - a[1] + 2
            relative = row_offsets[down].tolist() + col_offsets[right].tolist()
            return dot(q[a], k[b]) + dot(q[a], relative)

        chosen = [softmax_among(c, on_map(around(*c, size), height, width), logit) for c in q]
        return over((height, width), chosen)

    return Case(window.stand_alone(query, key, row_offsets, col_offsets), matrix)


def local_relation(height, width, measure="squared"):
    query, key, prior = normal(height, width), normal(height, width), normal(3, 3)
    how = {
        "squared": lambda a, b: -((a - b) ** 2),
        "absolute": lambda a, b: -abs(a - b),
        "product": lambda a, b: a * b,
    }[measure]

    def matrix():
        def logit(a, b):
            composed = how(query[a].item(), key[b].item())
            return composed + prior[b[0] - a[0] + 1, b[1] - a[1] + 1].item()

        chosen = [
            softmax_among(c, on_map(around(*c, 3), height, width), logit)
            for c in cells(height, width)
        ]
        return over((height, width), chosen)

    return Case(window.local_relation(query, key, prior, measure), matrix)


def mirrored(index, size):
    """Walk on from the border in the other direction until back on the map."""
    while size > 1 and not 0 <= index < size:
        index = -index if index < 0 else 2 * (size - 1) - index
    return index if size > 1 else 0


def san(height, width, groups=1):
    logits = normal(groups, 25, height, width)

    def matrix():
        rows = []
        for row, col in cells(height, width):
            weights = dict.fromkeys(cells(height, width), 0.0)
            for group in logits:
                shares = softmax(group[:, row, col].tolist())
                for (r, c), share in zip(around(row, col, 5), shares, strict=True):
                    weights[mirrored(r, height), mirrored(c, width)] += share / groups
            rows.append(list(weights.values()))
        return rows

    return Case(window.san_pairwise(logits), matrix)


def carafe(height, width):
    ratio = 2
    logits = normal(25, height * ratio, width * ratio)

    def matrix():
        rows = []
        for row, col in cells(height * ratio, width * ratio):
            shares = softmax(logits[:, row, col].tolist())
            reads = dict(zip(around(row // ratio, col // ratio, 5), shares, strict=True))
            rows.append([reads.get(cell, 0.0) for cell in cells(height, width)])
        return rows

    return Case(window.carafe(logits, ratio), matrix)


def bilateral(height, width):
    image = normal(3, height, width)

    def matrix():
        value = dict(zip(cells(height, width), vectors(image), strict=True))

        def logit(a, b):
            near = distance2(list(a), list(b)) / (2 * 1.5**2)
            return -near - distance2(value[a], value[b]) / (2 * 0.8**2)

        chosen = [softmax_among(c, on_map(around(*c, 5), height, width), logit) for c in value]
        return over((height, width), chosen)

    return Case(classic.bilateral(image, window=5, space=1.5, value=0.8), matrix)


def non_local_means(height, width):
    image = normal(2, height, width)

    def matrix():
        def patch(row, col):
            return [
                value
                for r, c in around(row, col, 3)
                for value in image[
                    :, min(max(r, 0), height - 1), min(max(c, 0), width - 1)
                ].tolist()
            ]

        patches = {cell: patch(*cell) for cell in cells(height, width)}

        def logit(a, b):
            return -distance2(patches[a], patches[b]) / len(patches[a]) / 0.6**2

        chosen = [softmax_among(c, on_map(around(*c, 5), height, width), logit) for c in patches]
        return over((height, width), chosen)

    return Case(classic.non_local_means(image, search=5, patch=3, strength=0.6), matrix)


def mean_shift(height, width, steps=1):
    image = normal(2, height, width)

    def matrix():
        start = [
            [row / 1.5, col / 1.5, *(value / 0.8 for value in values)]
            for (row, col), values in zip(cells(height, width), vectors(image), strict=True)
        ]
        points = start
        for _ in range(steps):
            weights = [softmax([-distance2(p, s) / 2 for s in start]) for p in points]
            points = [
                [dot(row, list(axis)) for axis in zip(*start, strict=True)] for row in weights
            ]
        return weights

    return Case(classic.mean_shift(image, space=1.5, value=0.8, steps=steps), matrix)


def shifted_thrice(height, width):
    return mean_shift(height, width, steps=3)


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
    "stand_alone": stand_alone,
    "local_relation": local_relation,
    "local_relation, absolute": lambda h, w: local_relation(h, w, "absolute"),
    "local_relation, product": lambda h, w: local_relation(h, w, "product"),
    "san_pairwise": san,
    "san_pairwise, mean": lambda h, w: san(h, w, groups=3),
    "carafe": carafe,
    "bilateral": bilateral,
    "non_local_means": non_local_means,
    "mean_shift": mean_shift,
    "mean_shift, three steps": shifted_thrice,
    "dgmn": dynamic_graph,
    "dgmn, two rates": dynamic_graph_of_two_rates,
}
