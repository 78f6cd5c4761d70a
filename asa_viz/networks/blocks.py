"""Attention blocks of the project's networks: ASA, non-local, and own value only.

All use the projections of mmcv's non-local block under its parameter names, so that a checkpoint of
one loads into another. As published, a block adds the attended values to its input. With
`read_only` it returns the attended values alone, so that the layers behind it depend on nothing
else.
"""

from typing import Any

from jaxtyping import Float
from mmcv.cnn import NonLocal2d
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention
from typing_extensions import override

from asa_viz.attention.checks import Rule
from asa_viz.attention.module import AdaptiveSparseAttention2d, BlockOutput, Projections


class AttentionBlock(NonLocal2d):
    """Base class: a non-local block whose attention rows a subclass defines."""

    def __init__(self, in_channels: int, *, read_only: bool = False, **settings: Any) -> None:
        super().__init__(in_channels, mode="embedded_gaussian", **settings)
        self.read_only = read_only

    def values(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b n d"]:
        """Return the value of every cell."""
        return self.g(x).flatten(2).mT

    def write(
        self, x: Float[Tensor, "b c h w"], read: Float[Tensor, "b n d"]
    ) -> Float[Tensor, "b c h w"]:
        """Return the block's output from the attended values of every cell."""
        return block_output(self, x, read)


class OwnValueBlock(AttentionBlock):
    """A block in which every cell reads its own value only: the projections without attention."""

    @override
    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        return self.write(x, self.values(x))


class NonLocalBlock(AttentionBlock):
    """The non-local block: every cell reads every other.

    Wang, Girshick, Gupta, He: Non-local neural networks, CVPR 2018, arXiv 1711.07971.
    """

    @override
    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        return attended(self, x).output


class ASABlock(AdaptiveSparseAttention2d):
    """Adaptive sparse attention with the projections and parameter names of mmcv's block."""

    def __init__(
        self,
        in_channels: int,
        *,
        reduction: int = 2,
        use_scale: bool = True,
        read_only: bool = False,
        window: int = 3,
        rule: Rule = "clean",
        **settings: Any,
    ) -> None:
        super().__init__(
            in_channels, reduction=reduction, window=window, scaled=use_scale,
            residual=not read_only, rule=rule,
        )  # fmt: skip
        self.read_only = read_only
        made = NonLocal2d(in_channels, reduction=reduction, **settings)
        self.theta, self.phi, self.g, self.conv_out = made.theta, made.phi, made.g, made.conv_out


def attended(block: NonLocal2d | ASABlock, x: Float[Tensor, "b c h w"]) -> BlockOutput:
    """Return a block's output with its projections; dense blocks, also mmcv's, have scales of 0."""
    if isinstance(block, ASABlock):
        return block.attend(x)
    query, key, value = (part(x).flatten(2).mT for part in (block.theta, block.phi, block.g))
    # A head axis is needed: with three axes PyTorch forms the n x n matrix.
    q, k, v = (part[:, None] for part in (query, key, value))
    scale = None if block.use_scale else 1.0
    output = block_output(block, x, scaled_dot_product_attention(q, k, v, scale=scale)[:, 0])
    zero = query.new_zeros(query.shape[:2])
    projections = Projections(query, key, value, zero, zero)
    return BlockOutput(output, zero + query.shape[1], None, projections)


def block_output(
    block: NonLocal2d | ASABlock, x: Float[Tensor, "b c h w"], read: Float[Tensor, "b n d"]
) -> Float[Tensor, "b c h w"]:
    """Return the output of a block, also of mmcv's, from its input and the attended values."""
    written = block.conv_out(read.mT.reshape(*read.shape[::2], *x.shape[-2:]))
    return written if getattr(block, "read_only", False) else x + written
