"""Attention that is the same for every query."""

import torch
from jaxtyping import Float
from torch import Tensor

from asa_viz.attention.low_rank import LowRank, low_rank, over_cells


def global_context(logits: Float[Tensor, "h w"]) -> LowRank:
    """Return GCNet's attention: one softmax over cells, which all queries use."""
    return low_rank(torch.ones_like(logits)[None], over_cells(logits[None]))
