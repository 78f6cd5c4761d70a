"""Every method of attention the page knows, ordered by family."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import get_args

from asa_viz.catalogue import (
    classic,
    content,
    dense,
    gates,
    low_rank,
    pattern,
    pooled,
    predicted,
    shared,
    window,
)
from asa_viz.catalogue.method import Family, Method

FAMILIES: tuple[Family, ...] = get_args(Family)

_BY_FAMILY: Mapping[Family, tuple[Method, ...]] = {
    "content": content.METHODS,
    "dense": dense.METHODS,
    "pattern": pattern.METHODS,
    "window": window.METHODS,
    "pooled": pooled.METHODS,
    "low_rank": low_rank.METHODS,
    "predicted": predicted.METHODS,
    "shared": shared.METHODS,
    "classic": classic.METHODS,
    "gates": gates.METHODS,
}

METHODS: Mapping[str, Method] = MappingProxyType(
    {method.name: method for family in FAMILIES for method in _BY_FAMILY[family]}
)
