"""Synthesizer heads: the weights are predicted from one cell, or learned for each place."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from mmcv.cnn import ConvModule
from mmseg.registry import MODELS
from torch import Tensor, nn

from asa_viz.attention.predicted import dense_synthesizer, random_synthesizer
from asa_viz.catalogue import METHODS
from asa_viz.catalogue.settings import SYNTHESIZER_RANK
from asa_viz.catalogue.settings import SYNTHESIZER_SIDE as SIDE
from asa_viz.networks.capture import Seen
from asa_viz.networks.zoo.block_head import BlockHead
from asa_viz.networks.zoo.dense_blocks import attend
from asa_viz.networks.zoo.record import Head, HeadMethod, Reading


def _over(places: Float[Tensor, "m d"], height: int, width: int) -> Float[Tensor, "d h w"]:
    """Resize parameters learned for each place of the training grid bilinearly to a map."""
    grid = places.mT.reshape(1, -1, SIDE, SIDE)
    return F.interpolate(grid, (height, width), mode="bilinear", align_corners=False)[0]


class SynthesizerBlock(nn.Module):
    """Tay et al., Synthesizer: Rethinking Self-Attention in Transformer Models, arXiv 2005.00743.

    What its two forms share: values, and the way back to the block's input. One head.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.value = nn.Conv2d(channels, channels // 2, 1)
        self.out = nn.Conv2d(channels // 2, channels, 1)

    def _add(self, x: Tensor, query: Tensor, key: Tensor) -> Tensor:
        """Return `x` plus what is read where the logits are the products of query and key."""
        query, key = (t.expand(len(x), *t.shape[-3:]) for t in (query, key))
        return x + self.out(attend(query, key, self.value(x), scale=1.0))


@MODELS.register_module()
class DenseSynthesizerBlock(SynthesizerBlock):
    """Two layers predict each cell's row of logits, with one output for each place.

    The paper's sequences have a largest length. Here the outputs stand on the training grid; for
    another map the last layer's weights and biases are resized to it, so that the logits are those
    of the training grid between its places.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self.hidden = ConvModule(channels, channels // 2, 1)
        self.predict = nn.Conv2d(channels // 2, SIDE**2, 1)

    def last_layer(
        self, height: int, width: int
    ) -> tuple[Float[Tensor, "d h w"], Float[Tensor, "1 h w"]]:
        """Return the weights and the biases of the last layer, for each cell of the map."""
        return (
            _over(self.predict.weight[:, :, 0, 0], height, width),
            _over(self.predict.bias[:, None], height, width),  # type: ignore[index]
        )

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Return `x` plus what each cell reads by the weights that it predicts."""
        # The bias is the product of a constant query channel with one more key channel.
        hidden = F.pad(self.hidden(x), (0, 0, 0, 0, 0, 1), value=1.0)
        return self._add(x, hidden, torch.cat(self.last_layer(*x.shape[-2:])))


@MODELS.register_module()
class RandomSynthesizerBlock(SynthesizerBlock):
    """A learned matrix of logits, factorised; it does not depend on the content.

    Both are learned for the places of the training grid, and resized to the map.
    """

    def __init__(self, channels: int, rank: int = SYNTHESIZER_RANK) -> None:
        super().__init__(channels)
        # Random logits of variance 1 to start from.
        self.left, self.right = (
            nn.Parameter(torch.randn(SIDE**2, rank) * rank**-0.25) for _ in range(2)
        )

    def factors(
        self, height: int, width: int
    ) -> tuple[Float[Tensor, "k h w"], Float[Tensor, "k h w"]]:
        """Return the factors of the logits, over queries and over keys."""
        return _over(self.left, height, width), _over(self.right, height, width)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Return `x` plus what each place reads."""
        return self._add(x, *self.factors(*x.shape[-2:]))


def read_dense(head: Any, seen: Seen) -> Reading:
    """Read the dense Synthesizer from its hidden layer and its last one, resized to the map."""
    block, x = head.block, seen["block"][0].inputs[0]
    weight, bias = (part.flatten(1).mT for part in block.last_layer(*x.shape[-2:]))
    return Reading((dense_synthesizer(block.hidden(x)[0], weight, bias[:, 0]),))


def read_random(head: Any, seen: Seen) -> Reading:
    """Read the random Synthesizer, the same for all maps of a size."""
    x = seen["block"][0].inputs[0]
    return Reading((random_synthesizer(*head.block.factors(*x.shape[-2:])),))


def rebuilt(head: Any, seen: Seen, reading: Reading) -> tuple[Tensor, Tensor]:
    """Rebuild a Synthesizer block's output: its input, and what its rows read of the values."""
    block, call = head.block, seen["block"][0]
    (x,) = call.inputs
    mixed = reading.attentions[0].mix(block.value(x)[0])
    return x + block.out(mixed[None]), call.output


_METHODS: dict[str, tuple[type[nn.Module], Callable[[Any, Seen], Reading]]] = {
    "synthesizer_dense": (DenseSynthesizerBlock, read_dense),
    "synthesizer_random": (RandomSynthesizerBlock, read_random),
}
HEADS = tuple(
    Head(name, {"type": BlockHead.__name__, "block": {"type": block.__name__}})
    for name, (block, _) in _METHODS.items()
)
READERS = tuple(
    HeadMethod(METHODS[name], name, ("block",), read, rebuilt)
    for name, (_, read) in _METHODS.items()
)
