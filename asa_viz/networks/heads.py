"""Decode heads with an attention block: ASA, non-local, and own value only.

Each has two forms. As published, the block adds its output to its input, lies between two 3 x 3
convolutions, and the head's input is concatenated before the classifier. The *read only* form has
no sum, no concatenation, and 1 x 1 convolutions only: the block alone moves information between
cells, and a cell's class depends only on its attended values.
docs/decisions/0006-read-only-heads.md gives the reason.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from mmcv.cnn import ConvModule
from mmseg.models.decode_heads import FCNHead
from mmseg.registry import MODELS
from torch import Tensor

from asa_viz.attention.checks import Rule
from asa_viz.networks.blocks import ASABlock, AttentionBlock, NonLocalBlock, OwnValueBlock
from asa_viz.session import Affine

# Training targets of the shipped networks and heads: the mean support as a share of the cells, and
# the mean local scale.
SUPPORT_TARGET = 0.1
LOCAL_TARGET = 0.7
TARGETS = {"support_target": SUPPORT_TARGET, "local_target": LOCAL_TARGET}


def largest(n: int) -> int:
    """Return how many of n keys a fixed-size design keeps: the target support."""
    return max(1, round(SUPPORT_TARGET * n))


class AttentionHead(FCNHead):
    """Convolution, block, convolution, concatenation, classifier: NLHead with any attention block.

    With `read_only` both convolutions are 1 x 1, nothing is concatenated, and the block has no
    residual sum.
    """

    block_type: ClassVar[type[AttentionBlock | ASABlock]]

    def __init__(
        self,
        *,
        reduction: int = 2,
        use_scale: bool = True,
        mode: str = "embedded_gaussian",
        read_only: bool = False,
        block: dict[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        if mode != "embedded_gaussian":
            raise ValueError(f"Only softmax affinities have a mean of 1 / n; got mode {mode!r}.")
        if read_only:
            settings |= {"kernel_size": 1, "concat_input": False}
        super().__init__(num_convs=2, **settings)
        self.nl_block = self.block_type(
            self.channels, reduction=reduction, use_scale=use_scale, read_only=read_only,
            conv_cfg=self.conv_cfg, norm_cfg=self.norm_cfg, **(block or {}),
        )  # fmt: skip

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Return the logits of each class."""
        x = self._transform_inputs(inputs)
        return classify(self, x, self.nl_block(self.convs[0](x)))


@MODELS.register_module()
class NonLocalHead(AttentionHead):
    """AttentionHead with dense attention: NLHead, and its read only form."""

    block_type = NonLocalBlock


@MODELS.register_module()
class OwnValueHead(AttentionHead):
    """AttentionHead whose cells read their own values only: the control without attention."""

    block_type = OwnValueBlock


@MODELS.register_module()
class ASAHead(AttentionHead):
    """AttentionHead with adaptive sparse attention.

    A segmentation loss alone does not make attention sparse, so each rule has a target. With a
    `support_target`, a loss of weight `sparsity_weight` moves the log non-local scales up while the
    batch's mean support (as a share of the cells) is above the target, and down while it is below.
    With a `local_target`, `local_weight` times the squared distance pulls the mean local scale
    there; without it the local scales fall to 0 and every key of the window passes. Both act on all
    cells alike: differences between cells come from the segmentation loss.
    """

    block_type: ClassVar[type[AttentionBlock | ASABlock]] = ASABlock

    def __init__(
        self,
        *,
        window: int = 3,
        rule: Rule = "clean",
        support_target: float | None = None,
        sparsity_weight: float = 1.0,
        local_target: float | None = None,
        local_weight: float = 3.0,
        **settings: Any,
    ) -> None:
        block = {"window": window, "rule": rule} | settings.pop("block", {})
        super().__init__(block=block, **settings)
        self.support_target = support_target
        self.sparsity_weight = sparsity_weight
        self.local_target = local_target
        self.local_weight = local_weight

    def loss(
        self, inputs: Sequence[Tensor], batch_data_samples: list[Any], train_cfg: Any
    ) -> dict[str, Tensor]:
        """Return segmentation loss, mean support and scales, and with a target the push there."""
        x = self._transform_inputs(inputs)
        made = self.nl_block.attend(self.convs[0](x))
        losses = self.loss_by_feat(classify(self, x, made.output), batch_data_samples)
        scale = made.projections.nonlocal_scale
        local_mean = made.projections.local_scale.mean()
        support = made.support_size.mean() / made.support_size.shape[-1]
        losses["support"] = support
        losses["nonlocal_scale"] = scale.detach().mean()
        losses["local_scale"] = local_mean.detach()
        if self.local_target is not None:
            losses["loss_local"] = self.local_weight * (local_mean - self.local_target) ** 2
        if self.support_target is not None:
            excess = support - self.support_target
            losses["loss_sparsity"] = -self.sparsity_weight * excess * scale.log().mean()
        return losses


@torch.no_grad()
def layers_behind(head: AttentionHead) -> tuple[Affine, ...]:
    """Return the layers between a read only block and the class logits, applied cell by cell.

    Normalisation is folded into the convolution before it; dropout is off outside training.

    Raises:
        ValueError: the head is not read only: other cells influence a cell's class behind the
            block.
    """
    if not head.nl_block.read_only:
        raise ValueError("Behind a block as published, a cell's class depends on its neighbours.")
    layers = (head.nl_block.conv_out, head.convs[1])
    classifier = Affine(head.conv_seg.weight.flatten(1), head.conv_seg.bias, rectified=False)
    return (*map(_folded, layers), classifier)


def _folded(layer: ConvModule) -> Affine:
    weight, norm = layer.conv.weight.flatten(1), layer.norm
    factor = norm.weight * (norm.running_var + norm.eps).rsqrt()
    bias = norm.bias - norm.running_mean * factor
    return Affine(weight * factor[:, None], bias, rectified=layer.with_activation)


def classify(
    head: FCNHead, x: Float[Tensor, "b c h w"], mixed: Float[Tensor, "b d h w"]
) -> Float[Tensor, "b classes h w"]:
    """Return the logits of each class from the head's input and its block's output.

    Works for NLHead too: behind the block the two heads are the same.
    """
    mixed = head.convs[1](mixed)
    if head.concat_input:
        mixed = head.conv_cat(torch.cat([x, mixed], dim=1))
    return head.cls_seg(mixed)
