"""Write a checkpoint with its card: `python -m asa_viz.export CONFIG WEIGHTS NAME`.

Writes `NAME.safetensors`, in half precision, and its card; `python -m asa_viz.evaluate NAME --card`
then adds the figures. What the card says of the data comes from the config and the checkpoint; what
they lack is asked for or left out.
"""

import argparse
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from asa_viz.checkpoints import folders
from asa_viz.networks.checkpoint import Card, build, save_checkpoint
from asa_viz.networks.configs import read_config
from asa_viz.networks.facts import Facts, read_facts, told_apart
from asa_viz.networks.stock import model_as_data
from asa_viz.networks.weights import WeightsError, load_all, read_checkpoint

UNSTATED = "not stated"


def main(arguments: Sequence[str] | None = None) -> None:
    """Write a checkpoint and its card."""
    parser = argparse.ArgumentParser(prog="python -m asa_viz.export", description=__doc__)
    parser.add_argument("config", help="name or path of the config it was trained with")
    parser.add_argument("weights", type=Path, help="weights.safetensors or a .pth of a work dir")
    parser.add_argument("name", help="name of the network")
    parser.add_argument("--schedule", default="", help="one sentence on how it was trained")
    parser.add_argument("--seed", type=int, help="the seed it was trained from")
    parser.add_argument("--start", help="one sentence on the weights it was trained from")
    parser.add_argument("--data", help="one sentence on the data it was trained on")
    parser.add_argument("--licence", help="the terms under which it may be used")
    parser.add_argument(
        "--classes", type=Path, help="JSON file: a list of names, or of [name, [r, g, b]]"
    )
    parser.add_argument(
        "--shape", dest="shapes", action="append", type=_shape, metavar="HEIGHTxWIDTH",
        help="size in pixels at which it works; may be given up to six times",
    )  # fmt: skip
    parser.add_argument("--folder", type=Path, default=folders()[0], help="where to write it")
    parsed = parser.parse_args(arguments)
    try:
        card = export(parsed)
    except (WeightsError, FileNotFoundError) as error:
        raise SystemExit(str(error)) from error
    except OSError as error:
        raise SystemExit(f"{error.filename} cannot be written: {error.strerror}.") from error
    print(f"{parsed.name}: sha256 {card.sha256}")


def export(options: argparse.Namespace) -> Card:
    """Write weights and card by the options, and return the card.

    Raises:
        WeightsError: the weights do not fit the config's network exactly, or something required on
            the card is missing.
        FileNotFoundError: there is no such config.
    """
    if not re.fullmatch(r"\w[\w.-]*", options.name):
        raise WeightsError(f"{options.name!r} is not a name: use letters, digits, '_', '-', '.'.")
    config = read_config(options.config)
    model = model_as_data(config)
    network = build(model)
    weights, meta = read_checkpoint(options.weights)
    load_all(network, weights, options.weights.name)
    facts = read_facts(config, meta, network.num_classes)
    classes, palette = _classes(options, facts, network.num_classes)
    shapes = options.shapes or facts.shapes
    if not shapes:
        raise WeightsError("The config does not say at which size it works; give --shape.")
    known = facts.known
    return save_checkpoint(
        network.state_dict(),
        {
            "name": options.name,
            "model": model,
            "classes": classes,
            "palette": palette,
            "shapes": tuple(shapes),
            "training": {
                "config": Path(options.config).stem,
                "data_set": facts.data_set,
                "data": options.data
                or (f"{known.title}; chosen on val" if known else facts.data_set or UNSTATED),
                "seed": options.seed if options.seed is not None else meta.get("seed"),
                "schedule": options.schedule,
                "start": options.start or config.get("load_from") or UNSTATED,
                "reduce_zero_label": facts.reduce_zero_label,
            },
            "metrics": {},
            "licence": options.licence or (known.licence if known else UNSTATED),
        },
        options.folder / f"{options.name}.safetensors",
    )


def _classes(
    options: argparse.Namespace, facts: Facts, count: int
) -> tuple[tuple[str, ...], tuple[tuple[int, int, int], ...]]:
    """Return names and colours of the classes, as the options or the files say."""
    classes, palette = facts.classes, facts.palette
    if options.classes is not None:
        told = _listed(options.classes)
        classes = tuple(told)
        if all(colour is not None for colour in told.values()):
            palette = tuple(told.values())
    if classes is None or len(classes) != count:
        found = "no" if classes is None else len(classes)
        raise WeightsError(
            f"The network has {count} classes, and there are {found} names; give --classes."
        )
    return classes, palette or told_apart(count)


def _listed(path: Path) -> Mapping[str, Any]:
    """Read a list of classes, with a colour each or without."""
    try:
        listed = json.loads(path.read_text(encoding="utf-8"))
        pairs = [(item, None) if isinstance(item, str) else item for item in listed]
        return {str(name): colour and (*map(int, colour),) for name, colour in pairs}
    except (ValueError, TypeError, RecursionError) as error:
        raise WeightsError(f"{path.name} holds no list of classes: {error}.") from error


def _shape(text: str) -> tuple[int, int]:
    height, width = text.lower().split("x")
    return int(height), int(width)


if __name__ == "__main__":
    main()
