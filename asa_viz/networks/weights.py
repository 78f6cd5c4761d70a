"""Weights from files: safetensors, or pickles read as data only; names mapped to the network's.

Three kinds of file are read: checkpoints of this project, checkpoints of mmsegmentation (its zoo),
and ImageNet weights under torchvision's names, which become the `backbone.` of a network.
"""

import pickle
import re
from pathlib import Path

import torch
from mmengine.runner import CheckpointLoader
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

INIT_SCHEME = "init:"

_NETWORK_PARTS = ("backbone.", "decode_head.", "auxiliary_head.")


class WeightsError(Exception):
    """A file of weights cannot be used; the message says why, in one sentence for its owner."""


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """Read a file of weights into float32 tensors on the CPU, under the names mmsegmentation uses.

    Nothing in the file is executed: pickles are opened with `weights_only=True`.

    Raises:
        WeightsError: the file is missing, damaged, or holds something other than plain weights.
    """
    path = Path(path)
    if not path.is_file():
        raise WeightsError(f"There is no file of weights at {path}.")
    weights = _read_safetensors(path) if path.suffix == ".safetensors" else _read_pickle(path)
    weights = {name.removeprefix("module."): value for name, value in weights.items()}
    if not any(name.startswith(_NETWORK_PARTS) for name in weights):
        weights = {
            f"backbone.{_backbone_name(name)}": value
            for name, value in weights.items()
            if not name.startswith(("fc.", "classifier.", "features.18."))
        }
    return {
        name: value.float() if value.is_floating_point() else value
        for name, value in weights.items()
    }


def load_weights(network: nn.Module, weights: dict[str, Tensor]) -> list[str]:
    """Copy `weights` into `network` wherever name and shape agree; return what was not in the file.

    A file may hold less than the network (ImageNet weights know no decode head, a dense network no
    thresholds), yet nothing may be silently the wrong shape, and the whole backbone must be there.

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
    missing = [
        name for name in own if name not in weights and not name.endswith("num_batches_tracked")
    ]
    without = [name for name in missing if name.startswith("backbone.")]
    if without:
        raise WeightsError(f"These weights do not fit: they have no {without[0]}.")
    network.load_state_dict(weights, strict=False)
    return missing


@CheckpointLoader.register_scheme(prefixes=INIT_SCHEME)
def _load_init(filename: str, map_location: object = None) -> dict[str, dict[str, Tensor]]:
    """Let mmengine's `load_from` read any file that `read_weights` reads, and nothing else."""
    return {"state_dict": read_weights(filename.removeprefix(INIT_SCHEME))}


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except SafetensorError as error:
        raise WeightsError(f"{path.name} is damaged or not a safetensors file.") from error


def _read_pickle(path: Path) -> dict[str, Tensor]:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise WeightsError(
            f"{path.name} contains program code or objects, not only weights, so it was not opened."
        ) from error
    except (RuntimeError, EOFError, OSError) as error:
        raise WeightsError(f"{path.name} is damaged or not a checkpoint.") from error
    content = content.get("state_dict", content) if isinstance(content, dict) else None
    if not content or not all(isinstance(value, Tensor) for value in content.values()):
        raise WeightsError(f"{path.name} holds no named weights.")
    return dict(content)


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
