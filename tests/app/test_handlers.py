"""Every question of the viewer gets an answer: what it asked for, or the key of a sentence."""

import asyncio
import base64
import errno
import json
import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gradio.utils import get_upload_folder
from safetensors.numpy import load_file

from app.gallery import EXAMPLES
from app.handlers import Answers
from app.packet_cache import PacketCache
from app.server import fair_queue
from app.server.fair_queue import Asker
from app.session_cache import CachedEncoder, SessionCache
from app.validation import enlarged
from app.viewer import dictionaries, part_of_words
from asa_viz.attention.what_if import WhatIf
from asa_viz.geometry import Grid, Pixel
from asa_viz.images import ImageError
from asa_viz.views import flips
from tests.fakes import fake_session

PHOTOGRAPH = EXAMPLES[0].name
AS_TRAINED = {
    "nonlocalFactor": 1,
    "localFactor": 1,
    "reciprocity": True,
    "localRule": True,
    "window": None,
    "topK": None,
}


class Network:
    """A network that notes what it was asked for."""

    def __init__(self):
        self.encoded = []
        self.rules = []

    def encode(self, file, network):
        Path(file).stat()
        self.encoded.append((Path(file).name, network))
        match Path(file).stem:
            case "bad":
                raise ImageError("IMG_SHAPE", width=9, height=400)
            case "crash":
                raise RuntimeError("/secret/path")
        return fake_session(learned=network != "dense")

    def rerun(self, session, what_if):
        self.rules.append(what_if)
        labels = session.segmentation.working_labels.copy()
        labels[:2, :3] = (labels[:2, :3] + 1) % 4
        return replace(session.segmentation, working_labels=labels)


@pytest.fixture
def network():
    return Network()


@pytest.fixture
def packets(tmp_path):
    return PacketCache(tmp_path)


@pytest.fixture
def answers(network, packets):
    encoder = CachedEncoder(network.encode, SessionCache())
    return Answers(encoder, network.rerun, ["asa", "dense"], packets)


@pytest.fixture
def upload():
    """A function that puts a file where uploads lie."""
    folders = []

    def put(name):
        folder = Path(get_upload_folder()) / f"test_{name}_{os.getpid()}"
        folder.mkdir(parents=True)
        folders.append(folder)
        file = folder / name
        file.write_bytes(b"a file")
        return {"path": str(file)}

    yield put
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def ask(question, **about):
    asked = {"source": PHOTOGRAPH, "network": "asa", **about}
    return asyncio.run(question(asked))


def test_a_packet_lies_in_a_file_that_holds_the_session(answers):
    answer = ask(answers.encode)
    assert answer["ok"]
    path = Path(answer["file"])
    assert path.parent == answers.folder
    tensors = load_file(path)
    assert tensors["cell_labels"].tolist() == fake_session().segmentation.cell_labels.tolist()


def test_one_client_does_not_fill_the_disk(answers, packets, network):
    files = {ask(answers.encode)["file"] for _ in range(50)}
    assert len(files) == len(list(packets.folder.iterdir())) == 1
    assert ask(answers.encode, network="dense")["file"] not in files
    assert len(list(packets.folder.iterdir())) == 2


def test_a_full_disk_has_its_own_sentence_and_leaves_nothing(answers, packets, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(tempfile._TemporaryFileWrapper, "write", full, raising=False)
        assert ask(answers.encode) == {"ok": False, "error": "error.disk"}
        assert list(packets.folder.iterdir()) == []
    assert ask(answers.encode)["ok"]
    assert all(words["error.disk"] for words in dictionaries().values())


def test_a_picture_is_encoded_once_for_all_its_questions(answers, network):
    for question in (answers.encode, answers.rerun, answers.pair_plane, answers.encode):
        assert ask(question, what_if=AS_TRAINED, pixel=[3, 4], language="en")["ok"]
    assert len(network.encoded) == 1
    assert ask(answers.encode, network="dense")["ok"]
    assert [each for _, each in network.encoded] == ["asa", "dense"]


def test_a_re_run_answers_with_labels_and_flips(answers, network):
    rule = {**AS_TRAINED, "nonlocalFactor": 2, "reciprocity": False, "window": 5, "topK": 8}
    answer = ask(answers.rerun, what_if=rule)
    assert network.rules == [WhatIf(2.0, 1.0, reciprocity=False, window=5, top_k=8)]
    before = fake_session().segmentation
    after = network.rerun(fake_session(), None)
    labels = np.frombuffer(base64.b64decode(answer["labels"]), np.uint8)
    assert (labels.reshape(after.working_labels.shape) == after.working_labels).all()
    wanted = flips(before, after)
    assert (answer["count"], answer["share"]) == (wanted.count, wanted.share)
    names = [(after.classes[each["from"]], after.classes[each["to"]]) for each in answer["flips"]]
    assert names == [(each.before, each.after) for each in wanted.changes]


@pytest.mark.parametrize("language", ["en", "zh-CN", "zh-TW", "xx"])
def test_the_plane_of_pairs_is_drawn_in_the_visitor_s_words(answers, language):
    figure = json.loads(
        ask(answers.pair_plane, what_if=AS_TRAINED, pixel=[3, 4], language=language)["figure"]
    )
    words = dictionaries().get(language, dictionaries()["en"])
    assert figure["layout"]["xaxis"]["title"]["text"] == words["plane.chooses"]


def test_what_cannot_be_answered_has_the_key_of_a_sentence(answers, upload):
    assert ask(answers.encode, source=upload("bad.png")) == {
        "ok": False,
        "error": "error.IMG_SHAPE",
        "values": {"width": "9", "height": "400"},
    }
    crash = ask(answers.encode, source=upload("crash.png"))
    assert crash == {"ok": False, "error": "error.failed"}
    for words in dictionaries().values():
        for key in ("error.IMG_SHAPE", "error.failed", "error.gone", "error.busy", "error.server"):
            assert words[key]


def test_an_upload_that_was_deleted_is_said_to_be_gone(answers, upload):
    source = upload("good.png")
    assert ask(answers.encode, source=source)["ok"]
    Path(source["path"]).unlink()
    assert ask(answers.encode, source=source, network="dense") == {
        "ok": False,
        "error": "error.gone",
    }


@pytest.mark.parametrize(
    "question",
    [
        None,
        [],
        "leuven_lane",
        {},
        {"source": "nowhere", "network": "asa"},
        {"source": {"path": 3}, "network": "asa"},
        {"source": PHOTOGRAPH, "network": "../asa"},
        {"source": PHOTOGRAPH, "network": ["asa"]},
    ],
)
def test_a_hostile_question_gets_one_plain_answer(answers, network, question, caplog):
    for ask_about in (answers.encode, answers.rerun, answers.pair_plane):
        assert asyncio.run(ask_about(question)) == {"ok": False, "error": "error.failed"}
    assert network.encoded == []


@pytest.mark.parametrize("path", ["/etc/passwd", "../../etc/passwd"])
def test_a_file_that_is_no_upload_of_this_server_is_not_here(answers, network, path, caplog):
    for ask_about in (answers.encode, answers.rerun, answers.pair_plane):
        assert ask(ask_about, source={"path": path}) == {"ok": False, "error": "error.gone"}
    assert network.encoded == []
    assert caplog.text == ""


@pytest.mark.parametrize(
    "about",
    [
        {"pixel": [-1, 0]},
        {"pixel": [10**6, 0]},
        {"pixel": [0.5, 0]},
        {"pixel": "ab"},
        {"lattice": 0},
        {"lattice": 1.5},
        {"lattice": "2"},
        {"lattice": 10**9},
        {"what_if": {**AS_TRAINED, "nonlocalFactor": float("nan")}},
        {"what_if": {**AS_TRAINED, "nonlocalFactor": -1}},
        {"what_if": {**AS_TRAINED, "window": 10**6}},
        {"what_if": {**AS_TRAINED, "reciprocity": "yes"}},
        {"what_if": {}},
    ],
)
def test_a_pixel_or_a_rule_that_is_none_is_refused(answers, about):
    asked = {"pixel": [3, 4], "what_if": AS_TRAINED, "language": "en", **about}
    assert ask(answers.pair_plane, **asked) == {"ok": False, "error": "error.failed"}


@pytest.mark.parametrize(
    ("asked", "language"),
    [({"language": "zh-TW"}, "zh-TW"), ({"language": "fr"}, "en"), ({}, "en"), ([], "en")],
)
def test_the_words_of_a_language_are_answered_at_once(answers, asked, language):
    page = asyncio.run(answers.words(asked))
    assert page == {"ok": True, "words": part_of_words(language, "page")}
    if isinstance(asked, dict):
        lesson = asyncio.run(answers.words({**asked, "part": "lesson"}))["words"]
        assert lesson == part_of_words(language, "lesson")
        assert page["words"] | lesson == dictionaries()[language]
        assert asyncio.run(answers.words({**asked, "part": "../en"})) == page


def test_a_pixel_of_an_enlarged_picture_names_every_cell():
    grid = Grid(9, 12, 4, 5)
    cells = {enlarged(grid, 3).cell_at(Pixel(x, y)) for x in range(3 * 5) for y in range(3 * 4)}
    assert len(cells) == grid.size
    assert enlarged(grid, 1) == grid


def test_who_finds_too_many_waiting_is_told_so(answers, monkeypatch):
    monkeypatch.setattr(fair_queue, "MOST_WAITING", 0)

    async def story():
        async with answers._turns["network"].turn(Asker()):
            return await answers.encode({"source": PHOTOGRAPH, "network": "asa"})

    assert asyncio.run(story()) == {"ok": False, "error": "error.busy"}


def test_what_is_known_is_answered_while_another_s_picture_is_encoded(answers, network):
    known = {"source": PHOTOGRAPH, "network": "asa", "pixel": [3, 4], "language": "en"}
    known["what_if"] = AS_TRAINED
    assert ask(answers.encode)["ok"]

    async def story():
        async with answers._turns["network"].turn(Asker("another")):
            for question in (answers.encode, answers.pair_plane):
                assert (await asyncio.wait_for(question(known), 60))["ok"]
            waiting = asyncio.create_task(
                answers.encode({**known, "network": "dense"}, Asker("me"))
            )
            while not answers._turns["network"].waiting:
                await asyncio.sleep(0)
            place = await answers.place({}, Asker("me"))
            assert (place["before"], (await answers.place({}, Asker("you")))["before"]) == (1, 0)
        return await waiting

    assert asyncio.run(story())["ok"]


def test_a_session_that_was_let_go_is_encoded_again(network):
    encoder = CachedEncoder(network.encode, SessionCache(max_bytes=0))
    first = encoder.session(EXAMPLES[0].path, "asa")
    assert encoder.session(EXAMPLES[0].path, "asa") is first
    encoder.session(EXAMPLES[1].path, "asa")
    assert encoder.session(EXAMPLES[0].path, "asa") is not first
    assert len(network.encoded) == 3
