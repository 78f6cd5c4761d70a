"""The command `asa-viz`: one entry point for the page and every command of the library.

asa-viz page                     open the page
asa-viz train | evaluate | analyse | export | compare | bench | networks
"""

import argparse
import os
from collections.abc import Sequence
from importlib import import_module

from asa_viz import __version__
from asa_viz.checkpoints import OWN_FOLDER

# Each command's description and the module whose `main` takes its arguments.
COMMANDS = {
    "page": ("open the page in a browser", ".__main__"),
    "train": ("train a network", "asa_viz.train"),
    "evaluate": ("measure segmentation and attention on labelled pictures", "asa_viz.evaluate"),
    "analyse": ("measure the attention of many pictures", "asa_viz.analyse"),
    "export": ("make a checkpoint with a card", "asa_viz.export"),
    "compare": ("train and measure every design alike", "asa_viz.compare.__main__"),
    "bench": ("measure time and memory", "asa_viz.bench.__main__"),
    "networks": ("build a network from its config and say what it is", "asa_viz.networks.__main__"),
}

# Modules of optional dependencies, and the extra that installs each.
EXTRAS = {
    "gradio": "page",
    "plotly": "page",
    "segno": "page",
    "cachetools": "page",
    "scipy": "train",
    "matplotlib": "train",
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command with the arguments behind its name."""
    parser = argparse.ArgumentParser(
        prog="asa-viz",
        description="See what each pixel of a semantic segmentation network attends to.",
        epilog="asa-viz COMMAND --help tells more of each.",
    )
    parser.add_argument("--version", action="version", version=f"asa-viz {__version__}")
    parser.add_argument(
        "--checkpoints", metavar="DIR",
        help=f"folder of networks of your own, found by name; also {OWN_FOLDER}",
    )  # fmt: skip
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, (what, _) in COMMANDS.items():
        command = commands.add_parser(name, help=what, add_help=False, allow_abbrev=False)
        command.add_argument("--checkpoints", default=argparse.SUPPRESS)
    parsed, rest = parser.parse_known_args(arguments)
    if parsed.checkpoints:
        os.environ[OWN_FOLDER] = parsed.checkpoints
    try:
        module = import_module(COMMANDS[parsed.command][1], __package__)
    except ModuleNotFoundError as error:
        if error.name not in EXTRAS:
            raise
        extra = EXTRAS[error.name]
        raise SystemExit(
            f"asa-viz {parsed.command} needs {error.name}: pip install 'asa-viz[{extra}]'."
        ) from error
    module.main(rest)
