"""The mathematics of attention; imports torch and `geometry` only."""

from asa_viz.attention.attend import adaptive_sparse_attention
from asa_viz.attention.definition import adaptive_sparse_weights
from asa_viz.attention.methods import METHODS
from asa_viz.attention.module import AdaptiveSparseAttention2d

__all__ = [
    "METHODS",
    "AdaptiveSparseAttention2d",
    "adaptive_sparse_attention",
    "adaptive_sparse_weights",
]
