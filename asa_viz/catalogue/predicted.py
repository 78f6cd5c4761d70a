"""Records of attention whose weights are predicted from one cell, or learned for each place."""

from asa_viz.catalogue.method import ALL, Method, Paper, Support, by
from asa_viz.catalogue.settings import PSA_MASK, SYNTHESIZER_RANK, SYNTHESIZER_SIDE

_PSANET = Paper(
    "Zhao, Zhang, Liu, Shi, Loy, Lin, Jia",
    "PSANet: Point-wise Spatial Attention Network for Scene Parsing",
    "ECCV",
    2018,
)
_SYNTHESIZER = Paper(
    "Tay, Bahri, Metzler, Juan, Zhao, Zheng",
    "Synthesizer: Rethinking Self-Attention for Transformer Models",
    "ICML",
    2021,
    "2005.00743",
)
_HALF = Support("n / 4", lambda h, w: ((h + 1) // 2) * ((w + 1) // 2))
_SYNTHESIZER_GRID = by([SYNTHESIZER_SIDE] * 2)

METHODS = (
    Method(
        name="psanet_collect",
        family="predicted",
        paper=_PSANET,
        formula="Wᵢⱼ = softmaxⱼ(mᵢ[j − i]), 0 off the mask",
        support_per_pass=_HALF,
        effective_support=ALL,
        cost="O(n² c / 16)",
        row_sum=1.0,
        exact="composed",
        settings={"mask": by(PSA_MASK)},
    ),
    Method(
        name="psanet_distribute",
        family="predicted",
        paper=_PSANET,
        formula="Wᵢⱼ = softmaxⱼ(mⱼ[i − j]), 0 off the mask",
        support_per_pass=_HALF,
        effective_support=ALL,
        cost="O(n² c / 16)",
        row_sum=1.0,
        exact="composed",
        settings={"mask": by(PSA_MASK)},
    ),
    Method(
        name="synthesizer_dense",
        family="predicted",
        paper=_SYNTHESIZER,
        formula="Wᵢⱼ = softmaxⱼ(F(xᵢ)ⱼ)",
        support_per_pass=ALL,
        effective_support=ALL,
        cost="O(n² d)",
        row_sum=1.0,
        exact="exact",
        settings={"grid": _SYNTHESIZER_GRID},
    ),
    Method(
        name="synthesizer_random",
        family="predicted",
        paper=_SYNTHESIZER,
        formula=f"Wᵢⱼ = softmaxⱼ(Rᵢⱼ), R = R₁ R₂ᵀ of rank {SYNTHESIZER_RANK}",
        support_per_pass=ALL,
        effective_support=ALL,
        cost=f"O({SYNTHESIZER_RANK} n²)",
        row_sum=1.0,
        exact="exact",
        settings={"grid": _SYNTHESIZER_GRID, "rank": SYNTHESIZER_RANK},
    ),
)
