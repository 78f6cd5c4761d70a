"""What keeps the page from starting is said in one sentence, with an exit code."""

import re
import sys
import types

import pytest

from app import __main__ as main
from asa_viz import checkpoints

HERE = ["--port", "0"]


def said_by(arguments, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["app", *arguments])
    with pytest.raises(SystemExit) as ended:
        main.main()
    return ended.value.code


def test_a_damaged_network_ends_the_start(monkeypatch):
    monkeypatch.setattr(main, "damaged_networks", lambda: ["asa.safetensors"])
    said = said_by(HERE, monkeypatch)
    assert "asa.safetensors" in said
    assert "damaged" in said


def test_a_damaged_head_disables_that_head_alone(monkeypatch, capsys):
    monkeypatch.setattr(main, "has_heads", lambda: True)
    for damaged, compares in (
        ([], True),
        (["ann.safetensors"], True),
        (["ann.safetensors", main.HEADS_PROJECTION], False),
    ):
        monkeypatch.setattr(main, "damaged_heads", lambda damaged=damaged: damaged)
        assert main._heads_are_there() is compares
        assert capsys.readouterr().err.count("damaged") == len(damaged)


def test_cuda_that_is_not_there_ends_the_start(monkeypatch, tmp_path):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    late = types.ModuleType("app.torch_imports")
    late.cuda_is_there = lambda: False
    monkeypatch.setitem(sys.modules, "app.torch_imports", late)
    said = said_by([*HERE, "--device", "cuda"], monkeypatch)
    assert "no CUDA device" in said
    assert "\n" not in said


def test_tools_for_agents_need_a_package_that_is_named(monkeypatch):
    monkeypatch.setattr(main, "find_spec", lambda _: None)
    assert "pip install 'asa-viz[mcp]'" in said_by([*HERE, "--mcp"], monkeypatch)


def test_a_network_of_ones_own_comes_first(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(checkpoints, "_offered", {})
    config, weights = tmp_path / "own.py", tmp_path / "own.pth"
    files = ["--config", str(config), "--checkpoint", str(weights)]
    for asked, sentence in (
        (files[:2], "Give both --config and --checkpoint"),
        (files[2:], "Give both --config and --checkpoint"),
        (files, "There is no file .*own.py"),
    ):
        assert re.match(sentence, said_by([*HERE, *asked], monkeypatch))
    config.touch()
    weights.touch()
    monkeypatch.setattr(sys, "argv", ["app", *files, "--attention", "layer 2"])
    arguments = main._arguments()
    main._offer(arguments)
    assert main._networks(arguments.network)[0] == "own"
    assert checkpoints.offered("own") == (str(config), str(weights), "layer 2")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--root-path", "asa"], "begins with a slash"),
        (["--port", "http"], "invalid int"),
        (["--device", "tpu"], "invalid choice"),
    ],
)
def test_a_mistake_on_the_command_line_is_named(arguments, words, monkeypatch, capsys):
    assert said_by(arguments, monkeypatch) == 2
    assert words in capsys.readouterr().err


def test_a_network_that_does_not_ship_is_named(monkeypatch):
    assert "There is no network fcn" in said_by(["--network", "fcn"], monkeypatch)
    monkeypatch.setattr(main, "available", list)
    assert "There is no network in checkpoints/" in said_by([], monkeypatch)


def test_the_network_asked_for_comes_first_and_the_others_stay_in_order(monkeypatch):
    monkeypatch.setattr(main, "available", lambda: ["a", "b", "c"])
    assert main._networks(None) == ["a", "b", "c"]
    assert main._networks("c") == ["c", "a", "b"]
