"""Heads of mmsegmentation that read averages of regions: ANN, APCNet and PSP."""

from functools import partial
from typing import Any, cast

import torch
from torch import Tensor

from asa_viz.attention.low_rank import LowRank
from asa_viz.attention.pooled import adaptive_context, asymmetric, pyramid_pooling
from asa_viz.catalogue import METHODS
from asa_viz.catalogue.settings import ANN_GRIDS, APC_GRIDS, PYRAMID_GRIDS
from asa_viz.networks.capture import Seen
from asa_viz.networks.zoo import alone
from asa_viz.networks.zoo.low_rank import through_nodes
from asa_viz.networks.zoo.record import Head, HeadMethod, Reading


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


def read_adaptive_context(head: Any, seen: Seen) -> Reading:
    """Read the scales of APCNet from the logits of their regions."""
    scales = range(len(head.acm_modules))
    logits = [seen[f"acm_modules.{scale}.gla"][0].output[0] for scale in scales]
    return Reading(tuple(map(adaptive_context, logits)))


def rebuilt_adaptive_context(head: Any, seen: Seen, reading: Reading) -> tuple[Tensor, Tensor]:
    """Rebuild the outputs of all scales.

    Between pooling and distribution the averages pass a convolution and its ReLU.
    """
    ours, network = [], []
    for scale, attention in enumerate(reading.attentions):
        module, call = head.acm_modules[scale], seen[f"acm_modules.{scale}"][0]
        (x,) = call.inputs
        mixed = module.residual_conv(through_nodes(attention, x, module.pooled_redu_conv))
        ours.append(module.fusion_conv((mixed + module.input_redu_conv(x)).relu()))
        network.append(call.output)
    return torch.cat(ours), torch.cat(network)


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


HEADS = (
    # mmsegmentation has 256 channels of queries and keys in a head of 512; this is for one of 64.
    Head(
        "ann",
        {"type": "ANNHead", "project_channels": 32, "key_pool_scales": ANN_GRIDS},
        inputs=(1, 0),
    ),
    Head("apcnet", {"type": "APCHead", "pool_scales": APC_GRIDS}),
    Head("pyramid_pooling", {"type": "PSPHead", "pool_scales": PYRAMID_GRIDS}),
)
_APNB, _AFNB = "context.stages.0", "fusion.stages.0"
_SCALES = [f"acm_modules.{scale}" for scale in range(len(APC_GRIDS))]
READERS = (
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
        method=METHODS["apcnet"],
        head="apcnet",
        watch=(*_SCALES, *(f"{scale}.gla" for scale in _SCALES)),
        read=read_adaptive_context,
        rebuilt=rebuilt_adaptive_context,
        alone=alone.adaptive_context,
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
