"""Blocks whose gates weigh cells beside channels: CBAM, BAM."""

from typing import Any

import torch
from jaxtyping import Float
from mmseg.registry import MODELS
from torch import Tensor, nn

from asa_viz.catalogue import METHODS
from asa_viz.catalogue.settings import CBAM_KERNEL
from asa_viz.networks.capture import Seen
from asa_viz.networks.zoo.gates import choice, rectified, squeezed
from asa_viz.networks.zoo.record import Head, HeadMethod, Reading


@MODELS.register_module()
class ConvolutionalAttentionBlock(nn.Module):
    """A gate for each channel, then one for each cell.

    Woo, Park, Lee, Kweon: CBAM: Convolutional Block Attention Module, arXiv 1807.06521.
    """

    def __init__(self, channels: int, ratio: int = 16, kernel: int = CBAM_KERNEL) -> None:
        super().__init__()
        width = squeezed(channels, ratio)
        self.shared = nn.Sequential(
            nn.Linear(channels, width), nn.ReLU(), nn.Linear(width, channels)
        )
        self.channels = nn.Sigmoid()
        self.cells = nn.Sequential(
            nn.Conv2d(2, 1, kernel, padding=kernel // 2, bias=False),
            nn.BatchNorm2d(1),
            nn.Sigmoid(),
        )

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Return `x` times both of its gates."""
        logits = self.shared(x.mean((2, 3))) + self.shared(x.amax((2, 3)))
        x = x * self.channels(logits)[..., None, None]
        over_channels = torch.cat([x.amax(1, keepdim=True), x.mean(1, keepdim=True)], 1)
        return x * self.cells(over_channels)


def read_convolutional_attention(head: Any, seen: Seen) -> Reading:
    """Read both gates, between 0 and 1; the cells' gate is computed from the gated channels."""
    channels, cells = seen["block.channels"][0].output, seen["block.cells"][0].output[0, 0]
    return Reading(gates={"channels": channels, "cells": cells})


def rebuilt_convolutional_attention(
    head: Any, seen: Seen, reading: Reading
) -> tuple[Tensor, Tensor]:
    """Rebuild the block's output: its input times both gates."""
    (x,), output, _ = seen["block"][0]
    return x * reading.gates["channels"][0][:, None, None] * reading.gates["cells"], output


@MODELS.register_module()
class BottleneckAttentionBlock(nn.Module):
    """One gate for each channel and cell, from a number of the channel and one of the cell.

    Park, Woo, Lee, Kweon: BAM: Bottleneck Attention Module, arXiv 1807.06514. The numbers are added
    as in the paper; the released code multiplies them.
    """

    def __init__(self, channels: int, ratio: int = 16, dilation: int = 4) -> None:
        super().__init__()
        width = squeezed(channels, ratio)
        self.channels = choice(channels, width, 1)
        wide = {"padding": dilation, "dilation": dilation}
        self.cells = nn.Sequential(
            rectified(channels, width),
            rectified(width, width, 3, **wide),
            rectified(width, width, 3, **wide),
            nn.Conv2d(width, 1, 1),
        )

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Return `x` plus `x` times its gate."""
        return x + x * (self.channels(x) + self.cells(x)).sigmoid()


def read_bottleneck_attention(head: Any, seen: Seen) -> Reading:
    """Read both terms of the gate before the sigmoid, which may have any sign.

    The gate is the sigmoid of their sum, so that one term alone has no meaning.
    """
    channels, cells = seen["block.channels"][0].output, seen["block.cells"][0].output
    return Reading(gates={"channels": channels[..., 0, 0], "cells": cells[0, 0]})


def rebuilt_bottleneck_attention(head: Any, seen: Seen, reading: Reading) -> tuple[Tensor, Tensor]:
    """Rebuild the block's output: its input times (1 + sigmoid of the sum of both terms)."""
    (x,), output, _ = seen["block"][0]
    logits = reading.gates["channels"][0][:, None, None] + reading.gates["cells"]
    return x * (1 + logits.sigmoid()), output


HEADS = tuple(
    Head(name, {"type": "BlockHead", "block": {"type": block}})
    for name, block in (
        ("cbam", "ConvolutionalAttentionBlock"),
        ("bam", "BottleneckAttentionBlock"),
    )
)
READERS = (
    HeadMethod(
        method=METHODS["cbam"],
        head="cbam",
        watch=("block", "block.channels", "block.cells"),
        read=read_convolutional_attention,
        rebuilt=rebuilt_convolutional_attention,
    ),
    HeadMethod(
        method=METHODS["bam"],
        head="bam",
        watch=("block", "block.channels", "block.cells"),
        read=read_bottleneck_attention,
        rebuilt=rebuilt_bottleneck_attention,
    ),
)
