"""The browser computes what Python computes: rows, maps, cells and packets, number by number.

Both round to single precision in another order. A comparison may therefore fall out differently
where an affinity lies at its threshold up to rounding, and nowhere else.
"""

import json
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

import asa_viz
from app.encodings import stored
from app.gallery import EXAMPLES
from asa_viz.attention.dense import disentangled
from asa_viz.attention.fixed import FixedAttention
from asa_viz.attention.what_if import WhatIf
from asa_viz.checkpoints import DEFAULT
from asa_viz.geometry import Cell, Grid, Pixel
from asa_viz.packet import pack
from tests.fakes import fake_session
from tests.viewer.node import needs_node, run

pytestmark = needs_node

# The bits of a row's relation, as in core/attention.ts.
BITS = {"chosen": 1, "chooses_back": 2, "local": 4, "support": 8}

# How far a logarithm of an affinity may lie from its threshold and still count as being at it.
ROUNDING = 1e-5
TIE_SLACK = 64 * 2**-23


@pytest.fixture(scope="module")
def session():
    return asa_viz.load(DEFAULT, device="cpu").encode(Path(EXAMPLES[0].path))


@pytest.fixture(scope="module")
def answer(session, tmp_path_factory):
    """What the viewer's code answers to a question of the session's packet."""
    folder = tmp_path_factory.mktemp("parity")
    (folder / "packet").write_bytes(pack(session))

    def ask(**question):
        (folder / "question").write_text(json.dumps(question), "utf-8")
        run("rows.mjs", *(folder / name for name in ("packet", "question", "answer")))
        return load_file(folder / "answer")

    return ask


def masks(relation):
    return {name: relation & bit > 0 for name, bit in BITS.items()}


def gathered(views, name):
    return np.stack([getattr(view, name).ravel() for view in views])


def views_of(session, cells, what_if):
    return [session.query_cell(Cell(*divmod(i, session.grid.width)), what_if) for i in cells]


def check_rows(session, cells, views, found):
    """Hold the viewer's rows against Python's; returns how many of each mask's entries differ."""
    attention, n = session.attention, session.grid.size
    expected = {name: gathered(views, name) for name in BITS}
    differing = {name: mask != expected[name] for name, mask in masks(found["relation"]).items()}
    assert not differing["local"].any()
    assert not (differing["support"] & ~differing["chosen"] & ~differing["chooses_back"]).any()
    for name, differs in differing.items():
        assert differs.sum() <= 1e-4 * differs.size, name

    # Of what differs, how far the comparison is from a tie, in double precision.
    query, key = attention.query.double().numpy(), attention.key.double().numpy()
    normaliser = attention.log_normaliser.double().numpy()
    for i, j in zip(*differing["chosen"].nonzero(), strict=True):
        log_affinity = query[cells[i]] @ key[j] - normaliser[cells[i]]
        threshold = np.log(views[i].nonlocal_scale / n)
        assert abs(log_affinity - (threshold - TIE_SLACK)) < ROUNDING
    for i, j in zip(*differing["chooses_back"].nonzero(), strict=True):
        log_ratio = np.log(np.float64(views[i].incoming_ratio.ravel()[j]))
        assert abs(log_ratio + TIE_SLACK) < ROUNDING

    same = ~differing["support"].any(axis=1)
    for name in ("dense", "incoming", "incoming_ratio"):
        np.testing.assert_allclose(found[name], gathered(views, name), rtol=1e-3, err_msg=name)
    weights = gathered(views, "weights")[same]
    np.testing.assert_allclose(found["weights"][same], weights, rtol=1e-3)
    thresholds = [(view.nonlocal_scale, view.local_scale, view.local_threshold) for view in views]
    np.testing.assert_allclose(found["thresholds"], thresholds, rtol=1e-5)
    return {name: int(differs.sum()) for name, differs in differing.items()}


@pytest.mark.slow
def test_every_row_and_the_maps_of_a_photograph(session, answer):
    n, labels = session.grid.size, session.segmentation.cell_labels.ravel()
    cells = range(n)
    found = answer(what_if={}, cells=list(cells), maps=True)
    views = views_of(session, cells, WhatIf())
    differing = check_rows(session, cells, views, found)

    support, dense = gathered(views, "support"), gathered(views, "dense").astype(float)
    # A key more or less in one row is one more or less in two maps.
    assert np.abs(found["support"] - support.sum(1)).sum() <= differing["support"]
    assert np.abs(found["in_degree"] - support.sum(0)).sum() <= differing["support"]
    same = (masks(found["relation"])["support"] == support).all(1)
    mass = (dense * support).sum(1)
    own = (dense * support * (labels == labels[:, None])).sum(1)
    # What reads itself alone reads its own class.
    own_share = np.divide(own, mass, out=np.ones(n), where=mass > 0)
    np.testing.assert_allclose(found["kept_mass"][same], mass[same], rtol=1e-3)
    np.testing.assert_allclose(found["own_share"][same], own_share[same], rtol=1e-3)
    np.testing.assert_allclose(found["column"][:, same], found["weights"][same].T, rtol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "what_if"),
    [
        ({"reciprocity": False, "nonlocalFactor": 1.5}, WhatIf(1.5, reciprocity=False)),
        ({"topK": 32}, WhatIf(top_k=32)),
        ({"nonlocalFactor": 2, "localFactor": 0.7, "window": 5}, WhatIf(2, 0.7, window=5)),
        ({"localRule": False, "nonlocalFactor": 1e6}, WhatIf(1e6, local_rule=False)),
        ({"nonlocalFactor": 0}, WhatIf(0)),
    ],
    ids=lambda part: "" if isinstance(part, WhatIf) else "-".join(map(str, part)),
)
def test_rows_under_a_what_if(session, answer, change, what_if):
    # Every 29th cell: in each row of the grid two or three, at other places.
    cells = range(3, session.grid.size, 29)
    found = answer(what_if=change, cells=list(cells), maps=False)
    views = views_of(session, cells, what_if)
    check_rows(session, cells, views, found)
    # More than k only where the next one ties with the k-th.
    assert (masks(found["relation"])["chosen"].sum(1) >= (what_if.top_k or 0)).all()


@pytest.mark.parametrize("factor", [1, 2])
def test_the_row_of_a_set_of_cells(session, answer, factor):
    width = session.grid.width
    cells = [15 * width + 20, 15 * width + 21, 16 * width + 20, 30 * width + 40]
    found = answer(what_if={"nonlocalFactor": factor}, cells=[], maps=False, set=cells)
    (mean,) = session.attention.rows([[Cell(*divmod(i, width)) for i in cells]], WhatIf(factor))
    for name in ("dense", "incoming", "weights"):
        expected = getattr(mean, name).ravel()
        np.testing.assert_allclose(found[f"set_{name}"], expected, rtol=1e-3, atol=1e-7)
    for name in ("chosen", "reciprocal", "local", "support"):
        differs = ~np.isclose(found[f"set_{name}"], getattr(mean, name).ravel(), atol=1e-6)
        assert differs.mean() <= 1e-3, name
    assert np.isclose(found["set_back"], mean.chooses_back.ravel()).mean() >= 1 - 1e-3


def test_a_stored_packet_is_read_to_the_last_bit(tmp_path):
    path = stored(DEFAULT, EXAMPLES[0].name)
    run("reading.mjs", path, tmp_path / "answer")
    written, found = load_file(path), load_file(tmp_path / "answer")
    names = {
        "log_normaliser": "logNormaliser", "nonlocal_scale": "nonlocalScale",
        "local_scale": "localScale", "cell_labels": "cellLabels",
        "working_labels": "workingLabels", "without_attention": "withoutAttention",
    }  # fmt: skip
    assert written["query"].dtype == np.float16
    assert set(found) == {names.get(name, name) for name in written}
    for name, values in written.items():
        exact = values.astype(np.float32) if values.dtype == np.float16 else values
        np.testing.assert_array_equal(found[names.get(name, name)], exact.ravel(), name)
    assert found["picture"].tobytes() == Path(EXAMPLES[0].path).read_bytes()


def test_every_pixel_is_in_the_same_cell(tmp_path):
    sides = [(1, 1), (3, 5), (7, 5), (45, 60)]
    images = [(1, 1), (2, 3), (20, 20), (427, 640), (563, 751)]
    grids = [Grid(*side, *image) for side, image in product(sides, images)]
    grids.append(Grid(64, 128, 1080, 1920))
    question = [[g.height, g.width, g.image_height, g.image_width] for g in grids]
    (tmp_path / "question").write_text(json.dumps(question), "utf-8")
    run("cells.mjs", tmp_path / "question", tmp_path / "answer")
    answers = json.loads((tmp_path / "answer").read_text("utf-8"))
    for grid, found in zip(grids, answers, strict=True):
        assert found["rows"] == [grid.cell_at(Pixel(0, y)).row for y in range(grid.image_height)]
        assert found["columns"] == [grid.cell_at(Pixel(x, 0)).col for x in range(grid.image_width)]
        cells = (Cell(*divmod(i, grid.width)) for i in range(grid.size))
        assert found["centres"] == [list(grid.centre_of(cell)) for cell in cells]


@pytest.mark.parametrize("what_if", [{}, {"topK": 8}])
def test_rows_that_no_queries_and_keys_give_are_the_same(tmp_path, what_if):
    """A softmax beside a shared one: a row adds up to two, and is shown as shares."""
    random = torch.Generator().manual_seed(0)
    query, key = (torch.randn(4, 9, 12, generator=random) for _ in range(2))
    rows = disentangled(query, key, torch.randn(9, 12, generator=random), temperature=1.0)
    session = replace(fake_session(learned=False), attention=FixedAttention.of(rows))
    (tmp_path / "packet").write_bytes(pack(session))
    question = {"what_if": what_if, "cells": [0, 31, 107], "maps": True}
    (tmp_path / "question").write_text(json.dumps(question), "utf-8")
    run("rows.mjs", *(tmp_path / name for name in ("packet", "question", "answer")))
    found = load_file(tmp_path / "answer")
    asked = WhatIf(top_k=what_if.get("topK"))
    for index, i in enumerate(question["cells"]):
        view = session.query_cell(Cell(*divmod(i, 12)), asked)
        for name, shown in (("dense", view.dense), ("weights", view.weights)):
            np.testing.assert_allclose(
                found[name][index], shown.ravel() / view.dense.sum(), rtol=1e-4, atol=1e-7
            )
        relation = masks(found["relation"][index])
        assert np.array_equal(relation["chosen"], view.chosen.ravel())
    sizes = session.whole_image().support_size.ravel()
    assert what_if or np.array_equal(found["support"], sizes)
