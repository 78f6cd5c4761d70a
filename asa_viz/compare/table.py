"""The comparison's results as data and as tables: contrasts, arms, other designs, costs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from asa_viz.compare import arms
from asa_viz.compare.contrasts import CONTRASTS, Effect, effect, holm
from asa_viz.compare.features import DONE, Pictures
from asa_viz.compare.model import WIDTH
from asa_viz.compare.runs import ENTRANTS, areas_of, figures_of, weights_of
from asa_viz.compare.train import SCHEDULE, data_set_in, train
from asa_viz.measuring import multiply_adds, peak_bytes, seconds
from asa_viz.networks.zoo.ensemble import logits_of

ROUNDS = 9


def costs(work_dir: Path, names: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return what one pass of each head over one picture costs, all measured in this run.

    Parameters, multiply-adds, milliseconds (median, heads in turn), and the peak memory of the
    tensors made; of the heads as trained from seed 0, for what is kept decides on what ASA takes.
    """
    inputs, _ = next(Pictures(work_dir / "features", "val").whole())
    heads = {
        name: train(
            ENTRANTS[name].head,
            0,
            work_dir / "features",
            weights_of(work_dir, name, 0).parent,
            width=ENTRANTS[name].width,
        ).head
        for name in names
        if weights_of(work_dir, name, 0).is_file()
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
    """One pass of a head over a picture."""

    def __init__(self, head: Any, inputs: Sequence[torch.Tensor]) -> None:
        self.head, self.inputs = head, inputs

    @torch.inference_mode()
    def __call__(self) -> None:
        logits_of(self.head, self.inputs)


def experiment(
    work_dir: Path, names: Sequence[str], costs: Mapping[str, Mapping[str, float]]
) -> dict[str, Any]:
    """Return what is done so far as data: setting, contrasts, arms and rows of the other designs.

    Every figure of a head comes with the values of all its seeds.
    """
    figures = {name: found for name in names if (found := figures_of(work_dir, name))}
    kept = json.loads((work_dir / "features" / DONE).read_text(encoding="utf-8"))
    setting = SCHEDULE | {
        "backbone": kept["network"],
        "data_set": kept["data_set"],
        "taught": kept["taught"],
        "train_pictures": kept["pictures"],
        "backbone_frozen": True,
        "variance_kept": kept["kept"],
        "width": WIDTH,
        "arms": {"width": arms.WIDTH, "rate": arms.RATE},
        "seeds": max((len(found) for found in figures.values()), default=0),
        "threads": torch.get_num_threads(),
    }
    rows = [
        {"head": name} | _summary(found) | dict(costs.get(name, {}))
        for name, found in figures.items()
    ]
    return {
        "setting": setting,
        "contrasts": contrasts(work_dir),
        "arms": [row for row in rows if row["head"] in arms.ARMS],
        "rows": sorted(
            (row for row in rows if row["head"] not in arms.ARMS), key=lambda row: -row["mIoU"]
        ),
    }


def contrasts(work_dir: Path) -> list[dict[str, Any]]:
    """Return the declared contrasts of which both arms have run from two seeds or more."""
    facts = data_set_in(work_dir / "features")
    names = [picture.name for picture in Pictures(work_dir / "features", "val").index]
    effects: dict[str, Effect] = {}
    for contrast in CONTRASTS:
        first, second = (areas_of(work_dir, name) for name in (contrast.first, contrast.second))
        if (found := effect(first, second, names, facts)) is not None:
            effects[contrast.name] = found
    corrected = holm({name: found.p for name, found in effects.items()})
    effects = {name: replace(found, p_holm=corrected[name]) for name, found in effects.items()}
    return [
        {
            **contrast._asdict(),
            **asdict(effects[contrast.name]),
            "verdict": effects[contrast.name].verdict,
        }
        for contrast in CONTRASTS
        if contrast.name in effects
    ]


def _summary(found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return means and deviations over seeds, and what every seed came to."""
    row: dict[str, Any] = {}
    for name in ("mIoU", "mIoU_all", "pixel_accuracy"):
        values = [one[name] for one in found]
        row[name] = float(np.mean(values))
        row[f"{name}_deviation"] = _deviation(values)
    if "without_attention" in found[0]:
        row["without_attention"] = {
            name: float(np.mean([one["without_attention"][name] for one in found]))
            for name in found[0]["without_attention"]
        }
    row["attention"] = {
        method: {
            name: float(np.mean([one["attention"][method][name] for one in found]))
            for name in figures
        }
        | {
            "own_class_deviation": _deviation(
                [one["attention"][method]["own_class"] for one in found]
            )
        }
        for method, figures in found[0]["attention"].items()
    }
    return row | {"seeds": list(found)}


def _deviation(values: Sequence[float]) -> float | None:
    return float(np.std(values, ddof=1)) if len(values) > 1 else None


def markdown(measured: Mapping[str, Any]) -> str:
    """Return the contrasts, the arms and the other designs as tables for a README."""
    parts = [f"Setting: {json.dumps(measured['setting'])}"]
    if measured["contrasts"]:
        parts.append("\n".join([_CONTRASTS, *map(_contrast_line, measured["contrasts"])]))
    parts += [
        "\n".join([_ROWS, *map(_line, rows)])
        for rows in (measured["arms"], measured["rows"])
        if rows
    ]
    return "\n\n".join(parts)


_CONTRASTS = (
    "| Contrast, points of mIoU | difference (95 % over seeds) | 95 % over pictures "
    "| could have seen | seeds | p (Holm) | |\n|---|---|---|---|---|---|---|"
)
_ROWS = (
    "| Head | mIoU, % | without attention | pixels flip, % | support, % | own class, % "
    "| parameters | M multiply-adds | ms | MB |\n|---|---|---|---|---|---|---|---|---|---|"
)


def _contrast_line(row: Mapping[str, Any]) -> str:
    def points(name: str) -> str:
        return f"{100 * row[name]:+.1f}"

    cells = [
        row["name"],
        f"{points('difference')} ({points('low')} to {points('high')})",
        f"{points('pictures_low')} to {points('pictures_high')}",
        f"{100 * row['detectable']:.1f}",
        str(row["seeds"]),
        f"{row['p_holm']:.3f}",
        row["verdict"],
    ]
    return f"| {' | '.join(cells)} |"


def _line(row: Mapping[str, Any]) -> str:
    without = row.get("without_attention")
    methods = row["attention"].values()
    cells = [
        row["head"],
        _spread(row["mIoU"], row["mIoU_deviation"]),
        f"{100 * without['mIoU']:.1f}" if without else "–",
        f"{100 * without['flips']:.1f}" if without else "–",
        " / ".join(f"{100 * method['support']:.3g}" for method in methods) or "–",
        " / ".join(_spread(each["own_class"], each["own_class_deviation"]) for each in methods)
        or "–",
    ]
    if "parameters" in row:
        cells += [
            f"{row['parameters'] / 1000:.0f} k",
            f"{row['multiply_adds'] / 1e6:.0f}",
            f"{row['milliseconds']:.0f}",
            f"{row['megabytes']:.0f}",
        ]
    else:
        cells += ["–"] * 4
    return f"| {' | '.join(cells)} |"


def _spread(mean: float, deviation: float | None) -> str:
    return f"{100 * mean:.1f}" + ("" if deviation is None else f" ± {100 * deviation:.1f}")
