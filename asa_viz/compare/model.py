"""A decode head on encoded pictures, as a model for mmengine's Runner."""

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.model import BaseModel
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from asa_viz.networks.capture import calls_of
from asa_viz.networks.distillation import divergence, logits_behind
from asa_viz.networks.hooks import start_attention
from asa_viz.networks.zoo.ensemble import logits_of
from asa_viz.networks.zoo.methods import build_head
from asa_viz.networks.zoo.record import Head

WIDTH = 64
TEACHER_WEIGHT = 0.5
SPREAD = 2.0


class HeadModel(BaseModel):
    """A decode head without its backbone: trained on crops of the stages' components."""

    head: Any

    def __init__(
        self,
        head: Head,
        channels: tuple[int, ...],
        loss: dict[str, Any],
        classes: int,
        width: int = WIDTH,
    ):
        super().__init__()
        built: Any = build_head(
            head, channels, width, num_classes=classes, dropout_ratio=0.1, loss_decode=loss
        )
        # Initialised here, once: otherwise the Runner would do it and reset the gains.
        built.init_weights()
        open_gains(built)
        self.head = built

    def forward(
        self,
        inputs: Sequence[Tensor],
        labels: Tensor,
        taught: Tensor | None = None,
        mode: str = "loss",
    ) -> Any:
        """Return the losses (mode "loss") or the logits on the grid of cells."""
        if mode != "loss":
            return logits_of(self.head, inputs)
        samples = [SegDataSample(gt_sem_seg=PixelData(data=label[None].long())) for label in labels]
        with logits_behind(self.head) as made:
            losses = self.head.loss(inputs, samples, {})
        if taught is not None:
            losses["loss_teacher"] = TEACHER_WEIGHT * divergence(made[-1], taught)
        return losses

    @torch.no_grad()
    def start(self, inputs: Sequence[Tensor]) -> None:
        """Initialise the head's attention block as in the shipped networks."""
        with calls_of(self.head, ["nl_block"]) as seen:
            logits_of(self.head, inputs)
        start_attention(self.head.nl_block, seen["nl_block"][0].inputs[0], SPREAD)


@torch.no_grad()
def open_gains(head: nn.Module) -> None:
    """Set gains initialised at 0 to 1: behind a zero gain attention gets no gradient at first.

    Such gains (a last normalisation's weight, a scalar before the residual sum) are meant for long
    schedules and pretrained networks. This is done for every head.
    """
    for name, parameter in head.named_parameters():
        if parameter.numel() == 1 and not name.endswith("bias") and not parameter.any():
            parameter.fill_(1.0)
    for module in head.modules():
        if isinstance(module, nn.BatchNorm2d) and not module.weight.any():
            nn.init.ones_(module.weight)
