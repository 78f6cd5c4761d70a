"""Records of attention to averages over regions."""

from collections.abc import Sequence

from asa_viz.catalogue.method import ALL, Method, Paper, Support, listed
from asa_viz.catalogue.settings import ANN_GRIDS, APC_GRIDS, PYRAMID_GRIDS

_ANN = Paper(
    "Zhu, Xu, Bai, Huang, Bai",
    "Asymmetric Non-local Neural Networks for Semantic Segmentation",
    "ICCV",
    2019,
    "1908.07678",
)


def _count(grids: Sequence[int]) -> int:
    """Return how many regions square grids have together."""
    return sum(side**2 for side in grids)


def _regions(grids: Sequence[int]) -> Support:
    """Return the support of a query that reads all regions of square grids."""
    squares = " + ".join(f"{side}²" for side in grids)
    return Support(f"{squares} = {_count(grids)}", lambda h, w: _count(grids))


METHODS = (
    Method(
        name="ann_apnb",
        family="pooled",
        paper=_ANN,
        formula="Wᵢⱼ = Σₛ softmaxₛ(qᵢ·k̄ₛ / √d) [j ∈ s] / |s|",
        support_per_pass=_regions(ANN_GRIDS),
        effective_support=ALL,
        cost=f"O({_count(ANN_GRIDS)} n d)",
        row_sum=1.0,
        exact="exact",
        settings={"grids": listed(ANN_GRIDS), "regions": _count(ANN_GRIDS)},
    ),
    Method(
        name="ann_afnb",
        family="pooled",
        paper=_ANN,
        formula="Wᵢⱼ = Σₛ softmaxₛ(qᵢ·k̄ₛ / √d) [j ∈ s] / |s|, keys of an earlier stage",
        support_per_pass=_regions(ANN_GRIDS),
        effective_support=ALL,
        cost=f"O({_count(ANN_GRIDS)} n d)",
        row_sum=1.0,
        exact="exact",
        settings={"grids": listed(ANN_GRIDS), "regions": _count(ANN_GRIDS)},
    ),
    Method(
        name="apcnet",
        family="pooled",
        paper=Paper(
            "He, Deng, Zhou, Wang, Qiao",
            "Adaptive Pyramid Context Network for Semantic Segmentation",
            "CVPR",
            2019,
        ),
        formula="Wᵢⱼ = Σₛ sigmoid(f(xᵢ + x̄))ₛ [j ∈ s] / |s|",
        support_per_pass=_regions(APC_GRIDS),
        effective_support=ALL,
        cost=f"O({_count(APC_GRIDS)} n c)",
        row_sum=None,
        exact="composed",
        settings={"grids": listed(APC_GRIDS), "regions": _count(APC_GRIDS)},
    ),
    Method(
        name="pyramid_pooling",
        family="pooled",
        paper=Paper(
            "Zhao, Shi, Qi, Wang, Jia",
            "Pyramid Scene Parsing Network",
            "CVPR",
            2017,
            "1612.01105",
        ),
        formula="Wᵢⱼ = Σₛ bilinear(i, s) [j ∈ s] / |s|",
        support_per_pass=Support("≤ 4 a scale"),
        effective_support=ALL,
        cost="O(n c)",
        row_sum=1.0,
        exact="composed",
        settings={"grids": listed(PYRAMID_GRIDS)},
    ),
)
