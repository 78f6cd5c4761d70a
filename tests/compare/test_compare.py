"""The comparison goes on where it stopped, its tables say what was measured, heads ship."""

import json

import pytest
import torch
from safetensors.torch import load_file

from asa_viz.compare import runs, table
from asa_viz.compare.__main__ import main
from asa_viz.compare.arms import ARMS
from asa_viz.compare.features import Pictures
from asa_viz.compare.model import open_gains
from asa_viz.compare.ship import ship
from asa_viz.compare.train import new_model, train
from asa_viz.networks.weights import WeightsError
from asa_viz.networks.zoo.ensemble import PROJECTION, load_ensemble
from asa_viz.networks.zoo.methods import HEADS

# With weights of classes mmsegmentation's loss counts the labelled pixels anyway.
pytestmark = pytest.mark.filterwarnings("ignore:Default ``avg_non_ignore`` is False")


def test_training_learns_and_is_not_done_twice(work_dir):
    folder, head = work_dir / "runs" / "fcn" / "0", ARMS["fcn_published"].head
    trained = train(head, 0, work_dir / "features", folder)
    torch.manual_seed(0)
    start = new_model(head, work_dir / "features")
    weight = "head.convs.0.conv.weight"
    assert not torch.equal(trained.state_dict()[weight], start.state_dict()[weight])
    written = (folder / "weights.safetensors").stat().st_mtime_ns
    again = train(head, 0, work_dir / "features", folder)
    assert torch.equal(trained.state_dict()[weight], again.state_dict()[weight])
    assert (folder / "weights.safetensors").stat().st_mtime_ns == written


def test_another_seed_is_another_run_and_the_same_seed_the_same(work_dir):
    weights = [
        train(ARMS["fcn_read_only"].head, seed, work_dir / "features", work_dir / str(number))
        for number, seed in enumerate((0, 0, 1))
    ]
    first, same, other = (each.state_dict()["head.conv_seg.weight"] for each in weights)
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


def test_a_started_block_has_queries_and_keys_alike(work_dir):
    model = new_model(ARMS["asa_read_only"].head, work_dir / "features")
    block = model.head.nl_block
    assert not torch.equal(block.theta.conv.weight, block.phi.conv.weight)
    item = Pictures(work_dir / "features", "train", crop=30)[0]
    model.start([stage[None] for stage in item["inputs"]])
    assert torch.equal(block.theta.conv.weight, block.phi.conv.weight)


def test_a_teacher_is_learned_from(work_dir):
    model = new_model(ARMS["fcn_read_only"].head, work_dir / "features")
    item = Pictures(work_dir / "features", "train", crop=30)[0]
    batch = {
        name: [s[None] for s in v] if name == "inputs" else v[None] for name, v in item.items()
    }
    losses = model(**batch)
    assert losses["loss_teacher"] > 0
    assert "loss_teacher" not in model(batch["inputs"], batch["labels"])


def test_closed_gains_are_opened_and_nothing_else(work_dir):
    head = new_model(HEADS["danet"], work_dir / "features").head
    assert head.pam.gamma.scale.item() == head.cam.gamma.scale.item() == 1
    bias = torch.nn.Conv2d(3, 1, 1)
    torch.nn.init.zeros_(bias.bias)
    open_gains(bias)
    assert not bias.bias.any()


ARMS_RUN = ("asa_read_only", "nonlocal_started_read_only", "fcn_published")
DESIGNS_RUN = ("asa", "senet", "ann", "psanet")


@pytest.fixture
def measured(work_dir):
    for name in (*ARMS_RUN, *DESIGNS_RUN):
        for seed in (0, 1):
            runs.run(work_dir, name, seed)
    names = [*ARMS_RUN, *DESIGNS_RUN]
    return table.experiment(work_dir, names, table.costs(work_dir, names))


@pytest.mark.slow
def test_a_comparison_from_runs_to_the_heads_that_ship(work_dir, measured, tmp_path):
    assert {row["head"] for row in measured["arms"]} == set(ARMS_RUN)
    assert {row["head"] for row in measured["rows"]} == set(DESIGNS_RUN)
    for row in (*measured["arms"], *measured["rows"]):
        values = [one["mIoU"] for one in row["seeds"]]
        assert row["mIoU"] == pytest.approx(sum(values) / 2)
        assert len(values) == 2
    without = {row["head"] for row in measured["arms"] if "without_attention" in row}
    assert without == {"asa_read_only", "nonlocal_started_read_only"}
    # Arms are as wide as the networks that ship, the other designs as wide as Compare's heads.
    for name, width in (("asa_read_only", 128), (DESIGNS_RUN[0], 64)):
        weights = load_file(runs.weights_of(work_dir, name, 0))
        assert weights["head.conv_seg.weight"].shape[1] == width
    assert (measured["setting"]["arms"]["width"], measured["setting"]["width"]) == (128, 64)
    (contrast,) = measured["contrasts"]
    assert (contrast["first"], contrast["second"]) == ARMS_RUN[:2]
    means = {row["head"]: row["mIoU"] for row in measured["arms"]}
    difference = means["asa_read_only"] - means["nonlocal_started_read_only"]
    assert contrast["difference"] == pytest.approx(difference)
    assert contrast["p_holm"] == contrast["p"]
    json.dumps(measured, allow_nan=False)
    lines = table.markdown(measured).splitlines()
    assert sum(line.startswith("| ") for line in lines) == 3 + 1 + len(ARMS_RUN) + len(DESIGNS_RUN)
    folder = tmp_path / "heads"
    ship(work_dir, ["asa", "senet", "ann"], measured, folder)
    ensemble = load_ensemble(folder)
    assert set(ensemble.heads) == {"asa", "senet", "ann"}
    assert {"asa", "senet", "bilateral"} <= set(ensemble.methods)
    load_ensemble.cache_clear()
    # A damaged head is missing, and no other; without the projection there is none.
    (folder / "asa.safetensors").write_bytes(b"other")
    ensemble = load_ensemble(folder)
    assert set(ensemble.heads) == {"senet", "ann"}
    assert "asa" not in ensemble.methods
    load_ensemble.cache_clear()
    (folder / PROJECTION).write_bytes(b"other")
    with pytest.raises(WeightsError, match="digest"):
        load_ensemble(folder)


@pytest.mark.slow
def test_shipping_some_heads_keeps_the_others(work_dir, measured, tmp_path):
    folder = tmp_path / "heads"
    ship(work_dir, ["asa", "senet"], measured, folder)
    before = (folder / "senet.safetensors").read_bytes()
    some = measured | {"rows": [row for row in measured["rows"] if row["head"] == "ann"]}
    some |= {"arms": measured["arms"][:1], "contrasts": []}
    some["setting"] = measured["setting"] | {"seeds": 1}
    together = ship(work_dir, ["ann"], some, folder)
    assert together["contrasts"] == measured["contrasts"]
    assert {row["head"] for row in together["arms"]} == set(ARMS_RUN)
    assert together["setting"]["seeds"] == 2
    load_ensemble.cache_clear()
    ensemble = load_ensemble(folder)
    assert set(ensemble.heads) == {"asa", "senet", "ann"}
    assert (folder / "senet.safetensors").read_bytes() == before
    rows = {row["head"] for row in ensemble.experiment["rows"]}
    assert rows == {"asa", "senet", "ann"}
    # Heads of another backbone could read no picture any more.
    other = measured | {"setting": measured["setting"] | {"backbone": "other"}, "arms": []}
    assert ship(work_dir, ["ann"], other, folder)["arms"] == []
    assert {path.stem for path in folder.glob("*.safetensors")} == {"ann", "projection"}


def test_the_table_is_shown_while_runs_go_on(work_dir, capsys):
    runs.run(work_dir, "fcn_published", 0)
    main(["--data", ".", "--work-dir", str(work_dir), "--table"])
    printed = capsys.readouterr().out
    assert "| fcn_published |" in printed
    assert "asa_read_only" not in printed


def test_a_failing_run_is_named_and_does_not_end_the_others(work_dir):
    assert "no_such_head" in runs._run_task((work_dir, "no_such_head", 0, "cpu"))
    assert runs._run_task((work_dir, "fcn_published", 0, "cpu")) == ""
