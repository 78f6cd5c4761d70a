"""The head run again: as trained it is the pass before, else what the network would have done."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from asa_viz.attention.what_if import AS_TRAINED, WhatIf
from asa_viz.images import nearest_shape, resize
from asa_viz.networks.capture import calls_of
from asa_viz.networks.heads import layers_behind
from asa_viz.networks.segmenter import Segmenter, load
from asa_viz.session import segmentation_of
from asa_viz.views import flips
from tests.networks.small import save_small


@pytest.fixture(scope="module", params=["ASAHead", "NLHead"])
def segmenter(request, tmp_path_factory):
    return lively(save_small(tmp_path_factory.mktemp("small"), request.param)[0])


@pytest.fixture(scope="module")
def sparse(tmp_path_factory):
    return lively(save_small(tmp_path_factory.mktemp("small"))[0])


@pytest.fixture(scope="module")
def image():
    return np.random.default_rng(0).integers(0, 256, (50, 70, 3), dtype=np.uint8)


def lively(path):
    """Give the block's last layer random weights instead of 0, so that attention changes labels."""
    segmenter = load(path, device="cpu")
    generator = torch.Generator().manual_seed(0)
    torch.nn.init.normal_(segmenter._block.conv_out.bn.weight, std=3, generator=generator)
    return segmenter


def same(one, other):
    return all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in ("working_labels", "cell_labels", "labels")
    )


def test_a_session_is_made_by_the_networks_own_pass(segmenter, image):
    """Labels and log-normalisers equal those of the network called as a whole."""
    session = segmenter.encode(image)
    network, attention = segmenter._network, session.attention
    working = resize(image, nearest_shape(*image.shape[:2], segmenter.card.shapes))
    with torch.no_grad(), calls_of(network, ["decode_head.nl_block"]) as seen:
        logits = network(segmenter._pixels(working))
    assert np.array_equal(session.segmentation.cell_labels, logits[0].argmax(0).numpy())
    (x,) = seen["decode_head.nl_block"][0].inputs
    block = segmenter._block
    with torch.no_grad():
        query, key = (part(x)[0].flatten(1).mT for part in (block.theta, block.phi))
        query = query * query.shape[-1] ** -0.5 if block.use_scale else query
    torch.testing.assert_close(attention.query, query)
    torch.testing.assert_close(attention.key, key)
    torch.testing.assert_close(attention.log_normaliser, (query @ key.mT).logsumexp(-1))


def test_as_trained_nothing_changes(segmenter, image):
    session = segmenter.encode(image)
    assert [stage.shape for stage in session.features] == [(1, 320, 8, 12), (1, 96, 8, 12)]
    assert same(segmenter.rerun(session, AS_TRAINED), session.segmentation)


def test_the_values_mixed_by_the_rows_are_the_blocks(segmenter, image):
    """A what-if that changes nothing goes the long way and comes to the same labels."""
    session = segmenter.encode(image)
    idle = WhatIf(window=session.attention.window)
    assert idle.changed
    assert same(segmenter.rerun(session, idle), session.segmentation)


def test_fewer_neighbours_flip_labels(segmenter, image):
    session = segmenter.encode(image)
    difference = flips(session.segmentation, segmenter.rerun(session, WhatIf(top_k=1)))
    assert 0 < difference.share < 1
    assert sum(change.pixels for change in difference.changes) == difference.count


def test_factors_mean_nothing_to_a_dense_network(image, tmp_path):
    dense = lively(save_small(tmp_path, "NLHead")[0])
    session = dense.encode(image)
    for what_if in (WhatIf(nonlocal_factor=7, local_factor=3), WhatIf(reciprocity=False)):
        assert same(dense.rerun(session, what_if), session.segmentation)


@pytest.mark.parametrize("what_if", [WhatIf(window=7), WhatIf(4.0, 0.5, window=5)], ids=str)
def test_a_rerun_is_the_network_with_that_rule_built_in(sparse, image, what_if, monkeypatch):
    session = sparse.encode(image)
    again = sparse.rerun(session, what_if)
    project = sparse._block.project

    def changed(x):
        parts = project(x)
        return parts._replace(
            nonlocal_scale=parts.nonlocal_scale * what_if.nonlocal_factor,
            local_scale=parts.local_scale * what_if.local_factor,
        )

    monkeypatch.setattr(sparse._block, "window", what_if.window)
    monkeypatch.setattr(sparse._block, "project", changed)
    built_in = sparse.encode(image).segmentation
    assert flips(session.segmentation, built_in).count > 0
    assert same(again, built_in)


def test_a_session_that_cannot_be_run_again_is_refused(segmenter, image):
    session = segmenter.encode(image)
    for other in (replace(session, features=()), replace(session, network="another")):
        with pytest.raises(ValueError, match="not made by small; encode the picture anew"):
            segmenter.rerun(other, AS_TRAINED)


@pytest.mark.parametrize("head", ["ASAHead", "NonLocalHead"])
def test_from_a_row_the_values_and_the_layers_follow_the_class_logits(tmp_path, image, head):
    """Of a read only network nothing else is needed: any row can be asked what it would say."""
    segmenter = lively(save_small(tmp_path, head, read_only=True)[0])
    for layer in (segmenter._block.conv_out, segmenter._network.decode_head.convs[1]):
        torch.nn.init.normal_(layer.norm.bias)
        torch.nn.init.uniform_(layer.norm.running_var, 0.5, 2.0)
    segmenter = Segmenter(segmenter._network, segmenter.card, segmenter.device)
    session = segmenter.encode(image)
    readout, grid = session.readout, session.grid
    shape = (1, len(segmenter.classes), grid.height, grid.width)
    rows = session.attention.weights(slice(0, grid.size))
    of_rows, alone = (
        readout.logits(read).mT.reshape(shape) for read in (rows @ readout.values, readout.values)
    )
    torch.testing.assert_close(alone, session.own_value_logits, atol=1e-4, rtol=1e-4)
    again = segmentation_of(of_rows, session.segmentation, align_corners=False)
    assert same(again, session.segmentation)
    assert segmenter.without_block(session) is None


def test_a_published_network_has_no_readout(sparse, image):
    assert sparse.encode(image).readout is None
    with pytest.raises(ValueError, match="depends on its neighbours"):
        layers_behind(sparse._network.decode_head)
