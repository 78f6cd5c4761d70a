"""Opens any mmsegmentation network from its config and checkpoint, or raises a clear error.

A config is Python code that runs when it is read: open only files you trust. The checkpoint is read
as data.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8
from mmcv.transforms import Compose
from mmengine.config import Config, ConfigDict, DictAction
from mmengine.registry import DefaultScope

from asa_viz.images import nearest_shape, resize
from asa_viz.networks.checkpoint import Card
from asa_viz.networks.configs import read_config
from asa_viz.networks.external_segmenter import ExternalSegmenter
from asa_viz.networks.facts import classes_of, read_facts
from asa_viz.networks.passes import Prepare
from asa_viz.networks.segmenter import Segmenter, checked_device, load
from asa_viz.networks.stock import methods_of, model_as_data, readable_heads
from asa_viz.networks.transformers import layers_of
from asa_viz.networks.weights import WeightsError, load_all, read_checkpoint

# Steps of a test pipeline: loading steps are replaced, resizing steps are run.
_LOADING = ("LoadImageFromFile", "LoadImageFromNDArray", "LoadAnnotations")
_RESIZING = ("Resize", "ResizeShortestEdge", "ResizeToMultiple")
_PACKING = "PackSegInputs"


def open_network(
    config: str | Path | Config,
    checkpoint: str | Path,
    device: str | None = None,
    *,
    attention: str | None = None,
    options: Mapping[str, Any] | None = None,
) -> Segmenter:
    """Open a network of mmsegmentation from trusted local files.

    Args:
        config: the path of its config, the name of one that ships, or a `Config`.
        checkpoint: its weights, as mmengine, mmsegmentation or safetensors keep them.
        device: "cpu", "cuda" or None for CUDA where there is one.
        attention: which attention is shown where the network has several (`Segmenter.attentions`).
        options: settings to change in the config, as `{"model.test_cfg.mode": "whole"}`.

    Raises:
        WeightsError: a file cannot be read, the weights are not exactly this network's, or what the
            network does cannot be shown; the message says what, in one sentence.
    """
    device = checked_device(device)
    read = _read(config, options)
    model = model_as_data(read)
    _check_inference(model)
    prepare = _prepare(read)
    network = build(model)
    path = Path(checkpoint).expanduser()
    weights, meta = read_checkpoint(path)
    load_all(network, weights, path.name)
    heads = {method.method.name: method for method in methods_of(model)}
    layers = layers_of(network)
    if not heads and not layers.methods:
        kind = _last(model["decode_head"])["type"]
        if layers.refused:
            raise WeightsError(
                f"{kind} has no attention that can be shown, and that of the backbone cannot be "
                f"read: {layers.refused[0]}."
            )
        known = ", ".join(readable_heads())
        raise WeightsError(
            f"{kind} has no attention that can be shown; there is one to show in backbones with "
            f"the attention of VisionTransformer or of timm, and in {known}."
        )
    # A head with one output channel is binary: two classes.
    facts = read_facts(read, meta, max(2, network.num_classes))
    classes, palette = classes_of(facts, max(2, network.num_classes))
    card = Card(
        name=_name(config, path),
        model=model,
        classes=classes,
        palette=palette,
        shapes=facts.shapes,
        training={
            "data_set": facts.data_set,
            "reduce_zero_label": facts.reduce_zero_label,
        },
        metrics={},
        licence=facts.known.licence if facts.known else "",
        sha256="",
    )
    return ExternalSegmenter(
        network, card, torch.device(device),
        methods=heads | layers.methods, prepare=prepare, attention=attention,
    )  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that name a network to a command's parser."""
    group = parser.add_argument_group("a network of mmsegmentation, in place of one by name")
    group.add_argument("--config", help="its config; a program: yours, or of people you trust")
    group.add_argument("--checkpoint", help="its weights, .pth or .safetensors")
    group.add_argument("--attention", help="which attention, where it has several")
    group.add_argument(
        "--cfg-options", nargs="+", action=DictAction, help="settings to change: key=value ..."
    )


def asked(parsed: argparse.Namespace, network: str | None) -> Segmenter:
    """Return the network that a command's arguments name, by name or by files.

    Raises:
        WeightsError: neither is given completely, or the network cannot be opened.
    """
    if parsed.config is None and parsed.checkpoint is None:
        return load(network, parsed.device)
    if network is not None or parsed.config is None or parsed.checkpoint is None:
        raise WeightsError("Give the name of a network, or both --config and --checkpoint.")
    return open_network(
        parsed.config, parsed.checkpoint, parsed.device,
        attention=parsed.attention, options=parsed.cfg_options,
    )  # fmt: skip


def from_card(network: Any, card: Card, device: torch.device) -> Segmenter:
    """Return a segmenter for a shipped network, which works at the sizes on its card.

    Raises:
        WeightsError: its attention cannot be shown.
    """

    def prepare(rgb: UInt8[np.ndarray, "height width 3"]) -> dict[str, Any]:
        height, width = rgb.shape[:2]
        return packed(resize(rgb, nearest_shape(height, width, card.shapes)))

    packed = _prepare(Config())
    methods = {method.method.name: method for method in methods_of(card.model)}
    methods |= layers_of(network).methods
    if not methods:
        raise WeightsError(f"{card.name} has no attention block that can be shown.")
    network.test_cfg = ConfigDict({"mode": "whole"} | (network.test_cfg or {}))
    return ExternalSegmenter(network, card, device, methods=methods, prepare=prepare)


def _read(config: str | Path | Config, options: Mapping[str, Any] | None) -> Config:
    if not isinstance(config, Config):
        try:
            config = read_config(str(Path(config).expanduser()))
        except FileNotFoundError as error:
            raise WeightsError(str(error)) from error
        # The config is a program and may fail with any exception.
        except Exception as error:
            reason = " ".join(str(error).split())
            raise WeightsError(f"The config {config} cannot be read: {reason}.") from error
    if options:
        config = Config(config.to_dict())
        config.merge_from_dict(dict(options))
    return config


def _check_inference(model: Mapping[str, Any]) -> None:
    """Raise an error where labels depend on more than one pass over the whole picture."""
    if model["type"] not in ("EncoderDecoder", "CascadeEncoderDecoder"):
        raise WeightsError(f"A segmentor of type {model['type']} is not supported.")
    mode = (model.get("test_cfg") or {}).get("mode", "whole")
    if mode != "whole":
        raise WeightsError(
            f"The network is tested in mode {mode!r}, crop by crop, and no attention is that of a "
            "whole picture; the option model.test_cfg.mode=whole opens it in one pass."
        )
    preprocessor = model.get("data_preprocessor") or {}
    padding = preprocessor.get("test_cfg") or {}
    if padding.get("size") or padding.get("size_divisor"):
        raise WeightsError(
            "The data preprocessor pads pictures in testing (test_cfg), which is not supported: "
            "cells would lie outside the picture."
        )


def build(model: dict[str, Any]) -> Any:
    """Build a network from a trusted config as data, with random weights.

    Raises:
        WeightsError: the config is not that of a network.
    """
    from mmseg.registry import MODELS

    import asa_viz.networks  # noqa: F401  (registers its heads)

    model = model | {"test_cfg": {"mode": "whole"} | (model.get("test_cfg") or {})}
    try:
        with DefaultScope.overwrite_default_scope("mmseg"):
            return MODELS.build(ConfigDict(model))
    # The parts raise various exceptions on bad settings.
    except Exception as error:
        reason = " ".join(str(error).split())
        raise WeightsError(f"The network cannot be built: {reason}.") from error


def _prepare(config: Config) -> Prepare:
    """Return the config's preprocessing from picture to batch, with its loading steps replaced.

    Raises:
        WeightsError: the pipeline does more than resize the picture.
    """
    steps = config.get("test_pipeline") or ()
    resizing = []
    for step in steps:
        kind = str(step.get("type", "")).removeprefix("mmseg.").removeprefix("mmcv.")
        if kind in _RESIZING:
            resizing.append(dict(step) | {"type": kind})
        elif kind not in (*_LOADING, _PACKING):
            raise WeightsError(f"The step {kind} of the test pipeline is not supported.")
    with DefaultScope.overwrite_default_scope("mmseg"):
        run = Compose([{"type": "LoadImageFromNDArray"}, *resizing, {"type": _PACKING}])

    def prepare(rgb: UInt8[np.ndarray, "height width 3"]) -> dict[str, Any]:
        # mmsegmentation reads files as BGR.
        packed = run({"img": rgb[..., ::-1].copy()})
        return {"inputs": [packed["inputs"]], "data_samples": [packed["data_samples"]]}

    return prepare


def _name(config: str | Path | Config, checkpoint: Path) -> str:
    return checkpoint.stem if isinstance(config, Config) else Path(config).stem


def _last(heads: Any) -> Mapping[str, Any]:
    return heads[-1] if isinstance(heads, list) else heads
