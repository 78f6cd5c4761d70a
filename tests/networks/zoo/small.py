"""Small heads with random weights whose attention is far from flat."""

from typing import Any

import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from asa_viz.networks.capture import Call, calls_of
from asa_viz.networks.zoo.methods import HEADS, build_head
from asa_viz.networks.zoo.record import Head

CHANNELS = (12, 10)
CLASSES = 5
SHARED = {
    "num_classes": CLASSES,
    "norm_cfg": {"type": "BN"},
    "loss_decode": {"type": "CrossEntropyLoss", "avg_non_ignore": True},
}


def head_of(name: str | Head, width: int = 8) -> Any:
    """Build a head, every parameter and running statistic drawn anew: no gain is 0, none is 1."""
    head = HEADS[name] if isinstance(name, str) else name
    head = build_head(head, CHANNELS, width, num_classes=CLASSES)
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in head.parameters():
            spread = 1.5 / max(1, parameter[0].numel()) ** 0.5 if parameter.ndim > 1 else 0.5
            nn.init.normal_(parameter, std=spread)
            if parameter.ndim <= 1:
                parameter += 1
    return head.eval()


def features(height: int, width: int, images: int = 1) -> list[Tensor]:
    """Return the stages of random images, the deepest first."""
    torch.manual_seed(1)
    return [torch.randn(images, channels, height, width) for channels in CHANNELS]


def run(head: Any, watch: tuple[str, ...], inputs: list[Tensor]) -> dict[str, list[Call]]:
    """Run a head once, and return the calls of the parts that are watched."""
    with torch.no_grad(), calls_of(head, watch) as seen:
        head(inputs)
    return dict(seen)


def labelled(height: int, width: int, images: int = 2) -> list[SegDataSample]:
    """Return samples with labels at random; the last column has none."""
    torch.manual_seed(2)
    samples = []
    for _ in range(images):
        labels = torch.randint(0, CLASSES - 1, (1, height, width))
        labels[..., -1] = 255
        samples.append(SegDataSample(gt_sem_seg=PixelData(data=labels)))
    return samples
