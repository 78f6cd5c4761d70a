"""Classical image filters as attention: weights computed from the image, nothing learned."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from asa_viz.attention.few_keys import FewKeys, softmax_over
from asa_viz.attention.neighbourhood import window_keys
from asa_viz.attention.rowwise import SoftmaxAttention, softmax_attention


def bilateral(image: Float[Tensor, "c h w"], *, window: int, space: float, value: float) -> FewKeys:
    """Return the bilateral filter: a Gaussian of the distance in cells times one of values.

    `space` and `value` are their standard deviations, in cells and in units of the image.
    """
    reach = torch.arange(window, device=image.device) - window // 2
    apart = (reach[:, None] ** 2 + reach**2).flatten().to(image) / (2 * space**2)
    return _closeness(image, window, -apart, 1 / (2 * value**2))


def non_local_means(
    image: Float[Tensor, "c h w"], *, search: int, patch: int, strength: float
) -> FewKeys:
    """Return non-local means: exp(-|P_i - P_j|^2 / strength^2) in a search window, normalised.

    |P_i - P_j|^2 is the mean squared difference of two patches of `patch` cells width. Patches are
    padded by replication; the search window is clipped. The centre gets its plain weight, 1 before
    normalisation.
    """
    margin = patch // 2
    wide = F.pad(image[None], (margin, margin, margin, margin), mode="replicate")
    patches = F.unfold(wide, patch)[0].view(-1, *image.shape[1:])
    zero = image.new_zeros(search**2)
    return _closeness(patches, search, zero, 1 / (len(patches) * strength**2))


def _closeness(
    features: Float[Tensor, "c h w"], window: int, bias: Float[Tensor, " k"], factor: float
) -> FewKeys:
    """Return the softmax over the window of -factor x squared distance + bias."""
    _, height, width = features.shape
    keys = window_keys(height, width, window, features.device)
    own, table = features.flatten(1).mT, F.pad(features.flatten(1), (0, 1)).mT
    distances = torch.stack(
        [(own - table[keys[:, place]]).square().sum(-1) for place in range(window**2)], 1
    )
    return softmax_over(bias - factor * distances, keys, (height, width))


def mean_shift(
    image: Float[Tensor, "c h w"], *, space: float, value: float, steps: int = 1
) -> SoftmaxAttention:
    """Return the weights of mean-shift filtering's last step, with Gaussian kernels.

    A point is a cell's position and value, in units of `space` and `value`. Each step moves every
    point to a weighted mean of the original points, so that the result after any number of steps is
    the original points weighted by the last step.
    """
    _, height, width = image.shape
    places = torch.meshgrid(
        torch.arange(height, device=image.device).to(image),
        torch.arange(width, device=image.device).to(image),
        indexing="ij",
    )
    start = torch.cat([torch.stack(places) / space, image / value])
    # |a - b|^2 / 2 = -a.b + |b|^2 / 2 + |a|^2 / 2, and the softmax over b cancels the last term.
    key = torch.cat([start, -start.square().sum(0, keepdim=True) / 2])
    one = torch.ones_like(start[:1])
    points = start
    for _ in range(steps - 1):
        points = softmax_attention(torch.cat([points, one]), key).mix(start)
    return softmax_attention(torch.cat([points, one]), key)
