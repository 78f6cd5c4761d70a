"""Predicted attention by loops."""

from asa_viz.attention import predicted
from asa_viz.attention.base import resized
from tests.attention.zoo.plain import (
    Case,
    cells,
    dot,
    normal,
    softmax,
    softmax_rows,
    times,
    vectors,
)

WIDTH, RANK = 4, 3


def pointwise_rows(mask, mask_shape, direction, height, width):
    rows = []
    for query in cells(height, width):
        logits = []
        for key in cells(height, width):
            at, to = (query, key) if direction == "collect" else (key, query)
            row, col = (t - a + m // 2 for t, a, m in zip(to, at, mask_shape, strict=True))
            on_mask = 0 <= row < mask_shape[0] and 0 <= col < mask_shape[1]
            logits.append(mask[row * mask_shape[1] + col][at].item() if on_mask else 0.0)
        rows.append(softmax(logits))
    return rows


def pointwise(direction, mask_shape):
    def case(height, width):
        mask = normal(mask_shape[0] * mask_shape[1], height, width)
        return Case(
            predicted.pointwise(mask, mask_shape, direction),
            lambda: pointwise_rows(mask, mask_shape, direction, height, width),
        )

    return case


def resized_pointwise(height, width):
    """As in the network: shrunk to half, attended to, enlarged."""
    small = (height + 1) // 2, (width + 1) // 2
    mask = normal(9, *small)

    def resizing(to, source):
        """Bilinear shares with the corner cells aligned."""

        def along(to_size, source_size):
            step = (source_size - 1) / (to_size - 1) if to_size > 1 else 0
            return [
                [max(0.0, 1 - abs(index * step - s)) for s in range(source_size)]
                for index in range(to_size)
            ]

        rows, cols = (along(t, s) for t, s in zip(to, source, strict=True))
        return [[a * b for a in rows[r] for b in cols[c]] for r, c in cells(*to)]

    def matrix():
        shape = (height, width)
        rows = pointwise_rows(mask, (3, 3), "collect", *small)
        return times(resizing(shape, small), times(rows, resizing(small, shape)))

    attention = predicted.pointwise(mask, (3, 3), "collect")
    return Case(resized(attention, height, width, align_corners=True), matrix)


def dense_synthesizer(height, width):
    n = height * width
    hidden, weight, bias = normal(WIDTH, height, width), normal(n, WIDTH), normal(n)
    return Case(
        predicted.dense_synthesizer(hidden, weight, bias),
        lambda: [
            softmax([dot(cell, w) + b for w, b in zip(weight.tolist(), bias.tolist(), strict=True)])
            for cell in vectors(hidden)
        ],
    )


def random_synthesizer(height, width):
    left, right = normal(RANK, height, width), normal(RANK, height, width)
    return Case(predicted.random_synthesizer(left, right), lambda: softmax_rows(left, right))


CASES = {
    "psanet_collect": pointwise("collect", (3, 5)),
    "psanet_collect, full mask": pointwise("collect", (9, 13)),
    "psanet_collect, resized": resized_pointwise,
    "psanet_distribute": pointwise("distribute", (3, 5)),
    "psanet_distribute, full mask": pointwise("distribute", (9, 13)),
    "synthesizer_dense": dense_synthesizer,
    "synthesizer_random": random_synthesizer,
}
