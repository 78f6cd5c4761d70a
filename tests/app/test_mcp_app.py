"""The MCP app: what a client is told of it and gets, through a real server."""

import asyncio
import base64
import gc
import re
from pathlib import Path

import numpy as np
import pytest
from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client

from app import viewer
from app.api_words import add_api
from app.gallery import EXAMPLES
from app.mcp_app import MIME_TYPE, URI, page
from app.server.blocks import Page
from app.server.rate_limit import MOST_AT_ONCE
from app.server.serve import Application, serving
from app.session_cache import CachedEncoder, SessionCache
from asa_viz.geometry import Pixel
from asa_viz.images import read_image
from asa_viz.packet import unpack
from tests.app.server_process import PATIENCE
from tests.fakes import fake_session

# The server runs here too: a warning of its own may not end it, nor a socket that it leaves open.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

TITLES = {"asa": "ASA, small", "dense": "Dense"}
PLACE = {"picture": EXAMPLES[5].name, "x": 300, "y": 200}


def encode(source, network):
    return fake_session(read_image(Path(source)).rgb, learned=network != "dense")


@pytest.fixture
def ask():
    """A function that lets a client ask: what it does with a session, it returns."""
    with Page(analytics_enabled=False) as built:
        add_api(CachedEncoder(encode, SessionCache()).session, list(TITLES), titles=TITLES)
    built.queue(api_open=False)
    settings = {"ssr_mode": False, "show_error": False, "mcp_server": True}
    with serving(Application(built, settings)) as address:

        async def asked(do):
            async with (
                streamablehttp_client(f"{address}/gradio_api/mcp/") as (reading, writing, _),
                ClientSession(reading, writing) as client,
            ):
                await client.initialize()
                return await do(client)

        yield lambda do: asyncio.run(asked(do))
    gc.collect()


def test_the_tool_names_the_viewer_and_the_viewer_is_read(ask):
    async def look(client):
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        return tools, await client.list_resources(), await client.read_resource(URI)

    tools, listed, read = ask(look)
    assert tools["attention"].meta == {"ui": {"resourceUri": URI}, "ui/resourceUri": URI}
    assert tools["packet"].meta["ui"]["visibility"] == ["app"]
    assert [name for name, tool in tools.items() if tool.meta] == ["attention", "packet"]
    # What is a resource is no tool.
    assert "viewer" not in tools
    assert [(str(each.uri), each.mimeType) for each in listed.resources] == [(URI, MIME_TYPE)]
    (contents,) = read.contents
    assert str(contents.uri) == URI
    assert contents.mimeType == MIME_TYPE == "text/html;profile=mcp-app"
    assert contents.text == page(TITLES)


def test_the_answer_is_text_and_the_packet_holds_the_rows(ask):
    async def call(client):
        answer = await client.call_tool("attention", PLACE | {"network": "dense"})
        named = {"picture": PLACE["picture"], "network": "dense"}
        return answer, await client.call_tool("packet", named)

    answer, packet = ask(call)
    assert not answer.isError
    (text,) = answer.content
    assert "'network': 'dense'" in text.text
    # Hosts give their model what an answer holds: no packet is in it.
    assert len(answer.model_dump_json()) < 100_000
    assert answer.structuredContent is None
    session = encode(EXAMPLES[5].path, "dense")
    sent = unpack(base64.b64decode(packet.content[0].text, validate=True))
    here, there = (each.query(Pixel(300, 200)) for each in (session, sent))
    assert here.query == there.query
    np.testing.assert_allclose(there.weights, here.weights, rtol=2e-2, atol=1e-5)
    assert sent.segmentation.classes == session.segmentation.classes


def test_more_calls_at_once_than_an_address_has_slots_are_all_answered(ask):
    # Every call is answered by further requests from this address: none may wait for the others.
    async def call(client):
        calls = [client.call_tool("attention", PLACE) for _ in range(2 * MOST_AT_ONCE)]
        return await asyncio.wait_for(asyncio.gather(*calls), PATIENCE)

    answers = ask(call)
    assert [each.isError for each in answers] == [False] * len(answers)


def test_a_picture_that_is_none_is_a_sentence_for_the_viewer_too(ask):
    async def call(client):
        return await client.call_tool("packet", {"picture": "nothing.jpg"})

    refused = ask(call)
    assert refused.isError
    assert refused.content[0].text.startswith("Give a picture")


def test_the_page_holds_all_that_it_needs():
    html = page(TITLES)
    hosts = set(re.findall(r"https?://([\w.-]+)", html))
    # The namespace of SVG, and what a reader may go to by a click.
    assert hosts == {"www.w3.org", "doi.org", "github.com"}
    # And may ask for nothing else.
    assert "default-src 'none'; script-src 'unsafe-inline';" in html
    assert "connect-src" not in html
    # Three programs, and what starts them.
    assert len(re.findall("<script", html)) == len(re.findall("</script>", html)) == 4
    for language in viewer.dictionaries():
        assert viewer.dictionaries()[language]["mcp.waiting"] in html
    assert len(html.encode()) <= 500_000


@pytest.mark.parametrize(("space", "name"), [("ada/see-it", "see_it_packet"), (None, "packet")])
def test_the_viewer_calls_the_tool_by_the_name_that_it_has_in_a_space(monkeypatch, space, name):
    monkeypatch.setattr("app.mcp_app.get_space", lambda: space)
    assert f'"tool": "{name}"' in page(TITLES)
