"""Records of designs with gates only, without a matrix over cells."""

from collections.abc import Mapping

from asa_viz.catalogue.method import NONE, Method, Paper
from asa_viz.catalogue.settings import CBAM_KERNEL


def _gate(
    name: str, paper: Paper, formula: str, cost: str, settings: Mapping[str, float] | None = None
) -> Method:
    return Method(
        name=name,
        family="gates",
        paper=paper,
        formula=formula,
        support_per_pass=NONE,
        effective_support=NONE,
        cost=cost,
        row_sum=None,
        exact="none",
        settings=settings or {},
    )


METHODS = (
    _gate(
        "danet_channel",
        Paper(
            "Fu, Liu, Tian, Li, Bao, Fang, Lu",
            "Dual Attention Network for Scene Segmentation",
            "CVPR",
            2019,
            "1809.02983",
        ),
        "y_c = Σ_b softmax_b(−x_c·x_b) x_b over channels, as released",
        "O(c² n)",
    ),
    _gate(
        "senet",
        Paper("Hu, Shen, Sun", "Squeeze-and-Excitation Networks", "CVPR", 2018, "1709.01507"),
        "y_c = sigmoid(W₂ ReLU(W₁ x̄))_c x_c",
        "O(n c)",
    ),
    _gate(
        "ecanet",
        Paper(
            "Wang, Wu, Zhu, Li, Zuo, Hu",
            "ECA-Net: Efficient Channel Attention for Deep Convolutional Neural Networks",
            "CVPR",
            2020,
            "1910.03151",
        ),
        "y_c = sigmoid(conv₁(x̄))_c x_c",
        "O(n c)",
    ),
    _gate(
        "sknet",
        Paper("Li, Wang, Hu, Yang", "Selective Kernel Networks", "CVPR", 2019, "1903.06586"),
        "y_c = Σ_b softmax_b(F_b(x̄))_c conv_b(x)_c",
        "O(n c)",
    ),
    _gate(
        "resnest",
        Paper(
            "Zhang, Wu, Zhang, Zhu, Lin, Zhang, Sun, He, Mueller, Manmatha, Li, Smola",
            "ResNeSt: Split-Attention Networks",
            "CVPR Workshops",
            2022,
            "2004.08955",
        ),
        "y_c = Σ_r softmax_r(F_r(x̄))_c x_{r,c} within each group",
        "O(n c)",
    ),
    _gate(
        "cbam",
        Paper(
            "Woo, Park, Lee, Kweon",
            "CBAM: Convolutional Block Attention Module",
            "ECCV",
            2018,
            "1807.06521",
        ),
        f"y = s(z) z, z = g(x) x; s = sigmoid(conv {CBAM_KERNEL}×{CBAM_KERNEL} of max and mean "
        "over channels)",
        "O(n c)",
        {"kernel": CBAM_KERNEL},
    ),
    _gate(
        "bam",
        Paper(
            "Park, Woo, Lee, Kweon", "BAM: Bottleneck Attention Module", "BMVC", 2018, "1807.06514"
        ),
        "y = (1 + sigmoid(g_c + s_i)) x",
        "O(n c)",
    ),
    _gate(
        "encnet",
        Paper(
            "Zhang, Dana, Shi, Zhang, Wang, Tyagi, Agrawal",
            "Context Encoding for Semantic Segmentation",
            "CVPR",
            2018,
            "1803.08904",
        ),
        "y_c = (1 + sigmoid(W e)_c) x_c, e from soft assignment to learned codewords",
        "O(n k c)",
    ),
)
