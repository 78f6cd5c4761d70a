"""Open the page: python -m app [--host H] [--port P] [--device auto|cpu|cuda] [--network NAME]."""

import argparse
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import asa_viz
from app.page import STYLE, build_page, theme
from asa_viz.session import Session, SessionStore


def encoder(device: str | None) -> Callable[[str, str], Session]:
    """Return what encodes a picture's file; each network is loaded when it is first asked for."""

    @cache
    def network(name: str) -> asa_viz.Segmenter:
        return asa_viz.load(name, device)

    loading = threading.Lock()

    def encode(source: str, name: str) -> Session:
        with loading:
            segmenter = network(name)
        return segmenter.encode(Path(source))

    return encode


def main() -> None:
    """Read the arguments, build the page and serve it."""
    parser = argparse.ArgumentParser(prog="python -m app", description="Open the page of asa-viz.")
    # Without them Gradio's own settings count, which a Space gives as environment variables.
    parser.add_argument("--host", help="address to listen at; this machine alone by default")
    parser.add_argument("--port", type=int, help="port to listen at; the first free from 7860 on")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--network", help="the network that is chosen first; one that ships")
    arguments = parser.parse_args()
    networks = asa_viz.available()
    if not networks:
        parser.error("there is no network in checkpoints/; train one first, see README.md")
    if arguments.network is not None:
        if arguments.network not in networks:
            parser.error(f"no network {arguments.network}; there are {', '.join(networks)}")
        networks.sort(key=lambda name: name != arguments.network)
    device = None if arguments.device == "auto" else arguments.device
    page = build_page(encoder(device), networks, SessionStore())
    page.launch(server_name=arguments.host, server_port=arguments.port, **launch_settings())


def launch_settings() -> dict[str, Any]:
    """Return how the page is served, wherever: nothing recorded, nothing from other hosts."""
    return {
        "theme": theme(),
        "css_paths": [STYLE],
        "footer_links": [],
        "run_history": False,
        "ssr_mode": False,
        "enable_monitoring": False,
        "max_file_size": "10mb",
        "share": False,
    }


if __name__ == "__main__":
    main()
