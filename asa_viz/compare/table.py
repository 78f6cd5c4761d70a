"""The comparison's table: means over seeds, paired differences, and what each head costs."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import t as student
from scipy.stats import ttest_rel

from asa_viz.compare.features import DONE, FrameFeatures
from asa_viz.compare.measure import frame_of
from asa_viz.compare.model import WIDTH
from asa_viz.compare.runs import figures_of, weights_of
from asa_viz.compare.train import SCHEDULE, train
from asa_viz.measuring import multiply_adds, peak_bytes, seconds
from asa_viz.networks.zoo.ensemble import logits_of
from asa_viz.networks.zoo.methods import HEADS

FLOOR = "fcn"
PEER = "nonlocal_embedded_gaussian"
ROUNDS = 9


def costs(work_dir: Path, names: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return what one pass of each head over one frame costs, all measured in this run.

    Parameters, multiply-adds, milliseconds (median, heads in turn), and the peak memory of the
    tensors made; of the heads as trained from seed 0, for what is kept decides on what ASA takes.
    """
    frames = FrameFeatures(work_dir / "features", "val")
    inputs, _ = frame_of(frames, 0)
    heads = {
        name: train(
            HEADS[name], 0, work_dir / "features", weights_of(work_dir, name, 0).parent
        ).head
        for name in names
    }
    passes = {name: _Pass(head, inputs) for name, head in heads.items()}
    taken = seconds(passes, ROUNDS)
    return {
        name: {
            "parameters": sum(p.numel() for p in head.parameters()),
            "multiply_adds": multiply_adds(passes[name]),
            "milliseconds": 1000 * taken[name],
            "megabytes": peak_bytes(passes[name]) / 2**20,
        }
        for name, head in heads.items()
    }


class _Pass:
    """One pass of a head over a frame."""

    def __init__(self, head: Any, inputs: Sequence[torch.Tensor]) -> None:
        self.head, self.inputs = head, inputs

    @torch.inference_mode()
    def __call__(self) -> None:
        logits_of(self.head, self.inputs)


def experiment(
    work_dir: Path, names: Sequence[str], costs: Mapping[str, Mapping[str, float]]
) -> dict[str, Any]:
    """Return the table as data, the head of the highest mean mIoU first."""
    figures = {name: found for name in names if (found := figures_of(work_dir, name))}
    rows = [
        {
            "head": name,
            **_spread("mIoU", found),
            **_spread("pixel_accuracy", found),
            **{f"versus_{other}": _paired(found, figures.get(other)) for other in (FLOOR, PEER)},
            "attention": _attention(found),
            **costs[name],
        }
        for name, found in figures.items()
    ]
    kept = json.loads((work_dir / "features" / DONE).read_text(encoding="utf-8"))
    setting = SCHEDULE | {
        "backbone": kept["network"],
        "backbone_frozen": True,
        "variance_kept": kept["kept"],
        "width": WIDTH,
        "seeds": max((len(found) for found in figures.values()), default=0),
        "threads": torch.get_num_threads(),
    }
    return {"setting": setting, "rows": sorted(rows, key=lambda row: -row["mIoU"])}


def _spread(name: str, found: Sequence[Mapping[str, Any]]) -> dict[str, float | None]:
    values = [one[name] for one in found]
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return {name: float(np.mean(values)), f"{name}_deviation": spread}


def _paired(
    found: Sequence[Mapping[str, Any]], other: Sequence[Mapping[str, Any]] | None
) -> dict[str, float] | None:
    """Compare mIoU seed by seed: the mean difference, its 95 % interval and p (paired t-test).

    A seed decides on the crops for every head, so that runs of one seed belong together.
    """
    if not other or found is other or (count := min(len(found), len(other))) < 2:
        return None
    ours, theirs = ([one["mIoU"] for one in runs[:count]] for runs in (found, other))
    differences = np.subtract(ours, theirs)
    reach = student.ppf(0.975, count - 1) * differences.std(ddof=1) / count**0.5
    mean = float(differences.mean())
    return {
        "difference": mean,
        "low": mean - float(reach),
        "high": mean + float(reach),
        "p": float(ttest_rel(ours, theirs).pvalue),
    }


def _attention(found: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    methods = found[0]["attention"]
    return {
        method: {
            name: float(np.mean([one["attention"][method][name] for one in found]))
            for name in methods[method]
        }
        for method in methods
    }


def markdown(measured: Mapping[str, Any]) -> str:
    """Return the table for a README, with the setting above it."""
    setting = measured["setting"]
    lines = [
        f"Setting: {json.dumps(setting)}",
        "",
        "| Head | mIoU, % | against FCN | against dense (p) | parameters | M multiply-adds | ms "
        "| MB | support, % | effective, % | entropy, bits | own class, % |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    return "\n".join([*lines, *map(_line, measured["rows"])])


# Columns of what is read, and by how much a figure is multiplied for its column.
_OF_ATTENTION = {"support": 100, "effective_support": 100, "entropy": 1, "own_class": 100}


def _line(row: Mapping[str, Any]) -> str:
    spread = row["mIoU_deviation"]
    cells = [
        row["head"],
        f"{100 * row['mIoU']:.1f}" + ("" if spread is None else f" ± {100 * spread:.1f}"),
        _difference(row[f"versus_{FLOOR}"], test=False),
        _difference(row[f"versus_{PEER}"], test=True),
        f"{row['parameters'] / 1000:.0f} k",
        f"{row['multiply_adds'] / 1e6:.0f}",
        f"{row['milliseconds']:.0f}",
        f"{row['megabytes']:.0f}",
    ]
    for name, unit in _OF_ATTENTION.items():
        parts = [f"{unit * method[name]:.3g}" for method in row["attention"].values()]
        cells.append(" / ".join(parts) or "–")
    return f"| {' | '.join(cells)} |"


def _difference(paired: Mapping[str, float] | None, *, test: bool) -> str:
    if paired is None:
        return "–"
    text = f"{100 * paired['difference']:+.1f}"
    return f"{text} ({paired['p']:.2f})" if test else text
