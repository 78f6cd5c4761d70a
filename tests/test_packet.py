"""A packet holds the whole session: its rows are the same, in half precision nearly the same."""

import json
import pickle
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.numpy import load

from asa_viz.attention.row import SparseAttention
from asa_viz.attention.what_if import WhatIf
from asa_viz.geometry import Cell
from asa_viz.packet import pack, unpack
from asa_viz.session import Affine, Readout
from tests.fakes import CLASSES, PALETTE, fake_session


@pytest.fixture
def session():
    return fake_session(image_size=(601, 799), notes=("Transparent parts — on white.",))


def opened(data, tmp_path):
    """The tensors, and the description, which the library gives from a file alone."""
    path = tmp_path / "session.safetensors"
    path.write_bytes(data)
    with safe_open(path, "np") as file:
        assert set(file.metadata()) == {"session"}
        return load(data), json.loads(file.metadata()["session"])


def attention_of(tensors, description):
    names = ("query", "key", "log_normaliser", "nonlocal_scale", "local_scale")
    grid = description["grid"]
    return SparseAttention(
        *(torch.from_numpy(tensors[name].astype(np.float32)) for name in names),
        grid["height"], grid["width"], description["window"],
    )  # fmt: skip


def test_what_a_packet_says(session, tmp_path):
    made_from = {"photograph_sha256": "ab"}
    tensors, description = opened(pack(session, made_from=made_from), tmp_path)
    assert description == {
        "version": 1,
        "network": "asa",
        "thresholds_learned": True,
        "window": 3,
        "grid": {"height": 9, "width": 12, "image_height": 601, "image_width": 799},
        "classes": list(CLASSES),
        "palette": [list(colour) for colour in PALETTE],
        "notes": ["Transparent parts — on white."],
        "half": False,
        "rectified": [],
        "made_from": made_from,
    }
    assert {name: (array.shape, array.dtype.name) for name, array in tensors.items()} == {
        "query": ((108, 16), "float32"),
        "key": ((108, 16), "float32"),
        "log_normaliser": ((108,), "float32"),
        "nonlocal_scale": ((108,), "float32"),
        "local_scale": ((108,), "float32"),
        "cell_labels": ((9, 12), "uint8"),
        "working_labels": ((36, 48), "uint8"),
        "without_attention": ((36, 48), "uint8"),
        "picture": (tensors["picture"].shape, "uint8"),
    }
    assert np.array_equal(tensors["working_labels"], session.segmentation.working_labels)
    assert np.array_equal(tensors["cell_labels"], session.segmentation.cell_labels)
    alone = session.without_attention.working_labels
    assert np.array_equal(tensors["without_attention"], alone)
    assert not np.array_equal(alone, session.segmentation.working_labels)


def readout_of(classes=4):
    generator = torch.Generator().manual_seed(0)

    def draw(*shape):
        return torch.randn(*shape, generator=generator)

    layers = (Affine(draw(7, 5), draw(7), True), Affine(draw(classes, 7), draw(classes), False))
    return Readout(draw(108, 5), layers)


@pytest.mark.parametrize("half", [False, True])
def test_of_a_read_only_network_logits_follow_from_what_is_in_the_packet(session, tmp_path, half):
    session = replace(session, readout=readout_of())
    tensors, description = opened(pack(session, half=half), tmp_path)
    row = session.query_cell(Cell(4, 7)).weights.ravel()
    read = row @ tensors["value"].astype(np.float32)
    for k, rectified in enumerate(description["rectified"]):
        read = tensors[f"weight_{k}"].astype(np.float32) @ read + tensors[f"bias_{k}"]
        read = np.maximum(read, 0) if rectified else read
    expected = session.readout.logits(torch.from_numpy(row)[None] @ session.readout.values)[0]
    assert description["rectified"] == [True, False]
    np.testing.assert_allclose(read, expected.numpy(), atol=0.03 if half else 1e-5)


def test_the_rows_of_a_packet_are_those_of_the_session(session, tmp_path):
    attention = attention_of(*opened(pack(session), tmp_path))
    for cell in (Cell(0, 0), Cell(4, 7), Cell(8, 11)):
        view, row = session.query_cell(cell), attention.row(cell)
        assert np.array_equal(row.support, view.support)
        assert np.array_equal(row.weights, view.weights)


def test_in_half_precision_rows_still_sum_to_one(session, tmp_path):
    tensors, description = opened(pack(session, half=True), tmp_path)
    assert description["half"] is True
    assert tensors["query"].dtype == tensors["key"].dtype == np.float16
    assert tensors["log_normaliser"].dtype == np.float32
    attention = attention_of(tensors, description)
    for cell in (Cell(0, 0), Cell(4, 7), Cell(8, 11)):
        view, row = session.query_cell(cell), attention.row(cell)
        assert row.dense.sum().item() == pytest.approx(1, abs=2e-6)
        assert np.allclose(row.dense, view.dense, rtol=0.02)


def test_every_array_lies_where_a_browser_can_view_it(session):
    """Typed arrays start at multiples of their item's size; the picture's length may be odd."""
    for half, picture in ((False, b"\x89PNG odd"), (True, b"12345678")):
        data = pack(session, half=half, picture=picture)
        length = int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + length])
        sizes = {"F32": 4, "F16": 2, "U8": 1}
        for name, entry in header.items():
            if name != "__metadata__":
                assert (8 + length + entry["data_offsets"][0]) % sizes[entry["dtype"]] == 0, name


def test_a_picture_given_is_kept_byte_by_byte(session, tmp_path):
    tensors, _ = opened(pack(session, picture=b"\xff\xd8\xff any bytes"), tmp_path)
    assert tensors["picture"].tobytes() == b"\xff\xd8\xff any bytes"


@pytest.mark.parametrize(("size", "kind"), [((256, 256), "PNG"), ((257, 256), "JPEG")])
def test_a_small_picture_loses_nothing_and_a_large_one_little(size, kind, tmp_path):
    across, down = np.meshgrid(np.linspace(0, 255, size[1]), np.linspace(0, 255, size[0]))
    picture = np.stack([across, down, 255 - across], -1).astype(np.uint8)
    tensors, _ = opened(pack(fake_session(picture)), tmp_path)
    image = Image.open(BytesIO(tensors["picture"].tobytes()))
    assert image.format == kind
    difference = np.abs(np.asarray(image).astype(int) - picture)
    assert difference.max() <= (0 if kind == "PNG" else 8)


def test_the_same_session_gives_the_same_bytes(session):
    assert pack(session, half=True) == pack(session, half=True)


def test_numbers_that_half_precision_cannot_hold_are_refused(session):
    attention = session.attention
    large = replace(session, attention=replace(attention, query=attention.query * 1e6))
    with pytest.raises(ValueError, match="query is not finite in half precision"):
        pack(large, half=True)
    pack(large)
    scale = torch.full_like(attention.local_scale, torch.nan)
    with pytest.raises(ValueError, match="local_scale is not finite"):
        pack(replace(session, attention=replace(attention, local_scale=scale)))


@pytest.mark.parametrize("half", [False, True])
def test_what_was_packed_is_unpacked(session, half):
    layers = (
        Affine(torch.randn(5, 6), torch.randn(5), rectified=True),
        Affine(torch.randn(4, 5), torch.randn(4), rectified=False),
    )
    session = replace(session, readout=Readout(torch.randn(108, 6), layers))
    data = pack(session, half=half)
    again = unpack(data)
    assert pack(again, half=half, picture=bytes(load(data)["picture"])) == data
    tolerance = {"rtol": 5e-2, "atol": 1e-4} if half else {"rtol": 1e-6, "atol": 0}
    for cell in (Cell(0, 0), Cell(4, 7)):
        ours, own = again.query_cell(cell), session.query_cell(cell)
        np.testing.assert_allclose(ours.dense, own.dense, **tolerance)
        if not half:
            assert np.array_equal(ours.support, own.support)
    for name in ("segmentation", "without_attention"):
        assert np.array_equal(getattr(again, name).labels, getattr(session, name).labels)
    assert (again.network, again.notes, again.grid) == (
        session.network,
        session.notes,
        session.grid,
    )
    read = torch.randn(3, 6)
    torch.testing.assert_close(
        again.readout.logits(read), session.readout.logits(read), rtol=0.1, atol=0.1 * half + 1e-5
    )


@pytest.mark.parametrize("cut", [0, 3, 100, -1])
def test_what_is_no_packet_is_refused_in_a_sentence(session, cut):
    data = pack(session)
    for wrong in (data[:cut], b"<html>" * 9, data[:8] + b"{}" + data[10:]):
        with pytest.raises(ValueError, match=r"no packet|damaged") as refusal:
            unpack(wrong)
        assert "\n" not in str(refusal.value)
    with pytest.raises(ValueError, match="version 7"):
        unpack(data.replace(b'\\"version\\": 1', b'\\"version\\": 7'))


def test_a_session_can_be_sent_to_another_process(session):
    session.query_cell(Cell(1, 1), WhatIf(top_k=3))
    again = pickle.loads(pickle.dumps(session))
    assert pack(again) == pack(session)
    ours, own = (each.query_cell(Cell(4, 7), WhatIf(top_k=3)) for each in (again, session))
    assert np.array_equal(ours.weights, own.weights)
