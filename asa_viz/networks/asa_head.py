"""The ASA decode head for mmsegmentation: NLHead with adaptive sparse attention in its block."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from mmcv.cnn import NonLocal2d
from mmseg.models.decode_heads import FCNHead
from mmseg.registry import MODELS
from torch import Tensor, nn
from torch.nn.functional import softplus

from asa_viz.attention.blockwise import attend
from asa_viz.attention.definition import Rule

# A scale is never exactly 0: its logarithm is what the thresholds compare.
SMALLEST_SCALE = 1e-4


class Projections(NamedTuple):
    """What the attention of a batch of maps is computed from; n = height x width, row by row."""

    query: Float[Tensor, "b n d"]
    key: Float[Tensor, "b n d"]
    value: Float[Tensor, "b n d"]
    nonlocal_scale: Float[Tensor, "b n"]
    local_scale: Float[Tensor, "b n"]


class BlockOutput(NamedTuple):
    """What a block made of its map, and on the way; the normaliser is None where none was formed.

    `output` is the map plus what each cell reads, the rest is `attend`'s and the block's own.
    """

    output: Float[Tensor, "b c h w"]
    support_size: Float[Tensor, "b n"]
    log_normaliser: Float[Tensor, "b n"] | None
    projections: Projections


class ASABlock(NonLocal2d):
    """A non-local block that keeps reciprocal and strong local neighbours only.

    `theta`, `phi`, `g` and `conv_out` are those of the non-local block, under the same names, so a
    dense checkpoint loads into it. A 3 x 3 convolution for each scale is added, followed by
    softplus and started near 1 (the published block has ReLU there, whose zeros make whole rows
    dense).
    """

    def __init__(
        self, in_channels: int, *, window: int = 3, rule: Rule = "clean", **settings: Any
    ) -> None:
        super().__init__(in_channels, mode="embedded_gaussian", **settings)
        self.window = window
        self.rule = rule
        self.nonlocal_scale = nn.Conv2d(in_channels, 1, 3, padding=1)
        self.local_scale = nn.Conv2d(in_channels, 1, 3, padding=1)
        for convolution in (self.nonlocal_scale, self.local_scale):
            # softplus of this is 1
            nn.init.constant_(convolution.bias, 0.5413)  # type: ignore[arg-type]

    def project(self, x: Float[Tensor, "b c h w"]) -> Projections:
        """Compute queries, keys, values and the two scales of every cell."""
        scales = (self.nonlocal_scale, self.local_scale)
        return Projections(
            *(part(x).flatten(2).mT for part in (self.theta, self.phi, self.g)),
            *(softplus(part(x)).flatten(1) + SMALLEST_SCALE for part in scales),
        )

    def attend(self, x: Float[Tensor, "b c h w"]) -> BlockOutput:
        """Return the block's output and what it came from."""
        projections = self.project(x)
        height, width = x.shape[-2:]
        mixed, support_size, log_normaliser = attend(
            *projections, height=height, width=width,
            window=self.window, scaled=self.use_scale, rule=self.rule,
        )  # fmt: skip
        mixed = mixed.mT.reshape(*mixed.shape[::2], height, width)
        return BlockOutput(x + self.conv_out(mixed), support_size, log_normaliser, projections)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Return `x` plus what each cell reads from its neighbours."""
        return self.attend(x).output


@MODELS.register_module()
class ASAHead(FCNHead):
    """Convolution, ASA block, convolution, concatenation, classifier: NLHead with another block.

    A segmentation loss alone does not ask for sparsity. With a `support_target` the head pushes the
    logarithm of its non-local scales, up while the mean support of the batch, as a share of the
    cells, lies above the target and down below it, with `sparsity_weight`. The push is the same
    everywhere: where scales differ from place to place it is the segmentation that wants it.
    """

    def __init__(
        self,
        reduction: int = 2,
        use_scale: bool = True,
        mode: str = "embedded_gaussian",
        window: int = 3,
        rule: Rule = "clean",
        support_target: float | None = None,
        sparsity_weight: float = 1.0,
        **settings: Any,
    ) -> None:
        if mode != "embedded_gaussian":
            raise ValueError(f"Only softmax affinities have a mean of 1 / n; got mode {mode!r}.")
        super().__init__(num_convs=2, **settings)
        self.support_target = support_target
        self.sparsity_weight = sparsity_weight
        self.nl_block = ASABlock(
            self.channels,
            reduction=reduction,
            use_scale=use_scale,
            window=window,
            rule=rule,
            conv_cfg=self.conv_cfg,
            norm_cfg=self.norm_cfg,
        )

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Return the logits of each class."""
        x = self._transform_inputs(inputs)
        return classify(self, x, self.nl_block(self.convs[0](x)))

    def loss(
        self, inputs: Sequence[Tensor], batch_data_samples: list[Any], train_cfg: Any
    ) -> dict[str, Tensor]:
        """Return segmentation loss, mean support and scale, and with a target the push there."""
        x = self._transform_inputs(inputs)
        made = self.nl_block.attend(self.convs[0](x))
        losses = self.loss_by_feat(classify(self, x, made.output), batch_data_samples)
        scale = made.projections.nonlocal_scale
        support = made.support_size.mean() / made.support_size.shape[-1]
        losses["support"] = support
        losses["scale"] = scale.detach().mean()
        if self.support_target is not None:
            excess = support - self.support_target
            losses["loss_sparsity"] = -self.sparsity_weight * excess * scale.log().mean()
        return losses


def classify(
    head: FCNHead, x: Float[Tensor, "b c h w"], mixed: Float[Tensor, "b d h w"]
) -> Float[Tensor, "b classes h w"]:
    """Return the logits of each class from the head's input and its block's output.

    For NLHead as well: behind the block the two heads are one.
    """
    mixed = head.convs[1](mixed)
    if head.concat_input:
        mixed = head.conv_cat(torch.cat([x, mixed], dim=1))
    return head.cls_seg(mixed)
