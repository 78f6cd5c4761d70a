"""Sparse rows beside rows of the same size: against loops over one query at a time."""

import numpy as np
import pytest
import torch

from asa_viz.attention.row import SparseAttention
from asa_viz.attention.what_if import WhatIf
from asa_viz.controls import OWN_CLASS, by_distance, means, of_queries
from asa_viz.geometry import Cell

HEIGHT, WIDTH = 7, 9
N = HEIGHT * WIDTH


def attention_of(scale=1.5, local_scale=0.8, sharpness=1.0):
    generator = torch.Generator().manual_seed(0)
    query, key = (sharpness * torch.randn(N, 6, generator=generator) for _ in range(2))
    nonlocal_scale, local_scale = (
        factor * (0.5 + torch.rand(N, generator=generator)) for factor in (scale, local_scale)
    )
    return SparseAttention.of(query, key, nonlocal_scale, local_scale, height=HEIGHT, width=WIDTH)


def classes_of():
    return np.random.default_rng(0).integers(0, 3, (HEIGHT, WIDTH), dtype=np.uint8)


@pytest.mark.parametrize("scale", [0.5, 1.5, 4.0])
def test_every_figure_of_a_query_by_loops(scale):
    attention, classes = attention_of(scale), classes_of()
    found = of_queries(attention, classes)
    for index in range(N):
        cell = Cell(*divmod(index, WIDTH))
        row = attention.row(cell)
        dense, own = row.dense.ravel(), classes.ravel() == classes[cell]
        kept = [j for j in range(N) if row.support.ravel()[j]] or [index]
        one_sided = attention.row(cell, WhatIf(reciprocity=False)).weights.ravel()
        largest = sorted(range(N), key=lambda j: -dense[j])[: len(kept)]
        far = sorted(
            range(N),
            key=lambda j: (
                max(abs(j // WIDTH - cell.row), abs(j % WIDTH - cell.col)),
                (j // WIDTH - cell.row) ** 2 + (j % WIDTH - cell.col) ** 2,
                j,
            ),
        )[: len(kept)]
        expected = {
            "dense": dense[own].sum() / dense.sum(),
            "sparse": row.weights.ravel()[own].sum(),
            "top_k": sum(dense[j] for j in largest if own[j]) / sum(dense[j] for j in largest),
            "one_sided": one_sided[own].sum(),
            "box": np.mean([own[j] for j in far]),
            "support": row.support.sum(),
            "local_alone": (row.local & ~row.reciprocal).sum(),
            "nonlocal_alone": (row.reciprocal & ~row.local).sum(),
        }
        for name, value in expected.items():
            assert float(found[name][index]) == pytest.approx(value, abs=1e-5), name


def test_rows_that_keep_nothing_read_themselves_and_do_not_count():
    attention, classes = attention_of(scale=1e9, local_scale=1e9), classes_of()
    found = of_queries(attention, classes)
    assert not found["support"].any()
    for name in ("sparse", "top_k", "one_sided", "box"):
        # The query's own cell, for top-k the key it is most alike: asked, but not counted.
        assert (found[name] == 1).all() or name == "top_k"
    found["support"][:3] = 2
    found["asked"] = torch.ones(N, dtype=torch.bool)
    found["asked"][0] = False
    found["sparse"][:3] = torch.tensor([0.0, 0.5, 0.25])
    figures = means([found])
    assert figures["sparse"] == pytest.approx(0.375)
    assert figures["empty_rows"] == pytest.approx(1 - 3 / N)
    assert figures["support"] == pytest.approx(6 / N)
    assert set(OWN_CLASS) <= set(figures)


def test_the_first_cells_by_distance_are_a_square():
    nearest = by_distance(HEIGHT, WIDTH)
    middle = 3 * WIDTH + 4
    rows, cols = np.divmod(nearest[middle][:9], WIDTH)
    assert nearest[middle][0] == middle
    assert {(r, c) for r, c in zip(rows, cols, strict=True)} == {
        (r, c) for r in (2, 3, 4) for c in (3, 4, 5)
    }
    assert all(sorted(row) == list(range(N)) for row in nearest)
