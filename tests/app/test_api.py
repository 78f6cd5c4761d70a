"""The endpoints, through a real server as programs reach it; no file of the server gets out."""

import asyncio
import gc
import json
from pathlib import Path

import gradio as gr
import httpx
import numpy as np
import pytest
from gradio.utils import get_upload_folder
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from app.api import GONE, Endpoints, add_api
from app.gallery import EXAMPLES
from app.server.blocks import MISFIT, Page
from app.server.serve import Application, serving
from asa_viz.attention.what_if import WhatIf
from asa_viz.geometry import Pixel
from asa_viz.images import read_image
from tests.fakes import CLASSES, PALETTE, fake_session

# The server runs here too: a warning of its own may not end it, nor a socket that it leaves open.
pytestmark = pytest.mark.filterwarnings("ignore")

PHOTOGRAPH = Path(EXAMPLES[5].path)
FILE = {"_type": "gradio.FileData"}


def encode(source, network):
    return fake_session(read_image(Path(source)).rgb, learned=network != "dense")


@pytest.fixture(scope="module")
def address():
    loops, new_event_loop = [], asyncio.new_event_loop

    def noted():
        loops.append(new_event_loop())
        return loops[-1]

    # Building and serving a page opens event loops and leaves them: closed here, lest they warn
    # elsewhere.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio, "new_event_loop", noted)
        with Page(analytics_enabled=False) as page:
            add_api(encode, ["asa", "dense"])
        page.queue(api_open=False)
        with serving(Application(page, {"ssr_mode": False, "show_error": False})) as address:
            yield f"{address}/"
    for loop in loops:
        loop.close()
    del page
    gc.collect()


@pytest.fixture(scope="module")
def client(address, tmp_path_factory):
    return Client(address, verbose=False, download_files=tmp_path_factory.mktemp("downloads"))


@pytest.fixture(scope="module")
def upload():
    return handle_file(PHOTOGRAPH)


@pytest.fixture(scope="module")
def session():
    return encode(PHOTOGRAPH, "asa")


def asked(address, picture):
    """Ask as no well-behaved client does: what is sent is what the endpoint gets."""
    call = f"{address}gradio_api/call/reciprocal_neighbours"
    event = httpx.post(call, json={"data": [picture, 1, 1, None]}).json()["event_id"]
    answer = httpx.get(f"{call}/{event}", timeout=60).text
    kind, data = answer.strip().splitlines()[:2]
    return kind.removeprefix("event: "), json.loads(data.removeprefix("data: "))


def test_segmentation(client, upload, session):
    told, file = client.predict(upload, api_name="/segmentation")
    labels = session.segmentation.labels
    assert told["classes"] == list(CLASSES)
    assert told["palette"] == [list(colour) for colour in PALETTE]
    assert told["image"] == {"width": labels.shape[1], "height": labels.shape[0]}
    assert told["cell_labels"] == session.segmentation.cell_labels.tolist()
    assert sum(told["shares"].values()) == pytest.approx(1)
    assert list(told["shares"].values()) == sorted(told["shares"].values(), reverse=True)
    with Image.open(file) as label_map:
        assert np.array_equal(np.asarray(label_map), labels)
        assert label_map.getpalette()[:6] == [*PALETTE[0], *PALETTE[1]]


def test_attention(client, upload, session):
    told = client.predict(upload, 300, 200, api_name="/attention")
    view = session.query(Pixel(300, 200))
    assert told["network"] == "asa"
    assert told["cell"] == {"row": view.query.row, "col": view.query.col}
    assert told["box"] == session.grid.box_of(view.query)._asdict()
    assert told["scales"] == {"nonlocal": view.nonlocal_scale, "local": view.local_scale}
    assert told["counts"]["support"] == view.support.sum() == len(told["support"])
    assert told["counts"]["reciprocal"] == view.reciprocal.sum()
    assert told["kept_mass"] == pytest.approx(view.kept_mass)
    assert told["class_shares"]["sparse"] == session.segmentation.shares(view.weights)
    weights = [cell["weight"] for cell in told["support"]]
    assert sum(weights) == pytest.approx(1, abs=1e-5)
    assert weights == sorted(weights, reverse=True)
    first = told["support"][0]
    assert first["weight"] == view.weights[first["row"], first["col"]]


def test_attention_under_another_rule(client, session):
    rule = {"nonlocal_factor": 2, "local_rule": False, "reciprocity": False, "window": 5}
    told = client.predict(PHOTOGRAPH.stem, 300, 200, **rule, api_name="/attention")
    view = session.query(Pixel(300, 200), WhatIf(**rule))
    assert told["counts"]["support"] == view.support.sum() == view.chosen.sum()
    told = client.predict(PHOTOGRAPH.stem, 300, 200, top_k=4, api_name="/attention")
    assert told["counts"]["chosen"] == 4


def test_reciprocal_neighbours(client, upload, session):
    told = client.predict(upload, 300, 200, api_name="/reciprocal_neighbours")
    view = session.query(Pixel(300, 200))
    assert told["count"] == len(told["neighbours"]) == view.reciprocal.sum() > 0
    assert all(view.reciprocal[cell["row"], cell["col"]] for cell in told["neighbours"])
    affinities = [cell["affinity"] for cell in told["neighbours"]]
    assert affinities == sorted(affinities, reverse=True)
    dense = client.predict(upload, 300, 200, "dense", api_name="/reciprocal_neighbours")
    assert dense["count"] == session.grid.size


@pytest.mark.parametrize("network", ["asa", "dense"])
def test_attention_picture(client, upload, network):
    with Image.open(
        client.predict(upload, 300, 200, network, api_name="/attention_picture")
    ) as png:
        assert png.format == "PNG"
        assert png.width > png.height > 600


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"x": 9999}, r"Pixel \(9999, 1\) is outside"),
        ({"x": -1}, "outside"),
        ({"y": "1"}, "y must be a whole number, not '1'"),
        ({"y": 1.5}, "y must be a whole number, not 1.5"),
        ({"x": True}, "x must be a whole number"),
        ({"x": None}, "x must be a whole number"),
        ({"network": "../asa"}, r"no network '\.\./asa'; there are asa, dense"),
        ({"network": ["asa"]}, "no network"),
        ({"nonlocal_factor": -1}, "A factor must be"),
        ({"local_factor": "2"}, "local_factor must be a finite number"),
        ({"reciprocity": 1}, "reciprocity must be true or false"),
        ({"window": 4}, "The window must be"),
        ({"top_k": 0}, "at least 1"),
        ({"top_k": "a" * 10_000}, "top_k must be a whole number, not 'a{39}"),
    ],
)
def test_what_is_asked_wrongly_is_answered_in_a_sentence(client, upload, arguments, sentence):
    with pytest.raises(AppError, match=sentence) as refusal:
        client.predict(**{"picture": upload, "x": 1, "y": 1} | arguments, api_name="/attention")
    assert len(str(refusal.value)) < 200


def test_a_file_that_is_no_picture_is_refused_in_a_sentence(client, tmp_path):
    text = tmp_path / "text.jpg"
    text.write_text("hello")
    with pytest.raises(AppError, match="not a picture that can be read here"):
        client.predict(handle_file(text), api_name="/segmentation")


def test_what_went_wrong_inside_is_not_told():
    def broken(source, network):
        raise ValueError("/secret/path")

    with pytest.raises(gr.Error, match=r"^'Something went wrong on the server \(code \w+\)"):
        Endpoints(broken, ["asa"]).segmentation(PHOTOGRAPH.stem)


@pytest.mark.parametrize("marked", [True, False])
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    "path",
    [
        str(PHOTOGRAPH),
        "app/examples/palace.jpg",
        "/etc/passwd",
        "{uploads}",
        "{uploads}/../../etc/passwd",
        "file:///etc/passwd",
        "\0",
        "a" * 5000,
        "",
    ],
)
def test_no_path_of_the_server_is_read(address, path, marked, stream):
    """Not even a picture that ships, by its path."""
    picture = {"path": path.format(uploads=get_upload_folder()), "is_stream": stream}
    kind, answer = asked(address, picture | ({"meta": FILE} if marked else {}))
    assert kind == "error"
    assert answer["error"] in (MISFIT, GONE) or "uploaded file" in answer["error"]


def test_a_link_out_of_the_uploads_is_not_followed(address):
    link = Path(get_upload_folder()) / "test_link.jpg"
    link.unlink(missing_ok=True)
    link.symlink_to(PHOTOGRAPH)
    try:
        kind, answer = asked(address, {"path": str(link)})
    finally:
        link.unlink()
    assert kind == "error"
    assert "uploaded file" in answer["error"]


@pytest.mark.parametrize("picture", ["/etc/passwd", "../palace.jpg", 3, None, [], {}, {"path": 3}])
def test_what_is_no_picture_at_all_is_refused(address, picture):
    kind, answer = asked(address, picture)
    assert kind == "error"
    assert answer["error"] in (MISFIT, GONE) or "uploaded file" in answer["error"]


def test_programs_are_told_what_there_is(address):
    endpoints = httpx.get(f"{address}gradio_api/info").json()["named_endpoints"]
    assert set(endpoints) == {
        "/segmentation", "/attention", "/reciprocal_neighbours", "/attention_picture"
    }  # fmt: skip
    for endpoint in endpoints.values():
        assert endpoint["description"]
        types = {each["parameter_name"]: each["python_type"] for each in endpoint["parameters"]}
        assert types["picture"]["type"] == "filepath"
        assert all(types[name]["type"] == "int" for name in ("x", "y") if name in types)
    assert types.keys() >= {"x", "y", "nonlocal_factor", "reciprocity", "window", "top_k"}
