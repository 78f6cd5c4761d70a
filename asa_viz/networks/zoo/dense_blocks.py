"""Dense heads that mmsegmentation lacks: OCNet's two, SAGAN's, and multi-head attention."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from mmcv.cnn import ConvModule
from mmseg.registry import MODELS
from torch import Tensor, nn

from asa_viz.attention.dense import embedded_gaussian, heads, ocnet_base
from asa_viz.attention.pattern import ocnet_pyramid
from asa_viz.catalogue import METHODS
from asa_viz.catalogue.settings import SAGAN_SHARE
from asa_viz.networks.capture import Seen
from asa_viz.networks.zoo.block_head import BlockHead
from asa_viz.networks.zoo.record import Head, HeadMethod, Reading

# No bias where the following softmax or normalisation would cancel it.
NORMALISED = {"norm_cfg": {"type": "BN"}, "act_cfg": None}


def attend(
    query: Float[Tensor, "b d h w"],
    key: Float[Tensor, "b d h w"],
    value: Float[Tensor, "b c h w"],
    *,
    heads: int = 1,
    scale: float | None = None,
) -> Float[Tensor, "b c h w"]:
    """Return softmax attention of maps, scaled by 1 / sqrt(d) of a head unless `scale` is given."""
    parts = [t.unflatten(1, (heads, -1)).flatten(-2).mT for t in (query, key, value)]
    own, read = parts[0].shape[-1], parts[2].shape[-1]
    # Torch avoids the n x n weights only for contiguous tensors of one width.
    q, k, v = (F.pad(t, (0, max(own, read) - t.shape[-1])).contiguous() for t in parts)
    mixed = F.scaled_dot_product_attention(q, k, v, scale=own**-0.5 if scale is None else scale)
    return mixed[..., :read].mT.reshape(value.shape)


class ObjectContext(nn.Module):
    """Attention with one map as queries and keys, inside each of splits x splits blocks."""

    def __init__(self, channels: int, values: int, splits: int = 1) -> None:
        super().__init__()
        self.splits = splits
        self.key = ConvModule(channels, channels // 2, 1, **NORMALISED)
        self.value = nn.Conv2d(channels, values, 1, bias=False)
        self.out = nn.Conv2d(values, channels, 1, bias=False)

    def splits_of(self, x: Float[Tensor, "b c h w"]) -> int:
        """Return the number of splits, at most the map's rows and columns."""
        return min(self.splits, *x.shape[-2:])

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Return the context of every cell, without its own feature."""
        splits = self.splits_of(x)
        bands = zip(_cut(self.key(x), splits, -2), _cut(self.value(x), splits, -2), strict=True)
        mixed = [
            torch.cat(
                [
                    attend(key, key, value)
                    for key, value in zip(
                        _cut(keys, splits, -1), _cut(values, splits, -1), strict=True
                    )
                ],
                -1,
            )
            for keys, values in bands
        ]
        return self.out(torch.cat(mixed, -2))


def _cut(tensor: Tensor, splits: int, dim: int) -> Sequence[Tensor]:
    """Cut into equal parts; the last one takes the remainder."""
    size = tensor.shape[dim]
    step = size // splits
    return tensor.split([step] * (splits - 1) + [size - step * (splits - 1)], dim)


class OCNetBlock(nn.Module):
    """Yuan et al., OCNet: Object Context for Semantic Segmentation, arXiv 1809.00916.

    The base class of its three forms, which differ in the features that the contexts attend to and
    in what is concatenated. As in the released code there is no activation; the head does the
    dropout.
    """

    contexts: nn.ModuleList

    def enter(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d h w"]:
        """Return the features that the contexts see."""
        return x

    def join(
        self, contexts: Sequence[Float[Tensor, "b d h w"]], x: Float[Tensor, "b c h w"]
    ) -> Float[Tensor, "b c h w"]:
        """Return the block's output from the contexts and its input."""
        raise NotImplementedError

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Return the contexts joined to the input."""
        features = self.enter(x)
        return self.join([context(features) for context in self.contexts], x)


@MODELS.register_module()
class BaseOCBlock(OCNetBlock):
    """OCNet's base object context: attention over the whole map, concatenated to the input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.contexts = nn.ModuleList([ObjectContext(channels, channels // 2)])
        self.joint = ConvModule(2 * channels, channels, 1, **NORMALISED)

    def join(self, contexts: Sequence[Tensor], x: Tensor) -> Tensor:
        """Return a convolution of context and input."""
        return self.joint(torch.cat([*contexts, x], 1))


@MODELS.register_module()
class ASPOCBlock(OCNetBlock):
    """OCNet's object context beside dilated convolutions, each branch of half the channels.

    The released code attends on a map of half the size; this is the paper's form, on the whole one.
    """

    def __init__(self, channels: int, dilations: Sequence[int] = (12, 24, 36)) -> None:
        super().__init__()
        inner = channels // 2
        self.entry = ConvModule(channels, inner, 3, padding=1, **NORMALISED)
        self.contexts = nn.ModuleList([ObjectContext(inner, inner)])
        self.leave = ConvModule(inner, inner, 1, **NORMALISED)
        self.branches = nn.ModuleList([ConvModule(channels, inner, 1, **NORMALISED)])
        for rate in dilations:
            self.branches.append(
                ConvModule(channels, inner, 3, padding=rate, dilation=rate, **NORMALISED)
            )
        self.joint = ConvModule(inner * (1 + len(self.branches)), channels, 1, **NORMALISED)

    def enter(self, x: Tensor) -> Tensor:
        """Return the narrowed features."""
        return self.entry(x)

    def join(self, contexts: Sequence[Tensor], x: Tensor) -> Tensor:
        """Return a convolution of the context and all branches."""
        branches = [branch(x) for branch in self.branches]
        return self.joint(torch.cat([self.leave(contexts[0]), *branches], 1))


@MODELS.register_module()
class SAGANBlock(nn.Module):
    """Zhang et al., Self-Attention Generative Adversarial Networks, arXiv 1805.08318.

    The widths are those of the released code: an eighth for queries and keys, half for values. Its
    max pooling of keys and values is left out, and so is the spectral norm, made for generators.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        narrow = max(1, channels // SAGAN_SHARE)
        self.query = nn.Conv2d(channels, narrow, 1, bias=False)
        self.key = nn.Conv2d(channels, narrow, 1, bias=False)
        self.value = nn.Conv2d(channels, channels // 2, 1, bias=False)
        self.out = nn.Conv2d(channels // 2, channels, 1, bias=False)
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Return `x` plus, times the gain, what each cell reads."""
        return x + self.gamma * self.out(
            attend(self.query(x), self.key(x), self.value(x), scale=1.0)
        )


@MODELS.register_module()
class MultiHeadBlock(nn.Module):
    """Vaswani et al., Attention Is All You Need, arXiv 1706.03762: its attention and its residual.

    The heads share the channels out among them. Feed-forward layers and normalisation belong to the
    Transformer around it and are left out.
    """

    def __init__(self, channels: int, heads: int = 8) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.out = (
            nn.Conv2d(channels, channels, 1, bias=False) for _ in range(4)
        )

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Return `x` plus what the heads read for each cell."""
        mixed = attend(self.query(x), self.key(x), self.value(x), heads=self.heads)
        return x + self.out(mixed)


def read_ocnet(head: Any, seen: Seen) -> Reading:
    """Read OCNet's attention, one part for each cut of the map."""
    block = head.block
    features = block.enter(seen["block"][0].inputs[0])
    parts = []
    for context in block.contexts:
        key, splits = context.key(features)[0], context.splits_of(features)
        parts.append(ocnet_base(key) if splits == 1 else ocnet_pyramid(key, splits))
    return Reading(tuple(parts))


def rebuilt_ocnet(head: Any, seen: Seen, reading: Reading) -> tuple[Tensor, Tensor]:
    """Rebuild an OCNet block's output: what the rows of each cut read of its values, joined."""
    block, call = head.block, seen["block"][0]
    (x,) = call.inputs
    features = block.enter(x)
    contexts = [
        context.out(part.mix(context.value(features)[0])[None])
        for context, part in zip(block.contexts, reading.attentions, strict=True)
    ]
    return block.join(contexts, x), call.output


def read_sagan(head: Any, seen: Seen) -> Reading:
    """Read SAGAN's unscaled softmax."""
    block, x = head.block, seen["block"][0].inputs[0]
    attention = embedded_gaussian(block.query(x)[0], block.key(x)[0], scaled=False)
    return Reading((attention,), gain=block.gamma.item())


def rebuilt_sagan(head: Any, seen: Seen, reading: Reading) -> tuple[Tensor, Tensor]:
    """Rebuild SAGAN's output: its input and, times the gain, what its rows read of the values."""
    block, call = head.block, seen["block"][0]
    (x,) = call.inputs
    mixed = reading.attentions[0].mix(block.value(x)[0])
    return x + block.gamma * block.out(mixed[None]), call.output


def read_multi_head(head: Any, seen: Seen) -> Reading:
    """Read the scaled softmax of every head."""
    block, x = head.block, seen["block"][0].inputs[0]
    query, key = (part(x)[0].unflatten(0, (block.heads, -1)) for part in (block.query, block.key))
    return Reading(tuple(heads(query, key)))


def rebuilt_multi_head(head: Any, seen: Seen, reading: Reading) -> tuple[Tensor, Tensor]:
    """Rebuild the block's output: its input, and what each head's rows read of its own values."""
    block, call = head.block, seen["block"][0]
    (x,) = call.inputs
    values = block.value(x)[0].unflatten(0, (block.heads, -1))
    mixed = [part.mix(value) for part, value in zip(reading.attentions, values, strict=True)]
    return x + block.out(torch.cat(mixed)[None]), call.output


_Read = Callable[[Any, Seen], Reading]
_Rebuilt = Callable[[Any, Seen, Reading], tuple[Tensor, Tensor]]
_METHODS: dict[str, tuple[type[nn.Module], _Read, _Rebuilt]] = {
    "ocnet_base": (BaseOCBlock, read_ocnet, rebuilt_ocnet),
    "ocnet_asp": (ASPOCBlock, read_ocnet, rebuilt_ocnet),
    "sagan": (SAGANBlock, read_sagan, rebuilt_sagan),
    "multi_head": (MultiHeadBlock, read_multi_head, rebuilt_multi_head),
}
HEADS = tuple(
    Head(name, {"type": BlockHead.__name__, "block": {"type": block.__name__}})
    for name, (block, _, _) in _METHODS.items()
)
READERS = tuple(
    HeadMethod(METHODS[name], name, ("block",), read, rebuilt, "block")
    for name, (_, read, rebuilt) in _METHODS.items()
)
