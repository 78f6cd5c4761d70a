"""The MCP app in a host: a small page with a frame that shakes hands and passes answers on."""

import base64
import json
from dataclasses import replace
from html import escape

import numpy as np
import pytest

from app.mcp_app import page
from asa_viz.attention.what_if import WhatIf
from asa_viz.geometry import Cell, Pixel
from asa_viz.packet import pack
from tests.browser.visit import PANELS, PATIENCE, SETTLED
from tests.fakes import fake_session

# The policy that the extension asks of hosts where a page declares no other hosts; a frame without
# an address of its own has that of the page around it.
POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; media-src 'self' data:; connect-src 'none'; frame-src 'self'"
)
HOST = """<!doctype html><meta charset="utf-8">{policy}
<iframe id="app" sandbox="allow-scripts" srcdoc="{html}" width="1400" height="860"></iframe>
<script>
const heard = [], given = {given}, frame = document.getElementById("app");
const send = (message) => frame.contentWindow.postMessage({{ jsonrpc: "2.0", ...message }}, "*");
addEventListener("message", ({{ source, data }}) => {{
  if (source !== frame.contentWindow) return;
  heard.push(data);
  const {{ id, method, params }} = data;
  if (method === "ui/initialize") {{
    send({{ id, result: {{
      protocolVersion: params.protocolVersion, hostInfo: {{ name: "host", version: "1" }},
      hostCapabilities: given.capabilities, hostContext: given.context,
    }} }});
  }} else if (method === "ui/notifications/initialized") {{
    send({{ method: "ui/notifications/tool-input", params: {{ arguments: given.arguments }} }});
    send({{ method: "ui/notifications/tool-result", params: given.result }});
  }} else if (method === "tools/call") {{
    send(given.packet === null
      ? {{ id, error: {{ code: -32000, message: "no such tool" }} }}
      : {{ id, result: {{ content: [{{ type: "text", text: given.packet }}] }} }});
  }}
}});
</script>"""
TEXT = {"content": [{"type": "text", "text": "{'network': 'asa'}"}]}
TITLES = {"asa": "ASA, small", "dense": "Dense"}


@pytest.fixture
def host(browser, tmp_path):
    """A function that opens a host; returns its page, the frame, and what the browser said."""
    contexts = []

    def open_host(session, arguments, *, policy="", **given):
        packet = base64.b64encode(pack(session, half=True)).decode()
        given = {
            "capabilities": {"serverTools": {}}, "context": {"theme": "light", "locale": "en-GB"},
            "result": TEXT, "packet": packet, "arguments": arguments,
        } | given  # fmt: skip
        meta = f'<meta http-equiv="Content-Security-Policy" content="{policy}">' if policy else ""
        path = tmp_path / "host.html"
        path.write_text(
            HOST.format(policy=meta, html=escape(page(TITLES)), given=json.dumps(given)), "utf-8"
        )
        contexts.append(browser.new_context(viewport={"width": 1440, "height": 900}, offline=True))
        shown, said = contexts[-1].new_page(), []
        shown.set_default_timeout(PATIENCE)
        shown.on("pageerror", lambda error: said.append(str(error)))
        shown.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
        shown.goto(path.as_uri())
        return shown, shown.wait_for_selector("iframe").content_frame(), said

    yield open_host
    for context in contexts:
        context.close()


def drawn(frame, panel):
    return np.array(frame.evaluate(f"[...asaViz.scenes.{panel}.values]"))


@pytest.mark.parametrize("policy", ["", POLICY])
def test_the_panels_are_drawn_for_the_pixel_of_the_call(host, policy):
    session = fake_session()
    arguments = {"picture": "palace", "x": 40, "y": 30}
    shown, frame, said = host(session, arguments, policy=policy)
    frame.wait_for_function(SETTLED)
    heard = shown.evaluate("heard")
    assert [each["method"] for each in heard] == [
        "ui/initialize", "ui/notifications/initialized", "ui/notifications/size-changed",
        "tools/call",
    ]  # fmt: skip
    assert heard[0]["params"]["protocolVersion"] == "2026-01-26"
    # The default network, for none was named.
    assert heard[-1]["params"] == {
        "name": "packet", "arguments": {"picture": "palace", "network": "asa"},
    }  # fmt: skip
    assert set(heard[2]["params"]) == {"width", "height"}
    view = session.query(Pixel(40, 30))
    assert frame.evaluate("asaViz.moment.row.i") == view.query.row * 12 + view.query.col
    assert frame.evaluate("asaViz.state.locked")
    dense, sparse = view.dense_times_uniform.ravel(), view.weights_times_uniform.ravel()
    np.testing.assert_allclose(drawn(frame, "dense"), dense, rtol=1e-2, atol=1e-3)
    np.testing.assert_allclose(drawn(frame, "sparse"), sparse, rtol=1e-2, atol=1e-3)
    for panel in PANELS:
        canvas = frame.locator(f'[data-panel="{panel}"] canvas')
        pixels = canvas.evaluate(
            "(c) => new Set(c.getContext('2d').getImageData(0, 0, c.width, c.height).data).size"
        )
        assert pixels > 2, panel
    # Where the host forbids a thread in the background, as such a policy does, all is the same.
    assert [line for line in said if "worker" not in line.lower()] == []
    assert len(said) == (1 if policy else 0)
    assert frame.inner_text(".asa .status") == ""
    frame.evaluate("asaViz.lock([0, 0])")
    frame.wait_for_function(SETTLED)
    first = session.query_cell(Cell(0, 0)).dense_times_uniform.ravel()
    np.testing.assert_allclose(drawn(frame, "dense"), first, rtol=1e-2, atol=1e-3)


def test_the_rule_the_network_and_the_hosts_looks_are_taken_over(host):
    session = fake_session()
    asked = {"network": "dense", "nonlocal_factor": 2, "local_rule": False, "top_k": None}
    arguments = {"picture": "palace", "x": 12, "y": 50} | asked
    context = {"theme": "dark", "locale": "zh-TW"}
    shown, frame, _ = host(session, arguments, context=context)
    frame.wait_for_function(SETTLED)
    assert shown.evaluate("heard.at(-1).params.arguments.network") == "dense"
    view = session.query(Pixel(12, 50), WhatIf(nonlocal_factor=2, local_rule=False))
    sparse = view.weights_times_uniform.ravel()
    np.testing.assert_allclose(drawn(frame, "sparse"), sparse, rtol=1e-2, atol=1e-3)
    assert frame.evaluate("document.documentElement.lang") == "zh-TW"
    assert frame.evaluate("asaViz.host.networks[0].title") == "Dense"
    assert frame.evaluate("document.body.classList.contains('dark')")
    light = {"method": "ui/notifications/host-context-changed", "params": {"theme": "light"}}
    shown.evaluate("(message) => send(message)", light)
    frame.wait_for_function("!document.body.classList.contains('dark')")


def test_a_picture_of_few_pixels_has_the_cell_of_the_call(host):
    session = fake_session(np.full((6, 8, 3), 90, np.uint8))
    session = replace(session, grid=replace(session.grid, image_height=6, image_width=8))
    _, frame, _ = host(session, {"picture": "data:image/png;base64,", "x": 5, "y": 4})
    frame.wait_for_function(SETTLED)
    cell = session.grid.cell_at(Pixel(5, 4))
    assert frame.evaluate("asaViz.session.lattice") > 1
    assert frame.evaluate("asaViz.moment.row.i") == cell.row * session.grid.width + cell.col


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"capabilities": {}}, "does not let the viewer ask for the picture"),
        ({"packet": None}, "The picture could not be fetched: no such tool"),
        (
            {"result": {"isError": True, "content": [{"type": "text", "text": "Too far."}]}},
            "Too far.",
        ),
    ],
)
def test_what_cannot_be_shown_is_said(host, given, sentence):
    _, frame, said = host(fake_session(), {"picture": "palace", "x": 1, "y": 1}, **given)
    frame.wait_for_function(
        "(text) => document.querySelector('[role=status]')?.textContent.includes(text)",
        arg=sentence,
    )
    assert said == []


def test_requests_of_the_host_are_answered(host):
    shown, frame, _ = host(fake_session(), {"picture": "palace", "x": 1, "y": 1})
    frame.wait_for_function(SETTLED)
    for method in ("ping", "ui/resource-teardown", "ui/unknown"):
        shown.evaluate("(method) => send({ id: method, method, params: {} })", method)
        shown.wait_for_function("(method) => heard.some(({ id }) => id === method)", arg=method)
    answers = shown.evaluate("heard.slice(-3)")
    assert [each.get("result") for each in answers] == [{}, {}, None]
    assert answers[-1]["error"]["code"] == -32601
    # Others than the host are not heard.
    frame.evaluate("window.postMessage({ jsonrpc: '2.0', id: 'own', method: 'ping' }, '*')")
    frame.evaluate("new Promise((resolve) => setTimeout(resolve, 50))")
    assert not shown.evaluate("heard.some(({ id }) => id === 'own')")
