"""The page: one component, the viewer, and the endpoints for programs."""

import os
from pathlib import Path
from typing import Any
from zlib import crc32

import gradio as gr
import plotly

from app.api_words import add_api
from app.encodings import FOLDER as ENCODINGS
from app.encodings import stored
from app.gallery import EXAMPLES
from app.handlers import Answers
from app.preview import DARK_PAPER, ICON, PAPER
from app.server.blocks import Page
from app.viewer import LESSON, dictionaries, lesson, program
from asa_viz.checkpoints import kind_of, twin_of

MOST_QUEUED = 200
STYLE = Path(__file__).with_name("style.css")
PLOTLY = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"

# By data set: how sure its networks are of their classes, averaged over a picture, in 19 of 20
# of its own pictures; docs/panels.md has what was measured.
_SURE = {"outdoor": 0.49, "voc2012": 0.75, "camvid": 0.87}
_FONTS = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Arial", "sans-serif"]
_START = 'asaViz("page", { element, props, server, upload, program: asaViz });'
_NETWORK_PARTS = {
    "asa": "ASA",
    "nonlocal": "Non-local",
    "mobilenetv2": "MobileNetV2",
    "resnet50": "ResNet-50",
    "camvid": "CamVid",
    "voc2012": "VOC 2012",
    "outdoor": "outdoors",
}


def build_page(answers: Answers, networks: list[str], *, mcp: bool = False) -> gr.Blocks:
    """Return the page around the viewer's server functions; the first network is the default.

    With `mcp` the endpoints of the MCP app are there too.
    """
    titles = {name: network_title(name) for name in networks} if mcp else None
    title = dictionaries()["en"]["app.document"]
    with Page(title=title, analytics_enabled=False, fill_width=True) as page:
        gr.HTML(
            # Text of a picture or a link is never put into the template, where it would be run as
            # code.
            html_template="",
            js_on_load=f"{program()}\n{_START}",
            server_functions=answers.functions,
            offer={**offer(networks), "compares": answers.compares},
            apply_default_css=False,
            elem_id="viewer",
        )
        add_api(answers.encoder.session, networks, answers.comparisons, titles)
    # Requests of programs wait in Gradio's queue.
    page.queue(max_size=MOST_QUEUED, api_open=False)
    return page


def offer(networks: list[str]) -> dict[str, Any]:
    """Return the viewer's choices (networks, gallery, languages) as data for the page."""
    space = os.environ.get("SPACE_ID")
    return {
        "gallery": [
            {
                "id": example.name,
                "thumbnail": example.thumbnail,
                "looks": example.looks,
                "credit": example.credit,
                "stored": {
                    network: str(path)
                    for network in networks
                    if (path := stored(network, example.name)) is not None
                },
            }
            for example in EXAMPLES
        ],
        "networks": [
            {
                "name": name,
                "title": network_title(name),
                "sure": _SURE.get(str(kind_of(name).data_set)),
                "twin": twin_of(name, networks),
            }
            for name in networks
        ],
        # The files of a Space can be read by everyone.
        "files": space and f"https://huggingface.co/spaces/{space}/tree/main",
        "plotly": str(PLOTLY),
        # Whoever has an older lesson in the browser's cache fetches this one.
        "lesson": f"{LESSON}?{crc32(lesson().encode()):08x}",
    }


def network_title(name: str) -> str:
    """Return a network's title: "asa_mobilenetv2_camvid" becomes "ASA, MobileNetV2, CamVid"."""
    return ", ".join(filter(None, (_NETWORK_PARTS.get(part, part) for part in name.split("_"))))


def mount_settings(answers: Answers, *, mcp: bool = False) -> dict[str, Any]:
    """Return the arguments for mounting the page: no analytics, nothing loaded from other hosts.

    With `mcp` the endpoints are tools for agents too.
    """
    return {
        "theme": gr.themes.Base(
            primary_hue="slate", neutral_hue="slate", font=_FONTS, font_mono=["monospace"]
        ).set(body_background_fill=PAPER, body_background_fill_dark=DARK_PAPER),
        "css_paths": [STYLE],
        "favicon_path": str(ICON),
        "allowed_paths": [str(answers.folder), str(ENCODINGS), str(PLOTLY), str(LESSON)],
        "footer_links": [],
        "run_history": False,
        "ssr_mode": False,
        "enable_monitoring": False,
        "show_error": False,
        "max_file_size": "10mb",
        "mcp_server": mcp,
    }
