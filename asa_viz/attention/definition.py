"""The definition of adaptive sparse attention with its whole n x n matrix, for reading and tests.

P_ij is the softmax affinity of query i with key j, t and s are a query's non-local and local
scale, W_i is the window around i. Rule "clean":

    reciprocal(i, j)   P_ij >= t_i / n  and  P_ji >= t_j / n
    local(i, j)        j in W_i  and  P_ij >= s_i * mean of P_i over W_i
    weights(i, j)      P_ij / (sum of P_i over the support), support = reciprocal or local;
                       a query whose support is empty reads its own value

Rule "released" reproduces the arithmetic of the authors' published block: half steps at ties, a
local rule that holds outside the window too where s is 0, a maximum for the union, and 1e-12 in
the denominator. Its thresholds get no gradient. docs/decisions/0001-clean-rule.md says why "clean"
is the default.

Sun, Zhang, Zhang: Adaptive sparse attention module based on reciprocal nearest neighbors,
J. Electronic Imaging 33(3) 033038, 2024.
"""

import math
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from asa_viz.attention.checks import Rule, check_map, check_scales, widened
from asa_viz.attention.neighbourhood import window_keys

RELEASED_EPSILON = 1e-12
SURROGATE_WIDTH = 1.0


def adaptive_sparse_weights(
    query: Float[Tensor, "*b n d"],
    key: Float[Tensor, "*b n d"],
    nonlocal_scale: Float[Tensor, "*b n"],
    local_scale: Float[Tensor, "*b n"],
    *,
    height: int,
    width: int,
    window: int = 3,
    scaled: bool = True,
    rule: Rule = "clean",
    reciprocity: bool = True,
) -> Float[Tensor, "*b n n"]:
    """Return the weights with which each query reads every key; for small maps.

    The leading axes are images, or images and heads. Half precision is computed in float32.

    `scaled` divides the similarities by the root of d. Scales of 0 everywhere give dense attention.
    Without `reciprocity`, for comparison under rule "clean", a key needs only be chosen.
    Differentiable in all four tensors, the scales by the surrogate gradient of `step`.

    Raises:
        ValueError: the shapes do not fit each other, a scale is negative or not a number, or the
            rule or the window does not exist.
    """
    check_map(query, key, query, (nonlocal_scale, local_scale), height, width, rule)
    check_scales(nonlocal_scale, local_scale)
    dtype = query.dtype
    query, key, nonlocal_scale, local_scale = widened(query, key, nonlocal_scale, local_scale)
    inside = _inside_window(height, width, window, query.device)
    scale = query.shape[-1] ** -0.5 if scaled else 1.0
    with torch.autocast(query.device.type, enabled=False):
        log_affinity = (query @ key.mT * scale).log_softmax(-1)
        if rule == "released":
            affinity = log_affinity.exp()
            weights = released_weights(affinity, affinity.mT, nonlocal_scale, local_scale, inside)
        else:
            weights = _clean_weights(
                log_affinity, nonlocal_scale, local_scale, inside, reciprocity=reciprocity
            )
    return weights.to(dtype)


def _clean_weights(
    log_affinity: Float[Tensor, "*b n n"],
    nonlocal_scale: Float[Tensor, "*b n"],
    local_scale: Float[Tensor, "*b n"],
    inside: Bool[Tensor, "n n"],
    *,
    reciprocity: bool,
) -> Float[Tensor, "*b n n"]:
    # The steps decide and give the scales their gradient; queries and keys get theirs through the
    # affinities only.
    detached, n = log_affinity.detach(), log_affinity.shape[-1]
    log_threshold = log_scale(nonlocal_scale) - math.log(n)
    chosen = step(detached, log_threshold[..., None])
    reciprocal = chosen * chosen.mT if reciprocity else chosen

    log_window_sum = detached.masked_fill(~inside, -torch.inf).logsumexp(-1)
    log_window_mean = log_window_sum - inside.sum(-1, dtype=detached.dtype).log()
    log_local_threshold = log_scale(local_scale) + log_window_mean
    local = step(detached, log_local_threshold[..., None]) * inside

    support = reciprocal + local - reciprocal * local
    empty = (support == 0).all(-1, keepdim=True)
    support = support + empty * torch.eye(n, dtype=support.dtype, device=support.device)
    # Affinities are divided by the largest one kept, so that no row underflows. The clamp affects
    # only keys left out, whose surrogate gradient it bounds.
    highest = detached.masked_fill(support == 0, -torch.inf).amax(-1, keepdim=True)
    kept = support * (log_affinity - highest).clamp(max=0).exp()
    return kept / kept.sum(-1, keepdim=True)


def released_weights(
    affinity: Float[Tensor, "*b r n"],
    incoming: Float[Tensor, "*b r n"],
    nonlocal_scale: Float[Tensor, "*b n"],
    local_scale: Float[Tensor, "*b n"],
    inside: Bool[Tensor, "r n"],
    rows: slice = slice(None),
) -> Float[Tensor, "*b r n"]:
    """Follow the published block line by line, its defects included, for the queries `rows`.

    `incoming` is the affinity of every key with these queries.
    """
    n = affinity.shape[-1]
    chosen = half_step(affinity - nonlocal_scale[..., rows, None] / n)
    chooses_back = half_step(incoming - nonlocal_scale[..., None, :] / n)
    window_mean = (affinity * inside).sum(-1) / inside.sum(-1)
    local = half_step(affinity * inside - (local_scale[..., rows] * window_mean)[..., None])
    kept = torch.maximum(chosen * chooses_back, local) * affinity
    return kept / (kept.sum(-1, keepdim=True) + RELEASED_EPSILON)


class _Step(torch.autograd.Function):
    """Heaviside step; its backward pass uses the slope of a sigmoid of the margin."""

    generate_vmap_rule = True

    @staticmethod
    def forward(log_affinity: Tensor, log_threshold: Tensor) -> Tensor:
        return passes(log_affinity, log_threshold).to(log_affinity.dtype)

    @staticmethod
    def setup_context(context: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
        context.save_for_backward(*inputs)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[None, Tensor]:
        log_affinity, log_threshold = context.saved_tensors
        slope = surrogate_slope(log_affinity - log_threshold, SURROGATE_WIDTH)
        return None, -(gradients[0] * slope).sum_to_size(log_threshold.shape)


def step(log_affinity: Tensor, log_threshold: Tensor) -> Tensor:
    """Return 1 where the threshold is reached, else 0, with a sigmoid's straight-through gradient.

    Bengio, Leonard, Courville: Estimating or propagating gradients through stochastic neurons,
    arXiv 1308.3432.
    """
    return _Step.apply(log_affinity, log_threshold)


def passes(log_affinity: Tensor, log_threshold: Tensor) -> Tensor:
    """Return where an affinity reaches its threshold, ties included; used everywhere."""
    return log_affinity >= log_threshold - tie_slack(log_affinity.dtype)


def surrogate_slope(margin: Tensor, width: float) -> Tensor:
    """Return the slope of sigmoid(margin / width)."""
    passed = torch.sigmoid(margin / width)
    return passed * (1 - passed) / width


def half_step(margin: Tensor) -> Tensor:
    """Return 0 below, 1 above and 0.5 at zero, as the published block does; its gradient is 0."""
    return (1 + margin.sign()) / 2


def log_scale(scale: Tensor) -> Tensor:
    """Return the logarithm of a scale; a scale of 0, which every key passes, has no gradient."""
    positive = scale > 0
    return torch.where(positive, scale, 1).log().masked_fill(~positive, -torch.inf)


def tie_slack(dtype: torch.dtype) -> float:
    """Return how far below its threshold a log affinity still counts as a tie, for rounding errors.

    In a flat row every key must pass a scale of 1, whatever the rounding of the log-sum-exp.
    """
    return 64 * torch.finfo(dtype).eps


def _inside_window(
    height: int, width: int, window: int, device: torch.device
) -> Bool[Tensor, "n n"]:
    n = height * width
    inside = torch.zeros(n, n + 1, dtype=torch.bool, device=device)
    return inside.scatter_(1, window_keys(height, width, window, device), True)[:, :n]
