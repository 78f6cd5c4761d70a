"""Records of methods in a network: the head, and the functions that read its attention."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from asa_viz.attention.base import Attention, mean_of
from asa_viz.catalogue.method import Method
from asa_viz.networks.capture import Seen
from asa_viz.networks.zoo.alone import Alone


@dataclass(frozen=True, eq=False)
class Reading:
    """The attention of one head on one image, with fixed weights.

    `attentions` are its parts: heads, scales, branches that are joined and not multiplied. Where
    there is no matrix of cells there are `gates` instead, by what they weigh: "channels" [g, c]
    (g sets of gates, one number a channel), "cells" [h, w], "matrix" [c, c] (channel to channel).
    `gain` is the learned number that the block multiplies by what is read, 1 where it has none.
    """

    attentions: tuple[Attention, ...] = ()
    gates: Mapping[str, Tensor] = field(default_factory=dict)
    gain: float = 1.0

    @property
    def shown(self) -> Attention | None:
        """The attention or the mean of its parts; None where there is no matrix of cells."""
        if len(self.attentions) > 1:
            return mean_of(self.attentions)
        return self.attentions[0] if self.attentions else None


@dataclass(frozen=True, eq=False)
class HeadMethod:
    """A method inside a trainable decode head.

    `head` names the head in `HEADS`, which may hold several methods. `watch` names the submodules
    whose calls are recorded for `read` and `rebuilt`, one image at a time. `rebuilt` returns the
    same tensor twice: computed from the reading's rows, and as the network computed it. `replaces`
    is the submodule with that output, where other attention on the same grid can be substituted:
    the head can then be run under other rows. Where that is impossible, `alone` returns for a head
    the submodules whose outputs change when every cell reads its own value, and the new outputs.
    """

    method: Method
    head: str
    watch: tuple[str, ...]
    read: Callable[[nn.Module, Seen], Reading]
    rebuilt: Callable[[nn.Module, Seen, Reading], tuple[Tensor, Tensor]]
    replaces: str | None = None
    alone: Callable[[Any], Mapping[str, Alone]] | None = None


@dataclass(frozen=True, eq=False)
class ImageMethod:
    """A method that computes its weights from the image itself, untrained; colours from 0 to 1."""

    method: Method
    read: Callable[[Float[Tensor, "3 h w"]], Reading]


@dataclass(frozen=True, eq=False)
class Head:
    """A decode head as data: its settings beside what all heads share.

    `inputs` is the backbone's stage that it reads, or several in the order in which it wants them:
    0 is the deepest, 1 the one before.
    """

    name: str
    settings: Mapping[str, Any]
    inputs: int | tuple[int, ...] = 0
