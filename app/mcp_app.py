"""The viewer as an app of hosts that speak the Model Context Protocol (SEP-1865, MCP Apps).

The tool `attention` names the resource `ui://asa-viz/viewer`, one HTML page without a picture. A
host shows it in a frame beside the tool's answer and tells it the arguments of the call; it then
calls the tool `packet` through the host, which gives the picture and what its rows are computed
from. The packet is no part of the answer: hosts give that to their model, and it is megabytes.
"""

import base64
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import gradio as gr
from gradio.utils import get_space

from app import viewer
from app.api import Endpoints, Picture
from app.api_errors import error_sentences
from app.comparing import Comparisons
from app.session_cache import Encode

URI = "ui://asa-viz/viewer"
MIME_TYPE = "text/html;profile=mcp-app"
# The second is the name that hosts of the extension's drafts look for.
SHOWN = {"ui": {"resourceUri": URI}, "ui/resourceUri": URI}
# Hosts keep the tool from their model, which cannot read a packet.
OF_THE_VIEWER = {"ui": {"resourceUri": URI, "visibility": ["app"]}}

_START = """const element = document.getElementById("viewer");
asaMcp({ ...given, element, program: asaViz, lesson: asaLesson });"""


class AppEndpoints(Endpoints):
    """The endpoints and what the viewer in a host needs beside; `titles` are those of networks."""

    def __init__(
        self, encode: Encode, titles: Mapping[str, str], comparisons: Comparisons | None = None
    ) -> None:
        super().__init__(encode, list(titles), comparisons)
        self._titles = titles

    def packet(self, picture: Picture, network: str) -> str:
        """Give a picture as the viewer reads it. For the viewer alone: it is long, and no text.

        Returns:
            packet: a safetensors file in base64, about two megabytes.
        """
        from app.torch_imports import pack

        with error_sentences():
            session = self._session(picture, network)
            return base64.b64encode(pack(session, half=True)).decode()

    def viewer(self) -> str:
        """Give the viewer for a frame in a host, which shows what a call of `attention` asks about.

        Returns:
            page: HTML that asks for nothing outside itself.
        """
        return page(self._titles)


def page(titles: Mapping[str, str]) -> str:
    """Return the HTML page of the app, for networks with titles, the first one the default."""
    given = {
        "words": viewer.dictionaries(),
        "networks": [{"name": name, "title": title} for name, title in titles.items()],
        "tool": _tool_name("packet"),
    }
    sources = (viewer.program(), viewer.lesson(), viewer.mcp())
    start = f"const given = {json.dumps(given, ensure_ascii=False)};"
    scripts = [*map(viewer.as_script, sources), f"{viewer.as_script(start)}\n{_START}"]
    return viewer.document(scripts, title="asa-viz")


def marked(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """Return an endpoint with what Gradio's MCP server says of it."""
    if endpoint.__name__ == "viewer":
        return gr.mcp.resource(URI, mime_type=MIME_TYPE)(endpoint)
    if endpoint.__name__ == "packet":
        return gr.mcp.tool(_meta=OF_THE_VIEWER)(endpoint)
    if endpoint.__name__ == "attention":
        return gr.mcp.tool(_meta=SHOWN)(endpoint)
    return endpoint


def _tool_name(endpoint: str) -> str:
    """Return the name of an endpoint's tool: Gradio puts the name of a Space before it."""
    space = get_space()
    prefix = f"{space.split('/')[-1]}_" if space else ""
    return re.sub(r"[^a-zA-Z0-9]", "_", prefix + endpoint)
