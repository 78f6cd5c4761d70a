"""The forward pass of the clean rule, in tiles of queries times keys: quick where little is kept.

The first pass forms every tile of similarities once, for the log-sum-exp of each query, and keeps
the largest similarity of each query in each tile. From these follows, before any second product,
which queries can choose a key of a tile at all: in the second pass a pair of tiles is formed
between those queries and those keys alone that may choose each other, for both directions at once,
and values are summed where a pair is kept. Pairs inside each other's windows, which the local rule
may keep as well, are decided by themselves.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from asa_viz.attention.definition import tie_slack

# A tile of float32 similarities is 1 MB: with the rows it is made of it stays in a core's cache.
TILE = 512
# Below this similarity no exponential leaves float32's range, and none needs its row's maximum.
_TAME = 60.0
# A kept mass below it is formed anew, row by row, in relation to the row's strongest key.
SMALLEST = 1e-30


class FirstPass(NamedTuple):
    """What one pass over all similarities leaves: two numbers a query, and one a tile."""

    log_normaliser: Float[Tensor, " n"]
    highest: Float[Tensor, "n tiles"]


def first_pass(query: Float[Tensor, "n d"], key: Float[Tensor, "n d"]) -> FirstPass:
    """Return the log-sum-exp of each query's similarities, and their maximum in each tile."""
    n = len(query)
    tiles = cut(n)
    highest = query.new_empty(n, len(tiles))
    total = query.new_zeros(n)
    longest = query.norm(dim=-1).amax() * key.norm(dim=-1).amax()
    if bool(longest < _TAME):
        for rows in tiles:
            for index, cols in enumerate(tiles):
                similarity = query[rows] @ key[cols].mT
                torch.amax(similarity, -1, out=highest[rows, index])
                total[rows] += similarity.exp_().sum(-1)
        return FirstPass(total.log(), highest)
    for rows in tiles:
        maximum = query.new_full((rows.stop - rows.start,), -torch.inf)
        for index, cols in enumerate(tiles):
            similarity = query[rows] @ key[cols].mT
            here = similarity.amax(-1)
            highest[rows, index] = here
            risen = torch.maximum(maximum, here)
            total[rows] *= (maximum - risen).exp()
            total[rows] += similarity.sub_(risen[:, None]).exp_().sum(-1)
            maximum = risen
        total[rows] = total[rows].log() + maximum
    return FirstPass(total, highest)


def cut(n: int) -> list[slice]:
    """Cut n cells into tiles."""
    return [slice(start, min(start + TILE, n)) for start in range(0, n, TILE)]


class Map(NamedTuple):
    """One image: queries already scaled, thresholds as logarithms of affinities."""

    query: Float[Tensor, "n d"]
    key: Float[Tensor, "n d"]
    value: Float[Tensor, "n c"]
    log_threshold: Float[Tensor, " n"]
    log_local_scale: Float[Tensor, " n"]
    neighbours: Int[Tensor, "n k"]
    height: int
    width: int
    window: int


class Kept(NamedTuple):
    """What every query reads, and the size of its support."""

    output: Float[Tensor, "n c"]
    support_size: Float[Tensor, " n"]


def second_pass(image: Map, first: FirstPass) -> tuple[Kept, Bool[Tensor, " n"]]:
    """Return what is read, and which queries hold a mass too small for this arithmetic."""
    log_normaliser = first.log_normaliser
    slack = tie_slack(image.query.dtype)
    lowest = image.log_threshold - slack
    read = torch.zeros_like(image.value)
    mass, count = torch.zeros_like(lowest), torch.zeros_like(lowest)
    tiles = cut(len(lowest))
    # Another order of summation may move a similarity a little: a tile too many does no harm.
    rounding = 1e-3 if lowest.dtype == torch.float32 else 1e-9
    may_choose = first.highest - log_normaliser[:, None] >= lowest[:, None] - rounding
    for i, rows in enumerate(tiles):
        for j in range(i, len(tiles)):
            pair = _Pair.of(image, may_choose, rows, tiles[j], i, j)
            if pair is not None:
                _read_pair(image, log_normaliser, lowest, pair, read, mass, count)
    few = (count > 0) & (mass < SMALLEST)
    return _with_windows(image, log_normaliser, lowest, read, mass, count), few


class _Pair(NamedTuple):
    """Two tiles, or those of their cells that may choose each other."""

    rows: slice | Int[Tensor, " r"]
    cols: slice | Int[Tensor, " s"]
    same: bool
    windows: tuple[Int[Tensor, " p"], Int[Tensor, " p"]] | None

    @classmethod
    def of(
        cls,
        image: Map,
        may_choose: Bool[Tensor, "n tiles"],
        rows: slice,
        cols: slice,
        i: int,
        j: int,
    ) -> "_Pair | None":
        near = image.neighbours[rows]
        inside = (near >= cols.start) & (near < cols.stop)
        if i == j or bool(inside.any()):
            own = torch.arange(len(near), device=near.device)[:, None].expand_as(near)
            return cls(rows, cols, i == j, (own[inside], near[inside] - cols.start))
        row_index = may_choose[rows, j].nonzero()[:, 0]
        col_index = may_choose[cols, i].nonzero()[:, 0]
        if not len(row_index) or not len(col_index):
            return None
        return cls(row_index + rows.start, col_index + cols.start, same=False, windows=None)


def _read_pair(
    image: Map,
    log_normaliser: Float[Tensor, " n"],
    lowest: Float[Tensor, " n"],
    pair: _Pair,
    read: Float[Tensor, "n c"],
    mass: Float[Tensor, " n"],
    count: Float[Tensor, " n"],
) -> None:
    """Add what the cells of a pair of tiles read of each other, window pairs left out."""
    rows, cols = pair.rows, pair.cols
    out = (image.query[rows] @ image.key[cols].mT).sub_(log_normaliser[rows, None])
    kept = out >= lowest[rows, None]
    if pair.same:
        kept &= kept.mT.clone()
    else:
        back = (image.key[rows] @ image.query[cols].mT).sub_(log_normaliser[cols])
        kept &= back >= lowest[cols]
    if pair.windows is not None:
        kept[pair.windows] = False
    if not bool(kept.any()):
        return
    weights = out.exp_().mul_(kept)
    _add(read, rows, weights @ image.value[cols])
    _add(mass, rows, weights.sum(1))
    _add(count, rows, kept.sum(1))
    if not pair.same:
        weights = back.exp_().mul_(kept)
        _add(read, cols, weights.mT @ image.value[rows])
        _add(mass, cols, weights.sum(0))
        _add(count, cols, kept.sum(0))


def _add(total: Tensor, at: slice | Tensor, part: Tensor) -> None:
    if isinstance(at, slice):
        total[at] += part
    else:
        total.index_add_(0, at, part.to(total))


def _with_windows(
    image: Map,
    log_normaliser: Float[Tensor, " n"],
    lowest: Float[Tensor, " n"],
    read: Float[Tensor, "n c"],
    mass: Float[Tensor, " n"],
    count: Float[Tensor, " n"],
) -> Kept:
    """Add what each query keeps inside its window, by either rule, and renormalise."""
    height, width, window = image.height, image.width, image.window
    slack = tie_slack(mass.dtype)
    grid = (height, width)
    near = _in_windows(image) - log_normaliser.view(grid)
    floor, local_floor = lowest.view(grid), image.log_local_scale.view(grid) - slack
    passes = near >= floor
    # The pair seen from its other end is the opposite place in the other cell's window.
    back = torch.zeros_like(passes)
    for place, (here, there) in enumerate(_shifts(height, width, window)):
        back[place][here] = passes[-1 - place][there]
    inside = near > -torch.inf
    mean = near.logsumexp(0) - inside.sum(0).log()
    kept = ((passes & back) | (near - mean >= local_floor)) & inside
    count += kept.sum(0).flatten()
    near.masked_fill_(~kept, -torch.inf)
    log_mass = mass.log()
    whole = torch.logaddexp(log_mass, near.logsumexp(0).flatten())
    empty = count == 0
    # In two steps: a mass of 0 beside a window of next to nothing would be 0 times infinity.
    before = (log_mass - whole).exp() / mass.clamp_min(SMALLEST)
    read *= torch.where(empty, 0, before)[:, None]
    share = (near - whole.view(grid)).exp_()
    out, values = read.view(*grid, -1), image.value.view(*grid, -1)
    for place, (here, there) in enumerate(_shifts(height, width, window)):
        if bool(kept[place].any()):
            out[here].addcmul_(share[place][here][..., None], values[there])
    # A query that keeps nothing reads itself.
    read[empty] = image.value[empty]
    return Kept(read, count)


def _in_windows(image: Map) -> Float[Tensor, "k h w"]:
    """Return each query's similarities in its window, minus infinity outside the map."""
    height, width, window = image.height, image.width, image.window
    query, key = (t.view(height, width, -1) for t in (image.query, image.key))
    near = query.new_full((window**2, height, width), -torch.inf)
    band = max(1, 4 * TILE // width)
    for place, (here, there) in enumerate(_shifts(height, width, window)):
        target, left, right = near[place][here], query[here], key[there]
        for start in range(0, len(target), band):
            rows = slice(start, start + band)
            target[rows] = (left[rows] * right[rows]).sum(-1)
    return near


def _shifts(
    height: int, width: int, window: int
) -> Iterator[tuple[tuple[slice, slice], tuple[slice, slice]]]:
    """Give for each place of the window the queries that have a key there, and those keys."""
    for down in range(-(window // 2), window // 2 + 1):
        for right in range(-(window // 2), window // 2 + 1):
            rows, cols = _overlap(height, down), _overlap(width, right)
            yield (rows[0], cols[0]), (rows[1], cols[1])


def _overlap(size: int, shift: int) -> tuple[slice, slice]:
    """Return where a line lies on itself when shifted: before, and after."""
    length = max(0, size - abs(shift))
    start = min(max(0, -shift), size)
    return slice(start, start + length), slice(start + shift, start + shift + length)
