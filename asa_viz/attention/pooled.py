"""Attention to regions: the keys are averages over the bins of coarse grids."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from asa_viz.attention.low_rank import LowRank, low_rank


def pooling(height: int, width: int, bins: int, like: Tensor) -> Float[Tensor, "s h w"]:
    """Return adaptive average pooling to bins x bins regions, as a map of weights for each.

    Bin a of a side of H cells runs from floor(a H / bins) to ceil((a + 1) H / bins): bins overlap
    where they do not divide the side, and repeat where there are more of them than cells.
    """
    rows, cols = (_bins(size, bins, like) for size in (height, width))
    return (rows[:, None, :, None] * cols[None, :, None, :]).flatten(0, 1)


def _bins(size: int, bins: int, like: Tensor) -> Float[Tensor, "b s"]:
    averages = like.new_zeros(bins, size)
    for index in range(bins):
        start, stop = index * size // bins, -(-(index + 1) * size // bins)
        averages[index, start:stop] = 1 / (stop - start)
    return averages


def asymmetric(
    query: Float[Tensor, "d h w"], key: Float[Tensor, "d kh kw"], grids: Sequence[int]
) -> LowRank:
    """Return ANN's attention to keys averaged over coarse grids: a scaled softmax over regions.

    In the pyramid block (APNB) query and key are the same map; in the fusion block (AFNB) the keys
    are those of an earlier stage.
    """
    regions = torch.cat([pooling(key.shape[1], key.shape[2], bins, key) for bins in grids])
    region_keys = regions.flatten(1) @ key.flatten(1).mT
    similarity = torch.einsum("sd,dhw->shw", region_keys, query) * query.shape[0] ** -0.5
    return low_rank(similarity.softmax(0), regions)


def adaptive_context(logits: Float[Tensor, "s h w"]) -> LowRank:
    """Return APCNet's attention at one scale: sigmoids predicted for each of bins x bins regions.

    Raises:
        ValueError: the number of regions is not a square.
    """
    bins = round(len(logits) ** 0.5)
    if bins**2 != len(logits):
        raise ValueError(f"{len(logits)} regions are no square grid.")
    return low_rank(logits.sigmoid(), pooling(logits.shape[1], logits.shape[2], bins, logits))


def pyramid_pooling(height: int, width: int, bins: int, like: Tensor) -> LowRank:
    """Return pyramid pooling at one scale: averages of the bins, resized bilinearly to the map.

    Nothing depends on the image; `like` gives the precision.
    """
    one_hot = torch.eye(bins**2).to(like).view(1, bins**2, bins, bins)
    spread = F.interpolate(one_hot, (height, width), mode="bilinear", align_corners=False)[0]
    return low_rank(spread, pooling(height, width, bins, like))
