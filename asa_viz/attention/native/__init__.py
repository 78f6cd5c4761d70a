"""Adaptive sparse attention in C, where it has been compiled for this processor.

`pip install` compiles it if there is a compiler; in a checkout use `python -m
asa_viz.attention.native`.
"""

from asa_viz.attention.native.library import compiled
from asa_viz.attention.native.operator import attend, serves

__all__ = ["attend", "available", "path", "serves"]


def available() -> bool:
    """Return whether there are compiled kernels that run on this processor."""
    return bool(compiled())


def path() -> str:
    """Return the instruction set of the kernels in use, or that there are none."""
    return compiled()[0].name if available() else "not compiled"
