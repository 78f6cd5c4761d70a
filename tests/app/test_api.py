"""The endpoints, through a real server as programs reach it; no file of the server gets out."""

import asyncio
import base64
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
from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client
from PIL import Image

from app.api import Endpoints
from app.api_errors import GONE
from app.api_words import PARAMETERS, add_api
from app.comparing import Comparisons
from app.gallery import EXAMPLES
from app.server.blocks import MISFIT, Page
from app.server.serve import Application, serving
from app.session_cache import CachedEncoder, SessionCache
from asa_viz.attention.what_if import WhatIf
from asa_viz.geometry import Pixel
from asa_viz.images import read_image
from tests.app.ensembles import FakeEnsemble
from tests.app.event_loops import loops_closed
from tests.fakes import CLASSES, PALETTE, fake_session

# The server runs in this process: its warnings and its open sockets must not fail a test.
pytestmark = pytest.mark.filterwarnings("ignore")

PHOTOGRAPH = Path(EXAMPLES[5].path)
FILE = {"_type": "gradio.FileData"}


def encode(source, network):
    return fake_session(read_image(Path(source)).rgb, learned=network != "dense")


@pytest.fixture(scope="module")
def address():
    with loops_closed():
        with Page(analytics_enabled=False) as page:
            comparisons = Comparisons(CachedEncoder(encode, SessionCache()), FakeEnsemble)
            add_api(encode, ["asa", "dense"], comparisons)
        page.queue(api_open=False)
        settings = {"ssr_mode": False, "show_error": False, "mcp_server": True}
        with serving(Application(page, settings)) as address:
            yield f"{address}/"
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
        Endpoints(broken, ["asa"]).segmentation(PHOTOGRAPH.stem, "asa")


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
        "/networks", "/segmentation", "/attention", "/attention_arrays", "/maps",
        "/reciprocal_neighbours", "/attention_picture", "/page", "/compare",
    }  # fmt: skip
    for endpoint in endpoints.values():
        assert endpoint["description"]
        assert "Args:" not in endpoint["description"]
        for each in endpoint["parameters"]:
            assert each["label"] == each["parameter_name"]
            assert each["python_type"]["description"] == PARAMETERS[each["label"]]
        types = {each["label"]: each["python_type"]["type"] for each in endpoint["parameters"]}
        assert types.get("picture", "str | filepath") == "str | filepath"
        assert types.get("network", "") in ("", "Literal['asa', 'dense']")
        assert all(types[name] == "int" for name in ("x", "y") if name in types)
        assert endpoint["returns"]
        for each in endpoint["returns"]:
            assert each["label"].isidentifier()
            assert len(each["python_type"]["description"]) > 10
    assert set(PARAMETERS) == {
        each["label"] for endpoint in endpoints.values() for each in endpoint["parameters"]
    }


def test_networks_and_photographs_are_listed(client):
    told = client.predict(api_name="/networks")
    assert told["networks"] == ["asa", "dense"]
    assert told["pictures"] == [example.name for example in EXAMPLES]
    assert told["compares"]


def test_the_rows_of_many_pixels_come_as_arrays(client, upload, session):
    points = [[300, 200], [0, 0], [10, 250]]
    told, file = client.predict(upload, points, top_k=5, api_name="/attention_arrays")
    with np.load(file) as arrays:
        assert arrays["dense"].shape == (3, session.grid.height, session.grid.width)
        for k, (x, y) in enumerate(points):
            view = session.query(Pixel(x, y), WhatIf(top_k=5))
            assert told["queries"][k]["cell"] == view.query._asdict()
            assert tuple(arrays["cells"][k]) == view.query
            assert told["queries"][k]["support"] == view.support.sum()
            np.testing.assert_array_equal(arrays["dense"][k], view.dense)
            np.testing.assert_array_equal(arrays["sparse"][k], view.weights)
            for name in ("incoming", "chosen", "chooses_back", "local"):
                np.testing.assert_array_equal(arrays[name][k], getattr(view, name))
        np.testing.assert_array_equal(arrays["cell_labels"], session.segmentation.cell_labels)
        assert arrays["dense"].dtype == np.float32
        assert arrays["chosen"].dtype == bool


@pytest.mark.parametrize("points", [[], [[1, 1]] * 65, [[1]], [1, 2], "1,2", None, [[1, 1, 1]]])
def test_points_that_are_none_are_refused_in_a_sentence(client, points):
    with pytest.raises(AppError, match="points must be a list of 1 to 64 pixels"):
        client.predict(PHOTOGRAPH.stem, points, api_name="/attention_arrays")


def test_thresholds_and_what_every_cell_keeps_come_as_maps(client, session):
    told, file = client.predict(PHOTOGRAPH.stem, api_name="/maps")
    whole = session.whole_image()
    with np.load(file) as arrays:
        np.testing.assert_array_equal(arrays["nonlocal_scale"], session.scales[0])
        np.testing.assert_array_equal(arrays["local_scale"], session.scales[1])
        for name in ("support_size", "in_degree", "kept_mass"):
            np.testing.assert_array_equal(arrays[name], getattr(whole, name))
            assert told["means"][name] == pytest.approx(float(getattr(whole, name).mean()))
    assert told["thresholds_learned"]
    told, _ = client.predict(PHOTOGRAPH.stem, "dense", api_name="/maps")
    assert not told["thresholds_learned"]


def test_other_designs_are_asked(client):
    told, file = client.predict(PHOTOGRAPH.stem, 300, 200, api_name="/compare")
    names = [each["name"] for each in told["methods"]]
    assert len(names) > 3
    with np.load(file) as arrays:
        with_rows = [each for each in told["methods"] if each["name"] in arrays]
        assert len(with_rows) == len(set(arrays)) > 3
        for each in with_rows:
            row = arrays[each["name"]]
            assert list(row.shape) == each["keys"]
            assert row.sum() / row.size == pytest.approx(each["total"], abs=1e-4)
    one, _ = client.predict(PHOTOGRAPH.stem, 300, 200, methods=names[:1], api_name="/compare")
    assert [each["name"] for each in one["methods"]] == names[:1]
    with pytest.raises(AppError, match="no method 'none'"):
        client.predict(PHOTOGRAPH.stem, 300, 200, methods=["none"], api_name="/compare")


@pytest.mark.parametrize(("kind", "start"), [("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_a_picture_is_drawn_for_papers_too(client, kind, start):
    given = {"format": kind, "api_name": "/attention_picture"}
    file = client.predict(PHOTOGRAPH.stem, 300, 200, **given)
    assert Path(file).read_bytes().startswith(start)
    with pytest.raises(AppError, match="format must be png, svg or pdf"):
        client.predict(PHOTOGRAPH.stem, 300, 200, **given | {"format": "gif"})


def test_the_whole_viewer_comes_as_one_file(client):
    page = Path(client.predict(PHOTOGRAPH.stem, api_name="/page")).read_text("utf-8")
    assert page.startswith("<!doctype html>")
    assert "asaViz" in page


def test_a_picture_may_be_a_data_url(client, session):
    url = "data:image/jpeg;base64," + base64.b64encode(PHOTOGRAPH.read_bytes()).decode()
    told, _ = client.predict(url, api_name="/segmentation")
    assert told["cell_labels"] == session.segmentation.cell_labels.tolist()
    for wrong in ("data:image/png;base64,!!", "data:image/png,x", "data:image/png;base64,"):
        with pytest.raises(AppError, match="data URL is damaged"):
            client.predict(wrong, api_name="/segmentation")
    text = "data:image/png;base64," + base64.b64encode(b"hello" * 99).decode()
    with pytest.raises(AppError, match="not a picture"):
        client.predict(text, api_name="/segmentation")


@pytest.mark.parametrize("given", [[1, 1], [1, 1, None], [1, 1, "asa", None, None, None]])
def test_over_plain_http_what_is_left_out_has_its_default(address, given, session):
    call = f"{address}gradio_api/call/attention"
    event = httpx.post(call, json={"data": [PHOTOGRAPH.stem, *given]}).json()["event_id"]
    answer = httpx.get(f"{call}/{event}", timeout=60).text.strip().splitlines()
    assert answer[0] == "event: complete", answer
    (told,) = json.loads(answer[1].removeprefix("data: "))
    assert told["network"] == "asa"
    assert told["counts"]["support"] == session.query(Pixel(1, 1)).support.sum()


@pytest.mark.parametrize("data", [[], ["cat"], [1] * 99, {"picture": 1}, "cat"])
def test_over_plain_http_too_every_error_is_a_sentence(address, data):
    call = f"{address}gradio_api/call/attention"
    answer = httpx.post(call, json={"data": data})
    if answer.status_code == 200:
        event = answer.json()["event_id"]
        answer = httpx.get(f"{call}/{event}", timeout=60)
        assert answer.text.startswith("event: error"), answer.text
    said = answer.text.partition("data: ")[2] or answer.text
    assert "null" not in said
    assert len(said) > 20


def test_agents_are_given_tools_with_schemas_and_answers_in_words_and_pictures(address):
    async def ask():
        async with (
            streamablehttp_client(f"{address}gradio_api/mcp/") as (reading, writing, _),
            ClientSession(reading, writing) as agent,
        ):
            await agent.initialize()
            tools = {tool.name: tool for tool in (await agent.list_tools()).tools}
            place = {"picture": PHOTOGRAPH.stem, "x": 300, "y": 200}
            return (
                tools,
                await agent.call_tool("attention", place | {"network": "dense"}),
                await agent.call_tool("attention_picture", place),
                await agent.call_tool("attention", place | {"x": 9999}),
            )

    tools, attention, drawn, refused = asyncio.run(ask())
    assert set(tools) == {
        "networks", "segmentation", "attention", "attention_arrays", "maps",
        "reciprocal_neighbours", "attention_picture", "page", "compare",
    }  # fmt: skip
    schema = tools["attention"].inputSchema
    assert schema["required"] == ["picture", "x", "y"]
    assert schema["properties"]["network"]["enum"] == ["asa", "dense"]
    for name, about in schema["properties"].items():
        assert about["description"] == PARAMETERS[name]
    assert not attention.isError
    assert "'network': 'dense'" in attention.content[0].text
    assert [part.type for part in drawn.content] == ["image", "text"]
    assert refused.isError
    assert refused.content[0].text.startswith("Pixel (9999, 200) is outside")
