"""ASA as one head among the others, its ablations, and the floor: no attention at all."""

from typing import Any, Literal

import torch
from jaxtyping import Float
from mmseg.registry import MODELS
from torch import Tensor
from typing_extensions import override

from asa_viz.attention import METHODS, adaptive_sparse_weights
from asa_viz.attention.adaptive import adaptive_attention, released_attention
from asa_viz.attention.row import SparseAttention
from asa_viz.attention.what_if import AS_TRAINED, WhatIf
from asa_viz.networks.asa_head import ASABlock, ASAHead, BlockOutput, Projections
from asa_viz.networks.capture import Seen
from asa_viz.networks.zoo.dense import rebuilt_nonlocal
from asa_viz.networks.zoo.record import Head, HeadMethod, Reading

# The share of the cells that ASA is led to keep, and top-k keeps.
SUPPORT = 0.1
# No affinity reaches this multiple of a mean: the rule is off.
NEVER = 1e9

Ablation = Literal["nonlocal_only", "local_only", "fixed", "one_sided", "top_k"]


class AblatedASABlock(ASABlock):
    """An ASA block without one of its parts, for comparison.

    "nonlocal_only" and "local_only" have one rule of the two; "fixed" has both scales at 1 and
    learns none; "one_sided" keeps what is chosen, whether it chooses back or not; "top_k" keeps the
    largest tenth of every row and nothing else.
    """

    def __init__(self, *arguments: Any, ablation: Ablation, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.ablation = ablation
        unused = {
            "nonlocal_only": ("local_scale",),
            "local_only": ("nonlocal_scale",),
            "one_sided": (),
        }.get(ablation, ("nonlocal_scale", "local_scale"))
        for name in unused:
            getattr(self, name).requires_grad_(requires_grad=False)

    @override
    def project(self, x: Float[Tensor, "b c h w"]) -> Projections:
        parts = super().project(x)
        one = torch.ones_like(parts.local_scale)
        if self.ablation == "nonlocal_only":
            return parts._replace(local_scale=one * NEVER)
        if self.ablation == "local_only":
            return parts._replace(nonlocal_scale=one * NEVER)
        if self.ablation == "one_sided":
            return parts
        return parts._replace(nonlocal_scale=one, local_scale=one)

    @override
    def attend(self, x: Float[Tensor, "b c h w"]) -> BlockOutput:
        if self.ablation not in ("one_sided", "top_k"):
            return super().attend(x)
        parts = self.project(x)
        height, width = x.shape[-2:]
        if self.ablation == "one_sided":
            weights = adaptive_sparse_weights(
                parts.query, parts.key, parts.nonlocal_scale, parts.local_scale,
                height=height, width=width, window=self.window, scaled=self.use_scale,
                reciprocity=False,
            )  # fmt: skip
        else:
            scale = parts.query.shape[-1] ** -0.5 if self.use_scale else 1.0
            similarity = parts.query @ parts.key.mT * scale
            lowest = similarity.topk(largest(height * width)).values[..., -1:]
            weights = similarity.masked_fill(similarity < lowest, -torch.inf).softmax(-1)
        mixed = (weights @ parts.value).mT.reshape(*parts.value.mT.shape[:2], height, width)
        support_size = (weights > 0).sum(-1).to(weights)
        return BlockOutput(x + self.conv_out(mixed), support_size, None, parts)


def largest(n: int) -> int:
    """Return how many keys top-k keeps of n."""
    return max(1, round(SUPPORT * n))


@MODELS.register_module()
class AblatedASAHead(ASAHead):
    """ASAHead with a block that lacks one part."""

    def __init__(self, ablation: Ablation, **settings: Any) -> None:
        super().__init__(**settings)
        block = self.nl_block
        self.nl_block = AblatedASABlock(
            self.channels, ablation=ablation, reduction=block.reduction, use_scale=block.use_scale,
            window=block.window, conv_cfg=self.conv_cfg, norm_cfg=self.norm_cfg,
        )  # fmt: skip


def read_adaptive(head: Any, seen: Seen) -> Reading:
    """Read an ASA block, whole or without a part, from what entered it."""
    block, x = head.nl_block, seen["nl_block"][0].inputs[0]
    query, key, _, nonlocal_scale, local_scale = (part[0] for part in block.project(x))
    arguments = (query.contiguous(), key.contiguous(), nonlocal_scale, local_scale)
    height, width = x.shape[-2:]
    settings = {
        "height": height, "width": width, "window": block.window, "scaled": block.use_scale,
    }  # fmt: skip
    if block.rule == "released":
        return Reading((released_attention(*arguments, **settings),))
    what_if = AS_TRAINED
    if getattr(block, "ablation", None) == "one_sided":
        what_if = WhatIf(reciprocity=False)
    elif getattr(block, "ablation", None) == "top_k":
        what_if = WhatIf(top_k=largest(height * width), reciprocity=False, local_rule=False)
    sparse = SparseAttention.of(*arguments, **settings)
    return Reading((adaptive_attention(sparse, what_if),))


# Without thresholds that learn, a push towards a support teaches nothing.
_PUSHED = {"support_target": SUPPORT}

HEADS = (
    Head("fcn", {"type": "FCNHead", "num_convs": 2}),
    Head("asa", {"type": "ASAHead"} | _PUSHED),
    *(
        Head(f"asa_{name}", {"type": "AblatedASAHead", "ablation": name} | pushed)
        for name, pushed in {
            "nonlocal_only": _PUSHED, "local_only": {}, "fixed": {}, "one_sided": _PUSHED,
            "top_k": {},
        }.items()
    ),
    Head("asa_released", {"type": "ASAHead", "rule": "released"}),
)  # fmt: skip
ABLATIONS = tuple(head.name for head in HEADS if head.name not in ("fcn", "asa"))


def record(head: str) -> HeadMethod:
    """Return ASA as it is in one of the heads of this file."""
    return HeadMethod(METHODS["asa"], head, ("nl_block",), read_adaptive, rebuilt_nonlocal)


RECORDS = (record("asa"),)
