"""Heads with soft assignment of cells to nodes: Beyond Grids, EMANet and OCRNet.

The nodes of Beyond Grids have a ReLU; its output is rebuilt in two parts as in `low_rank_graphs`.
"""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from mmseg.models.decode_heads import FCNHead, OCRHead
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.registry import MODELS
from torch import Tensor, nn

from asa_viz.attention.low_rank import beyond_grids, expectation_maximisation, object_context
from asa_viz.catalogue import METHODS
from asa_viz.catalogue.settings import BEYOND_GRIDS_NODES, EMA_BASES, EMA_STAGES
from asa_viz.networks.capture import Seen
from asa_viz.networks.zoo import alone
from asa_viz.networks.zoo.low_rank import through_nodes
from asa_viz.networks.zoo.record import Head, HeadMethod, Reading


class SoftAssignment(nn.Module):
    """Cells belong to learned centres by their distance, each centre with widths of its own."""

    def __init__(self, channels: int, nodes: int) -> None:
        super().__init__()
        # About as long as the input features, so that the first assignment is soft.
        self.centres = nn.Parameter(torch.randn(nodes, channels) * channels**-0.5)
        self.spread = nn.Parameter(torch.zeros(nodes, channels))

    @property
    def widths(self) -> Float[Tensor, "k d"]:
        """The widths of each centre, between 0 and 1."""
        return self.spread.sigmoid()

    def forward(
        self, cells: Float[Tensor, "b d n"]
    ) -> tuple[Float[Tensor, "b k n"], Float[Tensor, "b k d"]]:
        """Return the shares of the centres in each cell, and how far theirs lie from each.

        The squares are multiplied out, so that no k x n x d array is formed.
        """
        narrow = self.widths**-2
        distance = narrow @ cells**2 - 2 * (narrow * self.centres) @ cells
        distance = distance + (narrow * self.centres**2).sum(-1, keepdim=True)
        shares = (-distance / 2).softmax(1)
        size = shares.sum(-1, keepdim=True)
        apart = (shares @ cells.mT - size * self.centres) / self.widths
        return shares, apart / size.clamp_min(1e-12)


@MODELS.register_module()
class GraphConvolutionalUnit(nn.Module):
    """Cells belong softly to learned centres, whose clusters read each other by likeness.

    Li, Gupta: Beyond Grids: Learning Graph Representations for Visual Recognition, NeurIPS 2018.
    One unit. The features that it groups are of length 1: no clusters of a trained network start
    the centres.
    """

    def __init__(self, channels: int, nodes: int = BEYOND_GRIDS_NODES) -> None:
        super().__init__()
        width = channels // 2
        self.project = nn.Conv2d(channels, width, 1)
        self.assign = SoftAssignment(width, nodes)
        self.update = nn.Linear(width, width, bias=False)
        self.out = nn.Conv2d(width, channels, 1)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Return `x` plus what the clusters give back to each cell."""
        shares, apart = self.assign(self.features(x).flatten(2))
        nodes = F.normalize(apart, dim=-1)
        nodes = self.update(nodes @ nodes.mT @ nodes).relu()
        mixed = nodes.mT @ shares
        return x + self.out(mixed.unflatten(2, x.shape[2:]))

    def features(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d h w"]:
        """Return what is grouped."""
        return F.normalize(self.project(x), dim=1)


def read_beyond_grids(head: Any, seen: Seen) -> Reading:
    """Read the unit from its features; centres and widths are its own."""
    block, x = head.block, seen["block"][0].inputs[0]
    assign = block.assign
    return Reading((beyond_grids(block.features(x)[0], assign.centres, assign.widths),))


def rebuilt_beyond_grids(head: Any, seen: Seen, reading: Reading) -> tuple[Tensor, Tensor]:
    """Rebuild the block's output.

    The rows read the means of the clusters. What comes beside is that nodes hold distances from
    the centres in units of the widths instead, and what their ReLU adds.
    """
    block, call = head.block, seen["block"][0]
    (x,) = call.inputs
    (shares,), (apart,) = seen["block.assign"][0].output
    nodes = F.normalize(apart, dim=-1)
    likeness = nodes @ nodes.mT
    means = apart * block.assign.widths + block.assign.centres
    read = likeness @ (means / apart.norm(dim=-1, keepdim=True))
    beside = block.update(likeness @ nodes).relu() - block.update(read)
    mixed = reading.attentions[0].mix(block.features(x)[0]).flatten(1).mT
    mixed = block.update(mixed).mT + beside.mT @ shares
    return x + block.out(mixed.view(1, -1, *x.shape[2:])), call.output


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
    read = through_nodes(reading.attentions[0], features, block.value_project)
    return block.bottleneck(torch.cat([block.out_project(read), features], 1)), call.output


# The bases have as many channels as the head, 512 in mmsegmentation's config and 64 here.
_EMA = {
    "type": "EMAHead", "ema_channels": 64, "num_bases": EMA_BASES, "num_stages": EMA_STAGES,
}  # fmt: skip

HEADS = (
    Head("beyond_grids", {"type": "BlockHead", "block": {"type": "GraphConvolutionalUnit"}}),
    Head("emanet", _EMA),
    Head("ocr", {"type": "ObjectContextHead"}, inputs=(0, 1)),
)
READERS = (
    HeadMethod(
        method=METHODS["beyond_grids"],
        head="beyond_grids",
        watch=("block", "block.assign"),
        read=read_beyond_grids,
        rebuilt=rebuilt_beyond_grids,
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
)
