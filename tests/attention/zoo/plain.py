"""What the loops of all methods share: lists of numbers, and a case for each method."""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from asa_viz.attention.base import Attention

Matrix = list[list[float]]


class Case(NamedTuple):
    """An attention, and its whole matrix by loops over the numbers that it was made from."""

    attention: Attention
    matrix: Callable[[], Matrix]


def normal(*shape: int, spread: float = 1.0) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64) * spread


def cells(height: int, width: int) -> list[tuple[int, int]]:
    return [(row, col) for row in range(height) for col in range(width)]


def vectors(features: Tensor) -> list[list[float]]:
    """The vector of each cell, row by row, of a map [d, h, w] or [h, w]."""
    channels = features if features.dim() == 3 else features[None]
    return channels.flatten(1).mT.tolist()


def dot(a: list[float], b: list[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


def distance2(a: list[float], b: list[float]) -> float:
    return sum((x - y) ** 2 for x, y in zip(a, b, strict=True))


def length(a: list[float]) -> float:
    return math.sqrt(dot(a, a))


def softmax(logits: list[float]) -> list[float]:
    highest = max(logits)
    powers = [math.exp(logit - highest) for logit in logits]
    return [power / sum(powers) for power in powers]


def softmax_rows(query: Tensor, key: Tensor, scale: float = 1.0) -> Matrix:
    keys = vectors(key)
    return [softmax([scale * dot(q, k) for k in keys]) for q in vectors(query)]


def through_nodes(distribute: Matrix, reason: Matrix, gather: Matrix) -> Matrix:
    """Sum over nodes a, b of distribute[i][a] reason[a][b] gather[b][j]."""
    nodes = range(len(gather))
    return [
        [
            sum(spread[a] * reason[a][b] * gather[b][j] for a in nodes for b in nodes)
            for j in range(len(gather[0]))
        ]
        for spread in distribute
    ]


def identity(size: int) -> Matrix:
    return [[float(a == b) for b in range(size)] for a in range(size)]


def times(first: Matrix, second: Matrix) -> Matrix:
    columns = list(zip(*second, strict=True))
    return [[dot(row, list(column)) for column in columns] for row in first]


def window(row: int, col: int, size: int) -> list[tuple[int, int]]:
    reach = size // 2
    return [
        (row + down, col + right)
        for down in range(-reach, reach + 1)
        for right in range(-reach, reach + 1)
    ]


def over(shape: tuple[int, int], chosen: list[dict[tuple[int, int], float]]) -> Matrix:
    """A matrix from the weights {key: weight} of each query."""
    return [[keys.get(cell, 0.0) for cell in cells(*shape)] for keys in chosen]


def softmax_among(query, keys, logit):
    """The weights of one query over `keys`, by the softmax of logit(query, key)."""
    return dict(zip(keys, softmax([logit(query, key) for key in keys]), strict=True))


def on_map(keys, height, width):
    return [(r, c) for r, c in keys if 0 <= r < height and 0 <= c < width]
