"""Heads answer for an encoded picture, and only for one encoded by the network they stand on."""

import copy
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import asa_viz
from asa_viz.checkpoints import has_heads
from asa_viz.geometry import Cell
from asa_viz.networks.capture import calls_of
from asa_viz.networks.weights import WeightsError
from asa_viz.networks.zoo.ensemble import Ensemble, load_ensemble, logits_of
from asa_viz.networks.zoo.methods import READERS
from asa_viz.networks.zoo.projection import Projection
from asa_viz.networks.zoo.record import HeadMethod
from tests.networks.small import save_small
from tests.networks.zoo.small import CHANNELS, head_of

NAMES = ("nonlocal_embedded_gaussian", "asa", "senet", "danet", "carafe")


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    path, _ = save_small(tmp_path_factory.mktemp("network"))
    picture = np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    return asa_viz.load(path).encode(picture)


@pytest.fixture(scope="module")
def ensemble(session):
    torch.manual_seed(0)
    stages = session.features
    # What comes out is about as large as what the heads are drawn for.
    weights = [
        torch.randn(k, stage.shape[1]) / stage.norm(dim=1).mean()
        for k, stage in zip(CHANNELS, stages, strict=True)
    ]
    centres = [torch.zeros(stage.shape[1]) for stage in stages]
    projection = Projection(tuple(weights), tuple(centres))
    return Ensemble(session.network, {name: head_of(name) for name in NAMES}, projection, {})


def test_every_method_of_the_heads_and_of_the_picture_answers(ensemble, session):
    comparison = ensemble.read(session)
    views = {view.name: view for view in comparison.query(Cell(3, 5))}
    in_heads = {"nonlocal_embedded_gaussian", "asa", "senet", "carafe"}
    pictures = {"bilateral", "non_local_means", "mean_shift"}
    assert set(views) == in_heads | pictures | {"danet_position", "danet_channel"}
    assert tuple(views) == comparison.methods
    for name, view in views.items():
        if READERS[name].method.exact == "none":
            assert view.row is None
            assert view.gates
        else:
            assert view.row.ndim == 2
            assert np.isfinite(view.row).all()
    assert views["asa"].total == pytest.approx(1, abs=1e-5)
    assert views["nonlocal_embedded_gaussian"].support == 8 * 12
    # CARAFE's keys are cells of half the size on a side.
    assert views["carafe"].row.shape == (4, 6)


def test_the_gain_of_a_block_decides_with_its_row_whether_anything_is_read(ensemble, session):
    comparison = ensemble.read(session)
    (view,) = comparison.query(Cell(3, 5), ["danet_position"])
    gamma = ensemble.heads["danet"].pam.gamma.scale
    assert view.gain == gamma.item()
    assert not view.dead
    closed = copy.deepcopy(ensemble.heads["danet"])
    closed.pam.gamma.scale.data.zero_()
    other = Ensemble(session.network, {"danet": closed}, ensemble.projection, {})
    (view,) = other.read(session).query(Cell(3, 5), ["danet_position"])
    assert view.total == pytest.approx(1, abs=1e-5)
    assert view.dead


def test_a_row_is_that_of_the_head_on_the_projected_features(ensemble, session):
    (view,) = ensemble.read(session).query(Cell(7, 0), ["nonlocal_embedded_gaussian"])
    head = ensemble.heads["nonlocal_embedded_gaussian"]
    with torch.no_grad():
        x = head.convs[0](ensemble.projection(session.features)[0])
        query, key = (part(x)[0].flatten(1).mT for part in (head.nl_block.theta, head.nl_block.phi))
        row = ((query[7 * 12] @ key.mT) / key.shape[1] ** 0.5).softmax(-1).view(8, 12)
    np.testing.assert_allclose(view.row, row, atol=1e-6)


def test_agreement_counts_the_heads_asked_for_once_each(ensemble, session):
    comparison = ensemble.read(session)
    everything = comparison.agreement()
    assert set(everything.labels) == set(NAMES)
    assert everything.agreeing.max() <= len(NAMES)
    assert everything.agreeing.min() >= 1
    both = comparison.agreement(["danet_position", "danet_channel", "bilateral"])
    assert set(both.labels) == {"danet"}
    assert (both.agreeing == 1).all()
    assert both.share_with(both.labels["danet"]) == {"danet": 1.0}


def test_only_a_session_of_the_backbone_is_read(ensemble, session):
    for other in (replace(session, network="another"), replace(session, features=())):
        with pytest.raises(ValueError, match="stand on small"):
            ensemble.read(other)


def test_a_method_that_is_not_there_and_a_cell_outside_are_refused(ensemble, session):
    comparison = ensemble.read(session)
    with pytest.raises(KeyError):
        comparison.query(Cell(0, 0), ["isa"])
    with pytest.raises(ValueError, match="outside"):
        comparison.query(Cell(8, 0), ["asa"])


def test_many_threads_get_what_one_gets(ensemble, session):
    alone = {view.name: view for view in ensemble.read(session).query(Cell(2, 2))}
    shared = ensemble.read(session)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda name: shared.query(Cell(2, 2), [name])[0], [*alone] * 4))
    for view in answers:
        if view.row is not None:
            np.testing.assert_array_equal(view.row, alone[view.name].row)


def test_without_heads_the_error_says_so(tmp_path):
    with pytest.raises(WeightsError, match="no trained heads"):
        load_ensemble(tmp_path)


@pytest.mark.slow
@pytest.mark.skipif(not has_heads(), reason="no trained heads are here yet")
def test_with_trained_weights_rows_rebuild_what_the_heads_computed():
    ensemble = load_ensemble()
    photo = Path(__file__).parents[3] / "app" / "examples" / "leuven_lane.jpg"
    inputs = ensemble.projection(asa_viz.load(ensemble.network).features(photo))
    shown = 0
    for name in ensemble.methods:
        record = READERS[name]
        if not isinstance(record, HeadMethod):
            continue
        head = ensemble.heads[record.head]
        with torch.no_grad(), calls_of(head, record.watch) as seen:
            logits_of(head, inputs)
            ours, network = record.rebuilt(head, seen, record.read(head, seen))
        off = (ours - network).abs() > 1e-4 * float(network.abs().max())
        # Of millions of pairs one may lie so near its threshold that rounding decides on it.
        assert off.float().mean() <= (1e-3 if name == "asa" else 0), name
        shown += record.method.exact != "none"
    assert shown >= 35
