"""Adaptive sparse attention in plain Python loops: slow, and meant to be checked by eye."""

import math


def softmax_rows(query, key, scaled=True):
    """Affinities P[i][j] of every query with every key."""
    factor = len(query[0]) ** -0.5 if scaled else 1.0
    rows = []
    for q in query:
        similar = [factor * sum(a * b for a, b in zip(q, k, strict=True)) for k in key]
        highest = max(similar)
        powers = [math.exp(s - highest) for s in similar]
        rows.append([p / sum(powers) for p in powers])
    return rows


def window_of(i, height, width, window):
    """The cells of the window around cell i that lie on the map."""
    row, col = divmod(i, width)
    reach = window // 2
    return [
        r * width + c
        for r in range(row - reach, row + reach + 1)
        for c in range(col - reach, col + reach + 1)
        if 0 <= r < height and 0 <= c < width
    ]


def clean_support(affinity, nonlocal_scale, local_scale, height, width, window=3):
    """For each query the sets (reciprocal, local)."""
    n = height * width
    chosen = [{j for j in range(n) if affinity[i][j] >= nonlocal_scale[i] / n} for i in range(n)]
    supports = []
    for i in range(n):
        reciprocal = {j for j in chosen[i] if i in chosen[j]}
        near = window_of(i, height, width, window)
        mean = sum(affinity[i][j] for j in near) / len(near)
        local = {j for j in near if affinity[i][j] >= local_scale[i] * mean}
        supports.append((reciprocal, local))
    return supports


def clean_weights(affinity, nonlocal_scale, local_scale, height, width, window=3):
    """Rows renormalised over their support; an empty support reads its own cell."""
    n = height * width
    supports = clean_support(affinity, nonlocal_scale, local_scale, height, width, window)
    rows = []
    for i, (reciprocal, local) in enumerate(supports):
        support = reciprocal | local or {i}
        mass = sum(affinity[i][j] for j in support)
        rows.append([affinity[i][j] / mass if j in support else 0.0 for j in range(n)])
    return rows


def half(z):
    """The published step: a half at zero."""
    return 0.5 if z == 0 else float(z > 0)


def released_weights(affinity, nonlocal_scale, local_scale, height, width, window=3):
    """The published block's arithmetic, defects included."""
    n = height * width
    rows = []
    for i in range(n):
        near = window_of(i, height, width, window)
        mean = sum(affinity[i][j] for j in near) / len(near)
        kept = []
        for j in range(n):
            chosen = half(affinity[i][j] - nonlocal_scale[i] / n)
            back = half(affinity[j][i] - nonlocal_scale[j] / n)
            local = half((affinity[i][j] if j in near else 0.0) - local_scale[i] * mean)
            kept.append(max(chosen * back, local) * affinity[i][j])
        rows.append([k / (sum(kept) + 1e-12) for k in kept])
    return rows
