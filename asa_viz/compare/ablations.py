"""Ablations of ASA as decode heads, with the readers of their rows."""

from typing import Any, Literal

import torch
from jaxtyping import Float
from mmseg.registry import MODELS
from torch import Tensor, nn
from torch.nn.functional import softplus
from typing_extensions import override

from asa_viz.attention import adaptive_sparse_weights
from asa_viz.attention.content import adaptive_attention
from asa_viz.attention.module import BlockOutput, Projections
from asa_viz.attention.what_if import WhatIf
from asa_viz.catalogue import METHODS
from asa_viz.networks.blocks import ASABlock
from asa_viz.networks.capture import Seen
from asa_viz.networks.heads import LOCAL_TARGET, ASAHead, largest
from asa_viz.networks.zoo.content import read_adaptive, sparse_attention
from asa_viz.networks.zoo.dense import rebuilt_nonlocal
from asa_viz.networks.zoo.record import HeadMethod, Reading

# A factor that no affinity reaches: it switches a rule off.
NEVER = 1e9

Ablation = Literal["nonlocal_only", "local_only", "fixed", "one_sided", "top_k"]


class AblatedASABlock(ASABlock):
    """An ASA block without one of its parts.

    "nonlocal_only" and "local_only" keep one of the two rules. "fixed" has one non-local scale for
    all cells, trained only by the loss on the mean support, and the local scale at its target.
    "one_sided" keeps chosen keys whether or not they choose back. "top_k" keeps the largest tenth
    of every row.
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
        # softplus of this is 1
        self.shared_scale = nn.Parameter(torch.tensor(0.5413), requires_grad=ablation == "fixed")

    @override
    def project(self, x: Float[Tensor, "b c h w"]) -> Projections:
        parts = super().project(x)
        one = torch.ones_like(parts.local_scale)
        if self.ablation == "nonlocal_only":
            return parts._replace(local_scale=one * NEVER)
        if self.ablation == "local_only":
            return parts._replace(nonlocal_scale=one * NEVER)
        if self.ablation == "fixed":
            shared = softplus(self.shared_scale)
            return parts._replace(nonlocal_scale=one * shared, local_scale=one * LOCAL_TARGET)
        return parts

    @override
    def attend(self, x: Float[Tensor, "b c h w"]) -> BlockOutput:
        parts = self.project(x)
        height, width = x.shape[-2:]
        if self.ablation == "fixed":
            # The segmentation loss does not train the scale; the support loss, which reads `parts`,
            # does.
            fixed = parts._replace(nonlocal_scale=parts.nonlocal_scale.detach())
            return self.read(x, fixed)._replace(projections=parts)
        if self.ablation == "one_sided":
            weights = adaptive_sparse_weights(
                parts.query, parts.key, parts.nonlocal_scale, parts.local_scale,
                height=height, width=width, window=self.window, scaled=self.use_scale,
                reciprocity=False,
            )  # fmt: skip
        elif self.ablation == "top_k":
            scale = parts.query.shape[-1] ** -0.5 if self.use_scale else 1.0
            similarity = parts.query @ parts.key.mT * scale
            lowest = similarity.topk(largest(height * width)).values[..., -1:]
            weights = similarity.masked_fill(similarity < lowest, -torch.inf).softmax(-1)
        else:
            return self.read(x, parts)
        support_size = (weights > 0).sum(-1).to(weights)
        return BlockOutput(self.write(x, weights @ parts.value), support_size, None, parts)


@MODELS.register_module()
class AblatedASAHead(ASAHead):
    """ASAHead with an ablated block."""

    block_type = AblatedASABlock

    def __init__(self, ablation: Ablation, **settings: Any) -> None:
        super().__init__(block={"ablation": ablation}, **settings)


def read_ablated(head: Any, seen: Seen) -> Reading:
    """Read an ablated ASA block's attention from its input."""
    block, x = head.nl_block, seen["nl_block"][0].inputs[0]
    height, width = x.shape[-2:]
    if block.ablation == "top_k":
        k = largest(height * width)
        what_if = WhatIf(top_k=k, reciprocity=False, local_rule=False)
    elif block.ablation == "one_sided":
        what_if = WhatIf(reciprocity=False)
    else:
        return read_adaptive(head, seen)
    return Reading((adaptive_attention(sparse_attention(block, x), what_if),))


def record(head: str, *, ablated: bool) -> HeadMethod:
    """Return the record of ASA in a head, whole or ablated."""
    read = read_ablated if ablated else read_adaptive
    return HeadMethod(METHODS["asa"], head, ("nl_block",), read, rebuilt_nonlocal)
