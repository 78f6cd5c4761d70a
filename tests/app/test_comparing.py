"""A click is answered by every method that is asked for, with the numbers of the views."""

import asyncio
import base64
import json
import re
from dataclasses import replace

import numpy as np
import pytest

from app import comparing
from app.comparing import Comparisons, method_names
from app.gallery import EXAMPLES
from app.handlers import Answers
from app.packet_cache import PacketCache
from app.page import build_page
from app.session_cache import CachedEncoder, SessionCache
from app.viewer import dictionaries
from asa_viz.catalogue.methods import FAMILIES, METHODS
from asa_viz.geometry import Cell, Pixel
from asa_viz.views import DEAD_BELOW, cells_along
from tests.app.ensembles import EXPERIMENT, NAMES, FakeComparison, FakeEnsemble, gates_of
from tests.fakes import fake_session

PICTURE = EXAMPLES[0].name
FILE = EXAMPLES[0].path
NETWORKS = ["asa", "dense"]
LANGUAGES = ("en", "zh-CN", "zh-TW")


@pytest.fixture
def ensemble():
    return FakeEnsemble()


@pytest.fixture
def encoded():
    return []


@pytest.fixture
def comparisons(ensemble, encoded):
    def encode(file, network):
        encoded.append((file, network))
        return fake_session(learned=network != "dense")

    return Comparisons(CachedEncoder(encode, SessionCache()), lambda: ensemble)


@pytest.fixture
def answers(comparisons, tmp_path):
    return Answers(comparisons._desk, None, NETWORKS, PacketCache(tmp_path), comparisons)


def ask(function, **about):
    question = {"source": PICTURE, "network": "asa", "pixel": [40, 30], "methods": None, **about}
    return asyncio.run(function(question))


def floats(text, shape):
    return np.frombuffer(base64.b64decode(text), "<f4").reshape(shape)


def test_every_method_is_told_in_every_language_with_the_experiment(answers):
    told = {language: ask(answers.methods, language=language) for language in LANGUAGES}
    for language, answer in told.items():
        assert answer["ok"]
        assert [each["name"] for each in answer["families"]] == list(FAMILIES)
        assert [each["name"] for each in answer["methods"]] == list(NAMES)
        for each in answer["methods"]:
            record = METHODS[each["name"]]
            assert (each["title"], each["note"]) == (record.title[language], record.note[language])
            assert each["exact"] == record.exact
            assert record.paper.title in each["paper"]
            assert record.paper.link in each["paper"]
        given, wanted = answer["experiment"], EXPERIMENT
        assert given["setting"] == wanted["setting"]
        assert [each["mIoU"] for each in given["rows"]] == [each["mIoU"] for each in wanted["rows"]]
        # JSON cannot express NaN.
        assert [each["mIoU_deviation"] for each in given["rows"]] == [None] * 2
        json.dumps(answer)
    heads = {each["name"]: each["head"] for each in told["en"]["methods"]}
    assert heads["bilateral"] is None
    assert heads["psanet_collect"] == heads["psanet_distribute"]
    assert ask(answers.methods, language="xx") == told["en"]


def test_rows_are_in_multiples_of_one_over_their_keys(answers, ensemble):
    answer = ask(answers.compare)
    assert answer["ok"]
    json.dumps(answer)
    session = ensemble.read_sessions[0]
    cell = session.grid.cell_at(Pixel(40, 30))
    views = FakeEnsemble().read(session).query(cell)
    labels = session.segmentation.cell_labels
    for view, each in zip(views, answer["methods"], strict=True):
        assert each["name"] == view.name
        if view.row is None:
            assert each["row"] is None
            continue
        row = floats(each["row"], each["keys"])
        assert row.shape == view.row.shape
        assert np.allclose(row, view.row * view.row.size)
        assert each["support"] == view.support
        assert each["effective_support"] == view.effective_support
        assert each["total"] == view.total
        height, width = row.shape
        rows, cols = cells_along(height, labels.shape[0]), cells_along(width, labels.shape[1])
        own = labels[np.ix_(rows, cols)] == labels[cell]
        assert each["own_class"] == pytest.approx(np.abs(row)[own].sum() / np.abs(row).sum())
    assert answer["grid"] == [session.grid.height, session.grid.width]
    assert answer["labels_of"] == "asa"


def test_the_page_is_told_where_a_row_reads_nothing_and_by_which_bound(answers, monkeypatch):
    alive = ask(answers.compare, methods=["ccnet", "latentgnn", "senet"])
    assert [each.get("dead_below") for each in alive["methods"]] == [None, None, None]
    view = FakeComparison._view

    def empty(self, name, cell):
        answer = view(self, name, cell)
        return replace(answer, gain=0.0) if name == "latentgnn" else answer

    monkeypatch.setattr(FakeComparison, "_view", empty)
    dead = ask(answers.compare, methods=["ccnet", "latentgnn", "senet"])
    assert {each["name"]: each.get("dead_below") for each in dead["methods"]} == {
        "ccnet": None,
        "latentgnn": DEAD_BELOW,
        "senet": None,
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_dead_row_is_said_in_one_sentence_with_its_bound(language):
    sentence = dictionaries()[language]["methods.dead"]
    assert "{bound}" in sentence
    assert re.fullmatch(r"[^.。]+[.。]", sentence)


def test_where_there_is_no_matrix_of_cells_there_are_gates_and_no_row(answers):
    answer = ask(answers.compare, methods=["danet_channel", "cbam", "sknet"])
    assert [each["name"] for each in answer["methods"]] == ["danet_channel", "sknet", "cbam"]
    for each in answer["methods"]:
        assert each["row"] is None
        wanted = gates_of(each["name"], fake_session().grid)
        assert list(each["gates"]) == list(wanted)
        for kind, gate in wanted.items():
            given = each["gates"][kind]
            assert (floats(given["values"], given["shape"]) == gate).all()


def test_heads_are_judged_by_the_page_s_network_and_counted_where_they_agree(answers, comparisons):
    answer = ask(answers.compare, network="dense", methods=["asa", "ccnet", "bilateral"])
    assert answer["labels_of"] == "dense"
    assert set(answer["heads"]) == {"asa", "ccnet"}
    session = fake_session()
    agreement = FakeEnsemble().read(session).agreement(["asa", "ccnet"])
    counts = np.frombuffer(base64.b64decode(answer["agreeing"]), np.uint8)
    assert (counts.reshape(answer["grid"]) == agreement.agreeing).all()
    shares = agreement.share_with(session.segmentation.cell_labels)
    cell = session.grid.cell_at(Pixel(40, 30))
    for head, each in answer["heads"].items():
        assert each["share"] == shares[head]
        assert each["label"] == session.segmentation.classes[agreement.labels[head][cell]]


def test_a_picture_is_encoded_for_the_heads_and_read_by_them_once(answers, ensemble, encoded):
    for pixel in ([1, 1], [40, 30], [70, 50]):
        assert ask(answers.compare, network="dense", pixel=pixel, methods=["asa"])["ok"]
    assert encoded == [(FILE, "asa"), (FILE, "dense")]
    assert len(ensemble.read_sessions) == 1


def test_only_the_last_readings_are_kept(comparisons, ensemble):
    kept = comparing.KEPT_READINGS
    files = [f"{k}.png" for k in range(kept + 1)]
    for file in files:
        comparisons.compare(file, "asa", Pixel(0, 0), ["asa"])
    comparisons.compare(files[1], "asa", Pixel(0, 0), ["asa"])
    assert len(ensemble.read_sessions) == kept + 1
    comparisons.compare(files[0], "asa", Pixel(0, 0), ["asa"])
    assert len(ensemble.read_sessions) == kept + 2
    comparisons.compare(files[1], "asa", Pixel(0, 0), ["asa"])
    assert len(ensemble.read_sessions) == kept + 2


@pytest.mark.parametrize("names", [[], ["bilateral"]], ids=["none", "without_a_head"])
def test_without_a_head_nothing_is_said_to_agree(answers, names):
    answer = ask(answers.compare, methods=names)
    assert answer["ok"]
    assert [each["name"] for each in answer["methods"]] == names
    assert answer["heads"] == {}
    assert answer["agreeing"] is None


def test_a_network_of_other_classes_is_not_used_to_judge_heads(ensemble):
    def encode(file, network):
        session = fake_session(learned=network != "dense")
        if network == "dense":
            object.__setattr__(session.segmentation, "classes", ("a", "b", "c", "d"))
        return session

    comparisons = Comparisons(CachedEncoder(encode, SessionCache()), lambda: ensemble)
    assert comparisons.compare(FILE, "dense", Pixel(0, 0), ["asa"])["labels_of"] == "asa"


def test_networks_may_cut_a_picture_into_other_cells(ensemble):
    def encode(file, network):
        size = (18, 24) if network == "dense" else (9, 12)
        return fake_session(None, *size, learned=network != "dense")

    comparisons = Comparisons(CachedEncoder(encode, SessionCache()), lambda: ensemble)
    answer = comparisons.compare(FILE, "dense", Pixel(79, 59), ["asa"])
    assert answer["grid"] == [9, 12]
    assert ensemble.read_sessions[0].grid.cell_at(Pixel(79, 59)) == Cell(8, 11)


@pytest.mark.parametrize("asked", ["asa", {"asa": 1}, ["nothing"], [None], [["asa"]], [1] * 1000])
def test_what_is_no_list_of_methods_is_refused_in_a_sentence(answers, asked):
    with pytest.raises(ValueError, match=r"There is no method|must be a list"):
        method_names(asked)
    assert ask(answers.compare, methods=asked) == {"ok": False, "error": "error.failed"}


@pytest.mark.parametrize("pixel", [[-1, 0], [10**6, 0], [0.5, 0], "ab", None])
def test_a_pixel_beside_the_picture_is_refused(answers, pixel):
    assert ask(answers.compare, pixel=pixel) == {"ok": False, "error": "error.failed"}


def test_without_trained_heads_the_page_offers_no_comparison(answers):
    alone = Answers(answers.encoder, None, NETWORKS, answers._packets)
    assert not alone.compares
    assert [each.__name__ for each in alone.functions] == [
        "words", "qr", "encode", "place", "rerun", "pair_plane"
    ]  # fmt: skip
    assert [each.__name__ for each in answers.functions][-2:] == ["methods", "compare"]
    offered = [
        component.props["offer"]["compares"]
        for given in (alone, answers)
        for component in build_page(given, NETWORKS).blocks.values()
        if getattr(component, "elem_id", None) == "viewer"
    ]
    assert offered == [False, True]
    assert ask(alone.compare) == {"ok": False, "error": "error.failed"}
