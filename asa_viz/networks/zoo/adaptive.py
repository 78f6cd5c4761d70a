"""ASA as a head of the zoo, with the reader of its rows."""

from typing import Any

from jaxtyping import Float
from torch import Tensor

from asa_viz.attention.adaptive import adaptive_attention, released_attention
from asa_viz.attention.row import SparseAttention
from asa_viz.catalogue import METHODS
from asa_viz.networks.blocks import ASABlock
from asa_viz.networks.capture import Seen
from asa_viz.networks.heads import TARGETS
from asa_viz.networks.zoo.dense import rebuilt_nonlocal
from asa_viz.networks.zoo.record import Head, HeadMethod, Reading


def sparse_attention(block: ASABlock, x: Float[Tensor, "1 c h w"]) -> SparseAttention:
    """Return the attention of an ASA block for the one map that entered it."""
    query, key, _, nonlocal_scale, local_scale = (part[0] for part in block.project(x))
    return SparseAttention.of(
        query.contiguous(), key.contiguous(), nonlocal_scale, local_scale,
        height=x.shape[-2], width=x.shape[-1], window=block.window, scaled=block.use_scale,
    )  # fmt: skip


def read_adaptive(head: Any, seen: Seen) -> Reading:
    """Read an ASA block's attention from its input."""
    block, x = head.nl_block, seen["nl_block"][0].inputs[0]
    sparse = sparse_attention(block, x)
    released = block.rule == "released"
    return Reading((released_attention(sparse) if released else adaptive_attention(sparse),))


HEADS = (Head("asa", {"type": "ASAHead", "read_only": True} | TARGETS),)
READERS = (
    HeadMethod(METHODS["asa"], "asa", ("nl_block",), read_adaptive, rebuilt_nonlocal, "nl_block"),
)
