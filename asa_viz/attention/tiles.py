"""Which cells of a map can choose each other at all, found before their similarities are formed.

Cells are put in an order in which like stands beside like, and cut into tiles. One pass over all
similarities leaves the log-sum-exp of each query and its largest similarity in each tile. Where
that lies below the query's threshold, nothing in the tile is chosen: such pairs need not be formed
again, and of a real image's they are the most.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from asa_viz.attention.definition import log_scale, tie_slack
from asa_viz.attention.neighbourhood import window_keys

# Smaller tiles leave out more pairs, and cost more in calls than the pairs would.
TILE = 768
_CLUSTERS = 32
# Similarities up to this size need no care in float32: their exponentials can be summed as they
# are, over more keys than any memory holds.
_TAME = 40.0
# In place of minus infinity, so that differences from it are numbers.
_LOWEST = -1e30


class Map(NamedTuple):
    """One image: queries already scaled, both scales as they were learned."""

    query: Float[Tensor, "n d"]
    key: Float[Tensor, "n d"]
    value: Float[Tensor, "n c"]
    nonlocal_scale: Float[Tensor, " n"]
    local_scale: Float[Tensor, " n"]
    height: int
    width: int
    window: int

    @property
    def log_threshold(self) -> Float[Tensor, " n"]:
        """Logarithm of the affinity from which a query chooses a key."""
        return (log_scale(self.nonlocal_scale) - math.log(len(self.query))).clamp_min(_LOWEST)

    @property
    def log_local_scale(self) -> Float[Tensor, " n"]:
        """Logarithm of the local scale."""
        return log_scale(self.local_scale).clamp_min(_LOWEST)


class FirstPass(NamedTuple):
    """What one pass over all similarities leaves. Tiles are cut from the cells in this order."""

    order: Int[Tensor, " n"]
    log_normaliser: Float[Tensor, " n"]
    highest: Float[Tensor, "n tiles"]


def first_pass(query: Float[Tensor, "n d"], key: Float[Tensor, "n d"]) -> FirstPass:
    """Return each query's log-sum-exp and its largest similarity in each tile of keys.

    Both are given by cell, as the map counts them.
    """
    n = len(query)
    order = _like_beside_like(query, key)
    keys = key[order].mT
    tiles = cut(n)
    highest = query.new_empty(n, len(tiles))
    # No product of two vectors is larger than that of their lengths.
    tame = bool(query.norm(dim=1).amax() * key.norm(dim=1).amax() <= _TAME)
    total = query.new_full((n,), 0.0 if tame else -torch.inf)
    # One memory for all products, as fresh memory costs as much as they do.
    space = query.new_empty(min(TILE, n) ** 2)
    for rows in tiles:
        for column, cols in enumerate(tiles):
            shape = (rows.stop - rows.start, cols.stop - cols.start)
            similarity = space[: math.prod(shape)].view(shape)
            torch.mm(query[rows], keys[:, cols], out=similarity)
            torch.amax(similarity, -1, out=highest[rows, column])
            if tame:
                total[rows] += similarity.exp_().sum(-1)
            else:
                total[rows] = torch.logaddexp(total[rows], similarity.logsumexp(-1))
    return FirstPass(order, total.log_() if tame else total, highest)


def cut(n: int) -> list[slice]:
    """Cut n cells into tiles."""
    return [slice(start, min(start + TILE, n)) for start in range(0, n, TILE)]


def _like_beside_like(query: Float[Tensor, "n d"], key: Float[Tensor, "n d"]) -> Int[Tensor, " n"]:
    """Return an order of the cells in which those of like queries and keys follow each other.

    A few steps of k-means on every eighth cell; any order would do, this one leaves few tiles.
    """
    n = len(query)
    if n <= TILE:
        return torch.arange(n, device=query.device)
    both = torch.cat([query, key], 1)
    some = both[::8]
    centres = some[torch.linspace(0, len(some) - 1, _CLUSTERS, device=query.device).long()]
    for _ in range(3):
        member = _nearest(some, centres)
        size = torch.bincount(member, minlength=_CLUSTERS)[:, None]
        total = torch.zeros_like(centres).index_add_(0, member, some)
        centres = torch.where(size > 0, total / size.clamp_min(1), centres)
    return _nearest(both, centres).argsort(stable=True)


def _nearest(x: Float[Tensor, "m e"], centres: Float[Tensor, "k e"]) -> Int[Tensor, " m"]:
    return (x @ centres.mT - centres.square().sum(-1) / 2).argmax(-1)


@dataclass(frozen=True, eq=False)
class Tiles:
    """One image's cells in the order of the first pass, and who may choose whom."""

    order: Int[Tensor, " n"]
    query: Float[Tensor, "n d"]
    key: Float[Tensor, "n d"]
    value: Float[Tensor, "n c"]
    log_normaliser: Float[Tensor, " n"]
    log_threshold: Float[Tensor, " n"]
    lowest: Float[Tensor, " n"]
    neighbours: Int[Tensor, "n k"]
    may_choose: Bool[Tensor, "n tiles"]

    @classmethod
    def of(cls, image: Map, first: FirstPass) -> "Tiles":
        """Put an image's cells in order, and decide which tiles each may choose from."""
        order, n = first.order, len(first.order)
        place = torch.empty(n + 1, dtype=order.dtype, device=order.device)
        place[order] = torch.arange(n, device=order.device)
        place[n] = n
        neighbours = window_keys(image.height, image.width, image.window, order.device)
        log_threshold = image.log_threshold[order]
        lowest = log_threshold - tie_slack(log_threshold.dtype)
        log_normaliser, highest = first.log_normaliser[order], first.highest[order]
        # Another order of summation may move a similarity: a cell too many does no harm.
        rounding = 100 * torch.finfo(highest.dtype).eps * (100 + highest.abs().amax())
        may_choose = highest - log_normaliser[:, None] >= lowest[:, None] - rounding
        return cls(
            order, image.query[order], image.key[order], image.value[order], log_normaliser,
            log_threshold, lowest, place[neighbours[order]], may_choose,
        )  # fmt: skip

    def pairs(self, *, either: bool = False) -> Iterator["Pair"]:
        """Give the cells of every two tiles that may choose each other; their pairs once.

        A tile with itself gives them twice, once from each end. `either` asks only that one of the
        two may choose the other.
        """
        n = len(self.order)
        tiles, cells = cut(n), torch.arange(n, device=self.order.device)
        space = _Space.of(self)
        for left, rows in enumerate(tiles):
            yield Pair.of(self, cells[rows], cells[rows], space, own=True)
            for right, cols in enumerate(tiles[left + 1 :], left + 1):
                ours, theirs = self.may_choose[rows, right], self.may_choose[cols, left]
                if either:
                    ours, theirs = ours | theirs.any(), theirs | ours.any()
                if bool(ours.any() & theirs.any()):
                    yield Pair.of(self, cells[rows][ours], cells[cols][theirs], space, own=False)


class _Space(NamedTuple):
    """Memory used again for every pair, as fresh memory costs as much as the products."""

    places: Int[Tensor, " m"]
    vectors: Float[Tensor, "4 s d"]
    out: Float[Tensor, " p"]
    back: Float[Tensor, " p"]

    @classmethod
    def of(cls, tiles: Tiles) -> "_Space":
        n, depth = tiles.key.shape
        most = min(n, TILE)
        places = torch.full((n + 1,), -1, device=tiles.order.device)
        sizes = ((4, most, depth), (most**2,), (most**2,))
        return cls(places, *(tiles.key.new_empty(size) for size in sizes))


class Pair(NamedTuple):
    """The log affinities between r cells and s cells of a tile, minus infinity within windows.

    `own` says that both are the same. All is valid until the next pair is formed, and may be
    overwritten.
    """

    rows: Int[Tensor, " r"]
    cols: Int[Tensor, " s"]
    own: bool
    out: Float[Tensor, "r s"]
    back: Float[Tensor, "r s"]

    @classmethod
    def of(
        cls,
        tiles: Tiles,
        rows: Int[Tensor, " r"],
        cols: Int[Tensor, " s"],
        space: _Space,
        *,
        own: bool,
    ) -> "Pair":
        """Form both directions."""
        query, key, their_query, their_key = (
            torch.index_select(vectors, 0, cells, out=room[: len(cells)])
            for room, vectors, cells in zip(
                space.vectors,
                (tiles.query, tiles.key, tiles.query, tiles.key),
                (rows, rows, cols, cols),
                strict=True,
            )
        )
        shape = (len(rows), len(cols))
        size = math.prod(shape)
        out, back = space.out[:size].view(shape), space.back[:size].view(shape)
        torch.mm(query, their_key.mT, out=out).sub_(tiles.log_normaliser[rows, None])
        torch.mm(key, their_query.mT, out=back).sub_(tiles.log_normaliser[cols])
        space.places[cols] = torch.arange(len(cols), device=cols.device)
        near = space.places[tiles.neighbours[rows]]
        space.places[cols] = -1
        row, k = (near >= 0).nonzero(as_tuple=True)
        at = near[row, k]
        out[row, at] = -torch.inf
        back[row, at] = -torch.inf
        return cls(rows, cols, own, out, back)
