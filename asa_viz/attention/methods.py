"""Every method of attention the page knows, ordered by family."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import get_args

from asa_viz.attention.method import Family, Method
from asa_viz.attention.records import dense, gates, local, nodes, predicted, sparse

FAMILIES: tuple[Family, ...] = get_args(Family)

_RECORDS = (
    *sparse.RECORDS, *dense.RECORDS, *local.RECORDS, *nodes.RECORDS, *predicted.RECORDS,
    *gates.RECORDS,
)  # fmt: skip

METHODS: Mapping[str, Method] = MappingProxyType(
    {method.name: method for family in FAMILIES for method in _RECORDS if method.family == family}
)
