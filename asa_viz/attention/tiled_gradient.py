"""The backward pass of the clean rule in tiles: pairs are formed anew, n x n is never held.

With P the affinity, M the mass a query keeps, g the gradient of its output and o the output itself,
letting key j into row i changes the loss by P_ij / M_i (g_i v_j - g_i o_i), the pair's `change`.
Inside the support that is the gradient of the similarity. The thresholds learn by it through the
slope of a sigmoid, as in `definition.step`: a pair that is not local hangs on the thresholds of
both ends, and each learns where the other one passes; the local scale learns where the pair is not
reciprocal. A key left out counts for no more than the strongest one kept, or a single strong key
that never chooses back would drown all others.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from asa_viz.attention.definition import SURROGATE_WIDTH, surrogate_slope, tie_slack
from asa_viz.attention.shifts import row_products, shifts, window_affinities
from asa_viz.attention.tiled import Kept
from asa_viz.attention.tiles import FirstPass, Map, Tiles

_Gradients = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]


def gradients(
    image: Map, kept: Kept, first: FirstPass, to_output: Float[Tensor, "n c"]
) -> _Gradients:
    """Return the gradients of queries, keys, values, non-local and local scales."""
    mean = (to_output * kept.output).sum(-1)
    made = _far(image, kept, first, to_output, mean)
    _add_windows(image, kept, first.log_normaliser, to_output, mean, made)
    # A query that keeps nothing read its own value.
    made[2][kept.support_size == 0] += to_output[kept.support_size == 0]
    # So far those of the scales' logarithms.
    for gradient, scale in zip(made[3:], (image.nonlocal_scale, image.local_scale), strict=True):
        gradient /= scale.masked_fill(scale <= 0, torch.inf)
    return made


def _far(
    image: Map,
    kept: Kept,
    first: FirstPass,
    to_output: Float[Tensor, "n c"],
    mean: Float[Tensor, " n"],
) -> _Gradients:
    """Return what pairs of cells outside each other's windows give."""
    tiles = Tiles.of(image, first)
    query, key, value, order = tiles.query, tiles.key, tiles.value, tiles.order
    to_output, mean = to_output[order], mean[order]
    log_mass, limit = kept.log_mass[order], (kept.log_strongest - kept.log_mass)[order]
    to_query, to_key, to_value = (torch.zeros_like(part) for part in (query, key, value))
    to_threshold = torch.zeros_like(mean)

    def teach(
        here: Int[Tensor, " r"],
        there: Int[Tensor, " s"],
        log_affinity: Float[Tensor, "r s"],
        gain: Float[Tensor, "r s"],
        support: Float[Tensor, "r s"],
        learns: tuple[Float[Tensor, "r s"], Float[Tensor, "r s"]],
    ) -> None:
        share = (log_affinity - log_mass[here, None]).clamp_(max=limit[here, None]).exp_()
        change = gain.sub_(mean[here, None]).mul_(share)
        to_threshold[here] -= (change * learns[0]).sum(1)
        to_threshold[there] -= (change * learns[1]).sum(0)
        to_value.index_add_(0, there, share.mul_(support).mT @ to_output[here])
        to_similarity = change.mul_(support)
        to_query.index_add_(0, here, to_similarity @ key[there])
        to_key.index_add_(0, there, to_similarity.mT @ query[here])

    for rows, cols, own, out, back in tiles.pairs(either=True):
        chosen = (out >= tiles.lowest[rows, None]).to(out)
        chooses_back = (back >= tiles.lowest[cols]).to(out)
        support = chosen * chooses_back
        slope = _slope(out - tiles.log_threshold[rows, None]).mul_(chooses_back)
        slope_back = _slope(back - tiles.log_threshold[cols]).mul_(chosen)
        gain = to_output[rows] @ value[cols].mT
        teach(rows, cols, out, gain, support, (slope, slope_back))
        if not own:
            gain = (value[rows] @ to_output[cols].mT).mT
            teach(cols, rows, back.mT, gain, support.mT, (slope_back.mT, slope.mT))
    far = (to_query, to_key, to_value, to_threshold)
    made = [torch.empty_like(part).index_copy_(0, order, part) for part in far]
    return made[0], made[1], made[2], made[3], torch.zeros_like(mean)


def _add_windows(
    image: Map,
    kept: Kept,
    log_normaliser: Float[Tensor, " n"],
    to_output: Float[Tensor, "n c"],
    mean: Float[Tensor, " n"],
    made: _Gradients,
) -> None:
    """Add what pairs inside each other's windows give."""
    grid = (image.height, image.width)
    slack = tie_slack(mean.dtype)

    def laid(*parts: Tensor) -> list[Tensor]:
        return [part.view(*grid, *part.shape[1:]) for part in parts]

    query, key, value, towards = laid(image.query, image.key, image.value, to_output)
    near, log_window_mean = window_affinities(query, key, log_normaliser.view(grid), image.window)
    to_query, to_key, to_value, to_threshold, to_local = laid(*made)
    log_mass, limit = laid(kept.log_mass, kept.log_strongest - kept.log_mass)
    threshold, log_local_scale, mean = laid(image.log_threshold, image.log_local_scale, mean)
    local_threshold = log_window_mean + log_local_scale
    for place, (here, there) in enumerate(shifts(*grid, image.window)):
        out, back = near[place][here], near[-1 - place][there]
        chosen = out >= threshold[here] - slack
        chooses_back = back >= threshold[there] - slack
        local = out >= local_threshold[here] - slack
        share = torch.minimum(out - log_mass[here], limit[here]).exp()
        change = share * (row_products(towards[here], value[there]) - mean[here])
        support = (chosen & chooses_back) | local

        not_local = change * ~local
        to_threshold[here] -= not_local * chooses_back * _slope(out - threshold[here])
        to_threshold[there] -= not_local * chosen * _slope(back - threshold[there])
        not_reciprocal = change * ~(chosen & chooses_back)
        to_local[here] -= not_reciprocal * _slope(out - local_threshold[here])

        to_value[there].addcmul_((share * support)[..., None], towards[here])
        to_similarity = (change * support)[..., None]
        to_query[here].addcmul_(to_similarity, key[there])
        to_key[there].addcmul_(to_similarity, query[here])


def _slope(margin: Tensor) -> Tensor:
    return surrogate_slope(margin, SURROGATE_WIDTH)
