"""PSANet's point-wise spatial attention head in plain torch, without the compiled operator."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from mmcv.cnn import ConvModule
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.registry import MODELS
from torch import Tensor, nn

from asa_viz.attention.base import Attention, Resize, chain
from asa_viz.attention.few_keys import FewKeys
from asa_viz.attention.predicted import Direction, pointwise
from asa_viz.catalogue import METHODS
from asa_viz.catalogue.settings import PSA_MASK
from asa_viz.networks.capture import Seen
from asa_viz.networks.zoo.alone import Alone
from asa_viz.networks.zoo.record import Head, HeadMethod, Reading


class Shrunk(NamedTuple):
    """The half-size map on which the head works, and how maps are resized to it and back."""

    shape: tuple[int, int]
    align_corners: bool


@MODELS.register_module()
class PointwiseHead(BaseDecodeHead):
    """PSAHead in both directions (Zhao et al., PSANet, ECCV 2018), its masks spread in torch.

    Parameters have the names of mmsegmentation's PSAHead, so that its checkpoints load. There the
    1 x 1 projection pads its map by a `border` of one cell, which the authors' code does not:
    for such a checkpoint the border is 1. Masks of `mask_size` are centred on a cell of the map
    shrunk to half; places of the map that lie off the mask have the logit 0.
    """

    def __init__(self, mask_size: tuple[int, int], border: int = 0, **settings: Any) -> None:
        super().__init__(**settings)
        self.mask_size = mask_size
        self.border = border
        self.reduce = self._pointwise(self.in_channels, self.channels)
        self.attention = self._predictor()
        self.reduce_p = self._pointwise(self.in_channels, self.channels)
        self.attention_p = self._predictor()
        self.proj = self._pointwise(2 * self.channels, self.in_channels, padding=border)
        self.bottleneck = self._convolution(2 * self.in_channels, self.channels, 3, padding=1)

    def _convolution(self, inputs: int, outputs: int, kernel: int, padding: int) -> ConvModule:
        shared = {"conv_cfg": self.conv_cfg, "norm_cfg": self.norm_cfg, "act_cfg": self.act_cfg}
        return ConvModule(inputs, outputs, kernel, padding=padding, **shared)

    def _pointwise(self, inputs: int, outputs: int, padding: int = 0) -> ConvModule:
        return self._convolution(inputs, outputs, 1, padding)

    def _predictor(self) -> nn.Sequential:
        places = self.mask_size[0] * self.mask_size[1]
        return nn.Sequential(
            self._pointwise(self.channels, self.channels),
            nn.Conv2d(self.channels, places, 1, bias=False),
        )

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Return the logits of each class."""
        x = self._transform_inputs(inputs)
        shape, small = x.shape[2:], shrunk(*x.shape[2:])
        to_collect = resize(self.reduce(x), *small)
        to_distribute = resize(self.reduce_p(x), *small)
        places, on_mask = relative_places(small.shape, self.mask_size, x.device)
        collect = spread(self.attention(to_collect), places, on_mask)
        # A distributing mask is centred on the key, so the matrix is transposed.
        distribute = spread(self.attention_p(to_distribute), places, on_mask).mT
        read = [
            (values.flatten(2) @ logits.softmax(1)).unflatten(2, small.shape)
            for values, logits in ((to_collect, collect), (to_distribute, distribute))
        ]
        context = resize(self.proj(torch.cat(read, 1)), shape, small.align_corners)
        return self.cls_seg(self.bottleneck(torch.cat([x, context], 1)))


def shrunk(height: int, width: int) -> Shrunk:
    """Return mmsegmentation's half-size map: corners aligned where both sides are odd."""
    odd = bool(height % 2 and width % 2)
    # A side of one cell is kept, so that there is a key.
    return Shrunk((max(1, (height + odd) // 2), max(1, (width + odd) // 2)), odd)


def resize(
    x: Float[Tensor, "b c h w"], shape: Sequence[int], align_corners: bool
) -> Float[Tensor, "b c H W"]:
    """Resize maps bilinearly."""
    return F.interpolate(x, tuple(shape), mode="bilinear", align_corners=align_corners)


def relative_places(
    shape: tuple[int, int], mask_size: tuple[int, int], device: torch.device
) -> tuple[Tensor, Tensor]:
    """Return where on the mask of cell `at` cell `to` lies, and whether it does, both [to, at]."""
    # Along one side: [to, at], the place counted from the mask's first.
    rows, cols = (
        cells[:, None] - cells + (length - 1) // 2
        for cells, length in zip(
            (torch.arange(size, device=device) for size in shape), mask_size, strict=True
        )
    )
    on_rows, on_cols = (
        (offsets >= 0) & (offsets < length)
        for offsets, length in zip((rows, cols), mask_size, strict=True)
    )
    n = shape[0] * shape[1]
    places = rows[:, None, :, None] * mask_size[1] + cols[None, :, None, :]
    on_mask = on_rows[:, None, :, None] & on_cols[None, :, None, :]
    return places.where(on_mask, 0).reshape(n, n), on_mask.reshape(n, n)


def spread(
    masks: Float[Tensor, "b k h w"], places: Tensor, on_mask: Tensor
) -> Float[Tensor, "b n n"]:
    """Spread each cell's mask over the map: [to, at] is the logit of `at`'s mask at `to`."""
    flat = masks.flatten(2)
    return flat.gather(1, places.expand(len(flat), -1, -1)).where(on_mask, 0)


def _whole(attention: Attention, small: Shrunk, shape: tuple[int, int], border: int) -> Attention:
    """Return attention on the full map from that on the half-size map, by resizing."""
    (height, width), like = small.shape, attention.like
    cells = torch.arange(height * width, device=like.device).view(1, height, width)
    keys = F.pad(cells, (border,) * 4, value=height * width)[0]
    padded = (keys.shape[0], keys.shape[1])
    keys = keys.reshape(-1, 1)
    # The cells of the border contribute nothing.
    with_border = FewKeys(padded, small.shape, keys, torch.ones_like(keys, dtype=like.dtype))
    down = Resize(small.shape, shape, like, small.align_corners)
    up = Resize(shape, padded, like, small.align_corners)
    return chain(up, with_border, attention, down)


def _record(direction: Direction) -> HeadMethod:
    """Return the record of one of the two directions."""
    suffix = {"collect": "", "distribute": "_p"}[direction]
    reduce, predict = f"reduce{suffix}", f"attention{suffix}"

    def read(head: Any, seen: Seen) -> Reading:
        """Read one direction from its masks, as attention of the whole map."""
        masks, (height, width) = seen[predict][0].output[0], seen[reduce][0].output.shape[2:]
        attention = pointwise(masks, head.mask_size, direction)
        return Reading((_whole(attention, shrunk(height, width), (height, width), head.border),))

    def rebuilt(head: Any, seen: Seen, reading: Reading) -> tuple[Tensor, Tensor]:
        """Rebuild what the direction reads of its values, at the size of the whole map.

        The network joins both directions, projects them with a ReLU, and resizes only then.
        """
        values = seen[reduce][0].output
        (joined,) = seen["proj"][0].inputs
        half = joined.chunk(2, 1)[0 if direction == "collect" else 1]
        bordered = F.pad(half, (head.border,) * 4)
        align_corners = shrunk(*values.shape[2:]).align_corners
        return (
            reading.attentions[0].mix(values[0]),
            resize(bordered, values.shape[2:], align_corners)[0],
        )

    def alone(head: Any) -> Mapping[str, Alone]:
        """Return the outputs if cells of the half-size map read their own values."""

        def leaves(seen: Seen, _: tuple[Tensor, ...]) -> Tensor:
            (x,) = seen[reduce][0].inputs
            small = shrunk(*x.shape[2:])
            both = [resize(part(x), *small) for part in (head.reduce, head.reduce_p)]
            # Calls `forward` directly, to bypass the hook that calls this function.
            return head.proj.forward(torch.cat(both, 1))

        return {"proj": leaves}

    return HeadMethod(
        method=METHODS[f"psanet_{direction}"],
        head="psanet",
        watch=(reduce, predict, "proj"),
        read=read,
        rebuilt=rebuilt,
        alone=alone,
    )


HEADS = (Head("psanet", {"type": "PointwiseHead", "mask_size": PSA_MASK}),)
READERS = (_record("collect"), _record("distribute"))
