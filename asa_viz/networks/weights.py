"""Reads weights from safetensors or torch.save files as data, and maps names to the network's.

Three kinds of file are supported: checkpoints of this project, checkpoints of mmsegmentation's zoo,
and ImageNet weights under torchvision's names, which become the `backbone.` of a network.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.runner import CheckpointLoader
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from asa_viz.networks.pickles import Contents, read_pickled

INIT_SCHEME = "init:"
BACKBONE_SCHEME = "backbone:"

_NETWORK_PARTS = ("backbone.", "decode_head.", "auxiliary_head.")
_TRAINING_PARTS = ("auxiliary_head.", "data_preprocessor.")
_COUNTER = "num_batches_tracked"


class WeightsError(Exception):
    """A file of weights cannot be used; the message says why in one sentence."""


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """Read a file of weights into float32 tensors on the CPU, under the names mmsegmentation uses.

    Nothing in the file is executed: of a pickle only the tensors are read (`pickles`).

    Raises:
        WeightsError: the file is missing, damaged, or holds no weights.
    """
    return read_checkpoint(path).weights


def read_checkpoint(path: str | Path) -> Contents:
    """Read a file's weights, as `read_weights`, and the plain data under its `meta`.

    Raises:
        WeightsError: as `read_weights`.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise WeightsError(f"There is no file of weights at {path}.")
    meta: dict[str, Any] = {}
    if path.suffix == ".safetensors":
        weights = _read_safetensors(path)
    else:
        weights, meta = _read_pickle(path)
    if not weights:
        raise WeightsError(f"{path.name} holds no named weights.")
    weights = {name.removeprefix("module."): value for name, value in weights.items()}
    if not any(name.startswith(_NETWORK_PARTS) for name in weights):
        weights = {
            f"backbone.{_backbone_name(name)}": value
            for name, value in weights.items()
            if not name.startswith(("fc.", "classifier.", "features.18."))
        }
    numbers = {
        name: value.float() if value.is_floating_point() else value
        for name, value in weights.items()
    }
    return Contents(numbers, meta)


def save_weights(weights: Mapping[str, Tensor], path: Path) -> None:
    """Write weights as safetensors, replacing an earlier file atomically.

    safetensors' own `save_file` sets mode 0600, whatever the umask.
    """
    part = path.with_suffix(".part")
    # Cloned, because layers may share weights and each name must be in the file.
    part.write_bytes(save({name: value.contiguous().clone() for name, value in weights.items()}))
    part.replace(path)


def load_weights(network: nn.Module, weights: dict[str, Tensor]) -> list[str]:
    """Copy `weights` into `network` where names match; return the names missing in the file.

    A file may hold less than the network (ImageNet weights have no decode head, a dense network no
    thresholds), but a shape that differs is an error, and the whole backbone must be there.

    Raises:
        WeightsError: a shape differs, or part of the backbone is missing.
    """
    own = network.state_dict()
    wrong = [
        f"{name} is {tuple(value.shape)}, not {tuple(own[name].shape)}"
        for name, value in weights.items()
        if name in own and value.shape != own[name].shape
    ]
    if wrong:
        raise WeightsError(f"These weights do not fit: {len(wrong)} differ; the first: {wrong[0]}.")
    missing = [name for name in own if name not in weights and not name.endswith(_COUNTER)]
    without = [name for name in missing if name.startswith("backbone.")]
    if without:
        raise WeightsError(f"These weights do not fit: they have no {without[0]}.")
    network.load_state_dict(weights, strict=False)
    return missing


def load_all(network: nn.Module, weights: Mapping[str, Tensor], whose: str) -> None:
    """Copy weights into a network with exactly these names; `whose` describes them in an error.

    Auxiliary heads and counters that only training uses may be missing or extra.

    Raises:
        WeightsError: a tensor is missing, is one too many, or differs in shape.
    """
    own = network.state_dict()
    given = {name: value for name, value in weights.items() if not name.startswith(_TRAINING_PARTS)}
    missing, surplus = (
        [name for name in some if name not in others and not name.endswith(_COUNTER)]
        for some, others in ((own, given), (given, own))
    )
    if missing or surplus:
        found = [
            f"{len(names)} {what}, the first {names[0]}"
            for names, what in ((missing, "are missing"), (surplus, "are of another network"))
            if names
        ]
        raise WeightsError(f"{whose} does not fit this network: of its tensors {', '.join(found)}.")
    load_weights(network, {name: given[name] for name in own if name in given})


def read_backbone(path: str | Path) -> dict[str, Tensor]:
    """Read only the backbone's weights from a file whose head is of another kind.

    Raises:
        WeightsError: as `read_weights`.
    """
    return {
        name: value for name, value in read_weights(path).items() if name.startswith("backbone.")
    }


@CheckpointLoader.register_scheme(prefixes=BACKBONE_SCHEME)
def _load_backbone(filename: str, map_location: object = None) -> dict[str, dict[str, Tensor]]:
    """Loader for mmengine's `load_from`: reads a file by `read_backbone`."""
    return {"state_dict": read_backbone(filename.removeprefix(BACKBONE_SCHEME))}


@CheckpointLoader.register_scheme(prefixes=INIT_SCHEME)
def _load_init(filename: str, map_location: object = None) -> dict[str, dict[str, Tensor]]:
    """Loader for mmengine's `load_from`: reads a file by `read_weights`."""
    return {"state_dict": read_weights(filename.removeprefix(INIT_SCHEME))}


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except SafetensorError as error:
        raise WeightsError(what_is_wrong(path, "a safetensors file")) from error


def _read_pickle(path: Path) -> Contents:
    try:
        return read_pickled(path)
    # A damaged pickle may raise any of a dozen exceptions.
    except Exception as error:
        raise WeightsError(what_is_wrong(path, "a checkpoint")) from error


def what_is_wrong(path: Path, wanted: str) -> str:
    """Return a sentence on why a file could not be read as `wanted`."""
    with path.open("rb") as file:
        start = file.read(512)
    if not start:
        return f"{path.name} is empty; copy it again."
    if start.startswith(b"version https://git-lfs"):
        return (
            f"{path.name} is a pointer of Git LFS, not the file itself; fetch it by `git lfs pull`."
        )
    if re.match(rb"\s*<(!doctype|html|\?xml|head)", start, re.IGNORECASE):
        return f"{path.name} is a web page, not {wanted}; its download went wrong."
    return f"{path.name} is damaged, not fully copied, or not {wanted}."


# torchvision numbers the blocks of MobileNetV2 in one list; mmsegmentation groups them by layer.
_LAYER_STARTS = (1, 2, 4, 7, 11, 14, 17)


def _backbone_name(name: str) -> str:
    """Translate torchvision's name of a weight; ResNet's are the same in both libraries."""
    match = re.fullmatch(r"features\.(\d+)\.(.+)", name)
    if not match:
        return name
    number, rest = int(match[1]), match[2]
    if number == 0:
        return "conv1." + {"0": "conv", "1": "bn"}[rest[0]] + rest[1:]
    layer = max(i for i, start in enumerate(_LAYER_STARTS) if start <= number)
    block = f"layer{layer + 1}.{number - _LAYER_STARTS[layer]}"
    # Expansion and depthwise steps are (conv, norm) pairs; the last projection is two flat entries.
    if pair := re.fullmatch(r"conv\.(\d)\.([01])\.(.+)", rest):
        return f"{block}.conv.{pair[1]}.{('conv', 'bn')[int(pair[2])]}.{pair[3]}"
    step, parameter = re.fullmatch(r"conv\.(\d)\.(.+)", rest).groups()  # type: ignore[union-attr]
    projection = 1 if number == 1 else 2
    return f"{block}.conv.{projection}.{('conv', 'bn')[int(step) - projection]}.{parameter}"
