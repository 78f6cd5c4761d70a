"""Writes trained heads into `checkpoints/heads`, where the page loads them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from safetensors.torch import load_file

from asa_viz.checkpoints import HEADS_CARD, HEADS_FOLDER, digest_of
from asa_viz.compare.model import WIDTH
from asa_viz.compare.runs import weights_of
from asa_viz.compare.train import data_set_in
from asa_viz.networks.checkpoint import save_half
from asa_viz.networks.zoo.ensemble import PROJECTION
from asa_viz.networks.zoo.projection import load_projection, save_projection


def ship(
    work_dir: Path,
    names: Sequence[str],
    measured: Mapping[str, Any],
    folder: Path = HEADS_FOLDER,
) -> dict[str, Any]:
    """Write the heads of seed 0 in half precision, the projection, and a card over all.

    Existing heads on the same backbone and projection stay, with their figures and those of arms
    and contrasts that were not evaluated again; heads of another backbone are deleted, because one
    page can use one backbone only.

    Returns:
        The experiment as the card has it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    facts = data_set_in(work_dir / "features")
    fresh = folder / f"{PROJECTION}.part"
    save_projection(load_projection(work_dir / "features" / PROJECTION), fresh)
    projection, network = folder / PROJECTION, measured["setting"]["backbone"]
    before = _card(folder)
    stays = (
        before.get("network") == network
        and projection.is_file()
        and digest_of(projection) == digest_of(fresh)
    )
    kept = [name for name in before.get("heads", []) if stays and name not in names]
    for old in folder.glob("*.safetensors"):
        if old.stem not in kept:
            old.unlink()
    fresh.replace(projection)
    for name in names:
        weights = load_file(weights_of(work_dir, name, 0))
        own = {key.removeprefix("head."): value for key, value in weights.items()}
        save_half(own, folder / f"{name}.safetensors")
    known = before.get("experiment", {}) if stays else {}
    rows = [row for row in known.get("rows", []) if row["head"] in kept]
    together = {
        **measured,
        "contrasts": _added(known.get("contrasts", []), measured["contrasts"], "name"),
        "arms": _added(known.get("arms", []), measured["arms"], "head"),
        "rows": sorted(_added(rows, measured["rows"], "head"), key=lambda row: -row["mIoU"]),
    }
    seeds = max(len(row["seeds"]) for row in (*together["arms"], *together["rows"]))
    together["setting"] = {**measured["setting"], "seeds": seeds}
    card = {
        "network": network,
        "width": WIDTH,
        "classes": list(facts.classes),
        "heads": sorted([*kept, *names]),
        "licence": facts.licence,
        "experiment": together,
        "sha256": {path.name: digest_of(path) for path in sorted(folder.glob("*.safetensors"))},
    }
    (folder / HEADS_CARD).write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    return together


Rows = Sequence[Mapping[str, Any]]


def _added(before: Rows, now: Rows, key: str) -> list[Mapping[str, Any]]:
    """Return the entries of both by their `key`; those of `now` replace those of `before`."""
    return list(({row[key]: row for row in before} | {row[key]: row for row in now}).values())


def _card(folder: Path) -> dict[str, Any]:
    path = folder / HEADS_CARD
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
