"""Compare heads on one frozen backbone: `python -m asa_viz.compare --data ROOT`.

Encodes the pictures once, trains every head from several seeds, evaluates them all and writes the
tables. Finished runs are skipped, so that an interrupted comparison can continue; `--table` shows
the finished part.
"""

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path

from asa_viz.compare.arms import ARMS
from asa_viz.compare.features import encode_pictures
from asa_viz.compare.runs import ENTRANTS, run_all
from asa_viz.compare.ship import ship
from asa_viz.compare.table import costs, experiment, markdown
from asa_viz.networks.datasets import DATA_SETS
from asa_viz.networks.distillation import load_teacher
from asa_viz.networks.pictures import DataError
from asa_viz.networks.segmenter import load
from asa_viz.networks.weights import WeightsError
from asa_viz.networks.zoo.ensemble import methods_in
from asa_viz.networks.zoo.methods import HEADS

# The heads that ship read its features.
BACKBONE = "asa_mobilenetv2_voc2012"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the comparison and print its tables."""
    parser = argparse.ArgumentParser(prog="python -m asa_viz.compare", description=__doc__)
    parser.add_argument("--data", required=True, type=Path, help="root folder of the data set")
    parser.add_argument("--network", default=BACKBONE, help="whose backbone; %(default)s")
    parser.add_argument("--teacher", type=Path, help="weights of a network to learn from as well")
    parser.add_argument("--every", type=int, default=1, help="train on one picture in so many")
    parser.add_argument("--work-dir", type=Path, default=Path("work_dirs", "compare"))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="runs at a time")
    parser.add_argument(
        "--heads", nargs="+", choices=[*ENTRANTS, "arms", "designs"], default=["arms", "designs"],
        help="heads by name, the arms of the experiment, or the other designs",
    )  # fmt: skip
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--table", action="store_true", help="only show what is done so far")
    parser.add_argument("--json", type=Path, help="write the tables to this file, with what ships")
    parser.add_argument("--ship", action="store_true", help="add seed 0 to checkpoints/heads")
    parsed = parser.parse_args(arguments)
    groups = {"arms": list(ARMS), "designs": list(HEADS)}
    names = [name for asked in parsed.heads for name in groups.get(asked, [asked])]
    if not parsed.table:
        try:
            segmenter = load(parsed.network, "cpu")
            facts = DATA_SETS[segmenter.card.training["data_set"]]
            teacher = load_teacher(parsed.teacher) if parsed.teacher else None
            features = parsed.work_dir / "features"
            encode_pictures(segmenter, facts, parsed.data, features, teacher, parsed.every)
        except (FileNotFoundError, WeightsError, DataError) as error:
            raise SystemExit(str(error)) from error
        # A GPU holds the pictures in memory once, so runs go one after the other.
        jobs = 1 if parsed.device == "cuda" else parsed.jobs
        run_all(parsed.work_dir, names, parsed.seeds, jobs, parsed.device)
    measured = experiment(
        parsed.work_dir, names, {} if parsed.table else costs(parsed.work_dir, names)
    )
    print(f"\n{markdown(measured)}")
    if parsed.ship:
        lived_in = [name for name in names if name in HEADS and methods_in(name)]
        measured = ship(parsed.work_dir, lived_in, measured)
    if parsed.json:
        parsed.json.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
