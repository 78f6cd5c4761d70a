"""CCNet is mmsegmentation's, with rows of all its passes; composed rows of ISA; OCNet's pyramid."""

from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
import torch
from mmengine.registry import MODELS as ROOT
from mmseg.models.decode_heads import cc_head
from torch import nn

from asa_viz.geometry import Cell
from asa_viz.networks.zoo.methods import READERS
from asa_viz.networks.zoo.pattern import (
    CrissCross,
    CrissCrossHead,
    read_criss_cross,
    rebuilt_criss_cross,
)
from tests.networks.zoo.small import CHANNELS, CLASSES, features, head_of, run

SETTINGS = {
    "in_channels": CHANNELS[0],
    "in_index": 0,
    "channels": 16,
    "num_classes": CLASSES,
    "norm_cfg": {"type": "BN"},
    "loss_decode": {"type": "CrossEntropyLoss", "avg_non_ignore": True},
}


@pytest.fixture
def stock(monkeypatch):
    """Return mmsegmentation's head with mmcv's own block, whose file needs nothing compiled."""
    monkeypatch.setattr(ROOT, "_module_dict", dict(ROOT.module_dict))
    ROOT._module_dict.pop("CrissCrossAttention", None)
    folder = Path(find_spec("mmcv").submodule_search_locations[0])
    spec = spec_from_file_location("cc_attention", folder / "ops" / "cc_attention.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(cc_head, "CrissCrossAttention", module.CrissCrossAttention)
    torch.manual_seed(0)
    head = cc_head.CCHead(**SETTINGS).eval()
    torch.nn.init.constant_(head.cca.gamma.scale, 0.7)
    return head


def test_checkpoints_of_the_stock_head_load_and_do_the_same(stock):
    head = CrissCrossHead(**SETTINGS).eval()
    shapes = {key: value.shape for key, value in head.state_dict().items()}
    assert shapes == {key: value.shape for key, value in stock.state_dict().items()}
    head.load_state_dict(stock.state_dict())
    with torch.no_grad():
        for height, width in ((5, 8), (7, 3), (1, 4)):
            inputs = features(height, width, images=2)
            torch.testing.assert_close(head(inputs), stock(inputs))


def test_without_preferences_a_cell_reads_the_mean_of_its_cross():
    block = CrissCross(8)
    with torch.no_grad():
        for parameter in block.parameters():
            parameter.zero_()
        block.value_conv.weight[:, :, 0, 0] = torch.eye(8)
        block.gamma.scale.fill_(0.5)
        x = torch.tensor([[1.0, 2.0, 6.0], [3.0, 5.0, 7.0]]).expand(1, 8, 2, 3)
        # The cross of the first cell holds 1, 2, 6 and 3; that of the last 7, 3, 5 and 6.
        out = block(x)[0, 0]
    assert float(out[0, 0]) == pytest.approx(1 + 0.5 * 12 / 4)
    assert float(out[1, 2]) == pytest.approx(7 + 0.5 * 21 / 4)


@pytest.mark.parametrize("recurrence", [1, 3])
def test_any_number_of_passes_is_read_in_their_order(recurrence: int):
    head = head_of("ccnet")
    head.recurrence = recurrence
    seen = run(head, ("cca",), features(6, 9))
    with torch.no_grad():
        reading = read_criss_cross(head, seen)
        ours, network = rebuilt_criss_cross(head, seen, reading)
    torch.testing.assert_close(ours, network)
    read = reading.shown.row(Cell(2, 3)) > 0
    # One pass reads the cross alone, several every cell.
    assert int(read.sum()) == (6 + 9 - 1 if recurrence == 1 else 6 * 9)


@pytest.mark.parametrize(("height", "width"), [(16, 8), (11, 19)])
def test_the_composed_row_is_what_isa_reads_with_nothing_between_its_passes(height, width):
    record = READERS["isa"]
    head = head_of("isa")
    for relation in (head.global_relation, head.local_relation):
        relation.value_project = nn.Identity()
        relation.output_project = nn.Identity()
    seen = run(head, (*record.watch, "out_conv"), features(height, width))
    with torch.no_grad():
        reading = record.read(head, seen)
    read = seen["out_conv"][0].inputs[0][0, : head.channels]
    torch.testing.assert_close(
        reading.shown.mix(seen["in_conv"][0].output[0]), read, rtol=1e-4, atol=1e-5
    )


def test_padding_takes_its_part_of_an_isa_row():
    record = READERS["isa"]
    head = head_of("isa")
    with torch.no_grad():
        # Queries of 0: both passes are uniform, so the product of the passes is uniform too.
        for relation in (head.global_relation, head.local_relation):
            for parameter in relation.query_project[-1].bn.parameters():
                parameter.zero_()
        reading = record.read(head, run(head, record.watch, features(11, 19)))
    row = reading.shown.row(Cell(10, 18))
    torch.testing.assert_close(row, torch.full((11, 19), 1 / (16 * 24)))


def test_a_pyramid_cuts_no_finer_than_the_map_allows():
    record = READERS["ocnet_pyramid"]
    head = head_of("ocnet_pyramid").double()
    seen = run(head, record.watch, [stage.double() for stage in features(4, 9)])
    with torch.no_grad():
        reading = record.read(head, seen)
        ours, network = record.rebuilt(head, seen, reading)
    torch.testing.assert_close(ours, network)
    # Four cuts of four rows and nine columns: one row each, and columns two by two but the last.
    finest = reading.attentions[-1].row(Cell(1, 3))
    assert finest.nonzero().tolist() == [[1, 2], [1, 3]]
    assert (reading.attentions[0].row(Cell(1, 3)) > 0).all()
