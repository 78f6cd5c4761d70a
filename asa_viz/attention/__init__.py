"""The mathematics of attention; imports torch and `geometry` only."""

from typing import Any

from asa_viz.attention.definition import adaptive_sparse_weights
from asa_viz.attention.module import AdaptiveSparseAttention2d
from asa_viz.attention.operator import adaptive_sparse_attention

__all__ = [
    "METHODS",
    "AdaptiveSparseAttention2d",
    "adaptive_sparse_attention",
    "adaptive_sparse_weights",
]


def __getattr__(name: str) -> Any:
    """Return METHODS, kept under its former name; it belongs to `asa_viz.catalogue`."""
    if name != "METHODS":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from asa_viz.catalogue import METHODS

    return METHODS
