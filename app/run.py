"""Build the page and serve it until the process is told to end."""

import argparse
import os
import signal
import socket

from app.comparing import Comparisons
from app.handlers import Answers
from app.networks import Networks, heads
from app.packet_cache import PacketCache
from app.page import build_page, mount_settings
from app.preview import preview
from app.server.address import host_of, url_of
from app.server.folders import Folders
from app.server.health import Readiness
from app.server.open_files import allow_connections
from app.server.origins import reach_of
from app.server.serve import MOST_CONNECTIONS, Application, Server
from app.server.uploads import Sweeper
from app.session_cache import CachedEncoder, SessionCache


def run(
    arguments: argparse.Namespace,
    names: list[str],
    listening: socket.socket,
    folders: Folders,
    *,
    compares: bool,
    room_url: str | None = None,
) -> None:
    """Serve the page at a socket; returns when the server has ended and its folder is deleted.

    `room_url` is the address printed as a QR code for a class.
    """
    allow_connections(MOST_CONNECTIONS)
    Sweeper(folders.uploads).start()
    networks = Networks(None if arguments.device == "auto" else arguments.device)
    encoder = CachedEncoder(networks.encode, SessionCache())
    comparisons = Comparisons(encoder, heads) if compares else None
    answers = Answers(encoder, networks.rerun, names, PacketCache(folders.packets), comparisons)
    readiness = Readiness(lambda: networks.attempt(names[0]), folders.packets)
    is_space = "SPACE_ID" in os.environ
    application = Application(
        build_page(answers, names, mcp=arguments.mcp),
        mount_settings(answers, mcp=arguments.mcp),
        root_path=arguments.root_path,
        reach=reach_of(
            host_of(listening),
            behind_proxy=is_space or arguments.behind_proxy or bool(arguments.root_path),
            space_host=os.environ.get("SPACE_HOST"),
        ),
        readiness=readiness,
        preview=preview(),
        framed=is_space,
    )

    def started() -> None:
        if room_url:
            from app.qr_code import invitation

            print(invitation(f"{room_url}{arguments.root_path or ''}"), flush=True)
        # The page answers from stored photographs; the network is only needed for uploads.
        networks.warm_up(names[0], readiness)

    server = Server(
        application,
        url=f"{url_of(listening)}{arguments.root_path or ''}",
        started=started,
    )
    server.run([listening])
    # Interrupted at the keyboard the uploads are deleted too; a supervisor may restart the process
    # and keep them.
    folders.delete_run(with_uploads=server.ended_by == signal.SIGINT)
