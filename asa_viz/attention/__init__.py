"""The mathematics of attention; torch and geometry, nothing else."""

from asa_viz.attention.blockwise import adaptive_sparse_attention
from asa_viz.attention.definition import adaptive_sparse_weights
from asa_viz.attention.methods import METHODS

__all__ = ["METHODS", "adaptive_sparse_attention", "adaptive_sparse_weights"]
