"""The second stage on encoded pictures: what is written is the head that was trained."""

import pytest
import torch
from safetensors.torch import save_file

from asa_viz.compare import network
from asa_viz.compare.features import Pictures
from asa_viz.compare.model import HeadModel
from asa_viz.compare.network import folded, main
from asa_viz.compare.runs import ENTRANTS
from asa_viz.compare.train import train
from asa_viz.networks.checkpoint import build
from asa_viz.networks.configs import read_config
from asa_viz.networks.stock import model_as_data
from asa_viz.networks.weights import read_weights
from asa_viz.networks.zoo.projection import Projection
from tests.networks.small import make_frames

pytestmark = pytest.mark.filterwarnings("ignore:Default ``avg_non_ignore`` is False")

HEAD = ENTRANTS["asa_read_only"].head


def lively(module):
    torch.manual_seed(1)
    for name, buffer in module.named_buffers():
        if name.endswith("running_mean"):
            torch.nn.init.normal_(buffer)
        elif name.endswith("running_var"):
            torch.nn.init.uniform_(buffer, 0.5, 2)
    return module.eval()


def test_a_folded_head_makes_of_the_stage_what_the_head_makes_of_its_components():
    torch.manual_seed(0)
    projection = Projection(
        (torch.randn(7, 320), torch.randn(7, 96)), (torch.randn(320), torch.randn(96))
    )
    small = lively(HeadModel(HEAD, (7, 7), {"type": "CrossEntropyLoss"}, 11, 128).head)
    config = read_config("asa_mobilenetv2_camvid")
    whole = lively(build(model_as_data(config)).decode_head)
    whole.load_state_dict(folded(small.state_dict(), projection))
    stages = [torch.randn(1, 320, 6, 5), torch.randn(1, 96, 6, 5)]
    with torch.no_grad():
        expected = small(projection(stages))
        made = whole([stages[1], stages[0]])
    torch.testing.assert_close(made, expected, atol=1e-3, rtol=1e-3)
    assert made.std() > 0


def test_the_start_outlives_the_runner(work_dir, tmp_path):
    """The Runner draws new weights where it may: gains of 0, queries and keys apart."""
    model = train(HEAD, 0, work_dir / "features", tmp_path, started=True, steps=3, rate=1e-6)
    block = model.head.nl_block
    torch.testing.assert_close(block.theta.conv.weight, block.phi.conv.weight, atol=1e-4, rtol=1e-3)
    assert block.conv_out.bn.weight.min() > 0.9
    inputs = [stage[None] for stage in Pictures(work_dir / "features", "val")[0]["inputs"]]
    with torch.no_grad():
        query, key, *_ = block.project(model.head.convs[0](inputs[0]))
    assert 0.5 < float((query @ key.mT).std() * query.shape[-1] ** -0.5) < 8


@pytest.mark.slow
def test_a_network_is_written_with_the_backbone_given(tmp_path, monkeypatch, capsys):
    data = make_frames(tmp_path / "data", count=4, classes=11)
    first = build(model_as_data(read_config("fcn_mobilenetv2_camvid")))
    save_file(first.state_dict(), tmp_path / "first.safetensors")
    monkeypatch.setattr(
        network, "train", lambda *given, **settings: train(*given, **settings | {"steps": 21})
    )
    arguments = ["--data", str(data), "--backbone", str(tmp_path / "first.safetensors")]
    main(["asa_mobilenetv2_camvid", *arguments, "--work-dir", str(tmp_path / "work")])
    assert "asa_mobilenetv2_camvid.safetensors" in capsys.readouterr().out
    written = read_weights(tmp_path / "work" / "asa_mobilenetv2_camvid.safetensors")
    own = build(model_as_data(read_config("asa_mobilenetv2_camvid")))
    own.load_state_dict(written)
    for name, value in first.backbone.state_dict().items():
        assert torch.equal(written[f"backbone.{name}"], value), name


@pytest.mark.parametrize("config", ["asa_mobilenetv2_voc2012_published", "fcn_mobilenetv2_camvid"])
def test_a_head_that_is_not_read_only_is_refused(config, tmp_path):
    first = build(model_as_data(read_config(config)))
    save_file(first.state_dict(), tmp_path / "first.safetensors")
    arguments = ["--data", ".", "--backbone", str(tmp_path / "first.safetensors")]
    with pytest.raises(SystemExit, match="has no read only head"):
        main([config, *arguments])
