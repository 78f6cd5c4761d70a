"""Reads the attention of vision transformer backbones, layer by layer and head by head.

Dosovitskiy et al.: An image is worth 16x16 words, ICLR 2021, arXiv 2010.11929.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from mmseg.models.backbones import VisionTransformer
from torch import Tensor, nn

from asa_viz.attention.base import Attention
from asa_viz.attention.blockwise import blocks
from asa_viz.attention.rowwise import SoftmaxAttention
from asa_viz.catalogue import METHODS
from asa_viz.networks.capture import Seen
from asa_viz.networks.transformer_layers import Layer, StockLayer, timm_layer
from asa_viz.networks.zoo.record import HeadMethod, Reading


@dataclass(frozen=True, eq=False)
class AmongTokens(SoftmaxAttention):
    """Softmax over cells and extra tokens; rows over the cells alone sum to less than one."""


class Found(NamedTuple):
    """The readers of a backbone's layers, by name, and why others cannot be read."""

    methods: dict[str, HeadMethod]
    refused: tuple[str, ...]


def layers_of(network: Any) -> Found:
    """Return the readers of a transformer backbone's layers, by name, the last layer first.

    "layer 12" is the mean of its heads, "layer 12, head 3" one of them. There are none for a
    backbone without modules of attention of mmsegmentation's VisionTransformer or timm.
    """
    backbone = network.backbone
    layers: list[Layer | str] = []
    if isinstance(backbone, VisionTransformer):
        parts = (f"backbone.layers.{number}.attn" for number in range(len(backbone.layers)))
        layers += [
            StockLayer(network.get_submodule(part), part, "backbone.patch_embed") for part in parts
        ]
    else:
        found = (timm_layer(network, part) for part, _ in backbone.named_modules(prefix="backbone"))
        layers += [each for each in found if each is not None]
    methods = {}
    for number, layer in reversed(list(enumerate(layers, 1))):
        if isinstance(layer, str):
            continue
        for head in (None, *range(layer.heads)):
            name = f"layer {number}" + ("" if head is None else f", head {head + 1}")
            methods[name] = HeadMethod(
                method=METHODS["multi_head"],
                head=name,
                watch=layer.watch,
                read=partial(_read, layer=layer, head=head),
                rebuilt=partial(_rebuilt, layer=layer, head=head),
                replaces=layer.part,
            )
    return Found(methods, tuple(each for each in layers if isinstance(each, str)))


def _read(_: Any, seen: Seen, *, layer: Layer, head: int | None) -> Reading:
    """Read the softmax of every head of a layer, or of one."""
    every = _rows(layer, seen)
    return Reading(tuple(every) if head is None else (every[head],))


def _rebuilt(
    _head: nn.Module, seen: Seen, reading: Reading, *, layer: Layer, head: int | None
) -> tuple[Tensor, Tensor]:
    """Rebuild the output of the layer's attention from its input and the attended values.

    The remainder of a row over cells is read from the tokens before the cells, in the proportions
    of the network's own row.
    """
    rows: list[Attention] = list(_rows(layer, seen))
    if head is None:
        rows = list(reading.attentions)
    else:
        rows[head] = reading.attentions[0]
    query, key, value = layer.projected(seen)
    shape = layer.grid(seen)
    others = value.shape[1] - shape[0] * shape[1]
    read = []
    for m, (each, values) in enumerate(zip(rows, value, strict=True)):
        cells = each.mix(values[others:].mT.unflatten(1, shape)).flatten(1).mT
        if others:
            remainder = 1 - each.mix(values.new_ones(1, *shape)).flatten()
            before = (query[m, others:] @ key[m, :others].mT).softmax(-1) @ values[:others]
            cells = cells + remainder[:, None] * before
        read.append(cells)
    return layer.rebuilt(seen, torch.cat(read, -1))


def _rows(layer: Layer, seen: Seen) -> Sequence[SoftmaxAttention]:
    """Return the rows of every head, over the cells."""
    query, key, _ = layer.projected(seen)
    shape = layer.grid(seen)
    others = query.shape[1] - shape[0] * shape[1]
    # Exactly softmax attention where the cells are all tokens.
    kind = AmongTokens if others else SoftmaxAttention
    return [
        kind(shape, shape, queries, keys[others:].contiguous(), normaliser)
        for queries, keys, normaliser in zip(
            query[:, others:].contiguous(), key, _normalisers(query[:, others:], key), strict=True
        )
    ]


def _normalisers(
    query: Float[Tensor, "m n d"], key: Float[Tensor, "m t d"]
) -> Float[Tensor, "m n"]:
    """Return the log-sum-exp of each query's products with all tokens, for each head."""
    heads, tokens = key.shape[:2]
    each = blocks(query.shape[1], heads * tokens)
    return torch.cat([(query[:, rows] @ key.mT).logsumexp(-1) for rows in each], -1)
