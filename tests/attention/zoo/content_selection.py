"""Attention to the keys that a cheaper score selects, by loops."""

from asa_viz.attention import content_selection
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


def by_cell(features):
    return dict(zip(cells(*features.shape[-2:]), vectors(features), strict=True))


def best(scores, k):
    """The k keys of a dictionary with the highest scores; of equal ones those that come first."""
    return sorted(scores, key=lambda key: -scores[key])[:k]


def squares(height, width, side):
    """The cells of each block, by its row and column among the blocks."""
    blocks = {}
    for row, col in cells(height, width):
        blocks.setdefault((row // side, col // side), []).append((row, col))
    return blocks


def mean(parts):
    return [sum(values) / len(parts) for values in zip(*parts, strict=True)]


def scaled(query, key):
    return lambda a, b: dot(query[a], key[b]) / len(query[a]) ** 0.5


def indexer_matrix(query, key, index_query, index_key, index_weight, k):
    queries, keys, index_keys = by_cell(query), by_cell(key), by_cell(index_key)
    heads = [by_cell(head) for head in index_query]
    weights = by_cell(index_weight)

    def score(a, b):
        return sum(
            weight * max(0.0, dot(head[a], index_keys[b]))
            for weight, head in zip(weights[a], heads, strict=True)
        )

    chosen = []
    for a in queries:
        selected = best({b: score(a, b) for b in keys}, k)
        chosen.append(softmax_among(a, selected, scaled(queries, keys)))
    return over(query.shape[1:], chosen)


def mixture_matrix(query, key, side, kept):
    queries, keys = by_cell(query), by_cell(key)
    blocks = squares(*query.shape[1:], side)
    chosen = []
    for a in queries:
        own = (a[0] // side, a[1] // side)
        gates = {
            block: dot(queries[a], mean([keys[b] for b in inside]))
            for block, inside in blocks.items()
            if block != own
        }
        selected = [b for block in [own, *best(gates, kept - 1)] for b in blocks[block]]
        chosen.append(softmax_among(a, selected, scaled(queries, keys)))
    return over(query.shape[1:], chosen)


def native_matrix(query, keys, pool, gates, side, kept, window):
    height, width = query.shape[1:]
    queries, gate, logits = by_cell(query), by_cell(gates), by_cell(pool)
    block_keys, cell_keys, near_keys = map(by_cell, keys)
    blocks = squares(height, width, side)
    pooled, shares = {}, {}
    for block, inside in blocks.items():
        of_key, of_value = (softmax([logits[b][part] for b in inside]) for part in (0, 1))
        channels = zip(*(block_keys[b] for b in inside), strict=True)
        pooled[block] = [dot(of_key, list(channel)) for channel in channels]
        shares[block] = dict(zip(inside, of_value, strict=True))
    chosen = []
    for a in queries:
        first = softmax_among(a, list(blocks), scaled(queries, pooled))
        selected = [b for block in best(first, kept) for b in blocks[block]]
        near = on_map(around(*a, window), height, width)
        second = softmax_among(a, selected, scaled(queries, cell_keys))
        third = softmax_among(a, near, scaled(queries, near_keys))
        row = dict.fromkeys(queries, 0.0)
        for block, inside in blocks.items():
            for b in inside:
                row[b] += gate[a][0] * first[block] * shares[block][b]
        for b in selected:
            row[b] += gate[a][1] * second[b]
        for b in near:
            row[b] += gate[a][2] * third[b]
        chosen.append(row)
    return over((height, width), chosen)


def indexer(height, width, tied=False):
    query, key = normal(WIDTH, height, width), normal(WIDTH, height, width)
    index_query, index_key = normal(3, 2, height, width), normal(2, height, width)
    weight = normal(3, height, width)
    if tied:
        # Then no score is above 0, and many are 0.
        weight = -weight.abs()
    given = (query, key, index_query, index_key, weight, max(1, round(height * width / 10)))
    return Case(content_selection.indexer_top_k(*given), lambda: indexer_matrix(*given))


def mixture(height, width, side=4):
    query, key = normal(WIDTH, height, width), normal(WIDTH, height, width)
    kept = min(2, len(squares(height, width, side)))
    return Case(
        content_selection.mixture_of_block(query, key, side=side, kept=kept),
        lambda: mixture_matrix(query, key, side, kept),
    )


def native(height, width, side=4, window=3):
    query, gates = normal(WIDTH, height, width), normal(3, height, width).sigmoid()
    keys = tuple(normal(WIDTH, height, width) for _ in range(3))
    pool = normal(2, height, width)
    kept = min(2, len(squares(height, width, side)))
    return Case(
        content_selection.native_sparse(
            query, keys, pool, gates, side=side, kept=kept, window=window
        ),
        lambda: native_matrix(query, keys, pool, gates, side, kept, window),
    )


CASES = {
    "indexer_top_k": indexer,
    "indexer_top_k, tied": lambda h, w: indexer(h, w, tied=True),
    "mixture_of_block": mixture,
    "mixture_of_block, blocks of 3": lambda h, w: mixture(h, w, side=3),
    "native_sparse": native,
    "native_sparse, blocks of 3": lambda h, w: native(h, w, side=3, window=5),
}
