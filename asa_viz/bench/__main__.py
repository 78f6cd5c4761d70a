"""Measure adaptive sparse attention against its peers: `python -m asa_viz.bench`.

Our operator and its peer run alternately in one process, and their medians are compared: only the
ratio carries over to another machine. The peer for time is PyTorch's fused attention, which reads
every key; the peer for memory is the definition with its whole matrix.
"""

import argparse
import json
import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import torch

from asa_viz.attention import native
from asa_viz.bench.attention import forward_lines, training_lines
from asa_viz.bench.inputs import PICTURE, Options
from asa_viz.bench.network import encode_lines, query_lines
from asa_viz.bench.plot import plot
from asa_viz.bench.report import HEADING, Line
from asa_viz.bench.scaling import Curves, scaling_lines
from asa_viz.bench.startup import startup_lines

SCALING = "scaling"
PARTS: dict[str, Callable[[Options], Iterator[Line]]] = {
    "forward": forward_lines,
    "training": training_lines,
    "query": query_lines,
    "encode": encode_lines,
    "startup": startup_lines,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Print each line as it is measured."""
    parser = argparse.ArgumentParser(prog="python -m asa_viz.bench", description=__doc__)
    curves: Curves = {}
    parts = PARTS | {SCALING: partial(scaling_lines, curves=curves)}
    parser.add_argument("--only", nargs="+", choices=parts, default=[*parts], metavar="NAME",
                        help=f"some of: {', '.join(parts)}")  # fmt: skip
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured")
    parser.add_argument("--quick", action="store_true", help="small maps: does it run?")
    parser.add_argument("--network", help="name or path; the default network by default")
    parser.add_argument("--picture", type=Path, default=PICTURE, help="the photograph it works on")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    parser.add_argument("--plot", type=Path, help="draw the scaling into this file, SVG or PNG")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parsed = parser.parse_args(arguments)
    if parsed.rounds < 1:
        parser.error("--rounds must be at least 1")
    if parsed.plot and SCALING not in parsed.only:
        parser.error("--plot draws what the part scaling measures; it is not among --only")
    options = Options(parsed.rounds, parsed.quick, parsed.network, parsed.picture, parsed.device)

    setting = {
        "torch": torch.__version__,
        "device": parsed.device,
        "threads": torch.get_num_threads(),
        "processors": os.cpu_count(),
        "rounds": options.rounds,
        "compiled attention": native.path(),
    }
    print(", ".join(f"{name} {value}" for name, value in setting.items()), HEADING, sep="\n\n")
    measured = []
    for name in (name for name in parts if name in parsed.only):
        for line in parts[name](options):
            print(line.text, flush=True)
            measured.append({"part": name, **line.data})
    if parsed.json:
        points = {name: [vars(point) for point in curve] for name, curve in curves.items()}
        figures = {"setting": setting, "lines": measured, "curves": points}
        parsed.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    if parsed.plot:
        plot(curves).savefig(parsed.plot, metadata={"Date": None})


if __name__ == "__main__":
    main()
