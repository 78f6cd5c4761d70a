"""Configs: each builds without data, the settings are the paper's, the twins differ in one part."""

import pytest

from asa_viz.networks.__main__ import main
from asa_viz.networks.checkpoint import build
from asa_viz.networks.configs import config_names, read_config
from asa_viz.networks.datasets import data_set_of
from asa_viz.networks.heads import LOCAL_TARGET, SUPPORT_TARGET
from asa_viz.networks.stock import model_as_data

PAPER = {
    "cityscapes": ((512, 1024), 80000, 19),
    "ade20k": ((512, 512), 80000, 150),
    "voc2012aug": ((512, 512), 40000, 21),
}


@pytest.mark.parametrize("data", PAPER)
@pytest.mark.parametrize("depth", [50, 101])
def test_the_papers_benchmarks(data, depth):
    config = read_config(f"asa_resnet{depth}_{data}")
    crop, steps, classes = PAPER[data]
    head, model = config.model.decode_head, config.model
    assert (head.type, head.channels, head.reduction, head.num_classes) == (
        "ASAHead",
        512,
        2,
        classes,
    )
    assert model.auxiliary_head.loss_decode.loss_weight == 0.4
    assert model.backbone.depth == depth
    assert model.backbone.strides == (1, 2, 1, 1)
    assert model.backbone.dilations == (1, 1, 2, 4)
    assert model.pretrained is None
    assert tuple(model.data_preprocessor.size) == crop
    assert config.train_cfg.max_iters == steps


@pytest.mark.parametrize("data", ["voc2012", "camvid"])
def test_the_twins_differ_in_the_block_alone(data):
    asa, dense = (
        read_config(f"{kind}_mobilenetv2_{data}").to_dict() for kind in ("asa", "nonlocal")
    )
    head = asa["model"]["decode_head"]
    assert (head.pop("support_target"), head.pop("local_target")) == (SUPPORT_TARGET, LOCAL_TARGET)
    kinds = (head.pop("type"), dense["model"]["decode_head"].pop("type"))
    assert kinds == ("ASAHead", "NonLocalHead")
    assert asa == dense


def test_the_published_form_differs_from_the_read_only_one_in_nothing_else():
    one, other = (
        read_config(f"asa_mobilenetv2_voc2012{form}").to_dict() for form in ("", "_published")
    )
    assert one["model"]["decode_head"].pop("read_only")
    assert not other["model"]["decode_head"].pop("read_only")
    assert one == other


@pytest.mark.parametrize("name", [name for name in config_names() if "resnet101" not in name])
def test_every_config_builds_without_data(name):
    config = read_config(name)
    network = build(model_as_data(config))
    if name.startswith("fcn"):
        assert not hasattr(network.decode_head, "nl_block")
    else:
        assert network.decode_head.nl_block.inter_channels in (64, 256)
    if "mobilenetv2" in name:
        facts = data_set_of(config)
        assert network.num_classes == len(facts.classes)
        assert name.endswith((facts.name, f"{facts.name}_published"))


def test_the_command_line_builds_one(capsys):
    main(["asa_mobilenetv2_voc2012"])
    assert "ASAHead" in capsys.readouterr().out
    main([])
    assert "nonlocal_mobilenetv2_camvid" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="there are: asa_mobilenetv2_camvid"):
        main(["nothing"])
