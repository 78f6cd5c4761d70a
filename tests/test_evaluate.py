"""The figures of an evaluation against loops over what the sessions show."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from asa_viz.attention.what_if import WhatIf
from asa_viz.controls import OWN_CLASS, of_queries
from asa_viz.evaluate import cell_classes, counted_as, evaluate, frames, main
from asa_viz.geometry import Cell
from asa_viz.networks.datasets import DataSet
from asa_viz.networks.segmenter import load
from tests.networks.small import make_frames, save_small

CLASSES = 3


def lively(path):
    """Give the block's last layer random weights instead of 0, so that attention changes labels."""
    segmenter = load(path, "cpu")
    torch.nn.init.ones_(segmenter._block.conv_out.bn.weight)
    return segmenter


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    folder = tmp_path_factory.mktemp("network")
    path, _ = save_small(folder)
    return path, make_frames(folder / "data")


@pytest.fixture(scope="module")
def seen(network):
    """The segmenter, its figures on two frames, and of each frame the truth and the session."""
    path, data = network
    segmenter = lively(path)
    pairs = frames(data, "val", 2)
    truths = [np.asarray(Image.open(labels)) for _, labels in pairs]
    sessions = [segmenter.encode(image) for image, _ in pairs]
    return segmenter, evaluate(segmenter, pairs), truths, sessions


def by_loops(truths, shown):
    """IoU of each class and pixel accuracy, label 11 not scored; over all frames together."""
    hits, unions, right, counted = np.zeros(CLASSES), np.zeros(CLASSES), 0, 0
    for truth, labels in zip(truths, shown, strict=True):
        for name in range(CLASSES):
            hits[name] += ((truth == name) & (labels == name)).sum()
            unions[name] += (((truth == name) | (labels == name)) & (truth != 11)).sum()
        right += ((truth == labels) & (truth != 11)).sum()
        counted += (truth != 11).sum()
    return hits / unions, right / counted


def test_segmentation_figures_agree_with_loops_over_what_is_shown(seen):
    _, figures, truths, sessions = seen
    iou, accuracy = by_loops(truths, [session.segmentation.labels for session in sessions])
    assert figures["pictures"] == 2
    assert figures["mIoU"] == figures["mIoU_scored"] == pytest.approx(iou.mean(), abs=1e-4)
    assert list(figures["IoU"].values()) == pytest.approx(list(iou), abs=1e-4)
    assert figures["pixel_accuracy"] == pytest.approx(accuracy, abs=1e-4)


@pytest.mark.parametrize("name", ["without_attention", "without_block", "without_local_rule"])
def test_controls_agree_with_loops_over_what_they_show(seen, name):
    segmenter, figures, truths, sessions = seen
    shown = {
        "without_attention": lambda session: session.without_attention,
        "without_block": segmenter.without_block,
        "without_local_rule": lambda session: segmenter.rerun(session, WhatIf(local_rule=False)),
    }[name]
    views = [shown(session) for session in sessions]
    iou, accuracy = by_loops(truths, [view.labels for view in views])
    assert figures[name]["mIoU"] == pytest.approx(iou.mean(), abs=1e-4)
    assert figures[name]["pixel_accuracy"] == pytest.approx(accuracy, abs=1e-4)
    flipped = [
        (view.working_labels != session.segmentation.working_labels).mean()
        for view, session in zip(views, sessions, strict=True)
    ]
    assert figures[name]["flips"] == pytest.approx(np.mean(flipped), abs=1e-4)
    assert np.mean(flipped) > 0


def test_attention_figures_agree_with_loops_over_queries(seen):
    _, figures, truths, sessions = seen
    support, keys, own = [], {"local": [], "nonlocal": []}, {"dense": [], "sparse": []}
    for truth, session in zip(truths, sessions, strict=True):
        centres = truth[4::8, 4::8]
        for row in range(8):
            for col in range(12):
                view = session.query_cell(Cell(row, col))
                support.append(view.support.mean())
                keys["local"].append((view.local & ~view.reciprocal).sum())
                keys["nonlocal"].append((view.reciprocal & ~view.local).sum())
                if centres[row, col] != 11 and view.support.any():
                    mine = centres == centres[row, col]
                    own["dense"].append(view.dense[mine].sum())
                    own["sparse"].append(view.weights[mine].sum())
    assert figures["support"] == pytest.approx(np.mean(support), abs=1e-4)
    assert figures["keys_by_local_rule_alone"] == pytest.approx(np.mean(keys["local"]), abs=1e-4)
    assert figures["keys_by_nonlocal_rule_alone"] == pytest.approx(
        np.mean(keys["nonlocal"]), abs=1e-4
    )
    for name, shares in own.items():
        assert figures[f"own_class_{name}"] == pytest.approx(np.mean(shares), abs=1e-4)
    assert figures["empty_rows"] == 0
    for scale in ("nonlocal_scale", "local_scale"):
        assert 0 < figures[scale]["std"] < figures[scale]["mean"]


def test_unlabelled_cells_are_no_queries_and_count_as_another_class_as_keys(seen):
    """As `asa_viz.controls` answers for each query, which is tested by loops there."""
    _, figures, truths, sessions = seen
    shares = {name: [] for name in OWN_CLASS}
    for truth, session in zip(truths, sessions, strict=True):
        labels = np.where(truth >= CLASSES, 255, truth)
        classes = cell_classes(labels, session)
        assert np.array_equal(classes, labels[4::8, 4::8])
        found = of_queries(session.attention, classes)
        for name in OWN_CLASS:
            shares[name].append(found[name].numpy()[classes.ravel() != 255])
    for name, values in shares.items():
        mean = np.concatenate(values).mean()
        assert figures[f"own_class_{name}"] == pytest.approx(mean, abs=1e-4)


def test_a_class_that_is_nowhere_labelled_does_not_count(network, tmp_path):
    path, data = network
    for number in range(2):
        file = data / "annotations/val" / f"frame_{number}.png"
        labels = np.asarray(Image.open(file)).copy()
        labels[labels == 2] = 1
        for kind, source in (("annotations", Image.fromarray(labels)), ("images", None)):
            (tmp_path / kind / "val").mkdir(parents=True, exist_ok=True)
            if source is not None:
                source.save(tmp_path / kind / "val" / file.name)
        image = (data / "images/val" / f"frame_{number}.webp").read_bytes()
        (tmp_path / "images/val" / f"frame_{number}.webp").write_bytes(image)
    figures = evaluate(lively(path), frames(tmp_path, "val"))
    assert set(figures["IoU"]) == {"road", "car"}
    assert figures["mIoU"] == pytest.approx(np.mean(list(figures["IoU"].values())), abs=1e-4)


def test_a_dense_and_a_read_only_network_have_the_controls_that_mean_something(network, tmp_path):
    _, data = network
    pairs = frames(data, "val", 1)
    dense = evaluate(load(save_small(tmp_path, "NLHead")[0], "cpu"), pairs)
    assert "without_local_rule" not in dense
    assert {"without_attention", "without_block"} <= set(dense)
    assert dense["support"] == 1
    read_only = evaluate(load(save_small(tmp_path, read_only=True)[0], "cpu"), pairs)
    assert "without_block" not in read_only
    assert {"without_attention", "without_local_rule"} <= set(read_only)


def test_labels_of_another_data_set_are_scored_as_its_classes(network, tmp_path):
    """Road and sky are no classes there: they count as background."""
    path, data = network
    segmenter = lively(path)
    names = segmenter.classes
    own = DataSet("own", "", ("car", "background"), ((0, 0, 0), (1, 1, 1)), "")
    assert counted_as(names, own).tolist() == [0 if name == "car" else 1 for name in names]
    for kind in ("images", "annotations"):
        (tmp_path / kind / "val").mkdir(parents=True)
    both = np.zeros(2), np.zeros(2)
    for number in range(2):
        image = data / "images/val" / f"frame_{number}.webp"
        (tmp_path / "images/val" / image.name).write_bytes(image.read_bytes())
        found = segmenter.encode(image).segmentation.labels
        truth = np.indices(found.shape).sum(0) % 2
        Image.fromarray(truth.astype(np.uint8)).save(
            tmp_path / "annotations/val" / f"frame_{number}.png"
        )
        is_car = found == names.index("car")
        for label, said in enumerate((is_car, ~is_car)):
            both[0][label] += (said & (truth == label)).sum()
            both[1][label] += (said | (truth == label)).sum()
    figures = evaluate(segmenter, frames(tmp_path, "val"), own)
    assert figures["IoU"] == {
        name: pytest.approx(both[0][i] / both[1][i], abs=1e-4) for i, name in enumerate(own.classes)
    }


def test_standard_output_is_what_the_file_holds_and_the_card_keeps_it(network, tmp_path, capsys):
    path, data = network
    report = tmp_path / "figures.json"
    main(f"{path} --data {data} --limit 2 --json {report} --card --device cpu".split())
    printed = capsys.readouterr().out
    figures = json.loads(printed)
    assert report.read_text() == printed
    assert (figures["network"], figures["split"]) == ("small", "val")
    kept = load(path, "cpu").card.metrics["val first 2"]
    assert kept == {k: v for k, v in figures.items() if k not in ("network", "split")}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("nothing --data .", "no network 'nothing'"),
        ("{path} --data nowhere", "no folder nowhere/images/val"),
    ],
)
def test_what_is_missing_is_said_in_a_sentence(network, arguments, sentence):
    with pytest.raises(SystemExit, match=sentence):
        main(arguments.format(path=network[0]).split())
