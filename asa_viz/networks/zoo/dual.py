"""The dual attention head of mmsegmentation: position attention beside channel attention."""

from typing import Any

from torch import Tensor

from asa_viz.attention.dense import embedded_gaussian
from asa_viz.catalogue import METHODS
from asa_viz.networks.capture import Seen
from asa_viz.networks.zoo.record import Head, HeadMethod, Reading


def read_position(head: Any, seen: Seen) -> Reading:
    """Read the position branch from what entered it."""
    block, x = head.pam, seen["pam"][0].inputs[0]
    query, key = block.query_project(x)[0], block.key_project(x)[0]
    attention = embedded_gaussian(query, key, scaled=False)
    return Reading((attention,), gain=block.gamma.scale.item())


def rebuilt_position(head: Any, seen: Seen, reading: Reading) -> tuple[Tensor, Tensor]:
    """Rebuild the position branch's output: its input and, times its gain, what its rows read."""
    block, call = head.pam, seen["pam"][0]
    (x,) = call.inputs
    mixed = reading.attentions[0].mix(block.value_project(x)[0])
    return x + block.gamma(mixed[None]), call.output


def read_channel(head: Any, seen: Seen) -> Reading:
    """Read the channel branch: a softmax of negated products, as released.

    The paper's formula has no minus sign: there similar channels have the largest weights, here
    dissimilar ones.
    """
    cells = seen["cam"][0].inputs[0][0].flatten(1)
    return Reading(gates={"matrix": (-cells @ cells.mT).softmax(-1)})


def rebuilt_channel(head: Any, seen: Seen, reading: Reading) -> tuple[Tensor, Tensor]:
    """Rebuild the channel branch's output: each channel reads all others through the matrix."""
    call = seen["cam"][0]
    (x,) = call.inputs
    mixed = reading.gates["matrix"] @ x[0].flatten(1)
    return x + head.cam.gamma(mixed.view_as(x)), call.output


# mmsegmentation has 64 channels of queries and keys in a head of 512; this is for one of 64.
HEADS = (Head("danet", {"type": "DAHead", "pam_channels": 8}),)
READERS = (
    HeadMethod(
        method=METHODS["danet_position"],
        head="danet",
        watch=("pam",),
        read=read_position,
        rebuilt=rebuilt_position,
        replaces="pam",
    ),
    HeadMethod(
        method=METHODS["danet_channel"],
        head="danet",
        watch=("cam",),
        read=read_channel,
        rebuilt=rebuilt_channel,
    ),
)
