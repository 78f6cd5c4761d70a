"""Heads of mmsegmentation that read blocks or averages of regions: ISA, ANN and PSP."""

from functools import partial
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor

from asa_viz.attention.base import Product
from asa_viz.attention.low_rank import LowRank
from asa_viz.attention.pattern import Padded, interlaced
from asa_viz.attention.pooled import asymmetric, pyramid_pooling
from asa_viz.catalogue import METHODS
from asa_viz.catalogue.settings import ANN_GRIDS, ISA_BLOCK, PYRAMID_GRIDS
from asa_viz.networks.capture import Seen
from asa_viz.networks.zoo import alone
from asa_viz.networks.zoo.record import Head, HeadMethod, Reading


def _laid(
    groups: Float[Tensor, "g c r s"], counts: tuple[int, int], *, places: bool
) -> Float[Tensor, "c h w"]:
    """Lay groups of cells, `counts` of them, over the map that they were taken from.

    A group holds the cells of one place in every block or, without `places`, those of one block.
    """
    spread = groups.unflatten(0, counts)
    spread = spread.permute((2, 3, 0, 4, 1) if places else (2, 0, 3, 1, 4))
    return spread.flatten(3, 4).flatten(1, 2)


def _passes(head: Any, seen: Seen) -> list[tuple[Any, Any, Any]]:
    """Return the block, the call and the layout of the long pass and of the short one."""
    long, short = seen["global_relation"][0], seen["local_relation"][0]
    block, blocks = (*short.output.shape[2:],), (*long.output.shape[2:],)
    return [
        (head.global_relation, long, partial(_laid, counts=block, places=True)),
        (head.local_relation, short, partial(_laid, counts=blocks, places=False)),
    ]


def read_interlaced(head: Any, seen: Seen) -> Reading:
    """Read both passes from what entered them; the row is that of their product."""
    long, short = (
        (laid(block.query_project(call.inputs[0])), laid(block.key_project(call.inputs[0])))
        for block, call, laid in _passes(head, seen)
    )
    height, width = seen["in_conv"][0].output.shape[2:]
    attention = interlaced(long, short, height=height, width=width, block=head.down_factor)
    return Reading((attention,))


def rebuilt_interlaced(head: Any, seen: Seen, reading: Reading) -> tuple[Tensor, Tensor]:
    """Rebuild the output of each pass on the padded map, one after the other.

    Between the two lies the output projection of the long one, a convolution, a normalisation and
    a ReLU, and the value projection of the short one; the row leaves them out.
    """
    product = cast(Product, cast(Padded, reading.attentions[0]).padded)
    ours, network = [], []
    for (block, call, laid), attention in zip(
        _passes(head, seen), (product.first, product.after), strict=True
    ):
        mixed = attention.mix(laid(block.value_project(call.inputs[0])))
        ours.append(block.output_project(mixed[None])[0])
        network.append(laid(call.output))
    return torch.cat(ours), torch.cat(network)


def read_asymmetric(head: Any, seen: Seen, part: str) -> Reading:
    """Read one of ANN's blocks; it was given the map of its queries and that of its keys."""
    block, (high, low) = head.get_submodule(part), seen[part][0].inputs
    grids = [pool.output_size for pool in block.key_downsample]
    return Reading((asymmetric(block.query_project(high)[0], block.key_project(low)[0], grids),))


def rebuilt_asymmetric(head: Any, seen: Seen, reading: Reading, part: str) -> tuple[Tensor, Tensor]:
    """Rebuild what one of ANN's blocks reads, behind its output projection."""
    block, call = head.get_submodule(part), seen[part][0]
    mixed = reading.attentions[0].mix(block.value_project(call.inputs[1])[0])
    return block.out_project(mixed[None]), call.output


def read_pyramid(head: Any, seen: Seen) -> Reading:
    """Return the averages over the bins of each scale; only the map's size decides them."""
    (x,) = seen["psp_modules"][0].inputs
    _, _, height, width = x.shape
    scales = head.psp_modules.pool_scales
    return Reading(tuple(pyramid_pooling(height, width, bins, x) for bins in scales))


def rebuilt_pyramid(head: Any, seen: Seen, reading: Reading) -> tuple[Tensor, Tensor]:
    """Rebuild the maps of all scales.

    Between the average over a bin and its spreading over the map lie a convolution, a normalisation
    and a ReLU, so that each half of the row is applied on its own.
    """
    call = seen["psp_modules"][0]
    (x,) = call.inputs
    ours = []
    for (_, conv), bins, attention in zip(
        head.psp_modules, head.psp_modules.pool_scales, reading.attentions, strict=True
    ):
        rows = cast(LowRank, attention)
        averages = x[0].flatten(1) @ rows.gather.mT
        nodes = conv(averages.view(1, -1, bins, bins))[0].flatten(1)
        ours.append((nodes @ rows.distribute.mT).view(-1, *rows.shape))
    return torch.cat(ours), torch.cat([scale[0] for scale in call.output])


# mmsegmentation has 256 channels of queries and keys in a head of 512; these are for one of 64.
HEADS = (
    Head("isa", {"type": "ISAHead", "isa_channels": 32, "down_factor": ISA_BLOCK}),
    Head(
        "ann",
        {"type": "ANNHead", "project_channels": 32, "key_pool_scales": ANN_GRIDS},
        inputs=(1, 0),
    ),
    Head("pyramid_pooling", {"type": "PSPHead", "pool_scales": PYRAMID_GRIDS}),
)
_APNB, _AFNB = "context.stages.0", "fusion.stages.0"
READERS = (
    HeadMethod(
        method=METHODS["isa"],
        head="isa",
        watch=("in_conv", "global_relation", "local_relation"),
        read=read_interlaced,
        rebuilt=rebuilt_interlaced,
        alone=alone.interlaced,
    ),
    HeadMethod(
        method=METHODS["ann_apnb"],
        head="ann",
        watch=(_APNB,),
        read=partial(read_asymmetric, part=_APNB),
        rebuilt=partial(rebuilt_asymmetric, part=_APNB),
        replaces=_APNB,
    ),
    HeadMethod(
        method=METHODS["ann_afnb"],
        head="ann",
        watch=(_AFNB,),
        read=partial(read_asymmetric, part=_AFNB),
        rebuilt=partial(rebuilt_asymmetric, part=_AFNB),
        replaces=_AFNB,
    ),
    HeadMethod(
        method=METHODS["pyramid_pooling"],
        head="pyramid_pooling",
        watch=("psp_modules",),
        read=read_pyramid,
        rebuilt=rebuilt_pyramid,
        alone=alone.pyramid,
    ),
)
