"""All runs of the comparison: every head from every seed, several at a time, each kept on disk."""

import json
import multiprocessing
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.utils import ProgressBar

from asa_viz.compare.features import FrameFeatures
from asa_viz.compare.measure import attention, segmentation
from asa_viz.compare.train import train
from asa_viz.networks.hooks import WEIGHTS_FILE
from asa_viz.networks.zoo.adaptive import ABLATIONS, record
from asa_viz.networks.zoo.ensemble import methods_in
from asa_viz.networks.zoo.methods import HEADS
from asa_viz.networks.zoo.record import HeadMethod

FIGURES = "figures.json"
RUNS_A_PROCESS = 6


def run_all(work_dir: Path, names: Sequence[str], seeds: int, jobs: int) -> None:
    """Do the runs that are not done, `jobs` at a time with one thread each; first all of seed 0.

    Raises:
        RuntimeError: a run failed; the others are done all the same.
    """
    open_runs = [
        (name, seed)
        for seed in range(seeds)
        for name in names
        if not (_run_dir(work_dir, name, seed) / FIGURES).is_file()
    ]
    if not open_runs:
        return
    progress = ProgressBar(len(open_runs))
    # A forked process would share the parent's threads; one of its own starts clean. It ends after
    # a few runs, for its memory grows with each.
    context = multiprocessing.get_context("spawn")
    with context.Pool(jobs, torch.set_num_threads, (1,), maxtasksperchild=RUNS_A_PROCESS) as pool:
        tasks = [(work_dir, name, seed) for name, seed in open_runs]
        failed = []
        for failure in pool.imap_unordered(_run_task, tasks):
            failed += [failure] if failure else []
            progress.update()
    if failed:
        raise RuntimeError("\n".join(failed))


def _run_task(task: tuple[Path, str, int]) -> str:
    """Return what went wrong, so that one head does not end the runs of all others."""
    try:
        run(*task)
    except Exception:
        return f"{task[1]}, seed {task[2]}: {traceback.format_exc()}"
    return ""


def run(work_dir: Path, name: str, seed: int) -> None:
    """Train one head from one seed, measure it, and write down what was measured."""
    folder = _run_dir(work_dir, name, seed)
    model = train(HEADS[name], seed, work_dir / "features", folder)
    frames = FrameFeatures(work_dir / "features", "val")
    figures: dict[str, Any] = dict(segmentation(model.head, frames))
    figures["attention"] = attention(model.head, records_of(name), frames)
    (folder / FIGURES).write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def records_of(name: str) -> list[HeadMethod]:
    """Return the methods whose rows are measured in a head."""
    if name in ABLATIONS:
        return [record(name)]
    return methods_in(name)


def figures_of(work_dir: Path, name: str) -> list[dict[str, Any]]:
    """Return what was measured of a head, one entry a seed, as far as it is done."""
    found: list[dict[str, Any]] = []
    while (path := _run_dir(work_dir, name, len(found)) / FIGURES).is_file():
        found.append(json.loads(path.read_text(encoding="utf-8")))
    return found


def weights_of(work_dir: Path, name: str, seed: int) -> Path:
    """Return the file of a run's weights."""
    return _run_dir(work_dir, name, seed) / WEIGHTS_FILE


def _run_dir(work_dir: Path, name: str, seed: int) -> Path:
    return work_dir / "runs" / name / str(seed)
