"""MobileNetV2 dilated as in DeepLab: every depthwise convolution of a layer."""

from collections.abc import Sequence
from typing import Any

import torch
from mmseg.models.backbones import MobileNetV2
from mmseg.models.utils import InvertedResidual
from mmseg.registry import MODELS
from torch import Tensor
from typing_extensions import override

# DeepLab's rates at output stride 8.
DEEPLAB_DILATION: dict[str, Any] = {
    "strides": (1, 2, 2, 1, 1, 1, 1),
    "dilations": (1, 1, 1, 1, 2, 2, 4),
    "later_dilations": (1, 1, 1, 2, 2, 4, 4),
}


@MODELS.register_module()
class DeepLabMobileNetV2(MobileNetV2):
    """MobileNetV2 whose layers are dilated in all their blocks.

    mmsegmentation's `MobileNetV2` dilates only the first block of a layer. DeepLab's weights were
    trained with the rate on all of them: `dilations` holds the rate of each layer's first block,
    `later_dilations` that of its other blocks. Parameters and their names are mmsegmentation's.
    With `frozen` nothing of it is trained, and its normalisation keeps its statistics.

    Chen, Papandreou, Schroff, Adam: Rethinking atrous convolution for semantic image segmentation,
    arXiv 1706.05587.
    """

    def __init__(
        self, *, later_dilations: Sequence[int], frozen: bool = False, **settings: Any
    ) -> None:
        super().__init__(**settings)
        self.frozen = frozen
        for name, rate in zip(self.layers, later_dilations, strict=True):
            for block in getattr(self, name)[1:]:
                _dilate(block, rate)

    @override
    def train(self, mode: bool = True) -> "DeepLabMobileNetV2":
        super().train(mode and not self.frozen)
        if self.frozen:
            self.requires_grad_(requires_grad=False)
        return self

    @override
    def forward(self, x: Tensor) -> Any:
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            return super().forward(x)


def _dilate(block: InvertedResidual, rate: int) -> None:
    depthwise = block.conv[-2].conv
    depthwise.dilation = depthwise.padding = (rate, rate)
