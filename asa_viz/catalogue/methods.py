"""Every method of attention the page knows, ordered by family."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import get_args

from asa_viz.catalogue import dense, gates, local, nodes, predicted, sparse
from asa_viz.catalogue.method import Family, Method

FAMILIES: tuple[Family, ...] = get_args(Family)

_ALL = (
    *sparse.METHODS, *dense.METHODS, *local.METHODS, *nodes.METHODS, *predicted.METHODS,
    *gates.METHODS,
)  # fmt: skip

METHODS: Mapping[str, Method] = MappingProxyType(
    {method.name: method for family in FAMILIES for method in _ALL if method.family == family}
)
