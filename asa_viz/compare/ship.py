"""Write trained heads into `checkpoints/heads`, where the page finds them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from safetensors.torch import load_file

from asa_viz.compare.model import WIDTH
from asa_viz.compare.runs import weights_of
from asa_viz.networks.camvid import CLASSES
from asa_viz.networks.checkpoint import digest_of, save_half
from asa_viz.networks.zoo.ensemble import PROJECTION
from asa_viz.networks.zoo.projection import load_projection, save_projection
from asa_viz.shipped import HEADS_CARD, HEADS_FOLDER

LICENCE = "Research and non-commercial use; trained on CamVid, see checkpoints/NOTICE.md"


def ship(
    work_dir: Path,
    names: Sequence[str],
    measured: Mapping[str, Any],
    folder: Path = HEADS_FOLDER,
) -> None:
    """Write the heads of seed 0 in half precision, the projection, and a card over all."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for name in names:
        weights = load_file(weights_of(work_dir, name, 0))
        own = {key.removeprefix("head."): value for key, value in weights.items()}
        save_half(own, folder / f"{name}.safetensors")
    save_projection(load_projection(work_dir / "features" / PROJECTION), folder / PROJECTION)
    card = {
        "network": measured["setting"]["backbone"],
        "width": WIDTH,
        "classes": list(CLASSES),
        "heads": list(names),
        "licence": LICENCE,
        "experiment": measured,
        "sha256": {path.name: digest_of(path) for path in sorted(folder.glob("*.safetensors"))},
    }
    (folder / HEADS_CARD).write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
