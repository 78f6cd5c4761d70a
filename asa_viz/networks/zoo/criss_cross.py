"""CCNet's criss-cross head in plain torch, without compiled operators."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from mmcv.cnn import Scale
from mmseg.models.decode_heads import FCNHead
from mmseg.registry import MODELS
from torch import Tensor, nn

from asa_viz.attention.base import Attention, Product
from asa_viz.attention.pattern import recurrent_criss_cross
from asa_viz.catalogue import METHODS
from asa_viz.catalogue.settings import CCNET_PASSES
from asa_viz.networks.capture import Seen
from asa_viz.networks.heads import classify
from asa_viz.networks.zoo.alone import criss_cross
from asa_viz.networks.zoo.record import Head, HeadMethod, Reading


class CrissCross(nn.Module):
    """One pass of criss-cross attention (Huang et al., CCNet, arXiv 1811.11721).

    Every cell reads its column and its row, in one softmax in which it is counted once. The
    parameters have the names and shapes of mmcv's `CrissCrossAttention`.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.query_conv = nn.Conv2d(channels, channels // 8, 1)
        self.key_conv = nn.Conv2d(channels, channels // 8, 1)
        # A key bias adds the same number to all logits of a query, which the softmax cancels.
        self.key_conv.get_parameter("bias").requires_grad_(False)
        self.value_conv = nn.Conv2d(channels, channels, 1)
        self.gamma = Scale(0.0)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Return `x` plus, times the gain, what each cell reads from its cross."""
        query, key, value = self.query_conv(x), self.key_conv(x), self.value_conv(x)
        height = x.shape[-2]
        own = torch.eye(height, dtype=torch.bool, device=x.device)
        # Both [b, h, w, keys]: up and down the cell's column without itself, and along its row.
        column = torch.einsum("bdhw,bdkw->bwhk", query, key).masked_fill(own, -torch.inf)
        row = torch.einsum("bdhw,bdhk->bhwk", query, key)
        weights = torch.cat([column.transpose(1, 2), row], -1).softmax(-1)
        read = torch.einsum("bhwk,bckw->bchw", weights[..., :height], value)
        read = read + torch.einsum("bhwk,bchk->bchw", weights[..., height:], value)
        return x + self.gamma(read)


@MODELS.register_module()
class CrissCrossHead(FCNHead):
    """CCHead: convolution, passes of one criss-cross block, convolution, concatenation, classifier.

    Checkpoints of mmsegmentation's CCHead load into it.
    """

    def __init__(self, recurrence: int = CCNET_PASSES, **settings: Any) -> None:
        super().__init__(num_convs=2, **settings)
        self.recurrence = recurrence
        self.cca = CrissCross(self.channels)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Return the logits of each class."""
        x = self._transform_inputs(inputs)
        mixed = self.convs[0](x)
        for _ in range(self.recurrence):
            mixed = self.cca(mixed)
        return classify(self, x, mixed)


def read_criss_cross(head: Any, seen: Seen) -> Reading:
    """Read the product of the passes, without gains: how far the two together reach."""
    block = head.cca
    entered = [call.inputs[0] for call in seen["cca"]]
    passes = [(block.query_conv(x)[0], block.key_conv(x)[0]) for x in entered]
    return Reading((recurrent_criss_cross(passes),), gain=block.gamma.scale.item())


def rebuilt_criss_cross(head: Any, seen: Seen, reading: Reading) -> tuple[Tensor, Tensor]:
    """Rebuild what leaves the last pass from what entered the first.

    Between the passes are the block's values, its gain and its residual input.
    """
    block, calls = head.cca, seen["cca"]
    (x,) = calls[0].inputs
    for attention in _passes(reading.attentions[0]):
        x = x + block.gamma(attention.mix(block.value_conv(x)[0]))
    return x, calls[-1].output


def _passes(attention: Attention) -> list[Attention]:
    """Return the factors of a product, the first to act first."""
    if isinstance(attention, Product):
        return _passes(attention.first) + _passes(attention.after)
    return [attention]


HEADS = (Head("ccnet", {"type": "CrissCrossHead"}),)
READERS = (
    HeadMethod(
        method=METHODS["ccnet"],
        head="ccnet",
        watch=("cca",),
        read=read_criss_cross,
        rebuilt=rebuilt_criss_cross,
        alone=criss_cross,
    ),
)
