"""Measures time and memory over the number of cells, for dense and for sparse designs."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from asa_viz.bench.attention import FUSED, OURS, Step, designs, forward
from asa_viz.bench.inputs import Options, random
from asa_viz.bench.report import Line
from asa_viz.measuring import peak_bytes, seconds
from asa_viz.networks.zoo.methods import HEADS, build_head

GRIDS = ((16, 16), (16, 32), (32, 32), (32, 64), (64, 64), (64, 128), (128, 128), (128, 256))
CHANNELS = 128
BLOCKS = ("ISA", "CCNet", "ANN")
# A curve ends before the point that would exceed either limit if it grew like n squared.
MOST_SECONDS = 60.0
MOST_BYTES = 8e9


@dataclass(frozen=True)
class Point:
    """Time and memory of one pass over n cells."""

    n: int
    seconds: float
    bytes: int


Curves = dict[str, list[Point]]


def scaling_lines(options: Options, curves: Curves) -> Iterator[Line]:
    """Measure all designs on growing maps of random features, and add the points to the curves.

    Our operator is compared with fused dense attention at each size, with others at their largest
    size.
    """
    torch.manual_seed(0)
    blocks = _blocks()
    grids = options.grids(GRIDS)
    following = [height * width for height, width in grids[1:]]
    for (height, width), next_n in zip(grids, [*following, math.inf], strict=True):
        n = height * width
        passes = {
            name: step
            for name, step in _passes(height, width, blocks).items()
            if _goes_on(curves.setdefault(name, []), n)
        }
        # This pass also serves as the warm-up: the largest maps take long enough.
        held = {name: peak_bytes(step) for name, step in passes.items()}
        taken = seconds(passes, options.rounds, uncounted=0)
        for name in passes:
            curves[name].append(Point(n, taken[name], held[name]))
        if OURS not in passes:
            continue
        ours_ends = not _goes_on(curves[OURS], next_n)
        for name in passes:
            ends = ours_ends or not _goes_on(curves[name], next_n)
            if name == FUSED or (name != OURS and ends):
                what = f"n = {n}, random, {CHANNELS} channels"
                yield Line(what, "seconds", taken[OURS], taken[name], name)
                yield Line(f"memory, {what}", "bytes", held[OURS], held[name], name)


def _goes_on(points: Sequence[Point], n: float) -> bool:
    """Return whether a curve can be continued to n cells within the limits."""
    if not points:
        return True
    growth = (n / points[-1].n) ** 2
    return points[-1].seconds * growth <= MOST_SECONDS and points[-1].bytes * growth <= MOST_BYTES


def _passes(
    height: int, width: int, blocks: dict[str, Callable[[Tensor], Tensor]]
) -> dict[str, Step]:
    """Return one pass of each design over a map of this size."""
    inputs = random(height, width, CHANNELS)
    x = torch.randn(1, CHANNELS, height, width, generator=torch.Generator().manual_seed(0))
    return {
        **{name: forward(*design) for name, design in designs(inputs).items()},
        **{name: forward(block, (x,)) for name, block in blocks.items()},
    }


def _blocks() -> dict[str, Callable[[Tensor], Tensor]]:
    """Return other networks' attention blocks with their projections, as functions from map to map.

    Queries and keys have the share of the channels that they have in mmsegmentation: a half, in
    CCNet an eighth.
    """
    isa = _head("isa", isa_channels=CHANNELS // 2)
    isa.in_conv = isa.out_conv = isa.conv_seg = nn.Identity()
    ccnet = _head("ccnet")
    (ann,) = _head("ann", project_channels=CHANNELS // 2).context.stages
    blocks = (
        lambda x: isa([x]),
        nn.Sequential(*[ccnet.cca] * ccnet.recurrence),
        lambda x: ann(x, x),
    )
    return dict(zip(BLOCKS, blocks, strict=True))


def _head(name: str, **settings: Any) -> Any:
    head = replace(HEADS[name], settings={**HEADS[name].settings, **settings})
    return build_head(head, (CHANNELS, CHANNELS), CHANNELS, num_classes=3).eval()
