"""Attention in windows by loops."""

from asa_viz.attention import window
from tests.attention.zoo.plain import (
    Case,
    cells,
    dot,
    normal,
    on_map,
    over,
    softmax,
    softmax_among,
    vectors,
)
from tests.attention.zoo.plain import window as around

WIDTH = 4


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


CASES = {
    "stand_alone": stand_alone,
    "local_relation": local_relation,
    "local_relation, absolute": lambda h, w: local_relation(h, w, "absolute"),
    "local_relation, product": lambda h, w: local_relation(h, w, "product"),
    "san_pairwise": san,
    "san_pairwise, mean": lambda h, w: san(h, w, groups=3),
    "carafe": carafe,
}
