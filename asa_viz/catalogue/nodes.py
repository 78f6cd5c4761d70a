"""Records of attention by way of regions or nodes."""

from collections.abc import Sequence

from asa_viz.catalogue.method import ALL, Method, Paper, Support, listed
from asa_viz.catalogue.settings import (
    A2_SHARE,
    ANN_GRIDS,
    APC_GRIDS,
    BEYOND_GRIDS_NODES,
    CGNL_GROUPS,
    EMA_BASES,
    EMA_STAGES,
    GLORE_SHARE,
    LATENT_NODES,
    PYRAMID_GRIDS,
)

_ANN = Paper(
    "Zhu, Xu, Bai, Huang, Bai",
    "Asymmetric Non-local Neural Networks for Semantic Segmentation",
    "ICCV",
    2019,
    "1908.07678",
)
_NODES = Support("k")


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
    Method(
        name="a2net",
        family="low_rank",
        paper=Paper(
            "Chen, Kalantidis, Li, Yan, Feng",
            "A²-Nets: Double Attention Networks",
            "NeurIPS",
            2018,
            "1810.11579",
        ),
        formula="Wᵢⱼ = Σₖ softmaxₖ(vᵢ)ₖ softmaxⱼ(bₖ)ⱼ",
        support_per_pass=Support(f"k = c / {A2_SHARE}"),
        effective_support=ALL,
        cost="O(n k c)",
        row_sum=1.0,
        exact="exact",
        settings={"share": A2_SHARE},
    ),
    Method(
        name="emanet",
        family="low_rank",
        paper=Paper(
            "Li, Zhong, Wu, Yang, Lin, Liu",
            "Expectation-Maximization Attention Networks for Semantic Segmentation",
            "ICCV",
            2019,
            "1907.13426",
        ),
        formula="Wᵢⱼ = Σₖ zᵢₖ zⱼₖ / (Σₘ zₘₖ ‖μₖ‖), "
        f"z = softmaxₖ(xᵢ·μₖ) after {EMA_STAGES} EM steps",
        support_per_pass=Support(f"{EMA_BASES}", lambda h, w: EMA_BASES),
        effective_support=ALL,
        cost=f"O({EMA_STAGES} n k c)",
        row_sum=None,
        exact="exact",
        settings={"bases": EMA_BASES, "stages": EMA_STAGES},
    ),
    Method(
        name="cgnl",
        family="low_rank",
        paper=Paper(
            "Yue, Sun, Yuan, Zhou, Ding, Xu",
            "Compact Generalized Non-local Network",
            "NeurIPS",
            2018,
            "1810.13125",
        ),
        formula=f"W = mean over {CGNL_GROUPS} groups of mean_c(θ) · (Σ_c φ)ᵀ",
        support_per_pass=ALL,
        effective_support=ALL,
        cost="O(n c)",
        row_sum=None,
        exact="composed",
        settings={"groups": CGNL_GROUPS},
    ),
    Method(
        name="glore",
        family="low_rank",
        paper=Paper(
            "Chen, Rohrbach, Yan, Yan, Feng, Kalantidis",
            "Graph-Based Global Reasoning Networks",
            "CVPR",
            2019,
            "1811.12814",
        ),
        formula="W = Bᵀ (I + A) B / n",
        support_per_pass=Support(f"k = c / {GLORE_SHARE}"),
        effective_support=ALL,
        cost="O(n k c)",
        row_sum=None,
        exact="composed",
        settings={"share": GLORE_SHARE},
    ),
    Method(
        name="sgr",
        family="low_rank",
        paper=Paper(
            "Liang, Hu, Zhang, Lin, Xing",
            "Symbolic Graph Reasoning Meets Convolutions",
            "NeurIPS",
            2018,
        ),
        formula="W = R D^(−1/2) (A + I) D^(−1/2) Γ, Γ = softmax over symbols",
        support_per_pass=_NODES,
        effective_support=ALL,
        cost="O(n k c)",
        row_sum=None,
        exact="composed",
        unchecked="The paper's text was not found. Its formula of the votes was read in notes that "
        "quote it; the mapping back, over cells and then over symbols, in a re-implementation that "
        "calls its own details assumptions.",
    ),
    Method(
        name="beyond_grids",
        family="low_rank",
        paper=Paper(
            "Li, Gupta",
            "Beyond Grids: Learning Graph Representations for Visual Recognition",
            "NeurIPS",
            2018,
        ),
        formula="W = Q (Z Zᵀ) Q̄ᵀ, qᵢₖ = softmaxₖ(−|(xᵢ − wₖ) / σₖ|² / 2)",
        support_per_pass=Support(f"k = {BEYOND_GRIDS_NODES}", lambda h, w: BEYOND_GRIDS_NODES),
        effective_support=ALL,
        cost="O(n k c)",
        row_sum=None,
        exact="composed",
        unchecked="Neither the paper's text nor code of its authors was found. The formulas are "
        "those that notes on it quote; the batch normalisation that these notes mention among the "
        "nodes is left out.",
        settings={"nodes": BEYOND_GRIDS_NODES},
    ),
    Method(
        name="latentgnn",
        family="low_rank",
        paper=Paper(
            "Zhang, Yan, He",
            "LatentGNN: Learning Efficient Non-local Relations for Visual Recognition",
            "ICML",
            2019,
            "1905.11634",
        ),
        formula="W = Ψ₂ᵀ softmax(cos(Z, Z)) Ψ₁, Ψ rectified and of length 1",
        support_per_pass=Support(f"k = {LATENT_NODES}", lambda h, w: LATENT_NODES),
        effective_support=Support("≤ n", lambda h, w: h * w),
        cost="O(n k c)",
        row_sum=None,
        exact="exact",
        settings={"nodes": LATENT_NODES},
    ),
    Method(
        name="ocr",
        family="low_rank",
        paper=Paper(
            "Yuan, Chen, Wang",
            "Object-Contextual Representations for Semantic Segmentation",
            "ECCV",
            2020,
            "1909.11065",
        ),
        formula="Wᵢⱼ = Σₖ softmaxₖ(qᵢ·kₖ / √d) softmaxⱼ(mₖⱼ)",
        support_per_pass=Support("number of classes"),
        effective_support=ALL,
        cost="O(n k c)",
        row_sum=1.0,
        exact="composed",
    ),
)
