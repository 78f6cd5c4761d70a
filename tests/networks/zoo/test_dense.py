"""Non-local heads: the one that saves memory is mmcv's; the two halves of a DNL row."""

import torch
from mmseg.models.decode_heads import NLHead

from asa_viz.geometry import Cell
from asa_viz.networks.zoo.methods import READERS
from tests.networks.zoo.small import CHANNELS, CLASSES, features, head_of, run


def test_concatenation_is_the_stock_head_with_its_parameters():
    ours = head_of("nonlocal_concatenation")
    stock = NLHead(
        in_channels=CHANNELS[0],
        in_index=0,
        channels=8,
        num_classes=CLASSES,
        norm_cfg={"type": "BN"},
        mode="concatenation",
        loss_decode={"type": "CrossEntropyLoss", "avg_non_ignore": True},
    ).eval()
    stock.load_state_dict(ours.state_dict(), strict=True)
    stock.to(ours.conv_seg.weight.dtype)
    inputs = features(7, 6, images=2)
    with torch.no_grad():
        torch.testing.assert_close(ours(inputs), stock(inputs), rtol=1e-4, atol=1e-4)


def test_the_shared_half_of_a_disentangled_row_is_its_last_term():
    record = READERS["dnl"]
    head = head_of("dnl")
    with torch.no_grad():
        # With queries of 0 the pairwise softmax is uniform: what remains is the shared softmax.
        head.dnl_block.theta.conv.weight.zero_()
        reading = record.read(head, run(head, record.watch, features(6, 5)))
    pairwise, shared = reading.shown.terms
    torch.testing.assert_close(pairwise.row(Cell(2, 2)), torch.full((6, 5), 1 / 30))
    torch.testing.assert_close(
        reading.shown.row(Cell(2, 2)), shared.row(Cell(0, 0)) + 1 / 30, rtol=1e-4, atol=1e-6
    )
