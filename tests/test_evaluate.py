"""The figures of an evaluation against loops over what the sessions show."""

import json

import numpy as np
import pytest
from PIL import Image

from asa_viz.evaluate import evaluate, frames, main
from asa_viz.geometry import Cell
from asa_viz.networks.segmenter import load
from tests.networks.small import make_frames, save_small


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    folder = tmp_path_factory.mktemp("network")
    return save_small(folder)[0], make_frames(folder / "data")


def test_figures_agree_with_loops_over_what_is_shown(network):
    path, data = network
    segmenter = load(path, "cpu")
    figures = evaluate(segmenter, frames(data, "val", 2))
    hits, unions, right, counted = np.zeros(3), np.zeros(3), 0, 0
    supports, dense, sparse = [], [], []
    for number in range(2):
        session = segmenter.encode(data / "images/val" / f"frame_{number}.webp")
        truth = np.asarray(Image.open(data / "annotations/val" / f"frame_{number}.png"))
        shown = session.segmentation.labels
        for name in range(3):
            hits[name] += ((truth == name) & (shown == name)).sum()
            unions[name] += (((truth == name) | (shown == name)) & (truth != 11)).sum()
        right += ((truth == shown) & (truth != 11)).sum()
        counted += (truth != 11).sum()
        centres = truth[4::8, 4::8]
        for row in range(8):
            for col in range(12):
                view = session.query_cell(Cell(row, col))
                supports.append(view.support.mean())
                if centres[row, col] != 11:
                    own = centres == centres[row, col]
                    dense.append(view.dense[own].sum())
                    sparse.append(view.weights[own].sum())
    assert figures["frames"] == 2
    assert figures["mIoU"] == pytest.approx((hits / unions).mean(), abs=1e-4)
    assert list(figures["IoU"].values()) == pytest.approx(list(hits / unions), abs=1e-4)
    assert figures["pixel_accuracy"] == pytest.approx(right / counted, abs=1e-4)
    assert figures["support"] == pytest.approx(np.mean(supports), abs=1e-4)
    assert figures["own_class_dense"] == pytest.approx(np.mean(dense), abs=1e-4)
    assert figures["own_class_sparse"] == pytest.approx(np.mean(sparse), abs=1e-4)
    assert 0 < figures["nonlocal_scale"]["std"] < figures["nonlocal_scale"]["mean"]


def test_the_command_line_writes_what_it_prints_and_keeps_it_on_the_card(network, tmp_path, capsys):
    path, data = network
    report = tmp_path / "figures.json"
    main(f"{path} --data {data} --limit 2 --json {report} --card --device cpu".split())
    figures = json.loads(report.read_text())
    printed = capsys.readouterr().out
    assert f'"mIoU": {figures["mIoU"]}' in printed
    assert figures["split"] == "val"
    kept = load(path, "cpu").card.metrics["val first 2"]
    assert kept == {k: v for k, v in figures.items() if k not in ("network", "split")}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [("nothing --data .", "no network 'nothing'"), ("{path} --data nowhere", "no frames in")],
)
def test_what_is_missing_is_said_in_a_sentence(network, arguments, sentence):
    with pytest.raises(SystemExit, match=sentence):
        main(arguments.format(path=network[0]).split())
