"""The backward pass of `engine`: rows are recomputed in blocks from the bits of the forward pass.

With P the affinity, M the mass that a query keeps, g the gradient of its output and o the output,
adding key j to row i changes the loss by P_ij / M_i (g_i v_j - g_i o_i), called `change`. Inside
the support this is the gradient of the similarity. The thresholds learn from it through the slope
of a sigmoid, as in `definition.step`: a pair that is not local depends on the thresholds of both
ends, and each gets a gradient where the other passes; the local scale gets one where the pair is
not reciprocal. The `change` of a key left out is clamped to that of the strongest kept key, or a
single strong key that never chooses back would dominate the gradient.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from asa_viz.attention.blockwise import cut
from asa_viz.attention.definition import SURROGATE_WIDTH, surrogate_slope
from asa_viz.attention.engine import Choice, Map, in_window, numbers, support_of
from asa_viz.attention.pair_bits import columns_of, rows_of


def gradients(
    image: Map,
    value: Float[Tensor, "n c"],
    choice: Choice,
    output: Float[Tensor, "n c"],
    to_output: Float[Tensor, "n c"],
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Return the gradients of queries, keys, values and of both scales' logarithms."""
    query, key, n = image.query, image.key, len(image.query)
    to_query, to_key, to_value = (torch.zeros_like(part) for part in (query, key, value))
    to_threshold, to_local = (torch.zeros_like(part) for part in image[2:4])
    mean = (to_output * output).sum(-1)
    for block in cut(len(query), choice.bits.shape[1]):
        chosen, chooses_back = rows_of(choice.bits, block), columns_of(choice.bits, block)
        support = numbers(support_of(image, choice, block), query)
        empty = (support.amax(-1) == 0).nonzero()[:, 0]
        support[empty, block.start + empty] = 1

        similarity = query[block] @ key.mT
        kept = torch.sub(similarity, 1 - support, alpha=torch.finfo(query.dtype).max)
        log_mass, strongest = kept.logsumexp(-1, keepdim=True), kept.amax(-1, keepdim=True)
        share = torch.minimum(similarity, strongest).sub_(log_mass).exp_()
        change = (to_output[block] @ value.mT).sub_(mean[block, None]).mul_(share)

        to_value.addmm_(share.mul_(support).mT, to_output[block])
        to_similarity = support.mul_(change)
        torch.mm(to_similarity, key, out=to_query[block])
        to_key.addmm_(to_similarity.mT, query[block])

        log_affinity = similarity.sub_(choice.log_normaliser[block, None])
        neighbours = image.neighbours[block]
        inside = neighbours.clamp_max(n - 1)
        near, log_window_mean = in_window(log_affinity, neighbours)
        slope = _slope(near - log_window_mean - image.log_local_scale[block, None])
        alone = (neighbours < n) & ~(chosen & chooses_back).gather(1, inside)
        to_local[block] = -torch.where(alone, slope * change.gather(1, inside), 0).sum(1)

        row, place = choice.local[block].nonzero(as_tuple=True)
        change[row, neighbours[row, place]] = 0
        slope = _slope(log_affinity.sub_(image.log_threshold[block, None]))
        to_threshold[block] -= slope.mul_(change).mul_(numbers(chooses_back, query)).sum(1)
        incoming = (key[block] @ query.mT).sub_(choice.log_normaliser + image.log_threshold)
        to_threshold -= _slope(incoming).mul_(change).mul_(numbers(chosen, query)).sum(0)
    return to_query, to_key, to_value, to_threshold, to_local


def to_scale(to_log_scale: Tensor, scale: Tensor) -> Tensor:
    """Return the gradient of a scale from that of its logarithm; a scale of 0 has none."""
    return to_log_scale / scale.masked_fill(scale == 0, torch.inf)


def _slope(margin: Tensor) -> Tensor:
    return surrogate_slope(margin, SURROGATE_WIDTH)
