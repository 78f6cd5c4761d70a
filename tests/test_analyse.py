"""Measures of many pictures: each against its definition, the same in any order and division."""

import csv
import json
import math
import sys
from contextlib import suppress

import numpy as np
import pytest
from PIL import Image
from pyarrow import parquet

from asa_viz import analyse
from asa_viz.geometry import Cell
from asa_viz.networks.pictures import DataError
from tests.fakes import fake_session
from tests.networks.small import save_small


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Five pictures, one of them below, one damaged."""
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "below").mkdir()
    random = np.random.default_rng(0)
    for name in ("a.png", "b.jpg", "below/c.png", "d.webp"):
        Image.fromarray(random.integers(0, 256, (60, 90, 3), dtype=np.uint8)).save(folder / name)
    (folder / "e.png").write_bytes(b"<html>")
    return folder


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    return str(save_small(tmp_path_factory.mktemp("network"))[0])


def table(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def words_and_numbers(line):
    """What of a line is no number, and its numbers."""
    numbers = {}
    for name, text in line.items():
        with suppress(ValueError):
            numbers[name] = float(text)
    return {name: text for name, text in line.items() if name not in numbers}, numbers


def test_the_measures_are_means_over_the_rows_that_are_shown():
    session = fake_session()
    found = analyse.measures(session)
    labels = session.segmentation.cell_labels
    own, entropy, support, mass = {}, [], [], []
    degree = np.zeros(labels.shape)
    for cell in np.ndindex(labels.shape):
        view = session.query_cell(Cell(*cell))
        own.setdefault(labels[cell], []).append(view.weights[labels == labels[cell]].sum())
        entropy.append(-sum(w * math.log(w) for w in view.weights.ravel() if w > 0))
        support.append(view.support.mean())
        mass.append(view.kept_mass)
        degree += view.support
    assert found["support"] == pytest.approx(np.mean(support), rel=1e-5)
    assert found["kept_mass"] == pytest.approx(np.mean(mass), rel=1e-4)
    assert found["entropy"] == pytest.approx(np.mean(entropy), rel=1e-4)
    assert found["in_degree_std"] == pytest.approx(degree.std(), rel=1e-4)
    assert found["nonlocal_scale"] == pytest.approx(session.scales[0].mean(), rel=1e-5)
    changed = session.without_attention.labels != session.segmentation.labels
    assert found["changed_without_attention"] == pytest.approx(changed.mean(), abs=0.02)
    assert found["own_class"] == pytest.approx(
        np.mean(np.concatenate(list(own.values()))), rel=1e-4
    )
    for index, name in enumerate(session.segmentation.classes):
        if index in own:
            assert found[f"own_class:{name}"] == pytest.approx(np.mean(own[index]), rel=1e-4)
        else:
            assert found[f"own_class:{name}"] is None


def test_shards_and_a_run_that_goes_on_give_the_table_of_one_run(folder, network, tmp_path):
    def run(out, *options):
        arguments = [str(folder), "--out", str(tmp_path / out), "--network", network]
        analyse.main([*arguments, "--device", "cpu", *options])
        assert not (tmp_path / f"{out}.lines").exists()
        return table(tmp_path / out)

    whole = run("whole.csv")
    assert [row["picture"] for row in whole] == ["a.png", "b.jpg", "below/c.png", "d.webp", "e.png"]
    assert "not a picture" in whole[-1]["error"]
    assert all(float(row["support"]) > 0 for row in whole[:-1])
    parts = [row for i in (1, 2) for row in run(f"{i}.csv", "--shard", f"{i}/2")]
    assert sorted(parts, key=lambda row: row["picture"]) == whole
    # A run that ended while it wrote its second line.
    first = json.dumps({"picture": "a.png", "error": None, "support": 0.5})
    (tmp_path / "on.csv.lines").write_text(f'{first}\n{{"picture": "b.j')
    again = run("on.csv", "--resume")
    assert (again[0]["picture"], again[0]["support"]) == ("a.png", "0.5")
    assert [row["entropy"] for row in again[1:]] == [row["entropy"] for row in whole[1:]]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nowhere", "--out", "{}/t.csv"], "no folder nowhere"),
        (["{}", "--out", "{}/t.csv"], "no pictures"),
        (["{}", "--out", "{}/t.xls"], r"\.csv or \.parquet, not t\.xls"),
        (["{}", "--out", "{}/no/t.csv"], "no folder .* for the table"),
    ],
)
def test_what_is_missing_is_said_in_a_sentence(tmp_path, arguments, sentence):
    with pytest.raises(SystemExit, match=sentence):
        analyse.main([each.format(tmp_path) for each in arguments])


def test_a_table_in_parquet_has_the_numbers_of_one_in_csv(folder, network, tmp_path):
    arguments = [str(folder), "--network", network, "--device", "cpu", "--out"]
    analyse.main([*arguments, str(tmp_path / "t.csv")])
    analyse.main([*arguments, str(tmp_path / "t.parquet")])
    rows = parquet.read_table(tmp_path / "t.parquet").to_pylist()
    for row, line in zip(rows, table(tmp_path / "t.csv"), strict=True):
        assert {name: "" if value is None else str(value) for name, value in row.items()} == line
    assert rows[-1]["support"] is None
    assert isinstance(rows[0]["support"], float)


def test_without_pyarrow_a_sentence_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(DataError, match=r"pip install 'asa-viz\[parquet\]'"):
        analyse.write_table([{"picture": "a"}], tmp_path / "t.parquet")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_two_workers_of_ray_give_the_table_of_one_run(folder, network, tmp_path):
    ray = pytest.importorskip("ray")
    arguments = [str(folder), "--network", network, "--device", "cpu", "--out"]
    analyse.main([*arguments, str(tmp_path / "one.csv")])
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        ours = [str(tmp_path / "ray.csv"), "--engine", "ray", "--workers", "2"]
        analyse.main([*arguments, *ours])
    finally:
        ray.shutdown()
    found, expected = table(tmp_path / "ray.csv"), table(tmp_path / "one.csv")
    # A worker has one thread, this process several: sums differ in their last bits.
    for ours, theirs in zip(found, expected, strict=True):
        (words, numbers), (their_words, their_numbers) = map(words_and_numbers, (ours, theirs))
        assert words == their_words
        assert numbers == pytest.approx(their_numbers, rel=1e-4, abs=1e-6)
