"""Time and memory over the number of cells, of attention that reads all keys and that reads few."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from jaxtyping import Float
from matplotlib import rc_context
from matplotlib.figure import Figure
from torch import Tensor, nn

from asa_viz.attention.blockwise import attend
from asa_viz.bench.attention import FUSED, defined, fused
from asa_viz.bench.inputs import Options, random
from asa_viz.bench.report import MEGABYTE, Line
from asa_viz.measuring import peak_bytes, seconds
from asa_viz.networks.zoo.methods import HEADS, build_head

OURS = "adaptive sparse attention"
DEFINED = "its definition"
GRIDS = ((16, 16), (16, 32), (32, 32), (32, 64), (64, 64), (64, 128), (128, 128), (128, 256))
QUICK_GRIDS = ((6, 8), (8, 12))
CHANNELS = 128
# Beyond it the definition's n x n arrays fill the memory.
MOST_DEFINED = 2048
# A curve ends with its first point of more seconds than this.
LONGEST = 20.0


@dataclass(frozen=True)
class Point:
    """What one pass over n cells takes."""

    n: int
    seconds: float
    bytes: int


Curves = Mapping[str, Sequence[Point]]


def curves(options: Options) -> Curves:
    """Measure all designs on ever larger maps of random features, a size at a time.

    The first three are the attention alone, the networks' blocks have their projections with them.
    """
    torch.manual_seed(0)
    blocks = {"ISA": _interlaced(), "CCNet": _criss_cross(), "ANN": _asymmetric()}
    found: dict[str, list[Point]] = {name: [] for name in (OURS, FUSED, DEFINED, *blocks)}
    slow = set()
    for height, width in QUICK_GRIDS if options.quick else GRIDS:
        n = height * width
        passes = {
            name: function
            for name, function in _passes(height, width, blocks).items()
            if name not in slow and (name != DEFINED or n <= MOST_DEFINED)
        }
        with torch.no_grad():
            taken = seconds(passes, options.rounds)
            for name, function in passes.items():
                found[name].append(Point(n, taken[name], peak_bytes(function)))
        slow |= {name for name in passes if taken[name] > LONGEST}
    return found


def _passes(
    height: int, width: int, blocks: Mapping[str, Callable[[Tensor], Any]]
) -> dict[str, Callable[[], Any]]:
    """Return one pass of each design over a map of this size."""
    inputs = random(height, width, CHANNELS)
    x = torch.randn(1, CHANNELS, height, width, generator=torch.Generator().manual_seed(0))
    return {
        OURS: partial(attend, *inputs.tensors, **inputs.shape),
        FUSED: partial(fused, *inputs.dense),
        DEFINED: partial(defined, *inputs.tensors, **inputs.shape),
        **{name: partial(block, x) for name, block in blocks.items()},
    }


def _head(name: str, **settings: Any) -> Any:
    """Build a head of this width, its attention with half as many channels as in mmsegmentation."""
    head = replace(HEADS[name], settings={**HEADS[name].settings, **settings})
    return build_head(head, (CHANNELS, CHANNELS), CHANNELS, num_classes=3).eval()


def _interlaced() -> Callable[[Float[Tensor, "1 c h w"]], Tensor]:
    """Return ISA's two passes: its head less the convolutions before and behind them."""
    head = _head("isa", isa_channels=CHANNELS // 2)
    head.in_conv = head.out_conv = head.conv_seg = nn.Identity()
    return lambda x: head([x])


def _criss_cross() -> Callable[[Float[Tensor, "1 c h w"]], Tensor]:
    """Return CCNet's block, passed as often as its head does."""
    head = _head("ccnet")

    def passes(x: Tensor) -> Tensor:
        for _ in range(head.recurrence):
            x = head.cca(x)
        return x

    return passes


def _asymmetric() -> Callable[[Float[Tensor, "1 c h w"]], Tensor]:
    """Return ANN's block in which a map reads averages of its own regions."""
    (stage,) = _head("ann", project_channels=CHANNELS // 2).context.stages
    return lambda x: stage(x, x)


def curve_lines(found: Curves) -> Iterator[Line]:
    """Give our curve against fused dense attention, and against each design at its largest map."""
    ours = {point.n: point for point in found[OURS]}
    for name, points in found.items():
        shared = [point for point in points if point.n in ours]
        if name == OURS or not shared:
            continue
        for point in shared if name == FUSED else shared[-1:]:
            what = f"n = {point.n}, random, {CHANNELS} channels"
            mine = ours[point.n]
            yield Line(what, "seconds", mine.seconds, point.seconds, name)
            yield Line(f"memory, {what}", "bytes", mine.bytes, point.bytes, name)


def curve_data(found: Curves) -> dict[str, list[dict[str, Any]]]:
    """Return the curves as plain data."""
    return {name: [vars(point) for point in points] for name, points in found.items()}


def picture(found: Curves) -> Figure:
    """Draw time and memory over the number of cells; all axes are logarithmic."""
    colours = ("#d55e00", "#0072b2", "#000000", "#009e73", "#cc79a7", "#e69f00")
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "asa-viz", "font.size": 9}):
        figure = Figure(figsize=(7, 3.2), layout="constrained")
        time, memory = figure.subplots(1, 2)
        for (name, points), colour in zip(found.items(), colours, strict=True):
            cells = [point.n for point in points]
            for axes, values in (
                (time, [1000 * point.seconds for point in points]),
                (memory, [point.bytes / MEGABYTE for point in points]),
            ):
                axes.plot(cells, values, "o-", color=colour, markersize=3, linewidth=1, label=name)
        for axes, title in ((time, "milliseconds"), (memory, "peak memory in MB")):
            axes.set(xlabel="cells of the map, n", yscale="log", title=title)
            axes.set_xscale("log", base=2)
            axes.grid(alpha=0.3)
            axes.spines[["top", "right"]].set_visible(False)
        figure.legend(*time.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure
