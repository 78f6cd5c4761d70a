"""Transformers of others: timm's attention, whatever it holds, row for row as it is computed."""

import numpy as np
import pytest
import torch

import asa_viz
from asa_viz.attention.what_if import WhatIf
from asa_viz.geometry import Cell
from asa_viz.networks.capture import calls_of
from asa_viz.networks.stock import model_as_data
from asa_viz.networks.weights import WeightsError, read_weights
from asa_viz.views import flips
from tests.networks import transformers  # noqa: F401  (registers a backbone)
from tests.networks.stock import config_of, mmsegmentations, picture, save

pytestmark = [
    pytest.mark.filterwarnings("ignore:dataset_meta or class names:UserWarning"),
    pytest.mark.filterwarnings("ignore:No suitable dataset found:UserWarning"),
]
HEAD = {"type": "FCNHead", "in_channels": 32, "in_index": 0, "num_convs": 1}
VARIANTS = {
    "plain": {},
    "class token": {"before": 1},
    "registers": {"before": 3},
    "another scale": {"scale": 0.7},
    "normed and gated": {"normed": True, "gated": True, "before": 1},
    "rotated": {"rope": True, "before": 2},
    "rotated by halves": {"rope": True, "half": True},
    "biases apart": {"biased": True},
    "fewer keys": {"fewer": 2, "before": 1},
}
GRID = (8, 12)


def opened(settings, folder):
    """A config with that backbone, its weights, and the network opened."""
    config = config_of(HEAD, backbone={"type": "TransformerOfOnesOwn", "settings": settings})
    path = save(config, folder)
    return config, path, asa_viz.open_network(config, path, "cpu")


def rows_of(session):
    grid = session.grid
    cells = [Cell(row, col) for row in range(grid.height) for col in range(grid.width)]
    return torch.from_numpy(np.stack([session.query_cell(cell).weights.ravel() for cell in cells]))


@pytest.mark.parametrize("variant", VARIANTS)
def test_rows_are_those_that_the_module_computes(tmp_path, variant):
    settings = VARIANTS[variant]
    config, path, segmenter = opened(settings, tmp_path)
    assert segmenter.attentions[0] == "layer 2"
    assert segmenter.attentions[-1] == "layer 1, head 4"
    assert len(segmenter.attentions) == 10
    session = segmenter.encode(picture(64, 96))
    assert (session.grid.height, session.grid.width) == GRID
    others = settings.get("before", 0)
    kept = segmenter._passes._network.backbone.blocks[1].attn.kept[:, others:, others:]
    torch.testing.assert_close(rows_of(session), kept.mean(0), rtol=1e-4, atol=1e-6)
    single = rows_of(segmenter.encode_by(picture(64, 96), "layer 2, head 3"))
    torch.testing.assert_close(single, kept[2], rtol=1e-4, atol=1e-6)
    expected = mmsegmentations(config, read_weights(path), picture(64, 96))
    assert np.array_equal(session.segmentation.labels, expected)


@pytest.mark.parametrize("variant", ["plain", "registers", "rotated"])
def test_it_does_not_matter_whether_attention_is_fused(tmp_path, variant):
    rows = []
    for fused in (False, True):
        folder = tmp_path / str(fused)
        folder.mkdir()
        _, _, segmenter = opened(VARIANTS[variant] | {"fused": fused}, folder)
        rows.append(rows_of(segmenter.encode(picture(64, 96))))
    torch.testing.assert_close(*rows, rtol=1e-4, atol=1e-6)


def test_fused_attention_has_the_scale_of_pytorch(tmp_path):
    # With the scale of the module its rows would not rebuild its output.
    _, _, segmenter = opened({"fused": True, "scale": 3.0}, tmp_path)
    assert segmenter.attentions[0] == "layer 2"


@pytest.mark.parametrize("variant", ["plain", "registers"])
def test_the_network_runs_under_other_rows(tmp_path, variant):
    _, _, segmenter = opened(VARIANTS[variant], tmp_path)
    session = segmenter.encode_by(picture(64, 96), "layer 2, head 3")
    posed = segmenter.post_hoc(session, nonlocal_scale=1.2, local_scale=0.7)
    assert flips(session.segmentation, posed.segmentation).count > 0
    nothing = segmenter.rerun(posed, WhatIf(nonlocal_factor=0))
    assert flips(session.segmentation, nothing).count == 0


@pytest.mark.parametrize("variant", ["plain", "registers"])
def test_without_attention_no_other_token_is_read(tmp_path, variant):
    _, _, segmenter = opened(VARIANTS[variant], tmp_path)
    network, block = segmenter._passes._network, "backbone.blocks.1"
    others = VARIANTS[variant].get("before", 0)
    with torch.no_grad(), calls_of(network, [block, f"{block}.norm1", f"{block}.norm2"]) as seen:
        session = segmenter.encode(picture(64, 96))
    # The second pass is the one without attention.
    assert len(seen[block]) == 2
    added = seen[f"{block}.norm2"][1].inputs[0] - seen[block][1].inputs[0]
    attention = network.get_submodule(f"{block}.attn")
    with torch.no_grad():
        values = attention.qkv(seen[f"{block}.norm1"][1].output)[..., 64:]
        expected = attention.proj(values)[:, others:]
    torch.testing.assert_close(added[:, others:], expected, rtol=1e-4, atol=1e-4)
    assert flips(session.segmentation, session.without_attention).count > 0


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"table": True}, "blocks.0.attn has parts that are not known: relative_position_bias"),
        ({"name": "stem"}, "no patch_embed beside backbone.blocks.0.attn"),
        ({"causal": True}, "layer 2 in .* cannot be read: it is given is_causal beside its tokens"),
        ({"windows": True}, "cannot be read: it attends within parts of the picture"),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(tmp_path, settings, sentence):
    with pytest.raises(WeightsError, match=sentence) as refused:
        opened(settings, tmp_path)
    assert str(refused.value).endswith(".")


@pytest.mark.parametrize("kind", ["TIMMBackbone", "mmpretrain.TIMMBackbone"])
def test_no_weights_of_timm_are_downloaded(kind):
    backbone = {"type": kind, "model_name": "vit_tiny_patch16_224", "checkpoint_path": "a.pth"}
    model = model_as_data(config_of(HEAD, backbone=backbone))
    assert model["backbone"] == {
        "type": kind, "model_name": "vit_tiny_patch16_224", "pretrained": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("vit_tiny_patch16_224", {"img_size": (64, 96)}),
        ("vit_tiny_patch16_224", {"img_size": (64, 96), "qk_norm": True}),
        ("vit_base_patch16_rope_reg1_gap_256", {"img_size": (64, 96), "embed_dim": 192}),
        ("eva02_tiny_patch14_224", {"img_size": (64, 96), "patch_size": 16}),
        ("eva02_base_patch14_224", {"img_size": (64, 96), "patch_size": 16, "embed_dim": 192}),
        ("vit_small_patch16_dinov3", {"dynamic_img_size": True, "embed_dim": 192}),
    ],
)
def test_timm_itself_is_read(tmp_path, name, settings):
    timm = pytest.importorskip("timm", reason="timm is not installed, and no part of this project")
    settings |= {"depth": 3, "num_heads": 3, "out_indices": (0, 1, 2)}
    resize = {"scale": (96, 64), "keep_ratio": False}
    backbone = {"type": "TIMMBackbone", "model_name": name, "features_only": True} | settings
    config = config_of(
        HEAD | {"in_channels": 192, "in_index": 2}, backbone=backbone, resize=resize,
        preprocessor={"size": (64, 96)},
    )  # fmt: skip
    path = save(config, tmp_path)
    segmenter = asa_viz.open_network(config, path, "cpu")
    assert segmenter.attentions[0] == "layer 3"
    assert len(segmenter.attentions) == 12
    session = segmenter.encode(picture(64, 96))
    rows = rows_of(session)
    # The same weights by timm's own path without fused attention.
    network = segmenter._passes._network
    attention = next(part for name, part in network.named_modules() if name.endswith("2.attn"))
    attention.fused_attn = False
    weights = []
    handle = attention.attn_drop.register_forward_hook(lambda *call: weights.append(call[2][0]))
    segmenter.encode(picture(64, 96))
    handle.remove()
    n = session.grid.height * session.grid.width
    torch.testing.assert_close(rows, weights[0][:, -n:, -n:].mean(0), rtol=1e-4, atol=1e-5)
    assert timm.__version__
