"""What is uploaded to a Space is all that the page needs, and runs there."""

import re
import subprocess
import sys
import types
from pathlib import Path

import huggingface_hub
import pytest

from app import to_space
from app.gallery import EXAMPLES
from tests.app.server_process import Page, ask

ROOT = Path(__file__).parents[2]
COLOURS = ("red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("space")
    to_space.lay_out(folder, "ada/asa")
    return folder


def test_exactly_what_is_needed_is_uploaded(folder):
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    at_the_root = {name for name in files if "/" not in name}
    assert at_the_root == {
        "README.md", "LICENSE", "CITATION.cff", "space.py", "requirements.txt", "packages.txt",
        ".gitattributes",
    }  # fmt: skip
    assert {name.split("/")[0] for name in files - at_the_root} == {"app", "asa_viz", "checkpoints"}
    for needed in (
        "app/style.css", "app/viewer/built/viewer.js", "app/viewer/built/lesson.js",
        "app/texts/en/page.json", "app/link_preview.jpg", "app/icon.png",
        "app/examples/dogs.jpg", "asa_viz/py.typed", "checkpoints/heads/card.json",
        "checkpoints/asa_mobilenetv2_outdoor.safetensors", "checkpoints/NOTICE.md",
    ):  # fmt: skip
        assert needed in files
    assert not [name for name in files if "__pycache__" in name or name.endswith((".so", ".pyc"))]


def test_on_cpu_hardware_torch_comes_without_cuda(folder):
    lines = (folder / "requirements.txt").read_text().splitlines()
    (pinned,) = [line for line in lines if line.startswith("torch==")]
    assert pinned.endswith("+cpu")
    assert any(line.startswith("--extra-index-url ") for line in lines)
    # All else is as it was.
    readable = (ROOT / "requirements.txt").read_text().splitlines()
    assert {pinned.removesuffix("+cpu"), *lines} - {pinned} >= set(readable)


def test_on_a_gpu_it_is_the_one_that_is_asked_for(tmp_path):
    to_space.lay_out(tmp_path, "ada/asa", gpu=True)
    assert (tmp_path / "requirements.txt").read_text() == (ROOT / "requirements.txt").read_text()


def test_opencv_finds_the_library_that_it_asks_for(folder):
    assert "libgl1" in (folder / "packages.txt").read_text().split()


def test_every_binary_file_is_kept_as_one(folder):
    attributes = (folder / ".gitattributes").read_text()
    files = [path for path in folder.rglob("*") if path.is_file()]
    binary = {path.suffix for path in files if b"\0" in path.read_bytes()[:8000]}
    assert {".jpg", ".safetensors"} <= binary
    assert [suffix for suffix in binary if f"*{suffix} filter=lfs" not in attributes] == []


def test_the_front_matter_is_one_that_the_hub_takes():
    about = huggingface_hub.SpaceCard.load(ROOT / "README.md").data.to_dict()
    assert re.fullmatch(r"[A-Za-z0-9][\w .-]{2,40}", about["title"])
    assert {about["colorFrom"], about["colorTo"]} <= set(COLOURS)
    assert about["sdk"] == "gradio"
    (gradio,) = re.findall(r"^gradio==(\S+)\*$", (ROOT / "requirements.txt").read_text(), re.M)
    assert about["sdk_version"].startswith(gradio)
    assert (ROOT / about["app_file"]).is_file()
    assert len(about["short_description"]) <= 60
    # The stricter of code and weights.
    assert about["license"] == "other"
    assert (ROOT / about["license_link"]).is_file()


def test_the_hub_s_own_preview_shows_the_picture_of_the_page(folder):
    readme = (folder / "README.md").read_text(encoding="utf-8")
    about = huggingface_hub.SpaceCard(readme).data.to_dict()
    start, name = about.pop("thumbnail").split("/resolve/main/")
    assert start == "https://huggingface.co/spaces/ada/asa"
    assert (folder / name).is_file()
    # All else is as it was.
    written = huggingface_hub.SpaceCard.load(ROOT / "README.md")
    assert about == written.data.to_dict()
    assert readme.endswith(written.text)
    with pytest.raises(ValueError, match="front matter"):
        to_space.with_thumbnail("# Title\n---\n---\n", "ada/asa")


def test_a_dry_run_lists_the_files_and_uploads_none(monkeypatch, capsys):
    monkeypatch.setattr(to_space, "_upload", None)
    to_space.main(["ada/asa", "--dry-run"])
    said = capsys.readouterr().out.splitlines()
    assert any(line.endswith("  space.py") for line in said)
    assert re.fullmatch(r"\d+ files, [\d.]+ MB", said[-1])


def test_the_folder_replaces_what_is_there(monkeypatch, capsys):
    calls = []

    class Api:
        def create_repo(self, name, **how):
            calls.append((name, how["repo_type"], how["space_sdk"]))
            return f"there/{name}"

        def upload_folder(self, *, folder_path, delete_patterns, **how):
            calls.append((how["repo_id"], (folder_path / "space.py").is_file(), delete_patterns))

    hub = types.ModuleType("huggingface_hub")
    hub.HfApi = Api
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    to_space.main(["ada/asa"])
    assert calls == [("ada/asa", "space", "gradio"), ("ada/asa", True, ["*"])]
    assert capsys.readouterr().out.strip() == "there/ada/asa"


@pytest.mark.parametrize("name", ["asa", "/asa", "a/b/c"])
def test_a_space_that_can_be_none_is_named(name, capsys):
    with pytest.raises(SystemExit) as ended:
        to_space.main([name])
    assert ended.value.code == 2
    assert "OWNER/NAME" in capsys.readouterr().err


@pytest.mark.slow
def test_what_is_uploaded_answers_a_picture_of_ones_own(folder, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    for path in folder.rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    page = Page(
        tmp_path, at=folder, command=["space.py"], HOME=str(home), SPACE_ID="ada/asa",
        SPACE_HOST="ada-asa.example", GRADIO_SERVER_NAME="127.0.0.1", GRADIO_SERVER_PORT="0",
        PYTHONDONTWRITEBYTECODE="1",
    )  # fmt: skip
    try:
        page.answers()
        with page.client() as client:
            picture = {"files": ("own.jpg", Path(EXAMPLES[1].path).read_bytes(), "image/jpeg")}
            sent = client.post("/gradio_api/upload", files=picture).json()
            asked = {"source": {"path": sent[0]}, "network": "asa_mobilenetv2_outdoor"}
            answer = ask(client, "encode", asked).json()
            assert answer["ok"], answer
            packet = client.get(f"/gradio_api/file={answer['file']}")
            assert len(packet.content) > 10**6
            assert client.get("/readyz").status_code == 200
            shown = client.get("/", headers={"host": "ada-asa.example"})
            assert (
                "frame-ancestors 'self' https://huggingface.co"
                in shown.headers["content-security-policy"]
            )
    finally:
        code, said = page.end()
    assert code == 0, said
    written = subprocess.run(
        ["find", str(folder), "-newer", str(home), "-type", "f"], capture_output=True, check=True
    )
    assert written.stdout == b""
