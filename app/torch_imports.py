"""Import torch code only through this module, and inside functions.

torch and mmsegmentation take seconds to import, and the page must listen before. Two threads
importing a package from different submodules can deadlock on import locks; with a single module the
second thread waits for its lock.
"""

import torch

from asa_viz.attention.what_if import WhatIf
from asa_viz.catalogue.method import LANGUAGES, family_title
from asa_viz.catalogue.methods import FAMILIES
from asa_viz.networks.segmenter import load
from asa_viz.networks.zoo.ensemble import load_ensemble
from asa_viz.networks.zoo.methods import READERS
from asa_viz.networks.zoo.record import HeadMethod
from asa_viz.notebook.standalone import page
from asa_viz.packet import pack, unpack

__all__ = [
    "FAMILIES",
    "LANGUAGES",
    "READERS",
    "HeadMethod",
    "WhatIf",
    "cuda_is_there",
    "family_title",
    "load",
    "load_ensemble",
    "pack",
    "page",
    "unpack",
]


def cuda_is_there() -> bool:
    """Whether torch finds a CUDA device."""
    return torch.cuda.is_available()
