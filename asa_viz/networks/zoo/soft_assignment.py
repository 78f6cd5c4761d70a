"""Beyond Grids: cells are softly assigned to learned centres, whose clusters form a graph.

The nodes have a ReLU; the output is rebuilt in two parts as in `graphs`.
"""

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from mmseg.registry import MODELS
from torch import Tensor, nn

from asa_viz.attention.low_rank import beyond_grids
from asa_viz.catalogue import METHODS
from asa_viz.catalogue.settings import BEYOND_GRIDS_NODES
from asa_viz.networks.capture import Seen
from asa_viz.networks.zoo.record import Head, HeadMethod, Reading


class SoftAssignment(nn.Module):
    """Cells belong to learned centres by their distance, each centre with widths of its own."""

    def __init__(self, channels: int, nodes: int) -> None:
        super().__init__()
        # About as long as the input features, so that the first assignment is soft.
        self.centres = nn.Parameter(torch.randn(nodes, channels) * channels**-0.5)
        self.spread = nn.Parameter(torch.zeros(nodes, channels))

    @property
    def widths(self) -> Float[Tensor, "k d"]:
        """The widths of each centre, between 0 and 1."""
        return self.spread.sigmoid()

    def forward(
        self, cells: Float[Tensor, "b d n"]
    ) -> tuple[Float[Tensor, "b k n"], Float[Tensor, "b k d"]]:
        """Return the shares of the centres in each cell, and how far theirs lie from each.

        The squares are multiplied out, so that no k x n x d array is formed.
        """
        narrow = self.widths**-2
        distance = narrow @ cells**2 - 2 * (narrow * self.centres) @ cells
        distance = distance + (narrow * self.centres**2).sum(-1, keepdim=True)
        shares = (-distance / 2).softmax(1)
        size = shares.sum(-1, keepdim=True)
        apart = (shares @ cells.mT - size * self.centres) / self.widths
        return shares, apart / size.clamp_min(1e-12)


@MODELS.register_module()
class GraphConvolutionalUnit(nn.Module):
    """Cells belong softly to learned centres, whose clusters read each other by likeness.

    Li, Gupta: Beyond Grids: Learning Graph Representations for Visual Recognition, NeurIPS 2018.
    One unit. The features that it groups are of length 1: no clusters of a trained network start
    the centres.
    """

    def __init__(self, channels: int, nodes: int = BEYOND_GRIDS_NODES) -> None:
        super().__init__()
        width = channels // 2
        self.project = nn.Conv2d(channels, width, 1)
        self.assign = SoftAssignment(width, nodes)
        self.update = nn.Linear(width, width, bias=False)
        self.out = nn.Conv2d(width, channels, 1)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Return `x` plus what the clusters give back to each cell."""
        shares, apart = self.assign(self.features(x).flatten(2))
        nodes = F.normalize(apart, dim=-1)
        nodes = self.update(nodes @ nodes.mT @ nodes).relu()
        mixed = nodes.mT @ shares
        return x + self.out(mixed.unflatten(2, x.shape[2:]))

    def features(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d h w"]:
        """Return what is grouped."""
        return F.normalize(self.project(x), dim=1)


def read_beyond_grids(head: Any, seen: Seen) -> Reading:
    """Read the unit from its features; centres and widths are its own."""
    block, x = head.block, seen["block"][0].inputs[0]
    assign = block.assign
    return Reading((beyond_grids(block.features(x)[0], assign.centres, assign.widths),))


def rebuilt_beyond_grids(head: Any, seen: Seen, reading: Reading) -> tuple[Tensor, Tensor]:
    """Rebuild the block's output.

    The rows read the means of the clusters. What comes beside is that nodes hold distances from
    the centres in units of the widths instead, and what their ReLU adds.
    """
    block, call = head.block, seen["block"][0]
    (x,) = call.inputs
    (shares,), (apart,) = seen["block.assign"][0].output
    nodes = F.normalize(apart, dim=-1)
    likeness = nodes @ nodes.mT
    means = apart * block.assign.widths + block.assign.centres
    read = likeness @ (means / apart.norm(dim=-1, keepdim=True))
    beside = block.update(likeness @ nodes).relu() - block.update(read)
    mixed = reading.attentions[0].mix(block.features(x)[0]).flatten(1).mT
    mixed = block.update(mixed).mT + beside.mT @ shares
    return x + block.out(mixed.view(1, -1, *x.shape[2:])), call.output


HEADS = (Head("beyond_grids", {"type": "BlockHead", "block": {"type": "GraphConvolutionalUnit"}}),)
READERS = (
    HeadMethod(
        method=METHODS["beyond_grids"],
        head="beyond_grids",
        watch=("block", "block.assign"),
        read=read_beyond_grids,
        rebuilt=rebuilt_beyond_grids,
    ),
)
