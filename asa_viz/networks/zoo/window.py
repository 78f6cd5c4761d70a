"""Heads that attend within a window around each cell."""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from mmcv.cnn import ConvModule
from mmseg.registry import MODELS
from torch import Tensor, nn

from asa_viz.attention.few_keys import FewKeys
from asa_viz.attention.window import carafe
from asa_viz.catalogue import METHODS
from asa_viz.networks.capture import Seen
from asa_viz.networks.zoo.block_head import BlockHead
from asa_viz.networks.zoo.record import Head, HeadMethod, Reading
from asa_viz.networks.zoo.window_layers import (
    CARAFE,
    LocalRelation,
    SANPairwise,
    StandAloneAttention,
    WindowAttention,
)

_NORM = {"type": "BN"}


class WindowBlock(nn.Module):
    """A residual block with attention in a window where ResNet's has its 3 x 3 convolution."""

    def __init__(self, narrow: nn.Module, attention: WindowAttention, widen: nn.Module) -> None:
        super().__init__()
        self.narrow = narrow
        self.attention = attention
        self.widen = widen

    def finish(
        self, mixed: Float[Tensor, "b d h w"], x: Float[Tensor, "b c h w"]
    ) -> Float[Tensor, "b c h w"]:
        """Return the block's output from what the cells read and its input."""
        return x + self.widen(mixed)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Return `x` plus the projected attended values."""
        return self.finish(self.attention(self.narrow(x)), x)

    def read(self, x: Float[Tensor, "1 c h w"]) -> Reading:
        """Read the rows of the attention."""
        return self.attention.read(self.narrow(x))


def _bottleneck(
    channels: int, attention: Callable[[int], WindowAttention]
) -> tuple[nn.Module, WindowAttention, nn.Module]:
    """Return 1 x 1 convolutions to half the channels and back, and the attention between."""
    inner = channels // 2
    widen = ConvModule(inner, channels, 1, norm_cfg=_NORM, act_cfg=None)
    return (
        ConvModule(channels, inner, 1, norm_cfg=_NORM),
        attention(inner),
        nn.Sequential(nn.BatchNorm2d(inner), nn.ReLU(), widen),
    )


@MODELS.register_module()
class StandAloneBlock(WindowBlock):
    """Ramachandran et al., Stand-Alone Self-Attention in Vision Models, arXiv 1906.05909."""

    def __init__(self, channels: int) -> None:
        super().__init__(*_bottleneck(channels, StandAloneAttention))


@MODELS.register_module()
class LocalRelationBlock(WindowBlock):
    """Hu et al., Local Relation Networks for Image Recognition, arXiv 1904.11491."""

    def __init__(self, channels: int) -> None:
        super().__init__(*_bottleneck(channels, LocalRelation))


@MODELS.register_module()
class SANPairwiseBlock(WindowBlock):
    """Zhao, Jia, Koltun, Exploring Self-attention for Image Recognition, arXiv 2004.13621.

    Its pairwise form, with the released code's shares of the channels: a sixteenth to relate two
    cells, a quarter for the values.
    """

    def __init__(self, channels: int) -> None:
        out = channels // 4
        super().__init__(
            nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU()),
            SANPairwise(channels, max(1, channels // 16), out),
            nn.Sequential(nn.BatchNorm2d(out), nn.ReLU(), nn.Conv2d(out, channels, 1)),
        )


@MODELS.register_module()
class CARAFEBlock(nn.Module):
    """Wang et al., CARAFE: Content-Aware ReAssembly of FEatures, arXiv 1905.02188.

    The head works on a map of half the size, and CARAFE brings it back to the grid; odd sizes are
    rounded up, and what is too much is cut off. Kernels are predicted from an eighth of the
    channels, as from 64 for a head of 512.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.narrow = nn.Sequential(
            nn.AvgPool2d(2, ceil_mode=True),
            ConvModule(channels, channels, 3, padding=1, norm_cfg=_NORM),
        )
        self.attention = CARAFE(channels, max(1, channels // 8))

    def finish(
        self, mixed: Float[Tensor, "b c fh fw"], x: Float[Tensor, "b c h w"]
    ) -> Float[Tensor, "b c h w"]:
        """Return what lies on the grid of the input."""
        return mixed[..., : x.shape[-2], : x.shape[-1]]

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Return the map as it comes back from half its size."""
        return self.finish(self.attention(self.narrow(x)), x)

    def read(self, x: Float[Tensor, "1 c h w"]) -> Reading:
        """Read the kernels of the cells on the grid of the input."""
        height, width = x.shape[-2:]
        attention = carafe(self.attention.logits(self.narrow(x))[0], self.attention.ratio)
        keys, weights = (
            part.unflatten(0, attention.shape)[:height, :width].flatten(0, 1)
            for part in (attention.keys, attention.weights)
        )
        return Reading((FewKeys((height, width), attention.key_shape, keys, weights),))


def read(head: Any, seen: Seen) -> Reading:
    """Read the rows of every head, or of every group of channels, of a block's attention."""
    return head.block.read(seen["block"][0].inputs[0])


def rebuilt(head: Any, seen: Seen, reading: Reading) -> tuple[Tensor, Tensor]:
    """Rebuild a block's output from what each part's rows read of its own share of the values."""
    block, call = head.block, seen["block"][0]
    (x,) = call.inputs
    values = block.attention.value(block.narrow(x))[0].chunk(len(reading.attentions))
    mixed = [part.mix(value) for part, value in zip(reading.attentions, values, strict=True)]
    return block.finish(torch.cat(mixed)[None], x), call.output


_BLOCKS: dict[str, type[nn.Module]] = {
    "stand_alone": StandAloneBlock,
    "local_relation": LocalRelationBlock,
    "san_pairwise": SANPairwiseBlock,
    "carafe": CARAFEBlock,
}
HEADS = tuple(
    Head(name, {"type": BlockHead.__name__, "block": {"type": block.__name__}})
    for name, block in _BLOCKS.items()
)
READERS = tuple(HeadMethod(METHODS[name], name, ("block",), read, rebuilt) for name in _BLOCKS)
