"""Dense heads of mmsegmentation: non-local with all four kernels, DNL, DANet's position branch."""

from functools import partial
from typing import Any

from jaxtyping import Float
from mmcv.cnn import NonLocal2d
from mmseg.models.decode_heads import NLHead
from mmseg.registry import MODELS
from torch import Tensor

from asa_viz.attention.dense import (
    concatenation,
    disentangled,
    dot_product,
    embedded_gaussian,
    gaussian,
)
from asa_viz.catalogue import METHODS
from asa_viz.catalogue.settings import DNL_TEMPERATURE
from asa_viz.networks.blocks import block_output
from asa_viz.networks.capture import Seen
from asa_viz.networks.zoo.record import Head, HeadMethod, Reading


class ConcatenationBlock(NonLocal2d):
    """mmcv's non-local block in mode "concatenation", without its n x n pairs of whole vectors.

    Same parameters, same result: w . [q, k] is a number of the query plus one of the key. mmcv's
    cannot be trained either: it divides in place what the gradient of its ReLU needs.
    """

    def concatenation(
        self, theta_x: Float[Tensor, "b d n 1"], phi_x: Float[Tensor, "b d 1 n"]
    ) -> Float[Tensor, "b n n"]:
        """Return the weights; divided by n before they are rectified, to hold one such array."""
        query, key = self.concat_project.conv.weight[0].chunk(2)
        size = phi_x.shape[-1]
        return ((query * theta_x).sum(1) / size + (key * phi_x).sum(1) / size).relu_()


@MODELS.register_module()
class ConcatenationHead(NLHead):
    """NLHead in mode "concatenation" that fits into memory and trains; its keys are NLHead's."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(mode="concatenation", **settings)
        self.nl_block = ConcatenationBlock(
            self.channels,
            reduction=self.reduction,
            conv_cfg=self.conv_cfg,
            norm_cfg=self.norm_cfg,
            mode=self.mode,
        )


def read_embedded_gaussian(head: Any, seen: Seen) -> Reading:
    """Read a non-local block's softmax from what entered it."""
    block, x = head.nl_block, seen["nl_block"][0].inputs[0]
    return Reading((embedded_gaussian(block.theta(x)[0], block.phi(x)[0], scaled=block.use_scale),))


def read_gaussian(head: Any, seen: Seen) -> Reading:
    """Read a non-local block that compares the features that enter it."""
    return Reading((gaussian(seen["nl_block"][0].inputs[0][0]),))


def read_dot_product(head: Any, seen: Seen) -> Reading:
    """Read a non-local block without softmax from what entered it."""
    block, x = head.nl_block, seen["nl_block"][0].inputs[0]
    return Reading((dot_product(block.theta(x)[0], block.phi(x)[0]),))


def read_concatenation(head: Any, seen: Seen) -> Reading:
    """Read a non-local block's rectified sums: w of the query joined with the key, in halves."""
    block, x = head.nl_block, seen["nl_block"][0].inputs[0]
    halves = block.concat_project.conv.weight.flatten().split(block.inter_channels)
    query, key = (
        (half[:, None, None] * part(x)[0]).sum(0)
        for half, part in zip(halves, (block.theta, block.phi), strict=True)
    )
    return Reading((concatenation(query, key),))


def read_disentangled(head: Any, seen: Seen) -> Reading:
    """Read the pairwise and the shared softmax of a disentangled non-local block, as one sum."""
    block, x = head.dnl_block, seen["dnl_block"][0].inputs[0]
    attention = disentangled(
        block.theta(x)[0],
        block.phi(x)[0],
        block.conv_mask(x)[0, 0],
        temperature=block.temperature,
        scaled=block.use_scale,
    )
    return Reading((attention,))


def rebuilt_nonlocal(
    head: Any, seen: Seen, reading: Reading, part: str = "nl_block"
) -> tuple[Tensor, Tensor]:
    """Rebuild a non-local block's output: its input, and what its rows read of the values."""
    block, call = head.get_submodule(part), seen[part][0]
    (x,) = call.inputs
    read = reading.attentions[0].mix(block.g(x)[0])
    return block_output(block, x, read.flatten(1).mT[None]), call.output


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


HEADS = (
    Head("nonlocal_embedded_gaussian", {"type": "NLHead", "reduction": 2}),
    Head("nonlocal_gaussian", {"type": "NLHead", "reduction": 2, "mode": "gaussian"}),
    Head("nonlocal_dot_product", {"type": "NLHead", "reduction": 2, "mode": "dot_product"}),
    Head("nonlocal_concatenation", {"type": "ConcatenationHead", "reduction": 2}),
    Head("dnl", {"type": "DNLHead", "reduction": 2, "temperature": DNL_TEMPERATURE}),
    # mmsegmentation has 64 channels of queries and keys in a head of 512; this is for one of 64.
    Head("danet", {"type": "DAHead", "pam_channels": 8}),
)
READERS = (
    HeadMethod(
        method=METHODS["nonlocal_embedded_gaussian"],
        head="nonlocal_embedded_gaussian",
        watch=("nl_block",),
        read=read_embedded_gaussian,
        rebuilt=rebuilt_nonlocal,
        replaces="nl_block",
    ),
    HeadMethod(
        method=METHODS["nonlocal_gaussian"],
        head="nonlocal_gaussian",
        watch=("nl_block",),
        read=read_gaussian,
        rebuilt=rebuilt_nonlocal,
        replaces="nl_block",
    ),
    HeadMethod(
        method=METHODS["nonlocal_dot_product"],
        head="nonlocal_dot_product",
        watch=("nl_block",),
        read=read_dot_product,
        rebuilt=rebuilt_nonlocal,
        replaces="nl_block",
    ),
    HeadMethod(
        method=METHODS["nonlocal_concatenation"],
        head="nonlocal_concatenation",
        watch=("nl_block",),
        read=read_concatenation,
        rebuilt=rebuilt_nonlocal,
        replaces="nl_block",
    ),
    HeadMethod(
        method=METHODS["dnl"],
        head="dnl",
        watch=("dnl_block",),
        read=read_disentangled,
        rebuilt=partial(rebuilt_nonlocal, part="dnl_block"),
        replaces="dnl_block",
    ),
    HeadMethod(
        method=METHODS["danet_position"],
        head="danet",
        watch=("pam",),
        read=read_position,
        rebuilt=rebuilt_position,
        replaces="pam",
    ),
)
