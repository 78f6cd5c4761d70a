"""Records of attention that is sparse by content."""

from functools import partial

from asa_viz.attention.squares import square_count
from asa_viz.catalogue.method import ALL, Method, Paper, Support, listed
from asa_viz.catalogue.settings import DGMN_RATES, DGMN_SIDE

_SAMPLES = len(DGMN_RATES) * DGMN_SIDE**2
# Designs with a fixed number of keys keep a tenth of the cells, or of blocks with this side.
_SIDE = 4


def _tenth(count: int) -> int:
    return max(1, round(0.1 * count))


def _cells_of_blocks(height: int, width: int, least: int) -> int:
    """Return the most cells that the kept blocks have: a tenth of all blocks, at least `least`."""
    blocks = square_count(height, width, _SIDE)
    return min(height * width, max(least, _tenth(blocks)) * _SIDE**2)


METHODS = (
    Method(
        name="asa",
        family="content",
        paper=Paper(
            "Sun, Zhang, Zhang",
            "Adaptive sparse attention module based on reciprocal nearest neighbors",
            "Journal of Electronic Imaging",
            2024,
            "10.1117/1.JEI.33.3.033038",
        ),
        formula="Wᵢⱼ = Pᵢⱼ / Σ over S(i); S(i): Pᵢⱼ ≥ tᵢ/n and Pⱼᵢ ≥ tⱼ/n, or near and Pᵢⱼ ≥ sᵢ μᵢ",
        support_per_pass=ALL,
        effective_support=Support("≤ n / tᵢ + 9"),
        cost="O(n² d)",
        row_sum=1.0,
        exact="exact",
    ),
    Method(
        name="dgmn",
        family="content",
        paper=Paper(
            "Zhang, Xu, Arnab, Torr",
            "Dynamic Graph Message Passing Networks",
            "CVPR",
            2020,
            "1908.06955",
        ),
        formula="yᵢ = Σₖ softmaxₖ(fᵢ) sigmoid(aᵢₖ) v(pᵢ + r oₖ + δᵢₖ)",
        support_per_pass=Support(f"{len(DGMN_RATES)} × {DGMN_SIDE**2}", lambda h, w: _SAMPLES),
        effective_support=Support(
            f"≤ {len(DGMN_RATES)} × {DGMN_SIDE**2} × 4", lambda h, w: min(h * w, 4 * _SAMPLES)
        ),
        cost="O(n k c)",
        row_sum=None,
        exact="exact",
        unchecked="The rates of the paper's segmentation network. Those here are the default of "
        "the authors' released code, by its own words a faster variant, for detection; a public "
        "re-implementation for segmentation has 1, 6, 12, 24 and 36.",
        settings={"samples": DGMN_SIDE**2, "rates": listed(DGMN_RATES)},
    ),
    Method(
        name="indexer_top_k",
        family="content",
        paper=Paper(
            "DeepSeek-AI",
            "DeepSeek-V3.2-Exp: Boosting Long-Context Efficiency with DeepSeek Sparse Attention",
            "Technical report",
            2025,
        ),
        formula="Wᵢⱼ = softmaxⱼ(qᵢ·kⱼ / √d) over the n / 10 largest Iᵢⱼ = Σₕ wᵢₕ ReLU(qᴵᵢₕ·kᴵⱼ)",
        support_per_pass=Support("n + n / 10", lambda h, w: h * w + _tenth(h * w)),
        effective_support=Support("n / 10", lambda h, w: _tenth(h * w)),
        cost="O(n² e + n² d / 10), e the indexer's width",
        row_sum=1.0,
        exact="exact",
    ),
    Method(
        name="native_sparse",
        family="content",
        paper=Paper(
            "Yuan, Gao, Dai, Luo, Zhao, Zhang, Xie, Wei, Wang, Xiao, Wang, Ruan, Zhang, Liang, "
            "Zeng",
            "Native Sparse Attention: Hardware-Aligned and Natively Trainable Sparse Attention",
            "ACL",
            2025,
            "2502.11089",
        ),
        formula="Wᵢⱼ = g₁ᵢ P(i, block of j) aⱼ + g₂ᵢ Sᵢⱼ + g₃ᵢ Lᵢⱼ, softmax each; P: 4 × 4 blocks "
        "pooled to one; S: cells of the n / 160 blocks of largest P; L: a 7 × 7 window",
        support_per_pass=Support(
            "≈ n / 16 + n / 10 + 49",
            lambda h, w: (
                square_count(h, w, _SIDE) + _cells_of_blocks(h, w, 1) + min(h, 7) * min(w, 7)
            ),
        ),
        effective_support=ALL,
        cost="O(n² d / 16 + n² d / 10 + 49 n d)",
        row_sum=None,
        exact="exact",
        unchecked="No code of the authors was found: the sizes of the MLP that pools a block are "
        "chosen here, and its gates are a sigmoid of one linear map.",
    ),
    Method(
        name="mixture_of_block",
        family="content",
        paper=Paper(
            "Lu, Jiang, Liu, Du, Jiang, Hong, Liu, He, Yuan, Wang, Huang, Yuan, Xu, Xu, Lai, Chen, "
            "Zheng, Yan, Su, Wu, Zhang, Yang, Zhou, Zhang, Qiu",
            "MoBA: Mixture of Block Attention for Long-Context LLMs",
            "arXiv",
            2025,
            "2502.13189",
        ),
        formula="Wᵢⱼ = softmaxⱼ(qᵢ·kⱼ / √d) over i's own 4 × 4 block and those of largest "
        "qᵢ·mean(k), n / 160 in all",
        support_per_pass=Support(
            "≈ n / 16 + n / 10", lambda h, w: square_count(h, w, _SIDE) + _cells_of_blocks(h, w, 2)
        ),
        effective_support=Support("≈ n / 10", partial(_cells_of_blocks, least=2)),
        cost="O(n² d / 16 + n² d / 10)",
        row_sum=1.0,
        exact="exact",
    ),
)
