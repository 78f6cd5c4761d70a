"""Attention in a window around each cell as layers: what the blocks of the heads are made of."""

import math
from collections.abc import Iterator
from functools import reduce

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from mmcv.cnn import ConvModule
from torch import Tensor, nn

from asa_viz.attention.window import local_relation, san_pairwise, stand_alone
from asa_viz.catalogue.settings import (
    CARAFE_WINDOW,
    LOCAL_RELATION_WINDOW,
    SAN_SHARED,
    SAN_WINDOW,
    STAND_ALONE_WINDOW,
)
from asa_viz.networks.zoo.record import Reading


def places(wide: Float[Tensor, "... p q"], window: int) -> Iterator[Float[Tensor, "... h w"]]:
    """Yield what every cell sees at each place of its window, row by row, as views of a wide map.

    `wide` is the map with half a window around it. Nothing of the size of all windows is made.
    """
    height, width = (size - window + 1 for size in wide.shape[-2:])
    for row in range(window):
        for col in range(window):
            yield wide[..., row : row + height, col : col + width]


def around(x: Float[Tensor, "... h w"], window: int) -> Float[Tensor, "... p q"]:
    """Return the map with half a window of zeros around it."""
    return F.pad(x, (window // 2,) * 4)


def outside(x: Float[Tensor, "b c h w"], window: int) -> Bool[Tensor, "k h w"]:
    """Return which places of every window lie off the map."""
    on_map = around(torch.ones_like(x[0, 0]), window)
    return torch.stack([place == 0 for place in places(on_map, window)])


def gather(
    weights: Float[Tensor, "b g k h w"], wide: Float[Tensor, "b c p q"], window: int
) -> Float[Tensor, "b c h w"]:
    """Return what every cell reads in its window, c / g channels by each of g sets of weights."""
    groups = wide.unflatten(1, (weights.shape[1], -1))
    read = (
        weight[:, :, None] * place
        for weight, place in zip(weights.unbind(2), places(groups, window), strict=True)
    )
    return reduce(torch.add, read).flatten(1, 2)


class WindowAttention(nn.Module):
    """Attention in a window: what a cell reads of `value`, and by which rows.

    Where there are several heads or groups of channels, each reads its share of the values.
    """

    value: nn.Module

    def read(self, x: Float[Tensor, "1 c h w"]) -> Reading:
        """Read the rows of every head, or of every group of channels."""
        raise NotImplementedError


class StandAloneAttention(WindowAttention):
    """Content and a learned embedding of the relative position, in several heads.

    There are as many heads as leave each an even number of channels, half of them for the rows of
    the window, half for its columns.
    """

    def __init__(self, channels: int, window: int = STAND_ALONE_WINDOW, heads: int = 8) -> None:
        super().__init__()
        self.window = window
        self.heads = math.gcd(channels // 2, heads)
        self.query, self.key, self.value = (
            nn.Conv2d(channels, channels, 1, bias=False) for _ in range(3)
        )
        half = channels // self.heads // 2
        self.row_offsets = nn.Parameter(torch.randn(self.heads, window, half))
        self.col_offsets = nn.Parameter(torch.randn(self.heads, window, half))

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Return what each cell reads in its window."""
        query, key = (part(x).unflatten(1, (self.heads, -1)) for part in (self.query, self.key))
        products = torch.stack(
            [(query * place).sum(2) for place in places(around(key, self.window), self.window)], 2
        )
        by_row, by_col = query.chunk(2, 2)
        rows = torch.einsum("bmdhw,mkd->bmkhw", by_row, self.row_offsets)
        cols = torch.einsum("bmdhw,mkd->bmkhw", by_col, self.col_offsets)
        relative = (rows[:, :, :, None] + cols[:, :, None]).flatten(2, 3)
        off_map = outside(x, self.window)
        weights = (products + relative).masked_fill(off_map, -torch.inf).softmax(2)
        return gather(weights, around(self.value(x), self.window), self.window)

    def read(self, x: Float[Tensor, "1 c h w"]) -> Reading:
        """Read the rows of every head."""
        query, key = (part(x)[0].unflatten(0, (self.heads, -1)) for part in (self.query, self.key))
        parts = zip(query, key, self.row_offsets, self.col_offsets, strict=True)
        return Reading(tuple(stand_alone(*part) for part in parts))


class LocalRelation(WindowAttention):
    """A scalar query and key for each group of channels, and a prior of the relative position.

    Groups of eight channels share an aggregation, narrower ones where there would be one group. The
    values are the features themselves. The prior is a small net of the offset, from -1 to 1 over
    the window; of what measures how well two cells compose, the squared difference is taken.
    """

    def __init__(self, channels: int, window: int = LOCAL_RELATION_WINDOW, shared: int = 8) -> None:
        super().__init__()
        self.window = window
        self.value = nn.Identity()
        groups = channels // math.gcd(channels // 2, shared)
        self.query = nn.Conv2d(channels, groups, 1)
        self.key = nn.Conv2d(channels, groups, 1, bias=False)
        self.geometry = nn.Sequential(
            nn.Conv2d(2, channels, 1), nn.ReLU(), nn.Conv2d(channels, groups, 1, bias=False)
        )

    def prior(self) -> Float[Tensor, "g k k"]:
        """Return the logits of the relative positions."""
        reach = torch.linspace(-1, 1, self.window).to(self.query.weight)
        return self.geometry(torch.stack(torch.meshgrid(reach, reach, indexing="ij")))

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Return what each cell reads in its window."""
        query = self.query(x)
        keys = places(around(self.key(x), self.window), self.window)
        composed = torch.stack([-((query - place) ** 2) for place in keys], 2)
        logits = composed + self.prior().flatten(1)[:, :, None, None]
        weights = logits.masked_fill(outside(x, self.window), -torch.inf).softmax(2)
        return gather(weights, around(x, self.window), self.window)

    def read(self, x: Float[Tensor, "1 c h w"]) -> Reading:
        """Read the rows of every group of channels."""
        parts = zip(self.query(x)[0], self.key(x)[0], self.prior(), strict=True)
        return Reading(tuple(local_relation(*part) for part in parts))


class SANPairwise(WindowAttention):
    """A vector of weights from the difference of two cells and that of their positions.

    Eight channels share a weight, fewer where there would be one group. The map is mirrored at its
    border and must be at least 4 x 4.
    """

    def __init__(
        self,
        channels: int,
        relation: int,
        out: int,
        window: int = SAN_WINDOW,
        shared: int = SAN_SHARED,
    ) -> None:
        super().__init__()
        self.window = window
        self.query, self.key = (nn.Conv2d(channels, relation, 1, bias=False) for _ in range(2))
        self.value = nn.Conv2d(channels, out, 1, bias=False)
        self.position = nn.Conv2d(2, 2, 1, bias=False)
        self.weigh = nn.Sequential(
            nn.BatchNorm2d(relation + 2),
            nn.ReLU(),
            ConvModule(relation + 2, relation, 1, norm_cfg={"type": "BN"}),
            nn.Conv2d(relation, out // math.gcd(out // 2, shared), 1, bias=False),
        )

    def logits(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b g k h w"]:
        """Return each group's logits for the places of the window."""
        batch, _, height, width = x.shape
        rows, cols = (torch.linspace(-1, 1, size).to(x) for size in (height, width))
        at = self.position(torch.stack(torch.meshgrid(rows, cols, indexing="ij"))[None])
        own = torch.cat([self.query(x), at.expand(batch, -1, -1, -1)], 1)
        theirs = torch.cat([self.key(x), at.expand(batch, -1, -1, -1)], 1)
        keys = places(self._mirrored(theirs), self.window)
        apart = torch.stack([own - place for place in keys], 2)
        # The layers are applied to every pair of cells: places are moved beside cells.
        return self.weigh(apart.flatten(3)).unflatten(3, (height, width))

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d h w"]:
        """Return what each cell reads in its window."""
        return gather(self.logits(x).softmax(2), self._mirrored(self.value(x)), self.window)

    def read(self, x: Float[Tensor, "1 c h w"]) -> Reading:
        """Read the rows of every group of channels."""
        return Reading(tuple(san_pairwise(logits[None]) for logits in self.logits(x)[0]))

    def _mirrored(self, x: Tensor) -> Tensor:
        return F.pad(x, (self.window // 2,) * 4, mode="reflect")


class CARAFE(nn.Module):
    """Up-sampling to twice the size by a kernel that is predicted for each fine cell."""

    def __init__(
        self, channels: int, compressed: int, window: int = CARAFE_WINDOW, ratio: int = 2
    ) -> None:
        super().__init__()
        self.window, self.ratio = window, ratio
        self.value = nn.Identity()
        self.compress = nn.Conv2d(channels, compressed, 1)
        self.encode = nn.Conv2d(compressed, window**2 * ratio**2, 3, padding=1)

    def logits(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b k fh fw"]:
        """Return the kernels of the fine cells before their softmax."""
        return F.pixel_shuffle(self.encode(self.compress(x)), self.ratio)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c fh fw"]:
        """Return the fine map."""
        # Each coarse cell lies under ratio x ratio fine ones.
        weights = self.logits(x).softmax(1)
        fine = weights.unflatten(3, (-1, self.ratio)).unflatten(2, (-1, self.ratio))
        read = (
            weight[:, None] * place[:, :, :, None, :, None]
            for weight, place in zip(
                fine.unbind(1), places(around(x, self.window), self.window), strict=True
            )
        )
        return reduce(torch.add, read).flatten(4).flatten(2, 3)
