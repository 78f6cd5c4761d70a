"""The networks that ship, on real photographs, and on labelled ones where data is at hand."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

import asa_viz
from app.gallery import EXAMPLES
from asa_viz.attention.operator import adaptive_sparse_attention
from asa_viz.attention.what_if import AS_TRAINED, WhatIf
from asa_viz.checkpoints import DEFAULT, available
from asa_viz.evaluate import evaluate, frames
from asa_viz.geometry import Cell, Pixel
from asa_viz.images import nearest_shape, read_image, resize
from asa_viz.networks.capture import calls_of
from asa_viz.networks.datasets import DATA_SETS, OUTDOOR
from asa_viz.views import flips

pytestmark = pytest.mark.slow

DATA = {
    "camvid": Path(os.environ.get("CAMVID", "data/camvid")),
    "voc2012": Path(os.environ.get("VOC2012", "data/voc2012")),
}
SUBSET = 8
TWIN = DEFAULT.replace("asa_", "nonlocal_", 1)


@pytest.fixture(scope="module", params=available())
def segmenter(request):
    return asa_viz.load(request.param, device="cpu")


@pytest.fixture(scope="module")
def session(segmenter):
    return segmenter.encode(Path(EXAMPLES[0].path))


def test_the_default_network_comes_first_and_each_has_its_twin():
    assert available()[0] == DEFAULT
    twins = {name.replace("asa_", "nonlocal_", 1) for name in available()}
    assert twins <= set(available())


def test_the_card_says_what_it_must_in_the_words_of_its_data_set(segmenter):
    card, facts = segmenter.card, DATA_SETS[segmenter.card.training["data_set"]]
    assert card.classes == facts.classes
    assert card.palette == facts.palette
    assert card.shapes == facts.shapes
    assert card.licence == facts.licence
    assert "non-commercial" in card.licence
    subset = "val as voc2012 first" if facts is OUTDOOR else "val first"
    assert {"val", f"{subset} {SUBSET}"} <= set(card.metrics)
    assert card.training["schedule"]


def test_the_default_network_needs_its_attention():
    """By the card's figures on all of val, of which `evaluate` is asked below for a part."""
    figures = asa_viz.load(DEFAULT, device="cpu").card.metrics["val"]
    without, twin = (
        each["without_attention"]
        for each in (figures, asa_viz.load(TWIN, device="cpu").card.metrics["val"])
    )
    assert without["mIoU_scored"] < figures["mIoU_scored"] - 0.03
    assert min(without["flips"], twin["flips"]) > 0.05
    assert figures["support"] <= 0.15
    assert figures["empty_rows"] <= 0.01
    assert figures["keys_by_local_rule_alone"] >= 0.5
    assert figures["without_local_rule"]["flips"] >= 0.005
    for control in ("dense", "top_k", "one_sided", "box"):
        assert figures["own_class_sparse"] > figures[f"own_class_{control}"] + 0.03, control


def test_rows_that_keep_nothing_are_rare_on_every_photograph(segmenter):
    for example in EXAMPLES:
        sizes = segmenter.encode(Path(example.path)).whole_image().support_size
        assert (sizes == 0).mean() <= 0.01, example.name
        assert sizes.std() > 0 or not segmenter.encode(Path(example.path)).thresholds_learned


def test_the_rows_shown_rebuild_the_blocks_output(segmenter):
    """The block's real output at a sample of queries, from its values and the rows of the page."""
    picture = read_image(Path(EXAMPLES[0].path)).rgb
    working = resize(picture, nearest_shape(*picture.shape[:2], segmenter.card.shapes))
    session = segmenter.encode(picture)
    block, network = segmenter._block, segmenter._network
    with torch.no_grad(), calls_of(network, ["decode_head.nl_block"]) as seen:
        network(segmenter._pixels(working))
    (((x,), output, _),) = seen["decode_head.nl_block"]
    cells = [Cell(0, 0), Cell(44, 59), *(Cell(r, c) for r in (11, 30, 38) for c in (7, 36, 52))]
    rows = torch.from_numpy(np.stack([session.query_cell(cell).weights.ravel() for cell in cells]))
    added = torch.zeros_like(x) if block.read_only else x
    with torch.no_grad():
        value = block.g(x)[0].flatten(1).mT
        mixed = block.conv_out((rows @ value).mT[None, :, :, None])[0, :, :, 0]
        expected = torch.stack([(output - added)[0, :, r, c] for r, c in cells], -1)
    torch.testing.assert_close(mixed, expected, atol=1e-4, rtol=1e-3)


def test_the_class_of_a_cell_follows_from_its_row_alone(session):
    assert session.readout is not None
    cell = Cell(session.grid.height // 2, session.grid.width // 3)
    row = torch.from_numpy(session.query_cell(cell).weights).flatten()[None]
    logits = session.readout.logits(row @ session.readout.values)
    assert int(logits.argmax()) == session.segmentation.cell_labels[cell.row, cell.col]


def test_every_support_on_the_map_is_the_one_of_its_row(session):
    """The block-wise pass over all queries and the rows shown agree on who is kept."""
    attention = session.attention
    values = torch.eye(1).expand(1, session.grid.size, 1)
    inputs = (attention.query, attention.key, attention.nonlocal_scale, attention.local_scale)
    query, key, nonlocal_scale, local_scale = (tensor[None] for tensor in inputs)
    output = adaptive_sparse_attention(
        query, key, values, nonlocal_scale, local_scale, scaled=False, window=attention.window,
        height=session.grid.height, width=session.grid.width,
    )  # fmt: skip
    torch.testing.assert_close(output, torch.ones_like(output), atol=1e-4, rtol=0)
    for cell in (Cell(3, 50), Cell(40, 20)):
        view = session.query_cell(cell)
        assert np.isclose(view.weights.sum(), 1, atol=1e-4)
        assert session.thresholds_learned or view.support.all()


def test_a_rerun_as_trained_changes_no_label_and_another_rule_some(segmenter, session):
    for what_if in (AS_TRAINED, WhatIf(window=session.attention.window)):
        again = segmenter.rerun(session, what_if)
        assert flips(session.segmentation, again).count == 0
        assert np.array_equal(again.cell_labels, session.segmentation.cell_labels)
    assert 0 < flips(session.segmentation, segmenter.rerun(session, WhatIf(top_k=5))).share < 0.5


def test_thresholds_differ_from_place_to_place():
    session = asa_viz.load(DEFAULT, device="cpu").encode(Path(EXAMPLES[0].path))
    for scale in session.scales:
        assert scale.std() > 0.02 * scale.mean()
    sizes = [
        session.query(Pixel(x, y)).support.sum() for x in (100, 300, 450) for y in (80, 200, 400)
    ]
    assert len(set(map(int, sizes))) > 3


def test_evaluate_gives_the_cards_numbers(segmenter, tmp_path):
    """On a folder with the first pictures of val alone, as the card's subset was made."""
    trained_on = segmenter.card.training["data_set"]
    # The outdoor data is made of others, and has VOC 2012's pictures of things.
    name = "voc2012" if trained_on == "outdoor" else trained_on
    if not (data := DATA[name]).is_dir():
        pytest.skip(f"{name} is not at {data} (set {name.upper()})")
    for image, labels in frames(data, "val", SUBSET):
        for source in (image, labels):
            target = tmp_path / source.relative_to(data)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
    labelled_as = DATA_SETS[name] if name != trained_on else None
    figures = evaluate(segmenter, frames(tmp_path, "val"), labelled_as)
    subset = f"val as {name} first {SUBSET}" if labelled_as else f"val first {SUBSET}"
    card = segmenter.card.metrics[subset]
    for name in ("mIoU", "pixel_accuracy", "support", "own_class_dense", "own_class_sparse"):
        assert figures[name] == pytest.approx(card[name], abs=0.002), name
    for name in ("mIoU", "flips"):
        found, written = (each["without_attention"][name] for each in (figures, card))
        assert found == pytest.approx(written, abs=0.002), name
    assert figures["pictures"] == card["pictures"] == SUBSET
