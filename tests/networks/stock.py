"""Small networks of mmsegmentation as configs, one of each head, with random weights."""

from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmseg.apis import inference_model, init_model

from asa_viz.networks.capture import calls_of
from asa_viz.networks.external import build
from asa_viz.networks.stock import model_as_data

CLASSES = 5
SHARED: dict[str, Any] = {
    "in_channels": 64, "in_index": 3, "channels": 16, "num_classes": CLASSES,
    "norm_cfg": {"type": "SyncBN", "requires_grad": True}, "align_corners": False,
    "loss_decode": {"type": "CrossEntropyLoss", "loss_weight": 1.0, "avg_non_ignore": True},
}  # fmt: skip
HEADS: dict[str, Any] = {
    "embedded_gaussian": {"type": "NLHead", "reduction": 2, "use_scale": True},
    "unscaled": {"type": "NLHead", "reduction": 4, "use_scale": False},
    "gaussian": {"type": "NLHead", "mode": "gaussian"},
    "dot_product": {"type": "NLHead", "mode": "dot_product"},
    "concatenation": {"type": "NLHead", "mode": "concatenation"},
    "dnl": {"type": "DNLHead", "temperature": 0.5},
    "da": {"type": "DAHead", "pam_channels": 4},
    "isa": {"type": "ISAHead", "isa_channels": 8, "down_factor": (4, 4)},
    "cc": {"type": "CCHead"},
    "ann": {
        "type": "ANNHead", "in_channels": [32, 64], "in_index": [2, 3], "project_channels": 8,
    },
    "psa": {"type": "PSAHead", "mask_size": (31, 31)},
    "ema": {"type": "EMAHead", "ema_channels": 16, "num_bases": 8, "num_stages": 3},
    "gc": {"type": "GCHead"},
    "apc": {"type": "APCHead", "pool_scales": (1, 2, 3)},
    "psp": {"type": "PSPHead"},
    "asa": {"type": "ASAHead"},
    "ocr": [
        {"type": "FCNHead", "num_convs": 1, "concat_input": False},
        {"type": "OCRHead", "ocr_channels": 8},
    ],
}  # fmt: skip
# mmsegmentation itself cannot build these two without compiled operations.
COMPILED = ("cc", "psa")
VIT = {
    "type": "VisionTransformer", "img_size": (64, 64), "patch_size": 8, "embed_dims": 32,
    "num_layers": 3, "num_heads": 4, "out_indices": (1, 2), "norm_cfg": {"type": "LN"},
    "final_norm": True,
}  # fmt: skip


def config_of(
    head: Any,
    *,
    preprocessor: dict[str, Any] | None = None,
    resize: dict[str, Any] | None = None,
    backbone: dict[str, Any] | None = None,
    test_cfg: dict[str, Any] | None = None,
    **settings: Any,
) -> Config:
    """Return a whole config, as mmsegmentation's are, of a network with this head."""
    cascade = isinstance(head, list)
    steps = [{"type": "LoadImageFromFile"}, {"type": "LoadAnnotations"}, {"type": "PackSegInputs"}]
    if resize:
        steps.insert(1, {"type": "Resize"} | resize)
    return Config({
        "model": {
            "type": "CascadeEncoderDecoder" if cascade else "EncoderDecoder",
            "pretrained": "open-mmlab://resnet18_v1c",
            "data_preprocessor": {
                "type": "SegDataPreProcessor", "mean": [123.7, 116.3, 103.5],
                "std": [58.4, 57.1, 57.4], "bgr_to_rgb": True, "pad_val": 0, "seg_pad_val": 255,
                "size": (64, 64),
            } | (preprocessor or {}),
            "backbone": backbone or {
                "type": "ResNet", "depth": 18, "base_channels": 8, "stem_channels": 8,
                "strides": (1, 2, 1, 1), "dilations": (1, 1, 2, 4),
                "norm_cfg": {"type": "SyncBN", "requires_grad": True},
            },
            "decode_head": (
                [SHARED | settings | each for each in head] if cascade else SHARED | settings | head
            ),
            "auxiliary_head": SHARED | {"type": "FCNHead", "in_channels": 32, "in_index": 2},
            "train_cfg": {},
            "test_cfg": test_cfg or {"mode": "whole"},
        } | ({"num_stages": 2} if cascade else {}),
        "test_pipeline": steps,
        "test_dataloader": {"dataset": {"type": "BaseSegDataset", "pipeline": steps}},
    })  # fmt: skip


def save(config: Config, folder: Any, **meta: Any) -> Any:
    """Write random, lively weights of a config's network as mmengine does; return the path."""
    torch.manual_seed(0)
    network = build(model_as_data(config))
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if parameter.ndim <= 1:
                torch.nn.init.normal_(parameter, mean=float("weight" in name), std=0.4)
        head = network.decode_head
        head = head[-1] if isinstance(head, torch.nn.ModuleList) else head
        torch.nn.init.normal_(head.conv_seg.weight, std=1.0)
        with calls_of(network, [part_of(network, head.conv_seg)]) as seen:
            pixels = torch.from_numpy(picture(64, 96)).permute(2, 0, 1)[None].float()
            network.eval()(pixels / 60 - 2)
        # So that no class is everywhere the largest.
        head.conv_seg.bias -= next(iter(seen.values()))[0].output.mean((0, 2, 3))
    path = folder / "iter_5.pth"
    torch.save({"state_dict": network.state_dict(), "meta": meta}, path)
    return path


def part_of(network: torch.nn.Module, wanted: torch.nn.Module) -> str:
    """Return the path of a part."""
    return next(name for name, part in network.named_modules() if part is wanted)


def mmsegmentations(config: Config, weights: dict[str, torch.Tensor], rgb: np.ndarray) -> Any:
    """Return the labels that mmsegmentation's own `inference_model` gives."""
    config = Config(config.to_dict())
    for part in (config.model.backbone, config.model.decode_head):
        for each in part if isinstance(part, list) else [part]:
            if each.get("norm_cfg", {}).get("type") == "SyncBN":
                each.norm_cfg = {"type": "BN"}
    config.model.auxiliary_head = None
    model = init_model(config, device="cpu")
    model.load_state_dict(weights)
    return inference_model(model, rgb[..., ::-1].copy()).pred_sem_seg.data[0].numpy()


def picture(height: int = 50, width: int = 68) -> np.ndarray:
    """A picture of smooth colours, every channel another."""
    small = torch.from_numpy(np.random.default_rng(0).uniform(0, 255, (1, 3, 8, 12)))
    large = torch.nn.functional.interpolate(small, (height, width), mode="bilinear")
    return large[0].permute(1, 2, 0).numpy().astype(np.uint8)
