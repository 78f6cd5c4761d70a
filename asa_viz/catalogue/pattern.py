"""Records of attention that is sparse by a fixed pattern."""

import math

from asa_viz.catalogue.method import ALL, Method, Paper, Support, by, listed
from asa_viz.catalogue.settings import CCNET_PASSES, ISA_BLOCK, OCNET_SPLITS

_IN_BLOCK = math.prod(ISA_BLOCK)

METHODS = (
    Method(
        name="ocnet_pyramid",
        family="pattern",
        paper=Paper(
            "Yuan, Huang, Guo, Zhang, Chen, Wang",
            "OCNet: Object Context for Semantic Segmentation",
            "IJCV",
            2021,
            "1809.00916",
        ),
        formula="Wᵢⱼ = softmaxⱼ(kᵢ·kⱼ / √d) over j in the block of i; s × s blocks, "
        f"s = {listed(OCNET_SPLITS)}",
        support_per_pass=Support("≈ n / s²"),
        effective_support=Support("≈ n / s²"),
        cost="O(n² d / s²)",
        row_sum=1.0,
        exact="exact",
        settings={"splits": listed(OCNET_SPLITS)},
    ),
    Method(
        name="isa",
        family="pattern",
        paper=Paper(
            "Huang, Yuan, Guo, Zhang, Chen, Wang",
            "Interlaced Sparse Self-Attention for Semantic Segmentation",
            "arXiv",
            2019,
            "1907.12273",
        ),
        formula=f"W = A_short A_long; {by(ISA_BLOCK)} blocks",
        support_per_pass=Support(
            f"⌈h/{ISA_BLOCK[0]}⌉ ⌈w/{ISA_BLOCK[1]}⌉ + {_IN_BLOCK}",
            lambda h, w: math.ceil(h / ISA_BLOCK[0]) * math.ceil(w / ISA_BLOCK[1]) + _IN_BLOCK,
        ),
        effective_support=ALL,
        cost=f"O(n² d / {_IN_BLOCK} + {_IN_BLOCK} n d)",
        row_sum=None,
        exact="composed",
        settings={"block": by(ISA_BLOCK)},
    ),
    Method(
        name="ccnet",
        family="pattern",
        paper=Paper(
            "Huang, Wang, Huang, Huang, Wei, Liu",
            "CCNet: Criss-Cross Attention for Semantic Segmentation",
            "ICCV",
            2019,
            "1811.11721",
        ),
        formula="W = A₂ A₁, Aᵢⱼ = softmaxⱼ(qᵢ·kⱼ) over the row and column of i",
        support_per_pass=Support(
            f"{CCNET_PASSES} (h + w − 1)", lambda h, w: CCNET_PASSES * (h + w - 1)
        ),
        effective_support=ALL,
        cost="O(n (h + w) d)",
        row_sum=1.0,
        exact="composed",
        settings={"passes": CCNET_PASSES},
    ),
)
