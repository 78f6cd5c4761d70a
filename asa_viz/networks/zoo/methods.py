"""All methods with a head: the head, and the reader of its attention."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from mmengine.registry import DefaultScope
from mmseg.registry import MODELS
from torch import nn

from asa_viz.catalogue.methods import METHODS
from asa_viz.networks.zoo import (
    classic,
    content,
    content_selection,
    dense,
    dense_blocks,
    gates,
    gates_of_cells,
    low_rank,
    low_rank_assignment,
    low_rank_graphs,
    pattern,
    pooled,
    predicted,
    predicted_synthesizer,
    shared,
    window,
)
from asa_viz.networks.zoo.record import Head, HeadMethod, ImageMethod

_MODULES = (
    content,
    content_selection,
    dense,
    dense_blocks,
    pattern,
    window,
    pooled,
    low_rank,
    low_rank_graphs,
    low_rank_assignment,
    predicted,
    predicted_synthesizer,
    shared,
    classic,
    gates,
    gates_of_cells,
)

HEADS: Mapping[str, Head] = MappingProxyType(
    {head.name: head for module in _MODULES for head in module.HEADS}
)
_READ: dict[str, HeadMethod | ImageMethod] = {
    reader.method.name: reader for module in _MODULES for reader in module.READERS
}
READERS: Mapping[str, HeadMethod | ImageMethod] = MappingProxyType(
    {name: _READ[name] for name in METHODS if name in _READ}
)


def build_head(head: Head, channels: tuple[int, ...], width: int, **settings: Any) -> nn.Module:
    """Build a decode head with random weights.

    `channels` are those of the stages, deepest first; `width` is the head's own; the rest goes to
    the head as it is (classes, losses).
    """
    if isinstance(head.inputs, int):
        inputs: dict[str, Any] = {"in_channels": channels[head.inputs], "in_index": head.inputs}
    else:
        stages = [channels[stage] for stage in head.inputs]
        inputs = {"in_channels": stages, "in_index": list(head.inputs)}
    shared = {
        "channels": width,
        "norm_cfg": {"type": "BN"},
        "align_corners": False,
        "loss_decode": {"type": "CrossEntropyLoss", "avg_non_ignore": True},
    }
    with DefaultScope.overwrite_default_scope("mmseg"):
        return MODELS.build(inputs | shared | settings | dict(head.settings))
