"""The forward pass of the clean rule in tiles: quick where little is kept, memory linear in n.

Pairs of cells that cannot choose each other are never formed (see `tiles`); of those that are,
both directions are decided at once, and values are summed where something is kept. Pairs inside
each other's windows, which the local rule may keep as well, are decided by themselves.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from asa_viz.attention.definition import tie_slack
from asa_viz.attention.shifts import shifts, window_affinities
from asa_viz.attention.tiles import FirstPass, Map, Tiles

# A kept mass below it is formed anew, row by row, in relation to the row's strongest key.
SMALLEST = 1e-30


class Kept(NamedTuple):
    """What every query reads, and what it keeps: its mass and largest affinity as logarithms.

    A query that keeps nothing reads itself, and counts as keeping itself for both logarithms.
    `in_degree` is how many queries keep the cell.
    """

    output: Float[Tensor, "n c"]
    log_mass: Float[Tensor, " n"]
    log_strongest: Float[Tensor, " n"]
    support_size: Float[Tensor, " n"]
    in_degree: Float[Tensor, " n"]


class _Far(NamedTuple):
    """What cells read outside their windows, not yet divided by the mass they keep."""

    read: Float[Tensor, "n c"]
    mass: Float[Tensor, " n"]
    strongest: Float[Tensor, " n"]
    number: Float[Tensor, " n"]

    def add(
        self,
        rows: Int[Tensor, " r"],
        weights: Float[Tensor, "r s"],
        count: Float[Tensor, " r"],
        values: Float[Tensor, "s c"],
    ) -> None:
        """Let `rows` read values by affinities that are 0 where a pair is not kept."""
        self.read.index_add_(0, rows, weights @ values)
        self.mass[rows] += weights.sum(1)
        self.number[rows] += count
        self.strongest[rows] = torch.maximum(self.strongest[rows], weights.amax(1))


def second_pass(image: Map, first: FirstPass) -> tuple[Kept, Bool[Tensor, " n"]]:
    """Return what is kept, and for which queries in a mass too small for this arithmetic."""
    tiles = Tiles.of(image, first)
    far = _Far(torch.zeros_like(tiles.value), *torch.zeros_like(tiles.lowest).repeat(3, 1))
    for rows, cols, own, out, back in tiles.pairs():
        # Kept as 1 and 0, not as truths: these the processor compares and multiplies at once.
        kept = torch.minimum(out - tiles.lowest[rows, None], back - tiles.lowest[cols]).ge_(0)
        count = kept.sum(1)
        if not bool(count.any()):
            continue
        far.add(rows, out.exp_().mul_(kept), count, tiles.value.index_select(0, cols))
        if not own:
            weights = back.exp_().mul_(kept).mT
            far.add(cols, weights, kept.sum(0), tiles.value.index_select(0, rows))
    far = _Far(*(torch.empty_like(part).index_copy_(0, tiles.order, part) for part in far))
    few = (far.number > 0) & (far.mass < SMALLEST)
    return _with_windows(image, first.log_normaliser, far), few


def _with_windows(image: Map, log_normaliser: Float[Tensor, " n"], far: _Far) -> Kept:
    """Add what each query keeps inside its window, by either rule, and renormalise."""
    height, width, window = image.height, image.width, image.window
    grid = (height, width)
    slack = tie_slack(far.mass.dtype)
    query, key = (part.view(*grid, -1) for part in (image.query, image.key))
    near, log_mean = window_affinities(query, key, log_normaliser.view(grid), window)
    passes = near >= image.log_threshold.view(grid) - slack
    kept = (near > -torch.inf) & (near - log_mean >= image.log_local_scale.view(grid) - slack)
    in_degree = far.number.clone()
    for place, (here, there) in enumerate(shifts(height, width, window)):
        kept[place][here] |= passes[place][here] & passes[-1 - place][there]
        in_degree.view(grid)[there] += kept[place][here]
    count = far.number + kept.sum(0).flatten()

    near.masked_fill_(~kept, -torch.inf)
    log_mass = torch.logaddexp(far.mass.log(), near.logsumexp(0).flatten())
    log_strongest = torch.maximum(far.strongest.log(), near.amax(0).flatten())
    empty = count == 0
    # In two steps: a mass of 0 beside a window of next to nothing would be 0 times infinity.
    before = (far.mass.log() - log_mass).exp() / far.mass.clamp_min(SMALLEST)
    read = far.read.mul_(torch.where(empty, 0, before)[:, None])
    share = (near - log_mass.view(grid)).exp_()
    out, values = read.view(*grid, -1), image.value.view(*grid, -1)
    for place, (here, there) in enumerate(shifts(height, width, window)):
        if bool(kept[place].any()):
            out[here].addcmul_(share[place][here][..., None], values[there])
    read[empty] = image.value[empty]
    itself = (image.query[empty] * image.key[empty]).sum(-1) - log_normaliser[empty]
    log_mass[empty], log_strongest[empty] = itself, itself
    return Kept(read, log_mass, log_strongest, count, in_degree)
