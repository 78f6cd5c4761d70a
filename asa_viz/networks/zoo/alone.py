"""Outputs of heads' submodules if every cell read its own value only: row i is e_i.

For heads whose rows are a product of several steps, in which no other rows can be substituted. Each
function takes the head and returns, by submodule, a function from the recorded calls and the
submodule's inputs to its output.
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from asa_viz.networks.capture import Seen

Alone = Callable[[Seen, tuple[Tensor, ...]], Any]


def criss_cross(head: Any) -> Mapping[str, Alone]:
    """CCNet: in each pass a cell adds the gain times its own value."""
    block = head.cca
    return {"cca": lambda _, inputs: inputs[0] + block.gamma(block.value_conv(inputs[0]))}


def interlaced(head: Any) -> Mapping[str, Alone]:
    """ISANet: in the long and in the short pass a cell projects its own value."""

    def of(block: Any) -> Alone:
        return lambda _, inputs: block.output_project(block.value_project(inputs[0]))

    return {part: of(getattr(head, part)) for part in ("global_relation", "local_relation")}


def pyramid(head: Any) -> Mapping[str, Alone]:
    """PSPNet: a cell stands for the mean of every bin that it lies in."""
    return {"psp_modules": lambda _, inputs: [conv(inputs[0]) for _, conv in head.psp_modules]}


def adaptive_context(head: Any) -> Mapping[str, Alone]:
    """APCNet: a cell stands for the regions of every scale."""

    def of(module: Any) -> Alone:
        def leaves(_: Seen, inputs: tuple[Tensor, ...]) -> Tensor:
            (x,) = inputs
            mixed = module.residual_conv(module.pooled_redu_conv(x))
            return module.fusion_conv((mixed + module.input_redu_conv(x)).relu())

        return leaves

    return {f"acm_modules.{i}": of(module) for i, module in enumerate(head.acm_modules)}


def object_context(head: Any) -> Mapping[str, Alone]:
    """OCRNet: a cell stands for the features of the classes."""
    block = head.object_context_block

    def leaves(_: Seen, inputs: tuple[Tensor, ...]) -> Tensor:
        features = inputs[0]
        read = block.out_project(block.value_project(features))
        return block.bottleneck(torch.cat([read, features], 1))

    return {"object_context_block": leaves}
