"""Make a checkpoint that ships: `python -m asa_viz.export CONFIG WEIGHTS NAME`.

Writes `checkpoints/NAME.safetensors`, in half precision, and its card; `python -m asa_viz.evaluate
NAME --card` then adds the figures.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from asa_viz.networks.camvid import CLASSES, PALETTE
from asa_viz.networks.checkpoint import build, model_as_data, save_checkpoint
from asa_viz.networks.configs import read_config
from asa_viz.networks.weights import load_weights, read_weights
from asa_viz.shipped import FOLDER

# About 2700 cells each at output stride 8: 4:3, 3:4, square, 3:2, 16:9, 9:16.
SHAPES = ((360, 480), (480, 360), (416, 416), (344, 512), (312, 552), (552, 312))

LICENCE = (
    "Research and non-commercial use, with attribution: trained on CamVid (Brostow, Shotton, "
    "Fauqueur, Cipolla, ECCV 2008; Brostow, Fauqueur, Cipolla, Pattern Recognition Letters 2008; "
    "11 classes of Badrinarayanan, Kendall, Cipolla, PAMI 2017) from ImageNet weights."
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write a checkpoint and its card."""
    parser = argparse.ArgumentParser(prog="python -m asa_viz.export", description=__doc__)
    parser.add_argument("config", help="name or path of the config it was trained with")
    parser.add_argument("weights", type=Path, help="weights.safetensors of a work dir")
    parser.add_argument("name", help="name of the network")
    parser.add_argument("--schedule", default="", help="one sentence on how it was trained")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parsed = parser.parse_args(arguments)
    config = read_config(parsed.config)
    model = model_as_data(config)
    network = build(model)
    load_weights(network, read_weights(parsed.weights))
    card = save_checkpoint(
        network.state_dict(),
        {
            "name": parsed.name,
            "model": model,
            "classes": CLASSES,
            "palette": PALETTE,
            "shapes": SHAPES,
            "training": {
                "config": Path(parsed.config).stem,
                "data": "CamVid, 367 training frames of 480 x 360, 11 classes; chosen on val",
                "seed": config.randomness.seed,
                "schedule": parsed.schedule,
            },
            "metrics": {},
            "licence": LICENCE,
        },
        parsed.folder / f"{parsed.name}.safetensors",
    )
    print(f"{parsed.name}: sha256 {card.sha256}")


if __name__ == "__main__":
    main()
