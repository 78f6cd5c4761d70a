"""The classical filters by loops."""

from asa_viz.attention import classic
from tests.attention.zoo.plain import (
    Case,
    cells,
    distance2,
    dot,
    normal,
    on_map,
    over,
    softmax,
    softmax_among,
    vectors,
)
from tests.attention.zoo.plain import window as around


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


CASES = {
    "bilateral": bilateral,
    "non_local_means": non_local_means,
    "mean_shift": mean_shift,
    "mean_shift, three steps": shifted_thrice,
}
