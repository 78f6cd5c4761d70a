"""Names, colours and sizes come from checkpoint and config, in that order, or not at all."""

import pytest
from mmengine.config import Config

from asa_viz.networks.configs import read_config
from asa_viz.networks.datasets import CAMVID
from asa_viz.networks.facts import classes_of, numbered, read_facts, told_apart
from asa_viz.networks.weights import WeightsError

TWO = {"classes": ("crack", "wall"), "palette": [[1, 2, 3], [4, 5, 6]]}


def config_of(**dataset):
    return Config({"model": {}, "test_dataloader": {"dataset": {"type": "X"} | dataset}})


def test_the_checkpoint_is_asked_before_the_config():
    config = config_of(metainfo={"classes": ("a", "b"), "palette": [[7, 7, 7], [8, 8, 8]]})
    facts = read_facts(config, {"dataset_meta": TWO}, 2)
    assert (facts.classes, facts.palette) == (("crack", "wall"), ((1, 2, 3), (4, 5, 6)))
    assert read_facts(config, {}, 2).classes == ("a", "b")


def test_the_older_form_of_the_checkpoints_meta_is_read():
    facts = read_facts(config_of(), {"CLASSES": ["x", "y"], "PALETTE": [[0, 0, 1]] * 2}, 2)
    assert (facts.classes, facts.palette) == (("x", "y"), ((0, 0, 1),) * 2)


def test_names_of_another_number_of_classes_are_not_taken():
    facts = read_facts(config_of(metainfo=TWO), {"dataset_meta": {"classes": ("a",) * 19}}, 3)
    assert facts.classes is None
    names, colours = classes_of(facts, 3)
    assert names == numbered(3)
    assert len(set(colours)) == 3


@pytest.mark.parametrize(("kind", "count"), [("CityscapesDataset", 19), ("ADE20KDataset", 150)])
def test_a_data_set_of_mmsegmentation_names_its_classes(kind, count):
    config = config_of(type="RepeatDataset", dataset={"type": kind, "pipeline": []})
    facts = read_facts(config, {}, count)
    assert len(facts.classes) == len(facts.palette) == count
    assert facts.reduce_zero_label == (kind == "ADE20KDataset")
    assert facts.data_set == kind


def test_reduce_zero_label_may_stand_at_the_data_set_or_in_its_pipeline():
    assert read_facts(config_of(reduce_zero_label=True), {}, 2).reduce_zero_label
    steps = [{"type": "LoadAnnotations", "reduce_zero_label": True}]
    assert read_facts(config_of(pipeline=steps), {}, 2).reduce_zero_label
    told = config_of(type="ADE20KDataset", reduce_zero_label=False)
    assert not read_facts(told, {}, 150).reduce_zero_label
    assert not read_facts(config_of(), {}, 2).reduce_zero_label


def test_sizes_are_those_of_testing_then_of_training():
    resize = [{"type": "LoadImageFromFile"}, {"type": "Resize", "scale": (2048, 1024)}]
    config = Config({"model": {}, "test_pipeline": resize, "crop_size": (512, 1024)})
    assert read_facts(config, {}, 2).shapes == ((1024, 2048), (2048, 1024))
    assert read_facts(Config({"model": {}, "crop_size": (512, 512)}), {}, 2).shapes == ((512, 512),)
    assert read_facts(Config({"model": {}}), {}, 2).shapes == ()


def test_the_data_sets_of_the_project_are_known():
    facts = read_facts(read_config("asa_mobilenetv2_camvid"), {}, 11)
    assert (facts.known, facts.shapes, facts.classes) == (CAMVID, CAMVID.shapes, CAMVID.classes)


def test_colours_made_up_for_many_classes_differ():
    assert len(set(told_apart(256))) == 256


def test_more_classes_than_a_map_can_hold_are_refused():
    with pytest.raises(WeightsError, match="847 classes; at most 256"):
        classes_of(read_facts(config_of(), {}, 847), 847)
