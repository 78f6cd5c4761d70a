"""The benchmark runs on small maps; no test asserts a time."""

import json
import math
import time
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from PIL import Image

from asa_viz.attention import native
from asa_viz.attention.operator import attend
from asa_viz.bench import inputs, scaling, startup
from asa_viz.bench.__main__ import PARTS, SCALING, main
from asa_viz.bench.attention import OURS, designs, forward
from asa_viz.bench.inputs import Options, random, real, widened
from asa_viz.bench.report import Goal, Line
from asa_viz.measuring import peak_bytes
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
    assert set(figures["setting"]) == {
        "torch", "device", "threads", "processors", "rounds", "compiled attention"
    }  # fmt: skip
    assert list(dict.fromkeys(line["part"] for line in figures["lines"])) == here
    names = {"part", "what", "unit", "ours", "peer", "peer_name", "goal", "ratio", "met"}
    for line in figures["lines"]:
        assert set(line) == names
        assert math.isfinite(line["ratio"])
        assert line["ratio"] == line["ours"] / line["peer"] > 0
        assert (line["met"] is None) == (line["goal"] is None) == (line["part"] == SCALING)
    sizes = [height * width for height, width in inputs.QUICK_GRIDS]
    assert len(figures["curves"]) == 6
    for points in figures["curves"].values():
        assert [point["n"] for point in points] == sizes
        assert all(point["seconds"] > 0 < point["bytes"] for point in points)
    printed = capsys.readouterr().out
    assert all(line["what"] in printed for line in figures["lines"])
    assert f"compiled attention {native.path()}" in printed
    assert ElementTree.parse(drawing).getroot().tag.endswith("svg")


def test_the_start_of_the_page_is_timed_against_its_imports(monkeypatch):
    taken = {"-m": iter([9.0, 3.0]), "-c": iter([9.0, 2.0])}
    monkeypatch.setattr(startup, "_seconds_until", lambda _, first, *rest: next(taken[first]))
    (line,) = startup.startup_lines(Options(rounds=1))
    assert (line.ours, line.peer, line.met) == (3.0, 2.0, True)


def test_a_process_is_timed_to_its_end_and_one_that_fails_is_not_a_figure():
    assert startup._seconds_until(None, "-c", "pass") > 0
    assert startup._seconds_until(lambda: True, "-c", "import time; time.sleep(60)") < 60
    # The time that it waits for an answer is part of it.
    slow = startup._seconds_until(lambda: time.sleep(0.3) is None, "-c", "input()")
    assert slow >= 0.3
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


def test_all_three_answer_alike_where_every_pair_is_kept():
    drawn = random(6, 8, 16)._replace(nonlocal_scale=torch.zeros(1, 48))
    ours, fused, defined = (forward(*design)() for design in designs(drawn).values())
    torch.testing.assert_close(ours, fused)
    torch.testing.assert_close(defined, fused)


def test_the_definition_alone_forms_a_matrix():
    drawn = random(64, 64, 16)
    ours, fused, defined = (peak_bytes(forward(*design)) for design in designs(drawn).values())
    assert max(ours, fused) < 4 * drawn.size**2 <= defined


@pytest.mark.parametrize(
    ("goal", "met"), [(None, None), (Goal(2), True), (Goal(1.9), False), (Goal(3, "ours"), False)]
)
def test_a_goal_bounds_the_ratio_or_our_own_figure(goal, met):
    line = Line("what", "seconds", 4.0, 2.0, "peer", goal)
    assert line.met is met
    assert line.text.endswith({None: "2 x", True: " met", False: " missed"}[met])


@pytest.mark.parametrize("most", ["MOST_SECONDS", "MOST_BYTES"])
def test_a_curve_ends_before_the_point_that_would_take_too_much(most, options, monkeypatch):
    monkeypatch.setattr(scaling, most, 0.0)
    curves = {}
    lines = list(scaling.scaling_lines(options, curves))
    assert [len(points) for points in curves.values()] == [1] * 6
    # Each of the others is set beside ours where it ends.
    assert [line.peer_name for line in lines[::2]] == [name for name in curves if name != OURS]


def test_a_size_is_reported_before_the_next_is_measured(options):
    curves = {}
    for line in scaling.scaling_lines(options, curves):
        assert f"n = {curves[OURS][-1].n}," in line.what


def test_a_curve_is_taken_to_grow_like_the_square_of_the_cells():
    half = scaling.Point(100, scaling.MOST_SECONDS / 4, int(scaling.MOST_BYTES / 4))
    assert scaling._goes_on([half], 200)
    assert not scaling._goes_on([half], 201)


@pytest.mark.parametrize("wrong", [["--rounds", "0"], ["--only", "query", "--plot", "a.svg"]])
def test_what_cannot_be_measured_is_refused(wrong):
    with pytest.raises(SystemExit):
        main(wrong)
