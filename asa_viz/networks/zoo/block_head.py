"""NLHead with any block, for blocks that mmsegmentation does not have."""

from collections.abc import Sequence
from typing import Any

from mmseg.models.decode_heads import FCNHead
from mmseg.registry import MODELS
from torch import Tensor

from asa_viz.networks.heads import classify


@MODELS.register_module()
class BlockHead(FCNHead):
    """Convolution, block, convolution, concatenation, classifier.

    `block` is the block's config; it is built with `channels`, its width at input and output.
    """

    def __init__(self, block: dict[str, Any], **settings: Any) -> None:
        super().__init__(num_convs=2, **settings)
        self.block = MODELS.build(block | {"channels": self.channels})

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Return the logits of each class."""
        x = self._transform_inputs(inputs)
        return classify(self, x, self.block(self.convs[0](x)))
