"""Open the page: python -m app [--class] [--host H] [--port P] [--device D] [--network NAME]."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec

from app.server.address import EVERY_INTERFACE, AddressError, listen, room_url_of
from app.server.folders import Folders
from asa_viz.checkpoints import (
    HEADS_PROJECTION,
    Offered,
    available,
    damaged_heads,
    damaged_networks,
    has_heads,
    offer,
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the arguments, check networks and device, then build the page and serve it."""
    parsed = _arguments(arguments)
    _offer(parsed)
    names = _networks(parsed.network)
    compares = _heads_are_there()
    if parsed.device == "cuda":
        _require_cuda()
    if parsed.mcp and find_spec("mcp") is None:
        sys.exit("--mcp needs the package mcp: pip install 'asa-viz[mcp]'.")
    try:
        host = parsed.host or (EVERY_INTERFACE if parsed.for_class else None)
        listening = listen(host, parsed.port)
        room_url = room_url_of(listening) if parsed.for_class else None
        folders = Folders()
    except AddressError as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"No folder can be made for uploads, {error.filename}: {error.strerror}.")
    # Gradio reads the folder for uploads when it is imported, so it must be set before.
    folders.use_for_uploads()
    from app.run import run

    run(parsed, names, listening, folders, compares=compares, room_url=room_url)
    sys.stdout.flush()
    sys.stderr.flush()
    # os._exit, because a thread that still computes for a visitor who has left would keep the
    # process alive.
    os._exit(0)


def _arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m app", description="Open the page of asa-viz.")
    # Without these arguments Gradio's environment variables count, as set in a Space.
    parser.add_argument("--host", help="address to listen at; this machine alone by default")
    parser.add_argument("--port", type=int, help="port to listen at; the first free from 7860 on")
    parser.add_argument(
        "--root-path", type=_root_path, default=os.environ.get("GRADIO_ROOT_PATH"),
        help="the path under which a proxy shows the page, such as /asa; implies --behind-proxy",
    )  # fmt: skip
    parser.add_argument(
        "--behind-proxy", action="store_true",
        help="a proxy stands before the page: answer under any host, and believe its X-Forwarded-*",
    )  # fmt: skip
    parser.add_argument(
        "--mcp", action="store_true",
        help="serve the endpoints as tools for agents too, at /gradio_api/mcp (extra mcp)",
    )  # fmt: skip
    parser.add_argument(
        "--class", action="store_true", dest="for_class",
        help="open the page to this network, and show its address and a QR code for the room",
    )  # fmt: skip
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--network", help="the network that is chosen first; one that ships")
    parser.add_argument("--config", help="config of a network of your own; it runs as a program")
    parser.add_argument("--checkpoint", help="its weights, .pth or .safetensors")
    parser.add_argument("--attention", help="which attention is shown, where it has several")
    return parser.parse_args(arguments)


def _offer(arguments: argparse.Namespace) -> None:
    """Register a network given by --config and --weights, and make it the default."""
    if arguments.config is None and arguments.checkpoint is None:
        return
    if arguments.config is None or arguments.checkpoint is None:
        sys.exit("Give both --config and --checkpoint of a network of your own.")
    try:
        arguments.network = offer(
            Offered(arguments.config, arguments.checkpoint, arguments.attention)
        )
    except ValueError as error:
        sys.exit(str(error))


def _root_path(text: str) -> str:
    path = text.rstrip("/")
    if path and not path.startswith(("/", "http://", "https://")):
        raise argparse.ArgumentTypeError(f"it begins with a slash, as /{path:.60}")
    return path


def _networks(first: str | None) -> list[str]:
    """Return the names of the networks that ship, the one asked for first; or end."""
    names = available()
    if not names:
        sys.exit("There is no network in checkpoints/; train one first, see README.md.")
    if first is not None and first not in names:
        sys.exit(f"There is no network {first}; there are {', '.join(names)}.")
    if damaged := damaged_networks():
        sys.exit(
            f"{', '.join(damaged)} in checkpoints/ does not match the digest on its card: the file "
            "is damaged or was not fully copied. Fetch it again."
        )
    # sorted is stable: the others keep their order.
    return sorted(names, key=lambda name: first is not None and name != first)


def _heads_are_there() -> bool:
    """Return whether the comparison heads can be used; print which are damaged and left out."""
    if not has_heads():
        return False
    damaged = damaged_heads()
    for name in damaged:
        print(f"checkpoints/heads/{name} is damaged, and is left out.", file=sys.stderr)
    return HEADS_PROJECTION not in damaged


def _require_cuda() -> None:
    from app.torch_imports import cuda_is_there

    if not cuda_is_there():
        sys.exit("There is no CUDA device for --device cuda; use --device auto or cpu.")


if __name__ == "__main__":
    main()
