"""Attention in a window around each query: learned offsets, geometry, predicted kernels.

Windows are clipped at the border of the map, unless a method says otherwise.
"""

from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from asa_viz.attention.few_keys import FewKeys, softmax_over
from asa_viz.attention.neighbourhood import window_keys

Measure = Literal["squared", "absolute", "product"]


def windowed(
    query: Float[Tensor, "d h w"], key: Float[Tensor, "d h w"], window: int
) -> tuple[Float[Tensor, "n k"], Int[Tensor, "n k"]]:
    """Return each query's dot products with the keys in its window, and their indices."""
    keys = window_keys(query.shape[1], query.shape[2], window, query.device)
    queries, table = query.flatten(1).mT, F.pad(key.flatten(1), (0, 1)).mT
    products = [(queries * table[keys[:, place]]).sum(-1) for place in range(window**2)]
    return torch.stack(products, 1), keys


def stand_alone(
    query: Float[Tensor, "d h w"],
    key: Float[Tensor, "d h w"],
    row_offsets: Float[Tensor, "k a"],
    col_offsets: Float[Tensor, "k b"],
) -> FewKeys:
    """Return stand-alone self-attention: softmax of q . (k + r) in a k x k window, unscaled.

    The embedding r of a relative position is that of its row and that of its column joined; their
    widths a and b add up to d.
    """
    window = len(row_offsets)
    products, keys = windowed(query, key, window)
    rows = row_offsets[:, None].expand(-1, window, -1)
    cols = col_offsets[None].expand(window, -1, -1)
    relative = torch.cat([rows, cols], -1).flatten(0, 1)
    return softmax_over(products + query.flatten(1).mT @ relative.mT, keys, (*query.shape[1:],))


def local_relation(
    query: Float[Tensor, "h w"],
    key: Float[Tensor, "h w"],
    prior: Float[Tensor, "k k"],
    measure: Measure = "squared",
) -> FewKeys:
    """Return a local relation layer's attention for the channels that share one scalar map.

    How well two cells compose is measured on the scalars, as minus the squared or absolute
    difference or as the product; the geometry prior of the relative position is added.
    """
    height, width = query.shape
    keys = window_keys(height, width, len(prior), query.device)
    own, theirs = query.flatten()[:, None], F.pad(key.flatten(), (0, 1))[keys]
    composed = {
        "squared": -((own - theirs) ** 2),
        "absolute": -(own - theirs).abs(),
        "product": own * theirs,
    }[measure]
    return softmax_over(composed + prior.flatten(), keys, (height, width))


def san_pairwise(logits: Float[Tensor, "g k h w"]) -> FewKeys:
    """Return pairwise self-attention of SAN from its logits, of one group or of the groups' mean.

    k counts the places of the window row by row. The map is mirrored at its border, as in the
    released code, so that each window is full and cells near the border are read twice.
    """
    _, places, height, width = logits.shape
    keys = _mirrored_keys(height, width, round(places**0.5), logits.device)
    weights = logits.softmax(1).mean(0).flatten(1).mT
    return FewKeys((height, width), (height, width), keys, weights)


def _mirrored_keys(
    height: int, width: int, window: int, device: torch.device
) -> Int[Tensor, "n k"]:
    reach = torch.arange(window, device=device) - window // 2
    rows, cols = (
        _mirror(torch.arange(size, device=device)[:, None] + reach, size)
        for size in (height, width)
    )
    keys = rows[:, None, :, None] * width + cols[None, :, None, :]
    return keys.reshape(height * width, window**2)


def _mirror(index: Tensor, size: int) -> Tensor:
    """Reflect indices at both ends of `size` positions, as often as needed."""
    period = max(2 * (size - 1), 1)
    folded = index.remainder(period)
    return torch.minimum(folded, period - folded) if size > 1 else torch.zeros_like(index)


def carafe(logits: Float[Tensor, "k h w"], ratio: int) -> FewKeys:
    """Return CARAFE's up-sampling: each cell of a fine grid reads a window of the coarse one.

    Queries are fine cells and keys coarse ones: a row lies on the coarse grid, a column on the fine
    one. The window is centred on the coarse cell over the fine one. The softmax is over the whole
    window, and places outside the map contribute nothing, so that rows near the border sum to less
    than 1.

    Raises:
        ValueError: the fine grid is not a multiple of the ratio.
    """
    places, height, width = logits.shape
    if height % ratio or width % ratio:
        raise ValueError(f"A {height} x {width} map is no coarser one enlarged {ratio} times.")
    coarse = (height // ratio, width // ratio)
    keys = window_keys(*coarse, round(places**0.5), logits.device).view(*coarse, places)
    over = keys.repeat_interleave(ratio, 0).repeat_interleave(ratio, 1)
    return FewKeys((height, width), coarse, over.flatten(0, 1), logits.softmax(0).flatten(1).mT)
