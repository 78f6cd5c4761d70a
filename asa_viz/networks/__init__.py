"""Networks: decode heads with a block of attention, their configs, weights and checkpoints."""

import sys
from contextlib import redirect_stdout

# mmsegmentation prints missing optional packages on import; standard output is for the figures.
with redirect_stdout(sys.stderr):
    import mmseg.datasets  # noqa: F401

from asa_viz.networks import (  # noqa: F401  (registered here)
    datasets,
    distillation,
    heads,
    hooks,
    mobilenet,
    weights,
)
from asa_viz.networks.zoo.methods import READERS as METHODS

__all__ = ["METHODS"]
