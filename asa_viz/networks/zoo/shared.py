"""The global context head of mmsegmentation (GCNet): one row that all queries share."""

from typing import Any

from torch import Tensor

from asa_viz.attention.shared import global_context
from asa_viz.catalogue import METHODS
from asa_viz.networks.capture import Seen
from asa_viz.networks.zoo.record import Head, HeadMethod, Reading


def read_global_context(head: Any, seen: Seen) -> Reading:
    """Read a global context block's one softmax over cells."""
    x = seen["gc_block"][0].inputs[0]
    return Reading((global_context(head.gc_block.conv_mask(x)[0, 0]),))


def rebuilt_global_context(head: Any, seen: Seen, reading: Reading) -> tuple[Tensor, Tensor]:
    """Rebuild a global context block's output; each cell transforms what its own row reads."""
    call = seen["gc_block"][0]
    (x,) = call.inputs
    contexts = reading.attentions[0].mix(x[0]).flatten(1).mT
    added = head.gc_block.channel_add_conv(contexts[..., None, None])
    return x + added.flatten(1).mT.view_as(x), call.output


HEADS = (Head("gcnet", {"type": "GCHead", "ratio": 1 / 4}),)
READERS = (
    HeadMethod(
        method=METHODS["gcnet"],
        head="gcnet",
        watch=("gc_block",),
        read=read_global_context,
        rebuilt=rebuilt_global_context,
        replaces="gc_block",
    ),
)
