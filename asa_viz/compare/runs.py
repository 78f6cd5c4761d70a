"""Runs the comparison: every head from every seed, several at a time, each stored on disk."""

import json
import multiprocessing
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from mmengine.utils import ProgressBar

from asa_viz.compare.arms import ARMS, Arm
from asa_viz.compare.features import Pictures
from asa_viz.compare.measure import Areas, attention, segmentation, shares
from asa_viz.compare.train import data_set_in, train
from asa_viz.networks.hooks import WEIGHTS_FILE
from asa_viz.networks.zoo.ensemble import methods_in
from asa_viz.networks.zoo.methods import HEADS

FIGURES = "figures.json"
AREAS = "areas.npz"
RUNS_A_PROCESS = 6


# All that is trained in the same way: the experiment's arms and the zoo's other designs.
ENTRANTS: Mapping[str, Arm] = MappingProxyType(
    dict(ARMS)
    | {
        name: Arm(head, name == "asa", tuple(methods_in(name)), width=None, rate=None)
        for name, head in HEADS.items()
    }
)


def run_all(
    work_dir: Path, names: Sequence[str], seeds: int, jobs: int, device: str = "cpu"
) -> None:
    """Run what has not been run, `jobs` at a time with one thread each; seed 0 of all first.

    Raises:
        RuntimeError: a run failed; the others are finished all the same.
    """
    open_runs = [
        (work_dir, name, seed, device)
        for seed in range(seeds)
        for name in names
        if not (run_dir(work_dir, name, seed) / FIGURES).is_file()
    ]
    if not open_runs:
        return
    progress = ProgressBar(len(open_runs))
    # A forked process would share the parent's threads; a spawned one does not. It ends after a few
    # runs, because its memory grows with each.
    context = multiprocessing.get_context("spawn")
    with context.Pool(jobs, torch.set_num_threads, (1,), maxtasksperchild=RUNS_A_PROCESS) as pool:
        failed = []
        for failure in pool.imap_unordered(_run_task, open_runs):
            failed += [failure] if failure else []
            progress.update()
    if failed:
        raise RuntimeError("\n".join(failed))


def _run_task(task: tuple[Path, str, int, str]) -> str:
    """Run a task and return its error as text, so that one failure does not end all runs."""
    try:
        run(*task)
    except Exception:
        return f"{task[1]}, seed {task[2]}: {traceback.format_exc()}"
    return ""


def run(work_dir: Path, name: str, seed: int, device: str = "cpu") -> None:
    """Train one head from one seed, evaluate it, and write the results."""
    folder, features = run_dir(work_dir, name, seed), work_dir / "features"
    entrant, facts = ENTRANTS[name], data_set_in(features)
    model = train(
        entrant.head, seed, features, folder,
        started=entrant.started, device=device, width=entrant.width, rate=entrant.rate,
    )  # fmt: skip
    pictures = Pictures(features, "val")
    areas, control = segmentation(model.head, pictures, len(facts.classes))
    figures: dict[str, Any] = dict(shares(areas, facts))
    if control:
        figures["without_attention"] = shares(control["areas"], facts) | {"flips": control["flips"]}
    figures["attention"] = attention(model.head, entrant.methods, pictures)
    np.savez_compressed(folder / AREAS, areas=areas)
    (folder / FIGURES).write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def figures_of(work_dir: Path, name: str) -> list[dict[str, Any]]:
    """Return the results of a head, one entry a finished seed."""
    found: list[dict[str, Any]] = []
    while (path := run_dir(work_dir, name, len(found)) / FIGURES).is_file():
        found.append(json.loads(path.read_text(encoding="utf-8")))
    return found


def areas_of(work_dir: Path, name: str) -> list[Areas]:
    """Return the areas by picture of a head, one entry a finished seed."""
    seeds = range(len(figures_of(work_dir, name)))
    return [np.load(run_dir(work_dir, name, seed) / AREAS)["areas"] for seed in seeds]


def weights_of(work_dir: Path, name: str, seed: int) -> Path:
    """Return the file of a run's weights."""
    return run_dir(work_dir, name, seed) / WEIGHTS_FILE


def run_dir(work_dir: Path, name: str, seed: int) -> Path:
    """Return the folder of a run."""
    return work_dir / "runs" / name / str(seed)
