"""Context heads of mmsegmentation: pooled regions, fitted bases, object regions, an encoding."""

from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
from jaxtyping import Float
from mmseg.models.decode_heads import FCNHead, OCRHead
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.registry import MODELS
from torch import Tensor

from asa_viz.attention.base import Attention
from asa_viz.attention.low_rank import LowRank, expectation_maximisation, object_context
from asa_viz.attention.pooled import adaptive_context
from asa_viz.catalogue import METHODS
from asa_viz.catalogue.settings import APC_GRIDS, EMA_BASES, EMA_STAGES
from asa_viz.networks.capture import Seen
from asa_viz.networks.zoo import alone
from asa_viz.networks.zoo.record import Head, HeadMethod, Reading


@MODELS.register_module()
class ObjectContextHead(OCRHead):
    """OCRHead that contains the head of its coarse segmentation, instead of a cascade of two heads.

    Yuan, Chen, Wang: Object-Contextual Representations, arXiv 1909.11065. The first of the inputs
    is the one that OCRHead reads, the second that of the coarse head `prior`: of a cascade's
    checkpoint, `decode_head.1.` are the keys of this head and `decode_head.0.` those of `prior`.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        channels: int,
        *,
        in_index: Sequence[int],
        prior_weight: float = 0.4,
        **settings: Any,
    ) -> None:
        # Both inner widths are half of the head's, as they are in mmsegmentation's configs.
        inner = channels // 2
        super().__init__(
            ocr_channels=inner,
            in_channels=in_channels[0],
            in_index=in_index[0],
            channels=channels,
            **settings,
        )
        self.prior_weight = prior_weight
        self.prior = FCNHead(
            in_channels=in_channels[1],
            in_index=in_index[1],
            channels=inner,
            num_convs=1,
            concat_input=False,
            **settings,
        )

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Return the logits of each class."""
        return super().forward(inputs, self.prior(inputs))

    def loss(
        self, inputs: Sequence[Tensor], batch_data_samples: list[Any], train_cfg: Any
    ) -> dict[str, Tensor]:
        """Return the losses of the segmentation and, weighted, of the coarse one before it."""
        coarse = self.prior(inputs)
        losses = self.loss_by_feat(super().forward(inputs, coarse), batch_data_samples)
        for name, value in self.prior.loss_by_feat(coarse, batch_data_samples).items():
            losses[f"prior.{name}"] = self.prior_weight * value if "loss" in name else value
        return losses

    # The `predict` of a cascade would expect the coarse segmentation.
    predict = BaseDecodeHead.predict


def read_adaptive(head: Any, seen: Seen) -> Reading:
    """Read the scales of APCNet from the logits of their regions."""
    scales = range(len(head.acm_modules))
    logits = [seen[f"acm_modules.{scale}.gla"][0].output[0] for scale in scales]
    return Reading(tuple(map(adaptive_context, logits)))


def rebuilt_adaptive(head: Any, seen: Seen, reading: Reading) -> tuple[Tensor, Tensor]:
    """Rebuild the outputs of all scales.

    Between pooling and distribution the averages pass a convolution and its ReLU.
    """
    ours, network = [], []
    for scale, attention in enumerate(reading.attentions):
        module, call = head.acm_modules[scale], seen[f"acm_modules.{scale}"][0]
        (x,) = call.inputs
        mixed = module.residual_conv(_through_nodes(attention, x, module.pooled_redu_conv))
        ours.append(module.fusion_conv((mixed + module.input_redu_conv(x)).relu()))
        network.append(call.output)
    return torch.cat(ours), torch.cat(network)


def read_expectation_maximisation(head: Any, seen: Seen) -> Reading:
    """Read EMANet's attention from its features, starting at the stored bases as the head does."""
    module = head.ema_module
    (features,) = seen["ema_module"][0].inputs
    return Reading(
        (expectation_maximisation(features[0], module.bases[0], stages=module.num_stages),)
    )


def rebuilt_expectation_maximisation(
    head: Any, seen: Seen, reading: Reading
) -> tuple[Tensor, Tensor]:
    """Rebuild the attended features of the module, behind the ReLU that the head applies.

    The head's ReLU works in place, so that the recorded output includes it.
    """
    call = seen["ema_module"][0]
    return reading.attentions[0].mix(call.inputs[0][0]).relu()[None], call.output


def read_object_context(head: Any, seen: Seen) -> Reading:
    """Read OCR's attention from the coarse segmentation, the features and those of its classes."""
    block = head.object_context_block
    features, classes = seen["object_context_block"][0].inputs
    query, key = block.query_project(features)[0], block.key_project(classes)[0, :, :, 0]
    return Reading((object_context(seen["prior"][0].output[0], query, key.mT),))


def rebuilt_object_context(head: Any, seen: Seen, reading: Reading) -> tuple[Tensor, Tensor]:
    """Rebuild the output of the object attention block.

    The gathered class features pass a convolution and its ReLU before the cells read them.
    """
    block, call = head.object_context_block, seen["object_context_block"][0]
    features = call.inputs[0]
    read = _through_nodes(reading.attentions[0], features, block.value_project)
    return block.bottleneck(torch.cat([block.out_project(read), features], 1)), call.output


def _through_nodes(
    attention: Attention, x: Float[Tensor, "1 c h w"], between: Callable[[Tensor], Tensor]
) -> Float[Tensor, "1 d h w"]:
    """Apply a low rank attention with the network's own transformation of the nodes in between."""
    by_nodes = cast(LowRank, attention)
    nodes = between((x.flatten(2) @ by_nodes.gather.mT)[..., None])
    return (nodes[..., 0] @ by_nodes.distribute.mT).unflatten(2, attention.shape)


def read_encoding(head: Any, seen: Seen) -> Reading:
    """Read EncNet's gates; a channel is multiplied by 1 plus its gate."""
    return Reading(gates={"channels": seen["enc_module.fc"][0].output})


def rebuilt_encoding(head: Any, seen: Seen, reading: Reading) -> tuple[Tensor, Tensor]:
    """Rebuild the output of the encoding module."""
    call = seen["enc_module"][0]
    (x,) = call.inputs
    return (x * (1 + reading.gates["channels"][0, :, None, None])).relu(), call.output[1]


# The bases have as many channels as the head, 512 in mmsegmentation's config and 64 here.
_EMA = {
    "type": "EMAHead", "ema_channels": 64, "num_bases": EMA_BASES, "num_stages": EMA_STAGES,
}  # fmt: skip
_SCALES = [f"acm_modules.{scale}" for scale in range(len(APC_GRIDS))]

HEADS = (
    Head("apcnet", {"type": "APCHead", "pool_scales": APC_GRIDS}),
    Head("emanet", _EMA),
    Head("ocr", {"type": "ObjectContextHead"}, inputs=(0, 1)),
    # EncHead's auxiliary loss, set so that it counts as usual without a warning.
    Head(
        "encnet",
        {
            "type": "EncHead",
            "loss_se_decode": {
                "type": "CrossEntropyLoss",
                "use_sigmoid": True,
                "loss_weight": 0.2,
                "avg_non_ignore": True,
            },
        },
        inputs=(0,),
    ),
)
READERS = (
    HeadMethod(
        method=METHODS["apcnet"],
        head="apcnet",
        watch=(*_SCALES, *(f"{scale}.gla" for scale in _SCALES)),
        read=read_adaptive,
        rebuilt=rebuilt_adaptive,
        alone=alone.adaptive,
    ),
    HeadMethod(
        method=METHODS["emanet"],
        head="emanet",
        watch=("ema_module",),
        read=read_expectation_maximisation,
        rebuilt=rebuilt_expectation_maximisation,
        replaces="ema_module",
    ),
    HeadMethod(
        method=METHODS["ocr"],
        head="ocr",
        watch=("prior", "object_context_block"),
        read=read_object_context,
        rebuilt=rebuilt_object_context,
        alone=alone.object_context,
    ),
    HeadMethod(
        method=METHODS["encnet"],
        head="encnet",
        watch=("enc_module", "enc_module.fc"),
        read=read_encoding,
        rebuilt=rebuilt_encoding,
    ),
)
