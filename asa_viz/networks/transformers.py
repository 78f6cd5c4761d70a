"""Reads the attention of vision transformer backbones, layer by layer and head by head.

Dosovitskiy et al.: An image is worth 16x16 words, ICLR 2021, arXiv 2010.11929.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from jaxtyping import Float
from mmseg.models.backbones import VisionTransformer
from torch import Tensor, nn

from asa_viz.attention.base import Attention
from asa_viz.attention.dense import heads
from asa_viz.attention.rowwise import SoftmaxAttention
from asa_viz.catalogue import METHODS
from asa_viz.networks.capture import Seen
from asa_viz.networks.zoo.record import HeadMethod, Reading

_PATCHES = "backbone.patch_embed"


@dataclass(frozen=True, eq=False)
class AmongTokens(SoftmaxAttention):
    """Softmax over cells and extra tokens; rows over the cells alone sum to less than one."""


def layers_of(network: Any) -> dict[str, HeadMethod]:
    """Return the readers of a transformer backbone's layers, by name, the last layer first.

    "layer 12" is the mean of its heads, "layer 12, head 3" one of them. Empty for any backbone
    that is not mmsegmentation's VisionTransformer.
    """
    backbone = network.backbone
    if not isinstance(backbone, VisionTransformer):
        return {}
    methods = {}
    for number in range(len(backbone.layers), 0, -1):
        attention = backbone.layers[number - 1].attn
        for head in (None, *range(attention.num_heads)):
            name = f"layer {number}" + ("" if head is None else f", head {head + 1}")
            part = f"backbone.layers.{number - 1}.attn"
            settings = {"attention": attention, "part": part, "head": head}
            methods[name] = HeadMethod(
                method=METHODS["multi_head"],
                head=name,
                watch=(_PATCHES, part, f"{part}.attn"),
                read=partial(_read, **settings),
                rebuilt=partial(_rebuilt, **settings),
                replaces=part,
            )
    return methods


def _read(_: Any, seen: Seen, *, attention: Any, part: str, head: int | None) -> Reading:
    """Read the softmax of every head of a layer, or of one."""
    every = _rows(attention, seen, part)
    return Reading(tuple(every) if head is None else (every[head],))


def _rebuilt(
    _head: nn.Module, seen: Seen, reading: Reading, *, attention: Any, part: str, head: int | None
) -> tuple[Tensor, Tensor]:
    """Rebuild the output of the layer's attention from its input and the attended values.

    The remainder of a row over cells is read from the class token.
    """
    rows: list[Attention] = list(_rows(attention, seen, part))
    if head is None:
        rows = list(reading.attentions)
    else:
        rows[head] = reading.attentions[0]
    _, _, value = _projected(attention, seen, part)
    shape, others = _layout(seen, value.shape[1])
    read = []
    for each, values in zip(rows, value, strict=True):
        cells = each.mix(values[others:].mT.unflatten(1, shape)).flatten(1).mT
        if others:
            share = 1 - each.mix(values.new_ones(1, *shape)).flatten()
            cells = cells + share[:, None] * values[0]
        read.append(cells)
    joined = torch.cat(read, -1)
    (own, _), call = seen[f"{part}.attn"][0].output, seen[part][0]
    ours = own.clone()
    ours[others:, 0] = attention.attn.out_proj(joined)
    return call.output - own.transpose(0, 1) + ours.transpose(0, 1), call.output


def _rows(attention: Any, seen: Seen, part: str) -> Sequence[SoftmaxAttention]:
    """Return the rows of every head, over the cells."""
    query, key, _ = _projected(attention, seen, part)
    shape, others = _layout(seen, query.shape[1])
    maps = (tokens[:, others:].mT.unflatten(2, shape) for tokens in (query, key))
    rows = heads(*maps)
    if not others:
        return rows
    scale = query.shape[-1] ** -0.5
    full = (scale * query[:, others:] @ key.mT).logsumexp(-1)
    return [
        AmongTokens(each.shape, each.key_shape, each.query, each.key, normaliser)
        for each, normaliser in zip(rows, full, strict=True)
    ]


def _projected(attention: Any, seen: Seen, part: str) -> list[Float[Tensor, "m t d"]]:
    """Return queries, keys and values of all tokens, for each of the m heads."""
    tokens = seen[part][0].inputs[0][0]
    inner = attention.attn
    every = nn.functional.linear(tokens, inner.in_proj_weight, inner.in_proj_bias)
    return [t.unflatten(-1, (inner.num_heads, -1)).transpose(0, 1) for t in every.chunk(3, -1)]


def _layout(seen: Seen, tokens: int) -> tuple[tuple[int, int], int]:
    """Return the grid of the cells and how many tokens come before them."""
    height, width = seen[_PATCHES][0].output[1]
    return (int(height), int(width)), tokens - int(height) * int(width)
