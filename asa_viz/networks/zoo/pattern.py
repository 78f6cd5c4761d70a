"""Heads with a fixed pattern: criss-cross (CCNet), interlaced blocks (ISA), OCNet's pyramid."""

from collections.abc import Sequence
from functools import partial
from typing import Any, cast

import torch
from jaxtyping import Float
from mmcv.cnn import ConvModule, Scale
from mmseg.models.decode_heads import FCNHead
from mmseg.registry import MODELS
from torch import Tensor, nn

from asa_viz.attention.base import Attention, Product
from asa_viz.attention.pattern import Padded, interlaced, recurrent_criss_cross
from asa_viz.catalogue import METHODS
from asa_viz.catalogue.settings import CCNET_PASSES, ISA_BLOCK, OCNET_SPLITS
from asa_viz.networks.capture import Seen
from asa_viz.networks.heads import classify
from asa_viz.networks.zoo import alone
from asa_viz.networks.zoo.block_head import BlockHead
from asa_viz.networks.zoo.dense_blocks import (
    NORMALISED,
    ObjectContext,
    OCNetBlock,
    read_ocnet,
    rebuilt_ocnet,
)
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
    for attention in _factors(reading.attentions[0]):
        x = x + block.gamma(attention.mix(block.value_conv(x)[0]))
    return x, calls[-1].output


def _factors(attention: Attention) -> list[Attention]:
    """Return the factors of a product, the first to act first."""
    if isinstance(attention, Product):
        return _factors(attention.first) + _factors(attention.after)
    return [attention]


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


@MODELS.register_module()
class PyramidOCBlock(OCNetBlock):
    """OCNet's pyramid: several cuts of the map, each with keys and values of its own."""

    def __init__(self, channels: int, splits: Sequence[int] = OCNET_SPLITS) -> None:
        super().__init__()
        self.contexts = nn.ModuleList(ObjectContext(channels, channels, part) for part in splits)
        self.widen = ConvModule(channels, channels * len(splits), 1, **NORMALISED)
        self.joint = ConvModule(2 * channels * len(splits), channels, 1, **NORMALISED)

    def join(self, contexts: Sequence[Tensor], x: Tensor) -> Tensor:
        """Return a convolution of all contexts and as many maps made of the input."""
        return self.joint(torch.cat([self.widen(x), *contexts], 1))


HEADS = (
    Head("ccnet", {"type": "CrissCrossHead"}),
    # mmsegmentation has 256 channels of queries and keys in a head of 512; this is for one of 64.
    Head("isa", {"type": "ISAHead", "isa_channels": 32, "down_factor": ISA_BLOCK}),
    Head("ocnet_pyramid", {"type": BlockHead.__name__, "block": {"type": PyramidOCBlock.__name__}}),
)
READERS = (
    HeadMethod(
        method=METHODS["ccnet"],
        head="ccnet",
        watch=("cca",),
        read=read_criss_cross,
        rebuilt=rebuilt_criss_cross,
        alone=alone.criss_cross,
    ),
    HeadMethod(
        method=METHODS["isa"],
        head="isa",
        watch=("in_conv", "global_relation", "local_relation"),
        read=read_interlaced,
        rebuilt=rebuilt_interlaced,
        alone=alone.interlaced,
    ),
    HeadMethod(
        METHODS["ocnet_pyramid"], "ocnet_pyramid", ("block",), read_ocnet, rebuilt_ocnet, "block"
    ),
)
