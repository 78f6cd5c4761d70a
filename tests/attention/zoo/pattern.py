"""Fixed patterns by loops."""

import math

from asa_viz.attention import pattern
from tests.attention.zoo.plain import (
    Case,
    cells,
    dot,
    identity,
    normal,
    over,
    softmax_among,
    times,
    vectors,
)

WIDTH = 4


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


CASES = {
    "ocnet_pyramid": pyramid,
    "isa": interlaced,
    "ccnet": two_crosses,
    "ccnet, one pass": one_cross,
    "ccnet, with gain": gained_crosses,
}
