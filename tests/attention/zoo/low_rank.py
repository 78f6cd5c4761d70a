"""Attention by way of nodes by loops."""

import math

import torch

from asa_viz.attention import low_rank
from tests.attention.zoo.plain import (
    Case,
    dot,
    identity,
    length,
    normal,
    softmax,
    through_nodes,
    times,
    vectors,
)

WIDTH, NODES = 4, 3


def over_cells(logits):
    """Each node's softmax over all cells, node by node."""
    return [softmax(node.flatten().tolist()) for node in logits]


def over_nodes(logits):
    """Each cell's softmax over the nodes, cell by cell."""
    return [softmax(cell) for cell in vectors(logits)]


def double_attention(height, width):
    gather, distribute = normal(NODES, height, width), normal(NODES, height, width)
    return Case(
        low_rank.double_attention(gather, distribute),
        lambda: times(over_nodes(distribute), over_cells(gather)),
    )


def expectation_maximisation(height, width):
    features, start = normal(WIDTH, height, width), normal(WIDTH, NODES)

    def matrix():
        x, bases = vectors(features), start.mT.tolist()
        for _ in range(3):
            shares = [softmax([dot(cell, base) for base in bases]) for cell in x]
            totals = [sum(column) for column in zip(*shares, strict=True)]
            gather = [[row[k] / totals[k] for row in shares] for k in range(NODES)]
            means = times(gather, x)
            bases = [[value / length(mean) for value in mean] for mean in means]
        scaled = [[g / length(mean) for g in row] for row, mean in zip(gather, means, strict=True)]
        return times(shares, scaled)

    return Case(low_rank.expectation_maximisation(features, start, stages=3), matrix)


def compact_generalised(height, width):
    theta, phi = normal(WIDTH, height, width), normal(WIDTH, height, width)
    return Case(
        low_rank.compact_generalised(theta, phi),
        lambda: [[sum(t) / WIDTH * sum(p) for p in vectors(phi)] for t in vectors(theta)],
    )


def global_reasoning(height, width, averaged=False):
    projection, adjacency = normal(NODES, height, width), normal(NODES, NODES)

    def matrix():
        reason = [
            [a + b for a, b in zip(row, one, strict=True)]
            for row, one in zip(adjacency.tolist(), identity(NODES), strict=True)
        ]
        back = vectors(projection)
        size = height * width if averaged else 1
        gather = [[value / size for value in node] for node in zip(*back, strict=True)]
        return through_nodes(back, reason, gather)

    return Case(low_rank.global_reasoning(projection, adjacency, averaged=averaged), matrix)


def symbolic_reasoning(height, width):
    votes, mapping = normal(NODES, height, width), normal(NODES, height, width)
    adjacency = torch.tensor([[0, 1, 0], [1, 0, 1], [0, 1, 0]], dtype=torch.float64)

    def matrix():
        joined = [[1, 1, 0], [1, 1, 1], [0, 1, 1]]
        degree = [sum(row) for row in joined]
        reason = [
            [joined[a][b] / math.sqrt(degree[a] * degree[b]) for b in range(NODES)]
            for a in range(NODES)
        ]
        to_cells = list(zip(*over_cells(mapping), strict=True))
        distribute = [[share / sum(shares) for share in shares] for shares in to_cells]
        gather = [list(node) for node in zip(*over_nodes(votes), strict=True)]
        return through_nodes(distribute, reason, gather)

    return Case(low_rank.symbolic_reasoning(votes, adjacency, mapping), matrix)


def beyond_grids(height, width):
    features, centres = normal(WIDTH, height, width), normal(NODES, WIDTH)
    widths = torch.rand(NODES, WIDTH, dtype=torch.float64) + 0.5

    def matrix():
        apart = [
            [
                [(x - m) / s for x, m, s in zip(cell, centre, width, strict=True)]
                for centre, width in zip(centres.tolist(), widths.tolist(), strict=True)
            ]
            for cell in vectors(features)
        ]
        shares = [softmax([-dot(node, node) / 2 for node in cell]) for cell in apart]
        gather, nodes = [], []
        for k in range(NODES):
            total = sum(cell[k] for cell in shares)
            mean = [
                sum(cell[k] * far[k][c] for cell, far in zip(shares, apart, strict=True)) / total
                for c in range(WIDTH)
            ]
            nodes.append([value / length(mean) for value in mean])
            gather.append([cell[k] / total / length(mean) for cell in shares])
        reason = [[dot(a, b) for b in nodes] for a in nodes]
        return through_nodes(shares, reason, gather)

    return Case(low_rank.beyond_grids(features, centres, widths), matrix)


def latent_graph(height, width):
    gather, distribute = (normal(NODES, height, width).relu() for _ in range(2))
    features = normal(WIDTH, height, width)

    def unit(vector):
        return [value / max(length(vector), 1e-12) for value in vector]

    def matrix():
        to_nodes = [unit(node.flatten().tolist()) for node in gather]
        nodes = [unit(node) for node in times(to_nodes, vectors(features))]
        reason = [softmax([dot(a, b) for b in nodes]) for a in nodes]
        return through_nodes([unit(cell) for cell in vectors(distribute)], reason, to_nodes)

    return Case(low_rank.latent_graph(gather, distribute, features), matrix)


def object_context(height, width):
    logits, query = normal(NODES, height, width), normal(WIDTH, height, width)
    region_key = normal(NODES, WIDTH)

    def matrix():
        distribute = [
            softmax([dot(cell, key) / 2 for key in region_key.tolist()]) for cell in vectors(query)
        ]
        return times(distribute, over_cells(logits))

    return Case(low_rank.object_context(logits, query, region_key), matrix)


CASES = {
    "a2net": double_attention,
    "emanet": expectation_maximisation,
    "cgnl": compact_generalised,
    "glore": global_reasoning,
    "glore, averaged": lambda h, w: global_reasoning(h, w, averaged=True),
    "sgr": symbolic_reasoning,
    "beyond_grids": beyond_grids,
    "latentgnn": latent_graph,
    "ocr": object_context,
}
