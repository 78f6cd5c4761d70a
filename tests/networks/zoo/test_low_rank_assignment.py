"""Soft assignment: distances by their definition, OCRNet from a cascade, EMANet's bases."""

import torch
from mmseg.models.decode_heads import FCNHead, OCRHead

from asa_viz.networks.zoo.low_rank_assignment import SoftAssignment, read_expectation_maximisation
from tests.networks.zoo.small import CHANNELS, SHARED, features, head_of, labelled, run


def test_distances_multiplied_out_are_distances():
    torch.manual_seed(0)
    assign = SoftAssignment(3, 4)
    torch.nn.init.normal_(assign.spread, std=0.5)
    cells = torch.randn(2, 3, 7)
    apart = (cells[:, None] - assign.centres[..., None]) / assign.widths[..., None]
    shares = (-apart.square().sum(2) / 2).softmax(1)
    mean = (shares[:, :, None] * apart).sum(-1) / shares.sum(-1, keepdim=True)
    torch.testing.assert_close(assign(cells), (shares, mean))


def test_a_centre_far_from_all_cells_has_no_share():
    assign = SoftAssignment(3, 4)
    assign.centres.data[0] = 1e3
    shares, apart = assign(torch.randn(1, 3, 7))
    assert shares[0, 0].sum() == 0
    assert apart[0, 0].abs().sum() == 0
    assert apart.isfinite().all()


def test_a_cascade_for_object_contexts_loads_into_one_head():
    torch.manual_seed(0)
    coarse = FCNHead(
        in_channels=CHANNELS[1], in_index=1, channels=4, num_convs=1, concat_input=False, **SHARED
    )
    fine = OCRHead(in_channels=CHANNELS[0], in_index=0, channels=8, ocr_channels=4, **SHARED)
    cascade = torch.nn.ModuleList([coarse, fine]).eval()
    keys = {
        key.replace("0.", "prior.", 1) if key.startswith("0.") else key.removeprefix("1."): value
        for key, value in cascade.state_dict().items()
    }
    head = head_of("ocr")
    head.load_state_dict(keys)
    inputs = features(6, 7)
    with torch.no_grad():
        torch.testing.assert_close(head(inputs), fine(inputs, coarse(inputs)))


def test_the_coarse_segmentation_is_trained_with_less_weight():
    head, inputs, samples = head_of("ocr"), features(8, 9), labelled(8, 9, images=1)
    losses = head.loss(inputs, samples, {})
    coarse = head.prior.loss_by_feat(head.prior(inputs), samples)
    torch.testing.assert_close(losses["prior.loss_ce"], 0.4 * coarse["loss_ce"])
    torch.testing.assert_close(losses["prior.acc_seg"], coarse["acc_seg"])
    torch.testing.assert_close(
        losses["loss_ce"], head.loss_by_feat(head(inputs), samples)["loss_ce"]
    )


def test_the_bases_move_in_training_alone_and_are_read_where_they_are():
    head, inputs = head_of("emanet"), features(6, 7)
    started = head.ema_module.bases.clone()
    seen = run(head, ("ema_module",), inputs)
    before = read_expectation_maximisation(head, seen).attentions[0].distribute
    torch.testing.assert_close(head.ema_module.bases, started)
    run(head.train(), (), inputs)
    moved = read_expectation_maximisation(head, seen).attentions[0].distribute
    assert (head.ema_module.bases - started).abs().max() > 1e-3
    assert (moved - before).abs().max() > 1e-3
