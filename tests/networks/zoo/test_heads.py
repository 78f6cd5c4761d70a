"""Every head: its displayed rows rebuild what it really computed, and all of it learns."""

import pytest
import torch

from asa_viz.geometry import Cell
from asa_viz.networks.zoo.methods import HEADS, READERS
from asa_viz.networks.zoo.record import HeadMethod
from tests.networks.zoo.small import CLASSES, features, head_of, labelled, run

IN_HEADS = [name for name, record in READERS.items() if isinstance(record, HeadMethod)]
GRIDS = [(9, 7), (16, 16), (11, 19)]
# The published rule gives its thresholds no gradient; an indexer learns by a loss of its own.
UNTAUGHT = {
    "asa_released": ["nl_block.nonlocal_scale.weight", "nl_block.local_scale.weight"],
    "indexer_top_k": [f"block.index_{part}.weight" for part in ("query", "key", "weight")],
}


@pytest.mark.parametrize(("height", "width"), GRIDS)
@pytest.mark.parametrize("name", IN_HEADS)
def test_rows_rebuild_what_the_head_computed(name: str, height: int, width: int):
    record = READERS[name]
    # In double precision: the logits of DNL, over a temperature of 0.05, reach 900.
    head = head_of(record.head).double()
    seen = run(head, record.watch, [stage.double() for stage in features(height, width)])
    with torch.no_grad():
        reading = record.read(head, seen)
        ours, network = record.rebuilt(head, seen, reading)
    # Something is read: the output is not constant.
    assert network.std() > 1e-3
    torch.testing.assert_close(ours, network, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", IN_HEADS)
def test_a_row_lies_on_the_keys_of_the_grid(name: str):
    record = READERS[name]
    head = head_of(record.head)
    seen = run(head, record.watch, features(11, 13))
    with torch.no_grad():
        reading = record.read(head, seen)
    if record.method.exact == "none":
        assert reading.shown is None
        assert reading.gates
        return
    assert not reading.gates
    row = reading.shown.row(Cell(4, 5))
    assert row.shape == reading.shown.key_shape
    if record.method.row_sum is not None:
        assert float(row.sum()) == pytest.approx(record.method.row_sum, rel=1e-4)


# The number that a block multiplies by what it reads, in the heads that learn one.
GAINS = {
    "ccnet": "cca.gamma.scale",
    "danet_position": "pam.gamma.scale",
    "latentgnn": "block.gamma",
    "sagan": "block.gamma",
}


@pytest.mark.parametrize("name", IN_HEADS)
def test_a_reading_knows_the_gain_of_its_block(name: str):
    record = READERS[name]
    head = head_of(record.head)
    seen = run(head, record.watch, features(5, 6))
    with torch.no_grad():
        reading = record.read(head, seen)
    gain = head.get_parameter(GAINS[name]).item() if name in GAINS else 1.0
    assert reading.gain == gain
    assert (gain != 1.0) == (name in GAINS)


@pytest.mark.parametrize("name", HEADS)
def test_every_weight_learns(name: str):
    head = head_of(name).double().train()
    out = head([stage.double() for stage in features(8, 9, images=2)])
    outputs = out if isinstance(out, tuple | list) else [out]
    # Random weights: a plain sum could be without gradient behind a normalisation.
    sum((output * torch.randn_like(output)).sum() for output in outputs).backward()
    still = [
        key
        for key, parameter in head.named_parameters()
        # A softmax or a normalisation behind it makes many a bias one that nothing hangs on.
        if parameter.requires_grad
        and not key.endswith("bias")
        and (parameter.grad is None or parameter.grad.abs().max() < 1e-12)
    ]
    assert still == UNTAUGHT.get(name, [])


@pytest.mark.parametrize("name", HEADS)
def test_logits_lie_on_the_grid(name: str):
    with torch.no_grad():
        out = head_of(name)(features(9, 7))
    logits = out[0] if isinstance(out, tuple | list) else out
    assert logits.shape[:2] == (1, CLASSES)


@pytest.mark.parametrize("name", ["apcnet", "emanet", "ocr", "encnet"])
def test_heads_that_are_not_the_stock_ones_train_and_predict(name: str):
    head, inputs = head_of(name).train(), features(8, 9, images=2)
    losses = head.loss(inputs, labelled(16, 18), {})
    total = sum(value for key, value in losses.items() if "loss" in key)
    assert torch.isfinite(total)
    total.backward()
    with torch.no_grad():
        logits = head.eval().predict(inputs, [{"img_shape": (16, 18)}] * 2, {})
    assert logits.shape == (2, CLASSES, 16, 18)
