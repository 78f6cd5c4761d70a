"""The package as it is built: it carries the networks, and works from any folder."""

import os
import re
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

import asa_viz
from app import command
from asa_viz import checkpoints
from asa_viz.packet import pack
from tests.networks.stock import HEADS, config_of, picture, save

ROOT = Path(__file__).parents[1]


def test_the_lists_of_what_is_needed_say_the_same():
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    listed = {line for line in lines if line and not line.startswith("#")}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    assert {*project["dependencies"], *extras["page"], *extras["train"]} == listed
    # What only the tests need of the others is pinned.
    pinned = {
        line for line in (ROOT / "requirements-dev.txt").read_text().splitlines() if "==" in line
    }
    names = {re.split("[=>]", line)[0] for line in {*pinned, *listed}}
    for extra in extras.values():
        assert {re.split("[=>]", each)[0] for each in extra} <= names


def test_every_name_at_the_top_is_there():
    for name in asa_viz.__all__:
        assert getattr(asa_viz, name).__name__ == name
        assert name in dir(asa_viz)
    assert asa_viz.__version__ == "1.0.0"


def test_networks_of_ones_own_are_found_beside_those_that_ship(tmp_path, monkeypatch):
    (tmp_path / "mine.safetensors").touch()
    before = asa_viz.available()
    monkeypatch.setenv(checkpoints.OWN_FOLDER, str(tmp_path))
    assert set(asa_viz.available()) == {*before, "mine"}
    assert asa_viz.available()[0] == checkpoints.DEFAULT


def test_files_of_a_network_are_loaded_by_the_name_of_the_config(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "_offered", {})
    config = config_of(HEADS["embedded_gaussian"])
    config.dump(tmp_path / "own.py")
    path = save(config, tmp_path)
    files = checkpoints.Offered(f"{tmp_path}/own.py", str(path))
    assert checkpoints.offer(files) == "own"
    assert asa_viz.available()[0] == "own"
    segmenter = asa_viz.load("own", "cpu")
    assert segmenter.name == "own"
    assert pack(segmenter.encode(picture()))
    with pytest.raises(ValueError, match="a network own already"):
        checkpoints.offer(files)
    with pytest.raises(ValueError, match=r"no file no\.py"):
        checkpoints.offer(checkpoints.Offered("no.py", str(path)))


@pytest.mark.parametrize(
    "arguments",
    [["--checkpoints", "{}", "evaluate", "x", "--help"], ["evaluate", "x", "--checkpoints", "{}"]],
)
def test_the_command_passes_on_what_is_behind_a_name(monkeypatch, tmp_path, arguments):
    seen = []
    monkeypatch.setenv(checkpoints.OWN_FOLDER, "before")
    monkeypatch.setattr("asa_viz.evaluate.main", seen.append)
    command.main([each.format(tmp_path) for each in arguments])
    assert seen == [["x", "--help"] if "--help" in arguments else ["x"]]
    assert os.environ[checkpoints.OWN_FOLDER] == str(tmp_path)


def test_what_an_extra_brings_is_named_where_it_is_missing(monkeypatch):
    monkeypatch.setattr(command, "import_module", lambda *_: (_ for _ in ()).throw(missing))
    missing = ModuleNotFoundError("no", name="gradio")
    with pytest.raises(SystemExit, match=r"page needs gradio: pip install 'asa-viz\[page\]'"):
        command.main(["page"])
    missing = ModuleNotFoundError("no", name="torch")
    with pytest.raises(ModuleNotFoundError):
        command.main(["page"])


def test_an_option_of_a_command_is_not_taken_for_the_folders(monkeypatch):
    seen = []
    monkeypatch.setattr("asa_viz.evaluate.main", seen.append)
    command.main(["evaluate", "--checkpoint", "file"])
    assert seen == [["--checkpoint", "file"]]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    # From a copy: a build leaves folders behind.
    source = folder / "source"
    files = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split("\n")  # fmt: skip
    for name in filter(None, files):
        if not name.startswith(("tests/", "docs/")) and (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).hardlink_to(ROOT / name)
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-q"]
    subprocess.run([*build, "-w", str(folder), str(source)], check=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.mark.slow
def test_the_wheel_carries_networks_heads_page_and_words(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for path in sorted((ROOT / "checkpoints").rglob("*")):
        if path.is_file():
            assert f"asa_viz/checkpoints/{path.relative_to(ROOT / 'checkpoints')}" in names
    built = {"app/viewer/built/viewer.js", "app/viewer/built/lesson.js"}
    pictures = {"app/link_preview.jpg", "app/icon.png"}
    assert {"asa_viz/py.typed", "app/texts/en/page.json", *built, *pictures} <= names
    assert not any(name.startswith(("tests", "checkpoints")) for name in names)
    # What the viewer is built of stays in the repository.
    assert not any(name.endswith((".ts", ".mjs")) for name in names)


@pytest.mark.slow
def test_installed_it_works_from_another_folder(wheel, tmp_path):
    """Beside a file of the user's own that is called as the page's package is."""
    home = tmp_path / "environment"
    venv.create(home, with_pip=False, system_site_packages=False)
    site = next(home.glob("lib/python*/site-packages"))
    # What the package needs is there already; the package itself is taken from the wheel.
    (site / "needed.pth").write_text(next(path for path in sys.path if path.endswith("packages")))
    install = [sys.executable, "-m", "pip", "--python", str(home / "bin/python"), "install"]
    subprocess.run([*install, "--no-deps", "--no-index", "-q", str(wheel)], check=True)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "app.py").write_text("raise SystemExit('a file of the user')")
    program = (
        "import asa_viz, numpy as np; s = asa_viz.load(device='cpu'); "
        "print(asa_viz.__file__, len(asa_viz.available()), "
        "s.encode(np.zeros((64, 64, 3), np.uint8)).grid.size > 0)"
    )
    for run, said in (
        ([home / "bin/python", "-c", program], f"{site}/asa_viz/__init__.py 6 True\n"),
        ([home / "bin/asa-viz", "--version"], "asa-viz 1.0.0\n"),
    ):
        done = subprocess.run(
            [*map(str, run)], cwd=elsewhere, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout) == (0, said), done.stderr[-2000:]
