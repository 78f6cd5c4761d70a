"""Adaptive sparse attention as a layer of any network: a plain module of torch."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import softplus
from typing_extensions import override

from asa_viz.attention.checks import Rule
from asa_viz.attention.operator import attend

# Scales are at least this: thresholds are compared as logarithms.
SMALLEST_SCALE = 1e-4


class Projections(NamedTuple):
    """The projections of a batch of maps; n = height x width, row-major."""

    query: Float[Tensor, "b n d"]
    key: Float[Tensor, "b n d"]
    value: Float[Tensor, "b n d"]
    nonlocal_scale: Float[Tensor, "b n"]
    local_scale: Float[Tensor, "b n"]


class BlockOutput(NamedTuple):
    """A block's output with its projections; the normaliser is None if not computed.

    `support_size` and `log_normaliser` are those of `attend`.
    """

    output: Float[Tensor, "b c h w"]
    support_size: Float[Tensor, "b n"]
    log_normaliser: Float[Tensor, "b n"] | None
    projections: Projections


class AdaptiveSparseAttention2d(nn.Module):
    """Each cell of a feature map reads its reciprocal and strong local neighbours.

    Queries, keys and values are 1 x 1 convolutions to `channels // reduction`. `conv_out` projects
    back and is initialised to zero, so that the module starts as the identity. With `residual` the
    input is added to the output. `scaled` divides the similarities by the root of their width.

    Two 3 x 3 convolutions predict the scales. The non-local one is a softplus, initialised near 1
    (the published block uses ReLU, whose zeros make whole rows dense). The local one is a sigmoid:
    below 1 the strongest key of a window always reaches its threshold, because it is at least the
    window's mean, so that no row is empty.

    >>> module = AdaptiveSparseAttention2d(16)
    >>> module(torch.rand(2, 16, 12, 20)).shape
    torch.Size([2, 16, 12, 20])

    A segmentation loss alone does not make rows sparse: `attend` returns the support sizes and
    scales for an additional loss (docs/decisions/0002-how-thresholds-and-affinities-learn.md).
    """

    theta: nn.Module
    phi: nn.Module
    g: nn.Module
    conv_out: nn.Module

    def __init__(
        self,
        channels: int,
        *,
        reduction: int = 2,
        window: int = 3,
        scaled: bool = True,
        residual: bool = True,
        rule: Rule = "clean",
    ) -> None:
        super().__init__()
        self.window, self.use_scale, self.residual, self.rule = window, scaled, residual, rule
        self.inter_channels = max(channels // reduction, 1)
        self.theta, self.phi, self.g = (
            nn.Conv2d(channels, self.inter_channels, 1) for _ in range(3)
        )
        self.conv_out = nn.Conv2d(self.inter_channels, channels, 1)
        for parameter in self.conv_out.parameters():
            nn.init.zeros_(parameter)
        self.nonlocal_scale = nn.Conv2d(channels, 1, 3, padding=1)
        self.local_scale = nn.Conv2d(channels, 1, 3, padding=1)
        # Nearly constant at first: softplus(0.5413) = 1, sigmoid(0) = 0.5.
        for scale, bias in ((self.nonlocal_scale, 0.5413), (self.local_scale, 0.0)):
            nn.init.normal_(scale.weight, std=0.01)
            nn.init.constant_(scale.bias, bias)  # type: ignore[arg-type]

    def project(self, x: Float[Tensor, "b c h w"]) -> Projections:
        """Return queries, keys, values and the two scales of every cell."""
        query, key, value = (part(x).flatten(2).mT for part in (self.theta, self.phi, self.g))
        nonlocal_scale = softplus(self.nonlocal_scale(x)).flatten(1) + SMALLEST_SCALE
        local_scale = torch.sigmoid(self.local_scale(x)).flatten(1).clamp_min(SMALLEST_SCALE)
        return Projections(query, key, value, nonlocal_scale, local_scale)

    def attend(self, x: Float[Tensor, "b c h w"]) -> BlockOutput:
        """Return the module's output with the projections behind it."""
        return self.read(x, self.project(x))

    def read(self, x: Float[Tensor, "b c h w"], projections: Projections) -> BlockOutput:
        """Return the module's output for an input and its projections."""
        height, width = x.shape[-2:]
        read, support_size, log_normaliser = attend(
            *projections, height=height, width=width,
            window=self.window, scaled=self.use_scale, rule=self.rule,
        )  # fmt: skip
        return BlockOutput(self.write(x, read), support_size, log_normaliser, projections)

    def values(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b n d"]:
        """Return the value of every cell."""
        return self.g(x).flatten(2).mT

    def write(
        self, x: Float[Tensor, "b c h w"], read: Float[Tensor, "b n d"]
    ) -> Float[Tensor, "b c h w"]:
        """Return the module's output from the attended values of every cell."""
        written = self.conv_out(read.mT.reshape(*read.shape[::2], *x.shape[-2:]))
        return x + written if self.residual else written

    @override
    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        return self.attend(x).output
