"""Adaptive sparse attention in C, where it is compiled for this processor.

`pip install` compiles it where a compiler is, in a checkout `python -m asa_viz.attention.native`.
"""

from asa_viz.attention.native.library import compiled
from asa_viz.attention.native.operator import attend, serves

__all__ = ["attend", "available", "path", "serves"]


def available() -> bool:
    """Tell whether kernels are compiled that run on this processor."""
    return bool(compiled())


def path() -> str:
    """Return the instructions that the kernels use here, or that there are none."""
    return compiled()[0].name if available() else "not compiled"
