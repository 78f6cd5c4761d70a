"""Networks of mmsegmentation: labels equal its own inference, and rows rebuild its outputs."""

import json
from dataclasses import dataclass

import numpy as np
import pytest
import torch

import asa_viz
from asa_viz import evaluate, export
from asa_viz.attention.rowwise import Rowwise
from asa_viz.attention.what_if import WhatIf
from asa_viz.geometry import Cell
from asa_viz.networks.capture import calls_of
from asa_viz.networks.weights import WeightsError, read_weights
from asa_viz.networks.zoo.record import Reading
from asa_viz.packet import pack, unpack
from asa_viz.views import flips
from tests.networks.small import make_frames
from tests.networks.stock import COMPILED, HEADS, VIT, config_of, mmsegmentations, picture, save

# mmsegmentation says so of its own accord.
pytestmark = [
    pytest.mark.filterwarnings("ignore:dataset_meta or class names:UserWarning"),
    pytest.mark.filterwarnings("ignore:No suitable dataset found:UserWarning"),
    pytest.mark.filterwarnings("ignore:When align_corners=True:UserWarning"),
    pytest.mark.filterwarnings("ignore:For binary segmentation:UserWarning"),
]


@dataclass(frozen=True, eq=False)
class Shown(Rowwise):
    """The rows that a session shows, as an attention."""

    matrix: torch.Tensor

    @property
    def like(self):
        return self.matrix

    def weights(self, queries):
        return self.matrix[queries]


@pytest.fixture(scope="module", params=HEADS)
def opened(request, tmp_path_factory):
    """The name of a head, its config, weights, the network opened, one session and its rows."""
    config = config_of(HEADS[request.param])
    path = save(config, tmp_path_factory.mktemp("opened"))
    segmenter = asa_viz.open_network(config, path, "cpu")
    session = segmenter.encode(picture())
    return request.param, config, path, segmenter, session, rows_of(session)


def rows_of(session):
    """Every row, asked cell by cell."""
    grid = session.grid
    cells = [Cell(row, col) for row in range(grid.height) for col in range(grid.width)]
    return torch.from_numpy(np.stack([session.query_cell(cell).weights.ravel() for cell in cells]))


def test_labels_are_mmsegmentations_own(opened):
    name, config, path, _, session, _ = opened
    labels = session.segmentation.labels
    assert len(np.unique(labels)) > 1
    if name not in COMPILED:
        weights = read_weights(path)
        assert np.array_equal(labels, mmsegmentations(config, weights, picture()))


def test_the_rows_shown_rebuild_what_the_head_computed(opened):
    *_, segmenter, session, rows = opened
    method = segmenter._methods[session.shown]
    with torch.no_grad(), segmenter._passes.watched(method) as seen:
        segmenter._passes.run(picture())
        calls = segmenter._passes.of(method, seen)
        reading = method.read(segmenter._passes.head, calls)
        grid = (session.grid.height, session.grid.width)
        shown = Shown(grid, grid, rows)
        if method.replaces is not None:
            reading = Reading((shown,) * len(reading.attentions))
        else:
            values = torch.randn(3, *grid)
            torch.testing.assert_close(
                shown.mix(values), reading.shown.mix(values), rtol=1e-3, atol=1e-4
            )
        ours, network = method.rebuilt(segmenter._passes.head, calls, reading)
    assert network.std() > 1e-3
    torch.testing.assert_close(ours, network, rtol=2e-3, atol=2e-3)


def test_a_query_has_its_row_and_its_column(opened):
    *_, session, rows = opened
    view = session.query_cell(Cell(2, 3))
    own = 2 * session.grid.width + 3
    if not session.thresholds_learned:
        np.testing.assert_allclose(view.dense.ravel(), rows[own], rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(view.incoming.ravel(), rows[:, own], rtol=1e-3, atol=1e-5)
        assert view.chosen.all()


def test_without_attention_is_the_head_under_the_identity(opened):
    name, _, _, segmenter, session, _ = opened
    if segmenter._methods[session.shown].replaces is None:
        with pytest.raises(ValueError, match="under other rows: it computes its rows in several"):
            segmenter.rerun(session, WhatIf(top_k=1))
    alone = session.without_attention
    assert alone.labels.shape == session.segmentation.labels.shape
    if name in ("embedded_gaussian", "dot_product", "da", "dnl", "asa", "isa", "psp", "apc"):
        assert flips(session.segmentation, alone).count > 0


def test_a_packet_holds_the_rows_as_shares(opened):
    name, *_, session, rows = opened
    data = pack(session)
    again = unpack(data)
    # The signs of dot products are left out, which a note says.
    assert (b"signed" in data) == (name == "dot_product") == bool((rows < 0).any())
    # A row of PSANet at the border may read nothing.
    shares = (rows.abs() / rows.abs().sum(-1, keepdim=True)).nan_to_num(0)
    torch.testing.assert_close(rows_of(again), shares, rtol=1e-3, atol=1e-6)
    assert np.array_equal(again.segmentation.labels, session.segmentation.labels)


@pytest.mark.parametrize("name", ["cc", "isa", "psp", "ocr", "psa"])
def test_a_map_of_one_cell_is_the_same_without_attention(tmp_path, name):
    """On a map of one cell it reads itself alone in every step; on a larger map it does not."""
    head = HEADS[name]
    if name == "isa":
        # A block larger than the map has cells of nothing around it.
        head = head | {"down_factor": (1, 1)}
    config = config_of(head)
    segmenter = asa_viz.open_network(config, save(config, tmp_path), "cpu")
    passes, method = segmenter._passes, segmenter._methods[segmenter.attentions[0]]
    part = f"{passes._prefix}.conv_seg"
    for size, same in (((8, 8), True), ((64, 96), False)):
        logits = []
        with torch.no_grad():
            features = passes.run(picture(*size)).features
            for changed in (None, passes.alone(method)):
                with calls_of(passes._network, [part]) as seen:
                    passes.run(picture(*size), changed, features)
                logits.append(seen[part][0].output)
        distance = float((logits[0] - logits[1]).abs().max() / logits[0].abs().max())
        assert (distance < 1e-4) == same, (size, distance)


@pytest.mark.parametrize(
    ("settings", "resize"),
    [
        ({"align_corners": True}, None),
        ({"preprocessor": {"bgr_to_rgb": False}}, None),
        ({"preprocessor": {"bgr_to_rgb": False, "rgb_to_bgr": True}}, None),
        ({"preprocessor": {"mean": None, "std": None}}, None),
        ({}, {"scale": (120, 60), "keep_ratio": True}),
        ({}, {"scale": (96, 64), "keep_ratio": False}),
        ({"num_classes": 2, "out_channels": 1, "threshold": 0.4}, None),
        ({"num_classes": 2}, None),
        ({"num_classes": 40}, None),
        ({"input_transform": "resize_concat", "in_index": (2, 3), "in_channels": (32, 64)}, None),
    ],
)
@pytest.mark.parametrize("head", ["embedded_gaussian", "dot_product"])
def test_settings_are_honoured_label_for_label(tmp_path, head, settings, resize):
    binary = settings.get("out_channels") == 1
    kind = {"type": "CrossEntropyLoss", "use_sigmoid": True, "avg_non_ignore": True}
    loss = {"loss_decode": kind} if binary else {}
    config = config_of(HEADS[head], resize=resize, **(settings | loss))
    path = save(config, tmp_path)
    segmenter = asa_viz.open_network(config, path, "cpu")
    assert len(segmenter.classes) == settings.get("num_classes", 5)
    labels = segmenter.encode(picture()).segmentation.labels
    expected = mmsegmentations(config, read_weights(path), picture())
    assert len(np.unique(expected)) > 1
    assert np.array_equal(labels, expected)


def test_classes_are_those_of_the_checkpoint(tmp_path):
    names, colours = tuple("vwxyz"), [[i, i, i] for i in range(5)]
    config = config_of(HEADS["gc"])
    path = save(config, tmp_path, dataset_meta={"classes": names, "palette": colours})
    segmenter = asa_viz.open_network(config, path, "cpu")
    assert segmenter.classes == names
    assert segmenter.encode(picture()).segmentation.palette[3] == (3, 3, 3)


@pytest.mark.parametrize("head", ["embedded_gaussian", "isa", "dot_product"])
def test_a_network_of_ones_own_is_evaluated(tmp_path, capsys, head):
    config = config_of(HEADS[head])
    path = save(config, tmp_path)
    config.dump(tmp_path / "own.py")
    data = make_frames(tmp_path / "data", splits=("val",), count=1, size=(48, 64))
    arguments = ["--config", f"{tmp_path}/own.py", "--checkpoint", f"{path}", "--data", f"{data}"]
    if head == "dot_product":
        with pytest.raises(SystemExit, match="negative"):
            evaluate.main(arguments)
        return
    evaluate.main(arguments)
    figures = json.loads(capsys.readouterr().out)
    assert (figures["network"], figures["pictures"]) == ("own", 1)
    assert figures["without_attention"]["flips"] > 0
    assert figures["support"] == 1
    with pytest.raises(SystemExit, match="both --config and --checkpoint"):
        evaluate.main(arguments[:2] + arguments[4:])


def test_files_are_opened_by_path(tmp_path):
    config = config_of(HEADS["gc"])
    save(config, tmp_path)
    config.dump(tmp_path / "own.py")
    segmenter = asa_viz.open_network(tmp_path / "own.py", str(tmp_path / "iter_5.pth"), "cpu")
    assert segmenter.name == "own"


@pytest.mark.parametrize(
    ("head", "settings", "sentence"),
    [
        (
            "gc",
            {"test_cfg": {"mode": "slide", "crop_size": (64, 64), "stride": (32, 32)}},
            "mode 'slide'",
        ),
        ("gc", {"preprocessor": {"test_cfg": {"size_divisor": 32}}}, "pads pictures in testing"),
        ("gc", {"fusion_types": ("channel_mul",)}, "fusion_types=.* is not supported"),
        ("gc", {"pooling_type": "avg"}, "pooling_type='avg' is not supported"),
        ("dnl", {"mode": "gaussian"}, "mode='gaussian' is not supported"),
        ("ann", {"query_scales": (1, 2)}, "query_scales=.* is not supported"),
        ("psa", {"psa_type": "collect"}, "psa_type='collect' is not supported"),
        ({"type": "FCNHead"}, {}, "FCNHead has no attention that can be shown"),
        ({"type": "NoSuchHead"}, {}, "cannot be built: .*NoSuchHead"),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_name(tmp_path, head, settings, sentence):
    given = HEADS[head] if isinstance(head, str) else head
    weights = save(config_of(HEADS["gc"]), tmp_path)
    if given["type"] == "FCNHead":
        weights = save(config_of(given), tmp_path)
    with pytest.raises(WeightsError, match=sentence) as refusal:
        asa_viz.open_network(config_of(given, **settings), weights, "cpu")
    assert "\n" not in str(refusal.value)


def test_steps_of_the_pipeline_that_do_more_than_resize_are_refused(tmp_path):
    config = config_of(HEADS["gc"])
    config.test_pipeline.insert(1, {"type": "RandomFlip", "prob": 1.0})
    with pytest.raises(WeightsError, match="RandomFlip of the test pipeline"):
        asa_viz.open_network(config, save(config, tmp_path), "cpu")


def test_weights_of_another_head_are_refused(tmp_path):
    weights = save(config_of(HEADS["isa"]), tmp_path)
    with pytest.raises(WeightsError, match=r"are missing, .* are of another network"):
        asa_viz.open_network(config_of(HEADS["embedded_gaussian"]), weights, "cpu")


def test_a_config_that_fails_is_refused_in_a_sentence(tmp_path):
    (tmp_path / "bad.py").write_text("model = dict(")
    for config, sentence in ((tmp_path / "bad.py", "cannot be read"), ("no.py", "no config")):
        with pytest.raises(WeightsError, match=sentence):
            asa_viz.open_network(config, tmp_path / "x.pth", "cpu")


def test_an_option_opens_a_network_that_is_tested_by_crops(tmp_path):
    config = config_of(HEADS["gc"], test_cfg={"mode": "slide"})
    path = save(config, tmp_path)
    options = {"model.test_cfg.mode": "whole"}
    assert asa_viz.open_network(config, path, "cpu", options=options).encode(picture())
    assert config.model.test_cfg.mode == "slide"


@pytest.mark.parametrize("head", ["embedded_gaussian", "dnl"])
def test_thresholds_after_the_fact_keep_reciprocal_keys_and_run_the_head_again(tmp_path, head):
    config = config_of(HEADS[head])
    segmenter = asa_viz.open_network(config, save(config, tmp_path), "cpu")
    session = segmenter.encode(picture())
    rows = rows_of(session)
    posed = segmenter.post_hoc(session, 1.1, 0.98, window=3)
    assert not posed.thresholds_learned
    chosen = rows >= 1.1 * rows.mean(-1, keepdim=True)
    cell = Cell(1, 2)
    own = session.grid.width + 2
    view = posed.query_cell(cell)
    assert np.array_equal(view.reciprocal.ravel(), (chosen[own] & chosen[:, own]).numpy())
    near = rows[own].view(session.grid.height, session.grid.width)[0:3, 1:4]
    local = np.zeros_like(view.local)
    local[0:3, 1:4] = (near >= 0.98 * near.mean()).numpy()
    assert np.array_equal(view.local, local)
    kept = np.where(view.support, view.dense, 0)
    np.testing.assert_allclose(
        view.weights, kept / kept.sum() * view.dense.sum(), rtol=1e-4, atol=1e-6
    )
    assert 0 < view.support.mean() < 1
    # A page tells thresholds chosen by hand from those that are learned.
    data = pack(posed)
    assert b"not_learned" in data
    again = unpack(data)
    assert not again.thresholds_learned
    assert np.array_equal(again.query_cell(cell).support, view.support)
    sizes, degrees = posed.whole_image().support_size, posed.whole_image().in_degree
    assert sizes[cell] == view.support.sum()
    assert degrees.sum() == sizes.sum()
    # With nothing refused it is the network's own pass.
    nothing = segmenter.rerun(posed, WhatIf(nonlocal_factor=0))
    assert flips(session.segmentation, nothing).count == 0


def test_signed_rows_take_no_thresholds(tmp_path):
    config = config_of(HEADS["dot_product"])
    segmenter = asa_viz.open_network(config, save(config, tmp_path), "cpu")
    session = segmenter.encode(picture())
    assert rows_of(session).min() < 0
    with pytest.raises(ValueError, match="negative"):
        segmenter.post_hoc(session, 1.0, 1.0)


@pytest.mark.parametrize("token", [True, False])
def test_a_vision_transformer_is_read_layer_by_layer_and_head_by_head(tmp_path, token):
    head = {"type": "FCNHead", "in_channels": 32, "in_index": 1, "num_convs": 1}
    config = config_of(head, backbone=VIT | {"with_cls_token": token})
    path = save(config, tmp_path)
    segmenter = asa_viz.open_network(config, path, "cpu")
    assert segmenter.attentions[:3] == ("layer 3", "layer 3, head 1", "layer 3, head 2")
    assert len(segmenter.attentions) == 15
    session = segmenter.encode(picture(64, 80))
    expected = mmsegmentations(config, read_weights(path), picture(64, 80))
    assert np.array_equal(session.segmentation.labels, expected)
    assert flips(session.segmentation, session.without_attention).count > 0
    heads = [segmenter.encode_by(picture(64, 80), f"layer 3, head {i + 1}") for i in range(4)]
    rows = [rows_of(each) for each in heads]
    torch.testing.assert_close(rows_of(session), torch.stack(rows).mean(0), rtol=1e-4, atol=1e-6)
    assert (rows[0].sum(-1) < 1 - 1e-4).all() == token
    # The layer's output, from the rows of its heads and the values of PyTorch's own module.
    part = "backbone.layers.2.attn"
    method = segmenter._methods["layer 3"]
    grid = (session.grid.height, session.grid.width)
    with torch.no_grad(), segmenter._passes.watched(method) as seen:
        segmenter._passes.run(picture(64, 80))
        shown = Reading(tuple(Shown(grid, grid, each) for each in rows))
        ours, own = method.rebuilt(segmenter._passes.head, seen, shown)
        torch.testing.assert_close(ours, own, rtol=1e-4, atol=1e-4)
        assert (seen[f"{part}.attn"][0].output[0]).std() > 1e-3
    with pytest.raises(WeightsError, match="no attention 'layer 4'"):
        segmenter.encode_by(picture(), "layer 4")


@pytest.mark.parametrize("head", ["cc", "dnl", "ocr"])
def test_a_head_of_any_kind_is_exported_and_loaded_by_its_card(tmp_path, head):
    config = config_of(HEADS[head])
    names = tuple("vwxyz")
    path = save(config, tmp_path, dataset_meta={"classes": names, "palette": [[1, 2, 3]] * 5})
    config.dump(tmp_path / "own.py")
    arguments = [f"{tmp_path}/own.py", str(path), "own", "--folder", str(tmp_path / "out")]
    export.main([*arguments, "--shape", "64x96"])
    segmenter = asa_viz.load(tmp_path / "out" / "own.safetensors", "cpu")
    opened = asa_viz.open_network(config, path, "cpu")
    # At the size on the card both see the same picture; the weights are of half precision.
    ours, theirs = (each.encode(picture(64, 96)) for each in (segmenter, opened))
    assert segmenter.classes == names
    assert (ours.segmentation.labels == theirs.segmentation.labels).mean() > 0.97
    torch.testing.assert_close(rows_of(ours), rows_of(theirs), rtol=0.1, atol=5e-3)
