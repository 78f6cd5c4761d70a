"""Blocks that reason on a graph of nodes: GloRe, SGR.

Each has a ReLU on its nodes, which no row can represent. The output is rebuilt in two parts: what
the rows read, and the remainder of the nodes, distributed to the cells by the block.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float
from mmseg.registry import MODELS
from torch import Tensor, nn

from asa_viz.attention.low_rank import global_reasoning, symbolic_reasoning
from asa_viz.catalogue import METHODS
from asa_viz.catalogue.settings import GLORE_SHARE
from asa_viz.networks.capture import Seen
from asa_viz.networks.zoo.record import Head, HeadMethod, Reading

# A knowledge graph over the classes of VOC 2012 and CamVid: each concept with those below it.
CONCEPTS = {
    "flat": ("road", "pavement"),
    "construction": ("building", "fence"),
    "object": ("pole", "sign", "bottle", "tv monitor"),
    "furniture": ("chair", "dining table", "sofa"),
    "nature": ("tree", "sky", "potted plant"),
    "animal": ("bird", "cat", "cow", "dog", "horse", "sheep"),
    "human": ("pedestrian", "bicyclist", "person"),
    "vehicle": (
        "car", "bicyclist", "aeroplane", "bicycle", "boat", "bus", "motorbike", "train",
    ),
    "scene": (
        "background", "flat", "construction", "object", "furniture", "nature", "animal", "human",
        "vehicle",
    ),
}  # fmt: skip


@MODELS.register_module()
class GlobalReasoningBlock(nn.Module):
    """A linear projection to nodes, a graph convolution there, and the same projection back.

    Chen, Rohrbach, Yan, Yan, Feng, Kalantidis: Graph-Based Global Reasoning Networks, arXiv
    1811.12814. Half as many nodes as they have channels, and averages over cells for maps of any
    size, as released.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        width, nodes = channels // 2, channels // GLORE_SHARE
        self.state = nn.Conv2d(channels, width, 1)
        self.projection = nn.Conv2d(channels, nodes, 1)
        self.adjacency = nn.Conv1d(nodes, nodes, 1)
        self.update = nn.Conv1d(width, width, 1, bias=False)
        self.out = nn.Conv2d(width, channels, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels, eps=1e-4)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Return `x` plus what the nodes give back to each cell."""
        state, projection = self.state(x).flatten(2), self.projection(x).flatten(2)
        nodes = projection @ state.mT / state.shape[-1]
        nodes = self.update((self.adjacency(nodes) + nodes).relu().mT)
        mixed = nodes @ projection
        return x + self.norm(self.out(mixed.unflatten(2, x.shape[2:])))


def read_global_reasoning(head: Any, seen: Seen) -> Reading:
    """Read the projection from what entered the block; the adjacency is its own."""
    block, x = head.block, seen["block"][0].inputs[0]
    adjacency = block.adjacency.weight[..., 0]
    return Reading((global_reasoning(block.projection(x)[0], adjacency, averaged=True),))


def rebuilt_global_reasoning(head: Any, seen: Seen, reading: Reading) -> tuple[Tensor, Tensor]:
    """Rebuild the block's output; the nodes' biases and the effect of their ReLU are added."""
    block, call = head.block, seen["block"][0]
    (x,) = call.inputs
    (nodes,), messages, _ = seen["block.adjacency"][0]
    related = nodes + messages
    beside = related.relu() - related + block.adjacency.bias[:, None]
    mixed = reading.attentions[0].mix(block.state(x)[0])
    mixed = mixed.flatten(1) + beside[0].mT @ block.projection(x)[0].flatten(1)
    mixed = block.update(mixed[None]).view(1, -1, *x.shape[2:])
    return x + block.norm(block.out(mixed)), call.output


@MODELS.register_module()
class SymbolicReasoningBlock(nn.Module):
    """A knowledge graph's symbols collect votes of cells, exchange messages, and are read by cells.

    Liang, Hu, Zhang, Lin, Xing: Symbolic Graph Reasoning Meets Convolutions, NeurIPS 2018.
    `concepts` names for each symbol those below it. Three things differ: the symbols' word vectors
    are learned; values are divided by the cells that a symbol has on average, for maps of any size;
    and how well a symbol suits a cell is the product of the two. A linear map of the two side by
    side is the sum of a number of each, and of such sums the softmax over symbols leaves all cells
    the same.
    """

    adjacency: Tensor

    def __init__(self, channels: int, concepts: Mapping[str, Sequence[str]]) -> None:
        super().__init__()
        adjacency = _graph(concepts)
        symbols, width = len(adjacency), channels // 2
        self.register_buffer("adjacency", adjacency, persistent=False)
        self.votes = nn.Conv2d(channels, symbols, 1)
        self.value = nn.Conv2d(channels, width, 1)
        self.words = nn.Parameter(torch.randn(symbols, width))
        self.update = nn.Linear(2 * width, width)
        self.symbol = nn.Linear(width, width, bias=False)
        self.cell = nn.Conv2d(channels, width, 1, bias=False)
        self.out = nn.Linear(width, channels)

    @property
    def propagation(self) -> Float[Tensor, "k k"]:
        """The weights of the messages: each symbol joined to itself, over the roots of degrees."""
        joined = self.adjacency + torch.eye(len(self.adjacency)).to(self.adjacency)
        root = joined.sum(-1).rsqrt()
        return root[:, None] * joined * root

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Return `x` plus what each cell takes from the symbols, rectified."""
        votes = self.votes(x).flatten(2).softmax(1)
        symbols = votes @ self.values(x).flatten(2).mT
        symbols = torch.cat([symbols, self.words.expand(len(x), -1, -1)], -1)
        symbols = (self.propagation @ self.update(symbols)).relu()
        mixed = self.out(self.shares(x, symbols).mT @ symbols)
        return x + mixed.mT.reshape(x.shape).relu()

    def values(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d h w"]:
        """Return what the cells' votes carry."""
        return self.value(x) * (len(self.adjacency) / x[0, 0].numel())

    def mapping(
        self, x: Float[Tensor, "b c h w"], symbols: Float[Tensor, "b k d"]
    ) -> Float[Tensor, "b k n"]:
        """Return how well each symbol suits each cell."""
        return self.symbol(symbols) @ self.cell(x).flatten(2)

    def shares(
        self, x: Float[Tensor, "b c h w"], symbols: Float[Tensor, "b k d"]
    ) -> Float[Tensor, "b k n"]:
        """Return the shares of the symbols in each cell: normalised over cells, then symbols."""
        # In logarithms: far from all symbols the shares of a cell would be 0 / 0.
        return self.mapping(x, symbols).log_softmax(-1).softmax(1)


def _graph(concepts: Mapping[str, Sequence[str]]) -> Float[Tensor, "k k"]:
    """Return 1 where one symbol lies right below the other."""
    pairs = [(above, below) for above, members in concepts.items() for below in members]
    symbols = sorted({symbol for pair in pairs for symbol in pair})
    adjacency = torch.zeros(len(symbols), len(symbols))
    for above, below in pairs:
        i, j = symbols.index(above), symbols.index(below)
        adjacency[i, j] = adjacency[j, i] = 1
    return adjacency


def _evolved(block: Any, seen: Seen) -> Float[Tensor, "1 k d"]:
    return (block.propagation @ seen["block.update"][0].output).relu()


def read_symbolic_reasoning(head: Any, seen: Seen) -> Reading:
    """Read votes and answers from what entered the block, and from the symbols after messages."""
    block, x = head.block, seen["block"][0].inputs[0]
    mapping = block.mapping(x, _evolved(block, seen))[0].unflatten(1, x.shape[2:])
    return Reading((symbolic_reasoning(block.votes(x)[0], block.adjacency, mapping),))


def rebuilt_symbolic_reasoning(head: Any, seen: Seen, reading: Reading) -> tuple[Tensor, Tensor]:
    """Rebuild the block's output; word vectors and the effect of the symbols' ReLU are added."""
    block, call = head.block, seen["block"][0]
    (x,) = call.inputs
    width = block.value.out_channels
    of_votes = block.update.weight[:, :width]
    voted = seen["block.update"][0].inputs[0][0, :, :width]
    symbols = _evolved(block, seen)
    beside = symbols[0] - block.propagation @ voted @ of_votes.mT
    mixed = reading.attentions[0].mix(block.values(x)[0]).flatten(1).mT
    mixed = mixed @ of_votes.mT + block.shares(x, symbols)[0].mT @ beside
    return x + block.out(mixed).mT.reshape(x.shape).relu(), call.output


HEADS = (
    Head("glore", {"type": "BlockHead", "block": {"type": "GlobalReasoningBlock"}}),
    Head(
        "sgr",
        {
            "type": "BlockHead",
            "block": {"type": "SymbolicReasoningBlock", "concepts": CONCEPTS},
        },
    ),
)
READERS = (
    HeadMethod(
        method=METHODS["glore"],
        head="glore",
        watch=("block", "block.adjacency"),
        read=read_global_reasoning,
        rebuilt=rebuilt_global_reasoning,
    ),
    HeadMethod(
        method=METHODS["sgr"],
        head="sgr",
        watch=("block", "block.update"),
        read=read_symbolic_reasoning,
        rebuilt=rebuilt_symbolic_reasoning,
    ),
)
