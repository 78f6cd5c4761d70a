"""Blocks that gather cells into nodes and distribute from these: A²-Net, CGNL, LatentGNN."""

from collections.abc import Callable
from typing import Any, cast

import torch
import torch.nn.functional as F
from jaxtyping import Float
from mmseg.registry import MODELS
from torch import Tensor, nn

from asa_viz.attention.base import Attention
from asa_viz.attention.low_rank import (
    LowRank,
    compact_generalised,
    double_attention,
    latent_graph,
)
from asa_viz.catalogue import METHODS
from asa_viz.catalogue.settings import A2_SHARE, CGNL_GROUPS, LATENT_NODES
from asa_viz.networks.capture import Seen
from asa_viz.networks.zoo.record import Head, HeadMethod, Reading


def through_nodes(
    attention: Attention, x: Float[Tensor, "1 c h w"], between: Callable[[Tensor], Tensor]
) -> Float[Tensor, "1 d h w"]:
    """Apply a low rank attention with the network's own transformation of the nodes in between."""
    by_nodes = cast(LowRank, attention)
    nodes = between((x.flatten(2) @ by_nodes.gather.mT)[..., None])
    return (nodes[..., 0] @ by_nodes.distribute.mT).unflatten(2, attention.shape)


@MODELS.register_module()
class DoubleAttentionBlock(nn.Module):
    """Double attention: gathers by a softmax over cells, distributes by a softmax over nodes.

    Chen, Kalantidis, Li, Yan, Feng: A²-Nets: Double Attention Networks, arXiv 1810.11579.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        width, nodes = channels // 2, channels // A2_SHARE
        self.value = nn.Conv2d(channels, width, 1)
        # A bias would cancel in the softmax over cells.
        self.gather = nn.Conv2d(channels, nodes, 1, bias=False)
        self.distribute = nn.Conv2d(channels, nodes, 1)
        self.out = nn.Conv2d(width, channels, 1)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Return `x` plus the cells' weighted sums of nodes."""
        gather = self.gather(x).flatten(2).softmax(-1)
        nodes = self.value(x).flatten(2) @ gather.mT
        mixed = nodes @ self.distribute(x).flatten(2).softmax(1)
        return x + self.out(mixed.unflatten(2, x.shape[2:]))


def read_double_attention(head: Any, seen: Seen) -> Reading:
    """Read double attention from what entered the block."""
    block, x = head.block, seen["block"][0].inputs[0]
    return Reading((double_attention(block.gather(x)[0], block.distribute(x)[0]),))


def rebuilt_double_attention(head: Any, seen: Seen, reading: Reading) -> tuple[Tensor, Tensor]:
    """Rebuild the block's output: its input, and what its rows read of the values."""
    block, call = head.block, seen["block"][0]
    (x,) = call.inputs
    mixed = reading.attentions[0].mix(block.value(x)[0])
    return x + block.out(mixed[None]), call.output


@MODELS.register_module()
class CompactGeneralisedBlock(nn.Module):
    """Every pair of a cell and a channel reads all pairs of its group, by products.

    Yue, Sun, Yuan, Zhou, Ding, Xu: Compact Generalized Non-local Network, arXiv 1810.13125. Batch
    normalisation as in the paper: the released code uses group norm, which keeps only the sign of
    the single scalar that a group reads. Products are averaged, not summed, so that the block fits
    maps of any size.
    """

    def __init__(self, channels: int, groups: int = CGNL_GROUPS) -> None:
        super().__init__()
        width = channels // 2
        # With one channel a group would have no pairs of channels.
        self.groups = min(groups, width // 2)
        self.theta, self.phi, self.g = (nn.Conv2d(channels, width, 1, bias=False) for _ in range(3))
        self.out = nn.Conv2d(width, channels, 1, groups=self.groups, bias=False)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Return `x` plus what each of its groups reads."""
        theta, phi, g = (
            self.grouped(part(x)).flatten(2) for part in (self.theta, self.phi, self.g)
        )
        mixed = theta * (phi * g).mean(-1, keepdim=True)
        return x + self.norm(self.out(mixed.view(len(x), -1, *x.shape[2:])))

    def grouped(self, x: Float[Tensor, "b d h w"]) -> Float[Tensor, "b g e h w"]:
        """Return the channels group by group."""
        return x.unflatten(1, (self.groups, -1))


def read_compact_generalised(head: Any, seen: Seen) -> Reading:
    """Read each group's summary from what entered the block."""
    block, x = head.block, seen["block"][0].inputs[0]
    groups = zip(block.grouped(block.theta(x))[0], block.grouped(block.phi(x))[0], strict=True)
    return Reading(tuple(compact_generalised(theta, phi) for theta, phi in groups))


def rebuilt_compact_generalised(head: Any, seen: Seen, reading: Reading) -> tuple[Tensor, Tensor]:
    """Rebuild the mean of each group's channels at the input of the output convolution.

    The rows give what a group's channels have in common, their mean; the differences between
    channels, which the summary leaves out, are added here.
    """
    block, x = head.block, seen["block"][0].inputs[0]
    theta, phi, g = (block.grouped(part(x))[0] for part in (block.theta, block.phi, block.g))
    common = g.mean(1, keepdim=True)
    differing = theta.mean(1) * (phi * (g - common)).mean((1, 2, 3))[:, None, None]
    rows = [
        attention.mix(value)[0] / group.numel()
        for attention, value, group in zip(reading.attentions, common, g, strict=True)
    ]
    mixed = block.grouped(seen["block.out"][0].inputs[0])[0].mean(1)
    return torch.stack(rows) + differing, mixed


@MODELS.register_module()
class LatentGraphBlock(nn.Module):
    """Latent nodes gather cells by rectified maps and read each other by cosine similarity.

    Zhang, Yan, He: LatentGNN: Learning Efficient Non-local Relations for Visual Recognition, arXiv
    1905.11634. One kernel, maps there and back of their own, a quarter of the channels: the
    released defaults; 100 nodes as in its example. Values are divided by the root of the number of
    cells, so that the block fits maps of any size; the cosines do not mind.
    """

    def __init__(self, channels: int, nodes: int = LATENT_NODES) -> None:
        super().__init__()
        width = channels // 4
        self.source, self.target = (_normalised(channels, width) for _ in range(2))
        self.gather, self.distribute = (
            nn.Sequential(_normalised(width, nodes), nn.ReLU()) for _ in range(2)
        )
        self.out = _normalised(width, channels)
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Return `x` plus, times a gain, what each cell takes from the latent nodes."""
        source, target = (F.normalize(part(x), dim=1) for part in (self.source, self.target))
        gather = F.normalize(self.gather(source).flatten(2), dim=2)
        distribute = F.normalize(self.distribute(target).flatten(2), dim=1)
        nodes = gather @ self.value(source).flatten(2).mT
        directions = F.normalize(nodes, dim=-1)
        nodes = (directions @ directions.mT).softmax(-1) @ nodes
        mixed = nodes.mT @ distribute
        return x + self.gamma * self.out(mixed.unflatten(2, x.shape[2:]))

    def value(self, source: Float[Tensor, "b d h w"]) -> Float[Tensor, "b d h w"]:
        """Return the values that the nodes gather."""
        return source / source[0, 0].numel() ** 0.5


def _normalised(channels: int, out: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(channels, out, 1, bias=False), nn.BatchNorm2d(out))


def read_latent_graph(head: Any, seen: Seen) -> Reading:
    """Read the latent graph from what entered the block."""
    block, x = head.block, seen["block"][0].inputs[0]
    source, target = (F.normalize(part(x), dim=1) for part in (block.source, block.target))
    gather, distribute = block.gather(source)[0], block.distribute(target)[0]
    return Reading((latent_graph(gather, distribute, source[0]),), gain=block.gamma.item())


def rebuilt_latent_graph(head: Any, seen: Seen, reading: Reading) -> tuple[Tensor, Tensor]:
    """Rebuild the block's output: its input and, times its gain, what its rows read."""
    block, call = head.block, seen["block"][0]
    (x,) = call.inputs
    mixed = reading.attentions[0].mix(block.value(F.normalize(block.source(x), dim=1))[0])
    return x + block.gamma * block.out(mixed[None]), call.output


HEADS = (
    Head("a2net", {"type": "BlockHead", "block": {"type": "DoubleAttentionBlock"}}),
    Head("cgnl", {"type": "BlockHead", "block": {"type": "CompactGeneralisedBlock"}}),
    Head("latentgnn", {"type": "BlockHead", "block": {"type": "LatentGraphBlock"}}),
)
READERS = (
    HeadMethod(
        method=METHODS["a2net"],
        head="a2net",
        watch=("block",),
        read=read_double_attention,
        rebuilt=rebuilt_double_attention,
    ),
    HeadMethod(
        method=METHODS["cgnl"],
        head="cgnl",
        watch=("block", "block.out"),
        read=read_compact_generalised,
        rebuilt=rebuilt_compact_generalised,
    ),
    HeadMethod(
        method=METHODS["latentgnn"],
        head="latentgnn",
        watch=("block",),
        read=read_latent_graph,
        rebuilt=rebuilt_latent_graph,
    ),
)
