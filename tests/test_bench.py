"""The benchmark runs on small maps; how fast anything is, no test asks."""

import json
import math
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from PIL import Image

from asa_viz.attention.blockwise import attend
from asa_viz.bench import inputs, scaling, startup
from asa_viz.bench.__main__ import PARTS, SCALING, main
from asa_viz.bench.inputs import Options, random, real, widened
from asa_viz.bench.report import Goal, Line
from tests.networks.small import save_small


@pytest.fixture(scope="module")
def options(tmp_path_factory):
    """One round on a network with random weights and a picture of noise."""
    folder = tmp_path_factory.mktemp("bench")
    path, _ = save_small(folder)
    noise = np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    Image.fromarray(noise).save(folder / "noise.png")
    return Options(rounds=1, quick=True, network=str(path), picture=folder / "noise.png")


def arguments(options, *more):
    ours = ("--quick", "--rounds", "1", "--network", options.network)
    return [*ours, "--picture", str(options.picture), *map(str, more)]


def test_every_part_in_this_process_gives_ratios(options, tmp_path, capsys):
    file, drawing = tmp_path / "figures.json", tmp_path / "scaling.svg"
    here = [*(name for name in PARTS if name != "startup"), SCALING]
    main(arguments(options, "--only", *here, "--json", file, "--plot", drawing))
    figures = json.loads(file.read_text())
    assert set(figures) == {"setting", "lines", "curves"}
    assert set(figures["setting"]) == {"torch", "threads", "processors", "rounds"}
    assert list(dict.fromkeys(line["part"] for line in figures["lines"])) == here
    names = {"part", "what", "unit", "ours", "peer", "peer_name", "goal", "ratio", "met"}
    for line in figures["lines"]:
        assert set(line) == names
        assert math.isfinite(line["ratio"])
        assert line["ratio"] == line["ours"] / line["peer"] > 0
        assert (line["met"] is None) == (line["goal"] is None) == (line["part"] == SCALING)
    sizes = [height * width for height, width in scaling.QUICK_GRIDS]
    assert len(figures["curves"]) == 6
    for points in figures["curves"].values():
        assert [point["n"] for point in points] == sizes
        assert all(point["seconds"] > 0 < point["bytes"] for point in points)
    printed = capsys.readouterr().out
    assert all(line["what"] in printed for line in figures["lines"])
    assert ElementTree.parse(drawing).getroot().tag.endswith("svg")


def test_the_start_of_the_page_is_timed_against_its_imports(monkeypatch):
    taken = {"-m": iter([9.0, 3.0]), "-c": iter([9.0, 2.0])}
    monkeypatch.setattr(startup, "_seconds_until", lambda _, first, *rest: next(taken[first]))
    (line,) = startup.startup_lines(Options(rounds=1))
    assert (line.ours, line.peer, line.met) == (3.0, 2.0, True)


def test_a_process_is_timed_to_its_end_and_one_that_fails_is_not_a_figure():
    assert startup._seconds_until(None, "-c", "pass") > 0
    assert startup._seconds_until(lambda: True, "-c", "import time; time.sleep(60)") < 60
    with pytest.raises(RuntimeError, match="ended with 3"):
        startup._seconds_until(None, "-c", "raise SystemExit(3)")
    with pytest.raises(RuntimeError, match="ended with 0"):
        startup._seconds_until(lambda: False, "-c", "pass")


def test_widened_features_keep_their_similarities_and_what_they_are_read_for(options):
    own = real(6, 8, options)
    wide = widened(own, 32)
    assert own.query.shape == (1, 48, 8)
    assert wide.query.shape == wide.key.shape == wide.value.shape == (1, 48, 32)
    for left, right in (("query", "key"), ("value", "value")):
        torch.testing.assert_close(
            getattr(wide, left) @ getattr(wide, right).mT,
            getattr(own, left) @ getattr(own, right).mT,
        )
    torch.testing.assert_close(
        attend(*wide.tensors, **wide.shape)[1], attend(*own.tensors, **own.shape)[1]
    )
    assert widened(own, 4) is own


def test_real_features_are_those_of_an_encoded_picture(options):
    own, session = real(6, 8, options), inputs.segmenter(6, 8, options).encode(options.picture)
    assert (own.height, own.width) == (session.grid.height, session.grid.width) == (6, 8)
    for name in ("query", "key", "nonlocal_scale", "local_scale"):
        torch.testing.assert_close(getattr(own, name)[0], getattr(session.attention, name))


def test_random_features_spread_and_keep_as_they_are_said_to():
    drawn = random(24, 32, 64)
    assert (drawn.query @ drawn.key.mT).std().item() == pytest.approx(inputs.SPREAD, rel=0.05)
    support = attend(*drawn.tensors, **drawn.shape)[1].mean().item() / drawn.size
    assert support == pytest.approx(inputs.SUPPORT, abs=0.02)


def test_dense_attention_gets_a_head_so_that_pytorch_forms_no_matrix():
    assert [tensor.shape for tensor in random(6, 8, 16).dense] == [(1, 1, 48, 16)] * 3


@pytest.mark.parametrize(
    ("goal", "met"), [(None, None), (Goal(2), True), (Goal(1.9), False), (Goal(3, "ours"), False)]
)
def test_a_goal_bounds_the_ratio_or_our_own_figure(goal, met):
    line = Line("what", "seconds", 4.0, 2.0, "peer", goal)
    assert line.met is met
    assert line.text.endswith({None: "2 x", True: " met", False: " missed"}[met])


def test_a_curve_ends_after_its_first_slow_point_and_the_definition_where_memory_does(
    options, monkeypatch
):
    monkeypatch.setattr(scaling, "LONGEST", 0.0)
    assert all(len(points) == 1 for points in scaling.curves(options).values())
    monkeypatch.setattr(scaling, "LONGEST", 60.0)
    monkeypatch.setattr(scaling, "MOST_DEFINED", 48)
    found = scaling.curves(options)
    assert len(found.pop(scaling.DEFINED)) == 1
    assert all(len(points) == 2 for points in found.values())


@pytest.mark.parametrize("wrong", [["--rounds", "0"], ["--only", "query", "--plot", "a.svg"]])
def test_what_cannot_be_measured_is_refused(wrong):
    with pytest.raises(SystemExit):
        main(wrong)
