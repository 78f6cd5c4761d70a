"""Inputs of the benchmarks: a network's own features, and random ones with the same statistics."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from asa_viz.attention.operator import attend
from asa_viz.networks.checkpoint import Card, find, open_checkpoint
from asa_viz.networks.segmenter import Segmenter

PICTURE = Path(__file__).parents[2] / "app" / "examples" / "cat.jpg"
# (height, width, channels): the grid of the default working size, and that of Cityscapes at half
# size.
GRIDS = ((45, 60), (64, 128))
CHANNELS = (128, 256)
QUICK_GRIDS = ((6, 8), (8, 12))

# Of random features: the standard deviation of a query's similarities (0.4 to 0.6 on photographs),
# and the approximate share of the keys that each query keeps.
SPREAD = 0.5
SUPPORT = 0.1

_STRIDE = 8

Grids = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Options:
    """The options of all benchmarks; `network` is a name or a path, None the default network.

    `device` is where attention and network run; the benchmark of one query runs on the CPU.
    """

    rounds: int = 5
    quick: bool = False
    network: str | None = None
    picture: Path = PICTURE
    device: str = "cpu"

    def grids(self, grids: Grids) -> Grids:
        """Return the grids to measure, smaller ones in a quick run."""
        return QUICK_GRIDS if self.quick else grids


class Inputs(NamedTuple):
    """The inputs of one map, cells in row-major order; queries are already scaled."""

    query: Float[Tensor, "1 n d"]
    key: Float[Tensor, "1 n d"]
    value: Float[Tensor, "1 n c"]
    nonlocal_scale: Float[Tensor, "1 n"]
    local_scale: Float[Tensor, "1 n"]
    height: int
    width: int

    @property
    def size(self) -> int:
        """The number of cells, n."""
        return self.height * self.width

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """The five tensor arguments of the operator."""
        return self[:5]

    def to(self, device: str) -> "Inputs":
        """Return the same map on a device."""
        query, key, value, nonlocal_scale, local_scale = (each.to(device) for each in self.tensors)
        return Inputs(query, key, value, nonlocal_scale, local_scale, self.height, self.width)

    @property
    def shape(self) -> dict[str, Any]:
        """The keyword arguments of the operator: grid, and that queries are scaled."""
        return {"height": self.height, "width": self.width, "scaled": False}


def cases(options: Options) -> Iterator[tuple[str, Inputs]]:
    """Yield each benchmark input with its name: both kinds of features in both sizes."""
    for (height, width), channels in zip(options.grids(GRIDS), CHANNELS, strict=True):
        for kind, inputs in (
            ("real", widened(real(height, width, options), channels)),
            ("random", random(height, width, channels)),
        ):
            inputs = inputs.to(options.device)
            with torch.no_grad():
                kept = attend(*inputs.tensors, **inputs.shape).support_size.mean() / inputs.size
            depth = inputs.query.shape[-1]
            yield f"{kind}, n = {inputs.size}, d = {depth}, {kept.item():.0%} kept", inputs


@torch.no_grad()
def real(height: int, width: int, options: Options) -> Inputs:
    """Return the operator's inputs when the network encodes the picture at this size."""
    network, _ = opened(options.network)
    head = network.decode_head
    stage = segmenter(height, width, replace(options, device="cpu")).features(options.picture)[0]
    projections = head.nl_block.project(head.convs[0](stage))
    query, *rest = (part.contiguous() for part in projections)
    if head.nl_block.use_scale:
        query = query * query.shape[-1] ** -0.5
    return Inputs(query, *rest, *stage.shape[-2:])


def segmenter(height: int, width: int, options: Options) -> Segmenter:
    """Return the network with the working size that gives a map of `height` x `width`."""
    network, card = opened(options.network)
    card = replace(card, shapes=((height * _STRIDE, width * _STRIDE),))
    return Segmenter(network, card, torch.device(options.device))


@cache
def opened(name: str | None) -> tuple[Any, Card]:
    """Return the network and its card; cached."""
    return open_checkpoint(find(name))


def widened(inputs: Inputs, channels: int) -> Inputs:
    """Return inputs with at least so many channels and unchanged similarities.

    The vectors are multiplied by a matrix with orthonormal columns, which preserves dot products.
    """
    own = inputs.query.shape[-1]
    if own >= channels:
        return inputs
    drawn = torch.randn(channels, own, generator=torch.Generator().manual_seed(0))
    basis = torch.linalg.qr(drawn)[0]
    query, key, value = (vectors @ basis.mT for vectors in inputs[:3])
    return inputs._replace(query=query, key=key, value=value)


def random(height: int, width: int, channels: int) -> Inputs:
    """Return normal features whose similarities have the deviation `SPREAD`, and constant scales.

    A pair is kept when each chooses the other, and with random features the two are independent:
    the scale is a quantile of sampled affinities, such that a query chooses the share
    sqrt(SUPPORT).
    """
    n = height * width
    draw = torch.Generator().manual_seed(0)
    query, key, value = (torch.randn(1, n, channels, generator=draw) for _ in range(3))
    query *= SPREAD * channels**-0.5
    affinity = (query[0, :: max(1, n // 64)] @ key[0].mT).softmax(-1)
    scale = n * affinity.quantile(1 - SUPPORT**0.5, dim=-1).mean()
    ones = torch.ones(1, n)
    return Inputs(query, key, value, scale * ones, ones, height, width)
