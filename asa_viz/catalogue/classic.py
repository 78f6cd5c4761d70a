"""Records of the classical filters."""

from asa_viz.catalogue.method import ALL, Method, Paper, square
from asa_viz.catalogue.settings import (
    BILATERAL_WINDOW,
    MEANS_PATCH,
    MEANS_SEARCH,
    SHIFT_STEPS,
)

METHODS = (
    Method(
        name="bilateral",
        family="classic",
        paper=Paper(
            "Tomasi, Manduchi", "Bilateral Filtering for Gray and Color Images", "ICCV", 1998
        ),
        formula="Wᵢⱼ ∝ exp(−|pᵢ − pⱼ|² / 2s²) exp(−|xᵢ − xⱼ|² / 2t²)",
        support_per_pass=square(BILATERAL_WINDOW),
        effective_support=square(BILATERAL_WINDOW),
        cost=f"O({BILATERAL_WINDOW**2} n c)",
        row_sum=1.0,
        exact="exact",
        settings={"window": BILATERAL_WINDOW},
    ),
    Method(
        name="non_local_means",
        family="classic",
        paper=Paper(
            "Buades, Coll, Morel", "A Non-local Algorithm for Image Denoising", "CVPR", 2005
        ),
        formula="Wᵢⱼ ∝ exp(−|Pᵢ − Pⱼ|² / t²) over a search window",
        support_per_pass=square(MEANS_SEARCH),
        effective_support=square(MEANS_SEARCH),
        cost=f"O({MEANS_SEARCH**2} · {MEANS_PATCH**2} n c)",
        row_sum=1.0,
        exact="exact",
        unchecked="The paper's text was not found. That it weighs the places of a patch by a "
        "Gaussian was read in what others write of it; its authors' code of 2011 weighs them "
        "alike, as here.",
        settings={"search": MEANS_SEARCH, "patch": MEANS_PATCH},
    ),
    Method(
        name="mean_shift",
        family="classic",
        paper=Paper(
            "Comaniciu, Meer",
            "Mean Shift: A Robust Approach Toward Feature Space Analysis",
            "IEEE TPAMI",
            2002,
        ),
        formula="Wᵢⱼ ∝ exp(−|zᵢ − xⱼ|² / 2), position and value together; zᵢ ← Σⱼ Wᵢⱼ xⱼ",
        support_per_pass=ALL,
        effective_support=ALL,
        cost="O(n² c)",
        row_sum=1.0,
        exact="exact",
        unchecked="Of the paper the abstract alone was read: a point moves until it stays. Public "
        "codes stop after some steps and weigh all points within a radius alike; Gaussian kernels "
        "are taken here.",
        settings={"steps": SHIFT_STEPS},
    ),
)
