"""Heads that the content makes sparse: ASA, and dynamic graph message passing (DGMN)."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from mmcv.cnn import ConvModule
from mmseg.registry import MODELS
from torch import Tensor, nn

from asa_viz.attention.content import adaptive_attention, dynamic_graph, released_attention
from asa_viz.attention.row import SparseAttention
from asa_viz.catalogue import METHODS
from asa_viz.catalogue.settings import DGMN_RATES, DGMN_SIDE
from asa_viz.networks.blocks import ASABlock
from asa_viz.networks.capture import Seen
from asa_viz.networks.heads import TARGETS
from asa_viz.networks.zoo.block_head import BlockHead
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


class Predicted(NamedTuple):
    """The predictions for a cell's k samples: positions and weights."""

    offsets: Float[Tensor, "b k 2 h w"]
    filters: Float[Tensor, "b k h w"]
    affinities: Float[Tensor, "b k h w"]


class Message(nn.Module):
    """Messages at one sampling rate: 3 x 3 displaced samples with predicted weights."""

    def __init__(self, channels: int, rate: int) -> None:
        super().__init__()
        self.rate = rate
        self.layer = nn.Conv2d(
            channels, 4 * DGMN_SIDE**2, DGMN_SIDE, padding=rate, dilation=rate, bias=False
        )

    def predict(self, x: Float[Tensor, "b c h w"]) -> Predicted:
        """Return offsets (down and right, in cells) and the logits of filters and affinities."""
        filters, offsets, affinities = self.layer(x).split(
            [DGMN_SIDE**2, 2 * DGMN_SIDE**2, DGMN_SIDE**2], 1
        )
        return Predicted(offsets.unflatten(1, (DGMN_SIDE**2, 2)), filters, affinities)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Return what each cell reads from its samples."""
        offsets, filters, affinities = self.predict(x)
        height, width = x.shape[-2:]
        reach = torch.arange(-(DGMN_SIDE // 2), DGMN_SIDE // 2 + 1, device=x.device) * self.rate
        start = torch.stack(torch.meshgrid(reach, reach, indexing="ij")).flatten(1).mT
        cells = torch.stack(
            torch.meshgrid(
                torch.arange(height, device=x.device),
                torch.arange(width, device=x.device),
                indexing="ij",
            )
        )
        places = offsets + start[:, :, None, None] + cells
        # To grid_sample the map's edges lie at -1 and 1, and a place is (right, down).
        size = places.new_tensor([height, width])[:, None, None]
        grid = ((2 * places + 1) / size - 1).flip(2).permute(0, 1, 3, 4, 2).flatten(1, 2)
        samples = F.grid_sample(x, grid, align_corners=False).unflatten(2, (DGMN_SIDE**2, height))
        weights = filters.softmax(1) * affinities.sigmoid()
        return torch.einsum("bckhw,bkhw->bchw", samples, weights)


@MODELS.register_module()
class DGMNBlock(nn.Module):
    """Zhang et al., Dynamic Graph Message Passing Networks, arXiv 1908.06955.

    As in the released code: a quarter of the channels, one filter for all of them, and the rates,
    in cells.
    """

    def __init__(self, channels: int, rates: Sequence[int] = DGMN_RATES) -> None:
        super().__init__()
        inner = channels // 4
        norm = {"type": "BN"}
        self.narrow = ConvModule(channels, inner, 1, norm_cfg=norm)
        self.messages = nn.ModuleList(Message(inner, rate) for rate in rates)
        self.joint = ConvModule(inner * (1 + len(rates)), inner, 1, norm_cfg=norm)
        self.widen = ConvModule(inner, channels, 1, norm_cfg=norm)

    def join(
        self,
        features: Float[Tensor, "b d h w"],
        messages: Sequence[Float[Tensor, "b d h w"]],
        x: Float[Tensor, "b c h w"],
    ) -> Float[Tensor, "b c h w"]:
        """Return the block's output from its narrowed features, the messages and its input."""
        return x + self.widen(self.joint(torch.cat([features, *messages], 1)))

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Return `x` plus what the messages of all rates make of it."""
        features = self.narrow(x)
        return self.join(features, [message(features) for message in self.messages], x)


def read_dynamic_graph(head: Any, seen: Seen) -> Reading:
    """Read the samples of every rate from what is predicted for them."""
    features = head.block.narrow(seen["block"][0].inputs[0])
    return Reading(
        tuple(
            dynamic_graph(*(part[0] for part in message.predict(features)), rate=message.rate)
            for message in head.block.messages
        )
    )


def rebuilt_dynamic_graph(head: Any, seen: Seen, reading: Reading) -> tuple[Tensor, Tensor]:
    """Rebuild the block's output from what the rows of every rate read of the narrow features."""
    block, call = head.block, seen["block"][0]
    (x,) = call.inputs
    features = block.narrow(x)
    messages = [part.mix(features[0])[None] for part in reading.attentions]
    return block.join(features, messages, x), call.output


HEADS = (
    Head("asa", {"type": "ASAHead", "read_only": True} | TARGETS),
    Head("dgmn", {"type": BlockHead.__name__, "block": {"type": DGMNBlock.__name__}}),
)
READERS = (
    HeadMethod(METHODS["asa"], "asa", ("nl_block",), read_adaptive, rebuilt_nonlocal, "nl_block"),
    HeadMethod(METHODS["dgmn"], "dgmn", ("block",), read_dynamic_graph, rebuilt_dynamic_graph),
)
