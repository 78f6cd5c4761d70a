"""Train a head on encoded pictures: `python -m asa_viz.compare.network CONFIG --data ROOT`.

CONFIG names a network with a read only head and a backbone from a first stage. The head is the
comparison's arm of the same design with the config's width, rate and number of steps. It is trained
on principal components of the backbone's last stage at the network's working size, with a teacher
that sees the whole picture. The projection to the components and the head's first layer are both
linear and are folded into one. The weights of the whole network are written to
`WORK_DIR/CONFIG.safetensors`, for `python -m asa_viz.export`. Steps that are finished in the work
dir are skipped.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from asa_viz.compare.features import encode_pictures
from asa_viz.compare.runs import ENTRANTS
from asa_viz.compare.train import train
from asa_viz.networks.checkpoint import Card, build
from asa_viz.networks.configs import read_config
from asa_viz.networks.datasets import data_set_of
from asa_viz.networks.distillation import load_teacher
from asa_viz.networks.pictures import DataError
from asa_viz.networks.segmenter import Segmenter
from asa_viz.networks.stock import model_as_data
from asa_viz.networks.weights import (
    WeightsError,
    load_weights,
    read_backbone,
    save_weights,
)
from asa_viz.networks.zoo.ensemble import PROJECTION
from asa_viz.networks.zoo.projection import Projection, load_projection

# The arm with the design of each head.
ARM_OF = {
    "ASAHead": "asa_read_only",
    "NonLocalHead": "nonlocal_started_read_only",
}
_FIRST, _MEAN = "convs.0.conv.weight", "convs.0.bn.running_mean"


def folded(head: Mapping[str, Tensor], projection: Projection) -> dict[str, Tensor]:
    """Return the weights of a head that reads the backbone's deepest stage instead of components.

    The first layer is a 1 x 1 convolution without bias and a normalisation: the projection's matrix
    goes into the one, its centre into the mean of the other.
    """
    components, centre = projection.weights[0], projection.centres[0]
    weight = head[_FIRST].flatten(1) @ components
    return {
        **head,
        _FIRST: weight[:, :, None, None],
        _MEAN: head[_MEAN] + weight @ centre,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Train the head of a network and write the network's weights."""
    parser = argparse.ArgumentParser(prog="python -m asa_viz.compare.network", description=__doc__)
    parser.add_argument("config", help="name or path of a config with a read only head")
    parser.add_argument("--data", required=True, type=Path, help="root folder of the data set")
    parser.add_argument("--backbone", required=True, help="weights of the first stage")
    parser.add_argument("--teacher", type=Path, help="weights of a network to learn from as well")
    parser.add_argument("--every", type=int, default=1, help="train on one picture in so many")
    parser.add_argument(
        "--rare", type=int, default=0, help="and on all that show a class which fewer pictures show"
    )
    parser.add_argument(
        "--repeat", type=float, default=0.0,
        help="show pictures of classes more often that a smaller share of the pictures shows",
    )  # fmt: skip
    parser.add_argument("--work-dir", type=Path, default=Path("work_dirs", "compare"))
    parser.add_argument("--seed", type=int, default=0)
    parsed = parser.parse_args(arguments)
    try:
        config = read_config(parsed.config)
        network = build(model_as_data(config))
        load_weights(network, read_backbone(parsed.backbone))
        teacher = load_teacher(parsed.teacher) if parsed.teacher else None
    except (WeightsError, FileNotFoundError, DataError) as error:
        raise SystemExit(str(error)) from error
    facts, name = data_set_of(config), Path(parsed.config).stem
    arm = ARM_OF.get(config.model.decode_head.type)
    if arm is None or not config.model.decode_head.get("read_only"):
        raise SystemExit(f"{name} has no read only head.")
    card = Card(
        name=name, model={}, classes=facts.classes, palette=facts.palette, shapes=facts.shapes,
        training={"data_set": facts.name}, metrics={}, licence=facts.licence, sha256="",
    )  # fmt: skip
    segmenter = Segmenter(network.eval(), card, torch.device("cpu"))
    features = parsed.work_dir / "features"
    encode_pictures(segmenter, facts, parsed.data, features, teacher, parsed.every, parsed.rare)
    entrant, folder = ENTRANTS[arm], parsed.work_dir / name / str(parsed.seed)
    model = train(
        entrant.head, parsed.seed, features, folder, started=entrant.started,
        width=config.model.decode_head.channels, rate=config.optim_wrapper.optimizer.lr,
        steps=config.train_cfg.max_iters, repeat=parsed.repeat,
    )  # fmt: skip
    head = folded(model.head.state_dict(), load_projection(features / PROJECTION))
    network.decode_head.load_state_dict(head)
    path = parsed.work_dir / f"{name}.safetensors"
    save_weights(network.state_dict(), path)
    print(path)


if __name__ == "__main__":
    main()
