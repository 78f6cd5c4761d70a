"""The curve of support against mIoU is drawn from what `evaluate` wrote."""

import json
from xml.etree import ElementTree

import pytest

from asa_viz.tradeoff import Point, main


@pytest.fixture
def files(tmp_path):
    paths = []
    for name, support, miou, own in (("a", 0.1, 0.65, 0.8), ("b", 1.0, 0.6, 0.5)):
        figures = {"network": name, "support": support, "mIoU": miou, "own_class_sparse": own}
        paths.append(tmp_path / f"{name}.json")
        paths[-1].write_text(json.dumps(figures))
    return paths


def test_the_table_has_the_largest_support_first(files, capsys):
    main([str(file) for file in files])
    *_, first, second = capsys.readouterr().out.strip().splitlines()
    assert first == "| b | 1.000 | 0.600 | 0.500 |"
    assert second == "| a | 0.100 | 0.650 | 0.800 |"


def test_the_picture_is_drawn(files, tmp_path):
    path = tmp_path / "curve.svg"
    main([*map(str, files), "--picture", str(path)])
    assert ElementTree.parse(path).getroot().tag.endswith("svg")
    assert Point.of(files[0]).miou == 0.65
