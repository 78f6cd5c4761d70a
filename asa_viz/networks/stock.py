"""mmsegmentation's own networks: their configs as data, and the methods in their heads.

Two of its heads need compiled operations; heads of the zoo that take the same weights replace them.
Settings whose attention would be shown wrongly raise an error that names them.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mmengine.config import Config

from asa_viz.networks.weights import WeightsError
from asa_viz.networks.zoo.methods import HEADS, READERS
from asa_viz.networks.zoo.record import HeadMethod

# Settings used in training only, of the model and of its parts.
_OF_TRAINING = {
    "": ("auxiliary_head", "train_cfg", "teacher", "weight", "data_set"),
    "backbone": ("frozen", "frozen_stages", "norm_eval"),
    "decode_head": ("support_target", "sparsity_weight", "local_target", "local_weight"),
}
_DOWNLOADS = ("pretrained", "init_cfg", "checkpoint", "checkpoint_path")
# Settings that must have a given value, or the head's default, for the attention to be right.
_ONLY: dict[str, dict[str, Any]] = {
    "PSAHead": {
        "psa_type": "bi-direction", "compact": False, "shrink_factor": 2,
        "normalization_factor": 1.0, "psa_softmax": True,
    },
    "DNLHead": {"mode": "embedded_gaussian"},
    "GCHead": {"pooling_type": "att", "fusion_types": ("channel_add",)},
    "ANNHead": {"query_scales": (1,)},
    "OCRHead": {"scale": 1},
    "APCHead": {"fusion": True},
    "PSPHead": {"align_corners": False},
    "ASAHead": {"rule": "clean"},
}  # fmt: skip


def model_as_data(config: Config) -> dict[str, Any]:
    """Return a config's model as plain data, for one device and without its training parts.

    Raises:
        WeightsError: the config has no model, or one of another kind, or a setting of its head is
            not supported.
    """
    if not isinstance(config.get("model"), Mapping):
        raise WeightsError("The config has no model.")
    model = _plain(config.model.to_dict())
    if model.get("type") == "DistilledEncoderDecoder":
        model["type"] = "EncoderDecoder"
    for part, names in _OF_TRAINING.items():
        settings = model.get(part) if part else model
        for name in names if isinstance(settings, dict) else ():
            settings.pop(name, None)
    heads = model.get("decode_head")
    if isinstance(heads, list):
        model["decode_head"] = [_head_as_data(head) for head in heads]
    elif isinstance(heads, dict):
        model["decode_head"] = _head_as_data(heads)
    else:
        raise WeightsError("The config's model has no decode_head.")
    return model


def methods_of(model: Mapping[str, Any]) -> tuple[HeadMethod, ...]:
    """Return the methods that read the attention of a model's head; empty without attention."""
    heads = model["decode_head"]
    head = heads[-1] if isinstance(heads, list) else heads
    if head.get("rule", "clean") != "clean":
        return ()
    wanted = _signature(head)
    name = next((name for name, each in HEADS.items() if _signature(each.settings) == wanted), None)
    if head["type"] == "NonLocalHead":
        name = "nonlocal_embedded_gaussian"
    elif head["type"] == "OCRHead":
        name = "ocr"
    methods = [
        method
        for method in READERS.values()
        if isinstance(method, HeadMethod) and method.head == name and method.method.exact != "none"
    ]
    return tuple(_watching(method, head) for method in methods)


def readable_heads() -> tuple[str, ...]:
    """Return the names of the heads whose attention can be read, mmsegmentation's own first."""
    heads = {
        str(HEADS[method.head].settings["type"])
        for method in READERS.values()
        if isinstance(method, HeadMethod) and method.method.exact != "none"
    }
    return tuple(sorted(heads | {"CCHead", "NonLocalHead", "OCRHead", "PSAHead"}))


def _signature(settings: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what distinguishes the heads of the zoo: type, block, and kernel."""
    kind = settings["type"]
    block = settings.get("block") or {}
    mode = settings.get("mode", "embedded_gaussian") if kind == "NLHead" else None
    return kind, block.get("type"), mode


def _watching(method: HeadMethod, head: Mapping[str, Any]) -> HeadMethod:
    """Return the method with the submodules to record that a head of these settings has."""
    if head["type"] != "APCHead":
        return method
    scales = [f"acm_modules.{i}" for i in range(len(head.get("pool_scales", (1, 2, 3, 6))))]
    return replace(method, watch=(*scales, *(f"{scale}.gla" for scale in scales)))


def _head_as_data(head: dict[str, Any]) -> dict[str, Any]:
    kind = head.get("type")
    for name, value in _ONLY.get(str(kind), {}).items():
        given = head.get(name, value)
        if (tuple(given) if isinstance(given, list) else given) != value:
            raise WeightsError(f"{kind} with {name}={given!r} is not supported, only {value!r}.")
    head = head | {"loss_decode": {"type": "CrossEntropyLoss", "avg_non_ignore": True}}
    if kind == "CCHead":
        return head | {"type": "CrissCrossHead"}
    if kind == "PSAHead":
        only = {name: value for name, value in head.items() if name not in _ONLY["PSAHead"]}
        return only | {"type": "PointwiseHead", "border": 1}
    if kind == "NLHead" and head.get("mode") == "concatenation":
        return {name: value for name, value in head.items() if name != "mode"} | {
            "type": "ConcatenationHead"
        }
    return head


def _plain(part: Any) -> Any:
    """Return settings without downloads and without synchronised normalisation."""
    if isinstance(part, Mapping):
        plain = {
            name: _plain(value)
            for name, value in part.items()
            # mmsegmentation's registry is the default scope.
            if name not in _DOWNLOADS and (name, value) != ("_scope_", "mmseg")
        }
        # Left out, it would be downloaded weights.
        return plain | ({"pretrained": False} if _is_timm(plain) else {})
    if isinstance(part, list | tuple):
        return type(part)(_plain(item) for item in part)
    if isinstance(part, str):
        return "BN" if part == "SyncBN" else part.removeprefix("mmseg.")
    return part


def _is_timm(part: Mapping[str, Any]) -> bool:
    """Return whether settings are those of a backbone of timm, of mmsegmentation or mmpretrain."""
    return str(part.get("type")).rpartition(".")[2] == "TIMMBackbone"
