"""Dense attention by loops."""

from asa_viz.attention import dense
from asa_viz.attention.base import mean_of
from tests.attention.zoo.plain import Case, dot, normal, softmax, softmax_rows, vectors

WIDTH = 4


def embedded_gaussian(height, width):
    query, key = normal(WIDTH, height, width), normal(WIDTH, height, width)
    return Case(dense.embedded_gaussian(query, key), lambda: softmax_rows(query, key, WIDTH**-0.5))


def unscaled(height, width):
    query, key = normal(WIDTH, height, width), normal(WIDTH, height, width)
    return Case(dense.embedded_gaussian(query, key, scaled=False), lambda: softmax_rows(query, key))


def gaussian(height, width):
    features = normal(WIDTH, height, width)
    return Case(dense.gaussian(features), lambda: softmax_rows(features, features))


def dot_product(height, width):
    query, key = normal(WIDTH, height, width), normal(WIDTH, height, width)
    n = height * width
    return Case(
        dense.dot_product(query, key),
        lambda: [[dot(q, k) / n for k in vectors(key)] for q in vectors(query)],
    )


def concatenation(height, width):
    query, key = normal(height, width), normal(height, width)
    n = height * width
    return Case(
        dense.concatenation(query, key),
        lambda: [[max(0.0, q + k) / n for (k,) in vectors(key)] for (q,) in vectors(query)],
    )


def disentangled(height, width):
    query, key = normal(WIDTH, height, width), normal(WIDTH, height, width)
    unary = normal(height, width)

    def matrix():
        q, k = vectors(query), vectors(key)
        q_mean, k_mean = ([sum(c) / len(v) for c in zip(*v, strict=True)] for v in (q, k))
        shared = softmax([u for (u,) in vectors(unary)])
        rows = []
        for own in q:
            white = [a - b for a, b in zip(own, q_mean, strict=True)]
            logits = [
                dot(white, [a - b for a, b in zip(theirs, k_mean, strict=True)]) / 2 / 0.3
                for theirs in k
            ]
            rows.append([p + s for p, s in zip(softmax(logits), shared, strict=True)])
        return rows

    return Case(dense.disentangled(query, key, unary, temperature=0.3), matrix)


def ocnet_base(height, width):
    feature = normal(WIDTH, height, width)
    return Case(dense.ocnet_base(feature), lambda: softmax_rows(feature, feature, WIDTH**-0.5))


def one_head(height, width):
    query, key = normal(3, WIDTH, height, width), normal(3, WIDTH, height, width)
    return Case(dense.heads(query, key)[1], lambda: softmax_rows(query[1], key[1], WIDTH**-0.5))


def mean_of_heads(height, width):
    query, key = normal(3, WIDTH, height, width), normal(3, WIDTH, height, width)

    def matrix():
        heads = [softmax_rows(q, k, WIDTH**-0.5) for q, k in zip(query, key, strict=True)]
        n = height * width
        return [[sum(head[i][j] for head in heads) / 3 for j in range(n)] for i in range(n)]

    return Case(mean_of(dense.heads(query, key)), matrix)


CASES = {
    "nonlocal_embedded_gaussian": embedded_gaussian,
    "nonlocal_embedded_gaussian, unscaled": unscaled,
    "nonlocal_gaussian": gaussian,
    "nonlocal_dot_product": dot_product,
    "nonlocal_concatenation": concatenation,
    "dnl": disentangled,
    "danet_position": unscaled,
    "sagan": unscaled,
    "ocnet_base": ocnet_base,
    "ocnet_asp": ocnet_base,
    "multi_head": mean_of_heads,
    "multi_head, one": one_head,
}
