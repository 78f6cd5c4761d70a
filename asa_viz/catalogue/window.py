"""Records of attention in windows."""

from asa_viz.catalogue.method import Method, Paper, square
from asa_viz.catalogue.settings import (
    CARAFE_WINDOW,
    LOCAL_RELATION_WINDOW,
    SAN_SHARED,
    SAN_WINDOW,
    STAND_ALONE_WINDOW,
)

_STAND_ALONE = square(STAND_ALONE_WINDOW)
_LOCAL_RELATION = square(LOCAL_RELATION_WINDOW)
_SAN = square(SAN_WINDOW)
_CARAFE = square(CARAFE_WINDOW)

METHODS = (
    Method(
        name="stand_alone",
        family="window",
        paper=Paper(
            "Ramachandran, Parmar, Vaswani, Bello, Levskaya, Shlens",
            "Stand-Alone Self-Attention in Vision Models",
            "NeurIPS",
            2019,
            "1906.05909",
        ),
        formula=f"Wᵢⱼ = softmaxⱼ(qᵢ·kⱼ + qᵢ·r(j − i)) over a {_STAND_ALONE.text} window",
        support_per_pass=_STAND_ALONE,
        effective_support=_STAND_ALONE,
        cost=f"O({STAND_ALONE_WINDOW**2} n d)",
        row_sum=1.0,
        exact="exact",
        unchecked="Whether the authors clip the window at the border or pad it with zeros: the "
        "folder for their code holds none. Public re-implementations pad with zeros, which take "
        "part in the softmax; here the window is clipped.",
        settings={"window": STAND_ALONE_WINDOW},
    ),
    Method(
        name="local_relation",
        family="window",
        paper=Paper(
            "Hu, Zhang, Xie, Lin",
            "Local Relation Networks for Image Recognition",
            "ICCV",
            2019,
            "1904.11491",
        ),
        formula=f"Wᵢⱼ = softmaxⱼ(Φ(qᵢ, kⱼ) + g(j − i)) over a {_LOCAL_RELATION.text} window",
        support_per_pass=_LOCAL_RELATION,
        effective_support=_LOCAL_RELATION,
        cost=f"O({LOCAL_RELATION_WINDOW**2} n c)",
        row_sum=1.0,
        exact="exact",
        unchecked="Which Φ the paper's networks use. The authors' released kernel offers the "
        "product, its default, the absolute and the squared difference; the last is taken here.",
        settings={"window": LOCAL_RELATION_WINDOW},
    ),
    Method(
        name="san_pairwise",
        family="window",
        paper=Paper(
            "Zhao, Jia, Koltun",
            "Exploring Self-attention for Image Recognition",
            "CVPR",
            2020,
            "2004.13621",
        ),
        formula=f"Wᵢⱼ = softmaxⱼ(F(φ(xᵢ) − ψ(xⱼ), pᵢ − pⱼ)) over a {_SAN.text} window, a vector",
        support_per_pass=_SAN,
        effective_support=_SAN,
        cost=f"O({SAN_WINDOW**2} n c)",
        row_sum=1.0,
        exact="exact",
        settings={"window": SAN_WINDOW, "shared": SAN_SHARED},
    ),
    Method(
        name="carafe",
        family="window",
        paper=Paper(
            "Wang, Chen, Xu, Liu, Loy, Lin",
            "CARAFE: Content-Aware ReAssembly of FEatures",
            "ICCV",
            2019,
            "1905.02188",
        ),
        formula=f"Wᵢⱼ = softmax over the {_CARAFE.text} kernel predicted for the fine cell i",
        support_per_pass=_CARAFE,
        effective_support=_CARAFE,
        cost=f"O({CARAFE_WINDOW**2} n c)",
        row_sum=None,
        exact="exact",
        settings={"window": CARAFE_WINDOW},
    ),
)
