"""Records of attention that all queries share."""

from asa_viz.catalogue.method import ALL, Method, Paper

METHODS = (
    Method(
        name="gcnet",
        family="shared",
        paper=Paper(
            "Cao, Xu, Lin, Wei, Hu",
            "GCNet: Non-local Networks Meet Squeeze-Excitation Networks and Beyond",
            "ICCV Workshops",
            2019,
            "1904.11492",
        ),
        formula="Wᵢⱼ = softmaxⱼ(uⱼ)",
        support_per_pass=ALL,
        effective_support=ALL,
        cost="O(n c)",
        row_sum=1.0,
        exact="exact",
    ),
)
