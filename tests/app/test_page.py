"""The page offers the networks and pictures there are, no other endpoint, in a bounded script."""

import gzip
import json
import re
import subprocess
from pathlib import Path

import pytest

from app import viewer
from app.api import Endpoints
from app.gallery import EXAMPLES
from app.handlers import Answers
from app.packet_cache import PacketCache
from app.page import build_page, mount_settings, network_title, offer
from app.session_cache import CachedEncoder, SessionCache
from asa_viz.checkpoints import DEFAULT
from tests.fakes import fake_session
from tests.viewer.node import node


@pytest.fixture
def answers(tmp_path):
    return Answers(
        CachedEncoder(lambda file, network: fake_session(), SessionCache()),
        lambda session, what_if: session.segmentation,
        ["asa", "dense"],
        PacketCache(tmp_path),
    )


def test_the_page_offers_every_photograph_and_network():
    offered = offer([DEFAULT, "dense"])
    assert [each["id"] for each in offered["gallery"]] == [example.name for example in EXAMPLES]
    for each, example in zip(offered["gallery"], EXAMPLES, strict=True):
        assert each["id"] == example.name
        assert each["thumbnail"].startswith("data:image/jpeg;base64,")
        assert list(each["stored"]) == [DEFAULT]
        assert each["looks"] == example.looks
        assert 2 <= len(example.looks) <= 3
        assert Path(each["stored"][DEFAULT]).is_file()
    assert [each["name"] for each in offered["networks"]] == [DEFAULT, "dense"]
    assert Path(offered["plotly"]).is_file()
    assert Path(offered["lesson"].partition("?")[0]) == viewer.LESSON


def test_a_network_is_offered_with_what_its_card_says():
    twin = DEFAULT.replace("asa", "nonlocal")
    default, dense, unknown = offer([DEFAULT, twin, "camvid"])["networks"]
    assert (default["twin"], dense["twin"], unknown["twin"]) == (twin, DEFAULT, None)
    assert default["sure"] == dense["sure"] == 0.49
    # Its name says nothing of its data.
    assert unknown["sure"] is None


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("asa_mobilenetv2_camvid", "ASA, MobileNetV2, CamVid"),
        ("nonlocal_mobilenetv2_voc2012", "Non-local, MobileNetV2, VOC 2012"),
        ("mine", "mine"),
    ],
)
def test_networks_have_names_for_people(name, title):
    assert network_title(name) == title


def test_what_the_page_may_fetch_is_packets_stored_sessions_plotly_and_the_lesson(answers):
    offered, settings = offer([DEFAULT]), mount_settings(answers)
    allowed = [Path(each).resolve() for each in settings["allowed_paths"]]
    stored = [each["stored"][DEFAULT] for each in offered["gallery"]]
    wanted = [offered["plotly"], viewer.LESSON, *stored]
    for path in map(Path, wanted):
        assert any(path.resolve().is_relative_to(each) for each in allowed)
    assert answers.folder in allowed
    root = Path(viewer.__file__).resolve().parents[2]
    for each in allowed:
        assert not root.is_relative_to(each), each


def test_no_listener_is_a_public_endpoint(answers):
    page = build_page(answers, ["asa"])
    public = {each.api_name for each in page.fns.values() if each.api_visibility == "public"}
    assert {"segmentation", "attention"} <= public
    assert public <= {name for name in vars(Endpoints) if not name.startswith("_")}
    # Tools for agents are there only where they are asked for.
    assert mount_settings(answers)["mcp_server"] is False
    assert mount_settings(answers, mcp=True)["mcp_server"] is True
    page = build_page(answers, ["asa"], mcp=True)
    theirs = {each.api_name for each in page.fns.values() if each.api_visibility == "public"}
    assert theirs - public == {"packet", "viewer"}


def test_nothing_is_recorded_or_fetched_from_elsewhere(answers):
    settings = mount_settings(answers)
    assert (
        settings["run_history"] is settings["enable_monitoring"] is settings["show_error"] is False
    )
    assert "http" not in "".join(map(str, settings["theme"]._font))
    assert settings["theme"]._stylesheets == []


@pytest.mark.parametrize("language", viewer.dictionaries())
def test_the_first_screen_needs_one_script_of_bounded_size(language):
    program = viewer.program().encode()
    words = json.dumps(viewer.part_of_words(language, "page"), ensure_ascii=False).encode()
    assert len(program) + len(words) <= 260_000
    assert len(gzip.compress(program)) + len(gzip.compress(words)) <= 90_000


def test_what_is_loaded_on_demand_is_bounded_too():
    assert len(viewer.lesson().encode()) <= 90_000


@pytest.mark.parametrize("source", [viewer.program, viewer.lesson, viewer.mcp])
def test_the_scripts_hold_no_words_and_no_other_host(source):
    program = source()
    assert viewer.dictionaries()["en"]["app.title"] not in program
    # It stands in an HTML attribute of the page, and in a file that a visitor saves.
    assert "</script" not in program.lower()
    hosts = set(re.findall(r"https?://([\w.-]+)", program))
    # The namespace of SVG, which nothing is loaded from.
    assert hosts <= {"www.w3.org"}


def test_the_scripts_are_what_their_sources_make(tmp_path):
    if node() is None:
        pytest.skip("Node.js is not on the PATH, or `npm ci` not run")
    build = Path(viewer.__file__).with_name("build.mjs")
    subprocess.run([node(), build, tmp_path], check=True, timeout=60)
    for name in ("viewer.js", "lesson.js", "mcp.js"):
        source = viewer.LESSON.with_name(name).read_text("utf-8")
        assert (tmp_path / name).read_text("utf-8") == source, "Run `npm run build`."


def test_there_are_words_in_three_languages():
    assert set(viewer.dictionaries()) == {"en", "zh-CN", "zh-TW"}


def test_every_photograph_is_credited_as_the_notice_says():
    notice = (Path(viewer.__file__).parents[1] / "examples" / "NOTICE.md").read_text("utf-8")
    licences, last = {}, ""
    for line in notice.splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) == 7 and cells[1].startswith("`"):
            # "same" is that of the line above.
            last = last if cells[5] == "same" else cells[5]
            licences[cells[1].strip("`")] = last.replace(" ", "")
    assert set(licences) == {example.file for example in EXAMPLES}
    for example in EXAMPLES:
        assert example.credit.split(", ")[-1].replace(" ", "") in licences[example.file]
    offered = {each["id"]: each["credit"] for each in offer([DEFAULT])["gallery"]}
    assert offered == {example.name: example.credit for example in EXAMPLES}


def test_a_space_says_where_its_files_are(monkeypatch):
    monkeypatch.delenv("SPACE_ID", raising=False)
    assert offer([DEFAULT])["files"] is None
    monkeypatch.setenv("SPACE_ID", "someone/asa-viz")
    assert offer([DEFAULT])["files"] == "https://huggingface.co/spaces/someone/asa-viz/tree/main"
