"""Checkpoints: weights as safetensors, and beside them a card, JSON, that says what they are.

The card holds the model's config as data. Names of parts go through a fixed list, so that no file
can make the library import or run something else.
"""

import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from mmengine.registry import DefaultScope
from mmseg.registry import MODELS
from safetensors.torch import save_file
from torch import Tensor

from asa_viz.networks.weights import WeightsError, load_weights, read_weights
from asa_viz.shipped import DEFAULT, FOLDER, available

_PARTS = frozenset({
    "EncoderDecoder", "SegDataPreProcessor", "MobileNetV2", "ResNet", "ResNetV1c",
    "ASAHead", "NLHead", "FCNHead", "CrossEntropyLoss", "BN", "ReLU", "ReLU6",
})  # fmt: skip
_LARGEST_NUMBER = 4096


@dataclass(frozen=True)
class Card:
    """What a checkpoint is: enough to rebuild it, to name what it says, and to cite it.

    `shapes` are the (height, width) at which the network works; an image goes to the nearest.
    """

    name: str
    model: dict[str, Any]
    classes: tuple[str, ...]
    palette: tuple[tuple[int, int, int], ...]
    shapes: tuple[tuple[int, int], ...]
    training: dict[str, Any]
    metrics: dict[str, Any]
    licence: str
    sha256: str

    @classmethod
    def read(cls, path: Path) -> "Card":
        """Read a card and check what a network is built from.

        Raises:
            WeightsError: the file is missing, is no card, or names something that is not allowed.
        """
        if not path.is_file():
            raise WeightsError(f"There is no card at {path}; weights come with a card beside them.")
        try:
            fields = json.loads(path.read_text(encoding="utf-8"))
            card = cls(
                **fields
                | {
                    "classes": tuple(map(str, fields["classes"])),
                    "palette": tuple((int(r), int(g), int(b)) for r, g, b in fields["palette"]),
                    "shapes": tuple((int(h), int(w)) for h, w in fields["shapes"]),
                }
            )
        except (ValueError, TypeError, KeyError) as error:
            raise WeightsError(f"{path.name} is not a card of a network: {error}.") from error
        _check_model(card.model, path.name)
        if len(card.palette) != len(card.classes) or not 1 <= len(card.shapes) <= 6:
            raise WeightsError(f"{path.name} needs a colour per class and one to six shapes.")
        return card

    def write(self, path: Path) -> None:
        """Write the card, one line for each colour and shape."""
        path.write_text(json.dumps(vars(self), indent=1) + "\n", encoding="utf-8")


def find(name_or_path: str | Path | None = None) -> Path:
    """Return the file of weights meant by a name or a path; None means the default network.

    Raises:
        WeightsError: there is no such network; the message lists the names there are.
    """
    named = FOLDER / f"{name_or_path or DEFAULT}.safetensors"
    if named.is_file():
        return named
    path = Path(name_or_path or DEFAULT)
    if path.suffix == ".safetensors" and path.is_file():
        return path
    known = ", ".join(available()) or "none"
    raise WeightsError(f"There is no network {str(path)!r}; there are: {known}.")


def build(model: dict[str, Any]) -> Any:
    """Build a network from its config as data, with random weights."""
    _check_model(model, "The model")
    with DefaultScope.overwrite_default_scope("mmseg"):
        return MODELS.build(model)


def model_as_data(config: Any) -> dict[str, Any]:
    """Return the model of a config as plain data, to be run on one device, without its training."""
    model = config.model.to_dict()
    for name in ("auxiliary_head", "train_cfg"):
        model.pop(name, None)
    for name in ("support_target", "sparsity_weight"):
        model["decode_head"].pop(name, None)
    model["decode_head"]["loss_decode"] = {"type": "CrossEntropyLoss", "avg_non_ignore": True}
    return _without_sync(model)


def _without_sync(part: Any) -> Any:
    """Replace normalisation that speaks to other processes by the plain one."""
    if isinstance(part, dict):
        return {name: _without_sync(value) for name, value in part.items()}
    return "BN" if part == "SyncBN" else part


def open_checkpoint(path: Path) -> tuple[Any, Card]:
    """Read card and weights and return the network, ready to run.

    Raises:
        WeightsError: a file is missing or damaged, the weights do not fit, or are not finite.
    """
    card = Card.read(path.with_suffix(".json"))
    if digest_of(path) != card.sha256:
        raise WeightsError(f"{path.name} does not match the digest on its card.")
    weights = read_weights(path)
    network = build(card.model)
    missing = load_weights(network, weights)
    if missing:
        raise WeightsError(f"{path.name} is incomplete: it has no {missing[0]}.")
    bad = [name for name, value in weights.items() if not torch.isfinite(value).all()]
    if bad:
        raise WeightsError(f"{len(bad)} tensors of {path.name} contain invalid numbers: {bad[0]}.")
    return network.eval(), card


def save_checkpoint(weights: dict[str, Tensor], fields: dict[str, Any], path: Path) -> Card:
    """Write weights in half precision and the card beside them; return the card."""
    save_half(weights, path)
    card = Card(**fields, sha256=digest_of(path))
    card.write(path.with_suffix(".json"))
    return card


def save_half(weights: dict[str, Tensor], path: Path) -> None:
    """Write weights in half precision, without the counters that only training reads."""
    half = {
        name: (value.half() if value.is_floating_point() else value).contiguous()
        for name, value in weights.items()
        if not name.endswith("num_batches_tracked")
    }
    save_file(half, path)


def digest_of(path: Path) -> str:
    """Return the SHA-256 digest of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _check_model(part: Any, where: str) -> None:
    """Refuse names outside the list, downloads, and numbers that build something huge."""
    if isinstance(part, dict):
        name = part.get("type")
        if name is not None and name not in _PARTS:
            allowed = ", ".join(sorted(_PARTS))
            raise WeightsError(f"{where}: a part of type {name!r} is not allowed, only {allowed}.")
        for key in ("pretrained", "init_cfg"):
            if part.get(key):
                raise WeightsError(f"{where}: {key} is not allowed; the weights are in the file.")
        part = list(part.values())
    if isinstance(part, list | tuple):
        for item in part:
            _check_model(item, where)
    elif isinstance(part, int | float) and not (
        math.isfinite(part) and abs(part) <= _LARGEST_NUMBER
    ):
        raise WeightsError(f"{where}: {part} is too large a number.")
