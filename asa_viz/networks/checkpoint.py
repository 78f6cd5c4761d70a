"""Checkpoints: weights as safetensors, with a JSON card that describes them.

The card contains the model's config as data. Types are checked against a fixed list, so that no
file can make the library import or run anything else.
"""

import dataclasses
import json
import math
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from mmengine.registry import DefaultScope
from mmseg.registry import MODELS
from torch import Tensor

from asa_viz.checkpoints import DEFAULT, available, digest_of, folders
from asa_viz.networks.weights import (
    WeightsError,
    load_all,
    read_weights,
    save_weights,
    what_is_wrong,
)

_PARTS = frozenset({
    "EncoderDecoder", "CascadeEncoderDecoder", "SegDataPreProcessor", "CrossEntropyLoss",
    "DeepLabMobileNetV2", "MobileNetV2", "MobileNetV3", "ResNet", "ResNetV1c", "ResNetV1d",
    "ResNeXt", "ResNeSt", "HRNet", "VisionTransformer", "SwinTransformer", "MixVisionTransformer",
    "FPN", "Feature2Pyramid", "MultiLevelNeck",
    "ASAHead", "NonLocalHead", "OwnValueHead", "FCNHead", "NLHead", "ConcatenationHead", "DNLHead",
    "DAHead", "ISAHead", "CrissCrossHead", "ANNHead", "PointwiseHead", "EMAHead", "GCHead",
    "APCHead", "OCRHead", "ObjectContextHead", "PSPHead", "UPerHead", "SETRUPHead",
    "SegmenterMaskTransformerHead", "SETRMLAHead",
    "BN", "BN1d", "BN2d", "LN", "GN", "IN", "ReLU", "ReLU6", "GELU", "HSwish", "LeakyReLU",
})  # fmt: skip
# Settings that may be strings; elsewhere a string could name a file or an address to read from.
_TEXTS = frozenset({
    "type", "mode", "style", "rule", "input_transform", "loss_name", "padding_mode", "pool_type",
    "interpolate_mode",
})  # fmt: skip
_LARGEST_NUMBER = 4096
_MOST_CLASSES = 256
_MOST_SHAPES = 6
_SMALLEST_SIDE, _LARGEST_SIDE = 32, 2048


@dataclass(frozen=True)
class Card:
    """The description of a checkpoint: enough to rebuild the network, label its output and cite it.

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
        except (ValueError, RecursionError) as error:
            raise WeightsError(what_is_wrong(path, "a card of a network")) from error
        _check_fields(fields, path.name)
        tuples = ("classes", "palette", "shapes")
        return cls(**fields | {name: _as_tuple(fields[name]) for name in tuples})

    def write(self, path: Path) -> None:
        """Write the card, one line for each colour and shape."""
        path.write_text(json.dumps(vars(self), indent=1) + "\n", encoding="utf-8")


def find(name_or_path: str | Path | None = None) -> Path:
    """Return the weights file for a name or a path; None means the default network.

    Raises:
        WeightsError: there is no such network; the message lists the names there are.
    """
    path = Path(name_or_path or DEFAULT).expanduser()
    if path.suffix != ".safetensors":
        path = path.with_name(f"{path.name}.safetensors")
    # A name has one path component; anything else is a path.
    for folder in folders() if len(path.parts) == 1 else ():
        if (folder / path.name).is_file():
            return folder / path.name
    if path.is_file():
        return path
    known = ", ".join(available()) or "none"
    asked = str(name_or_path or DEFAULT)
    raise WeightsError(f"There is no network {asked!r}; there are: {known}.")


def build(model: dict[str, Any]) -> Any:
    """Build a network from its config as data, with random weights.

    Raises:
        WeightsError: the config names what is not allowed, or is not that of a network.
    """
    check_model(model, "The model")
    try:
        with DefaultScope.overwrite_default_scope("mmseg"), warnings.catch_warnings():
            # Advice for authors of configs.
            warnings.simplefilter("ignore")
            return MODELS.build(model)
    # The parts raise KeyError, TypeError, AssertionError and others on bad settings.
    except Exception as error:
        reason = " ".join(str(error).split()).removesuffix(".")
        raise WeightsError(f"No network can be built from the model: {reason}.") from error


def open_checkpoint(path: Path) -> tuple[Any, Card]:
    """Return the network built from a card, with its weights loaded and in evaluation mode.

    Raises:
        WeightsError: a file is missing or damaged, the weights do not fit, or are not finite.
    """
    card = Card.read(path.with_suffix(".json"))
    if digest_of(path) != card.sha256:
        raise WeightsError(f"{path.name} does not match the digest on its card.")
    weights = read_weights(path)
    network = build(card.model)
    load_all(network, weights, path.name)
    bad = [name for name, value in weights.items() if not torch.isfinite(value).all()]
    if bad:
        raise WeightsError(f"{len(bad)} tensors of {path.name} contain invalid numbers: {bad[0]}.")
    return network.eval(), card


def save_checkpoint(weights: dict[str, Tensor], fields: dict[str, Any], path: Path) -> Card:
    """Write weights in half precision and the card beside them; return the card."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _check_fields(fields | {"sha256": ""}, f"The card of {fields['name']}")
    save_half(weights, path)
    card = Card(**fields, sha256=digest_of(path))
    card.write(path.with_suffix(".json"))
    return card


def save_half(weights: dict[str, Tensor], path: Path) -> None:
    """Write weights in half precision, without the counters that only training reads."""
    half = {
        name: value.half() if value.is_floating_point() else value
        for name, value in weights.items()
        if not name.endswith("num_batches_tracked")
    }
    save_weights(half, path)


def _check_fields(fields: Any, where: str) -> None:
    """Check that the fields of a card suffice to build the network and to display its output.

    Raises:
        WeightsError: a field is missing or invalid; the message names it.
    """
    wanted = {field.name for field in dataclasses.fields(Card)}
    given = set(fields) if isinstance(fields, dict) else set()
    if given != wanted:
        differing = ", ".join(sorted(map(str, wanted ^ given)))
        raise WeightsError(f"{where} is not a card of a network; see: {differing}.")
    classes, palette, shapes = (
        _as_tuple(fields[name]) for name in ("classes", "palette", "shapes")
    )
    texts = [fields["name"], fields["licence"], fields["sha256"], *classes]
    if not all(isinstance(text, str) for text in texts):
        raise WeightsError(f"{where}: name, licence, sha256 and classes must be texts.")
    if not all(isinstance(fields[name], dict) for name in ("model", "training", "metrics")):
        raise WeightsError(f"{where}: model, training and metrics must be objects.")
    if not 1 <= len(classes) <= _MOST_CLASSES:
        raise WeightsError(f"{where}: it has {len(classes)} classes, not 1 to {_MOST_CLASSES}.")
    if len(palette) != len(classes) or not all(
        _whole_numbers(colour, 3, 0, 255) for colour in palette
    ):
        raise WeightsError(f"{where}: it needs a colour per class, three numbers up to 255.")
    if not 1 <= len(shapes) <= _MOST_SHAPES or not all(
        _whole_numbers(shape, 2, _SMALLEST_SIDE, _LARGEST_SIDE) for shape in shapes
    ):
        sides = f"from {_SMALLEST_SIDE} to {_LARGEST_SIDE} pixels"
        raise WeightsError(f"{where}: it needs one to six shapes, (height, width), {sides}.")
    check_model(fields["model"], where)
    heads = fields["model"].get("decode_head")
    head = heads[-1] if isinstance(heads, list) and heads else heads
    count = head.get("num_classes") if isinstance(head, dict) else None
    if count != len(classes):
        raise WeightsError(f"{where}: it names {len(classes)} classes, and its head has {count}.")


def _as_tuple(value: Any) -> tuple[Any, ...]:
    """Return nested lists as tuples; any other value as an empty tuple."""
    if not isinstance(value, list | tuple):
        return ()
    return tuple(_as_tuple(item) if isinstance(item, list) else item for item in value)


def _whole_numbers(items: Any, count: int, least: int, most: int) -> bool:
    return (
        isinstance(items, tuple)
        and len(items) == count
        and all(type(item) is int and least <= item <= most for item in items)
    )


def check_model(part: Any, where: str, name: str = "") -> None:
    """Check that the model config contains known parts only; `name` is the part's own name.

    Keys that begin with `_` make the registry import modules, and some string settings name files
    to read: every key and every string is checked.

    Raises:
        WeightsError: something else is in it; the message says what.
    """
    if isinstance(part, dict):
        for key, value in part.items():
            if not isinstance(key, str) or key.startswith("_"):
                raise WeightsError(f"{where}: the setting {key!r:.40} is not allowed.")
            if key in ("pretrained", "init_cfg") and value:
                raise WeightsError(f"{where}: {key} is not allowed; the weights are in the file.")
            if key == "type" and not (isinstance(value, str) and value in _PARTS):
                allowed = ", ".join(sorted(_PARTS))
                raise WeightsError(
                    f"{where}: a part of type {value!r:.40} is not allowed, only {allowed}."
                )
            check_model(value, where, key)
    elif isinstance(part, list | tuple):
        for item in part:
            check_model(item, where, name)
    elif isinstance(part, str):
        if name not in _TEXTS:
            raise WeightsError(f"{where}: {name} may not be a text, {part!r:.40}.")
    elif part is not None and not (
        isinstance(part, int | float) and math.isfinite(part) and abs(part) <= _LARGEST_NUMBER
    ):
        raise WeightsError(f"{where}: {part!r:.40} is too large a number, or none.")
