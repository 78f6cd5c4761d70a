"""Distillation: trains a network on labels and on a teacher's class probabilities.

The labels show some classes in few pictures; a teacher trained on many more pictures knows them
better. The teacher is DeepLabV3 on MobileNetV2 without atrous branches: a projection of each pixel
and one of the image mean. It is used in training only.

Hinton, Vinyals, Dean: Distilling the knowledge in a neural network, arXiv 1503.02531.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from mmseg.models.segmentors import EncoderDecoder
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from asa_viz.networks.datasets import DATA_SETS
from asa_viz.networks.mobilenet import DEEPLAB_DILATION, DeepLabMobileNetV2
from asa_viz.networks.weights import WeightsError, read_weights

BACKGROUND = 0
IGNORED = 255
_HEAD = tuple(
    f"backbone.{part}." for part in ("aspp0", "image_pooling", "concat_projection", "logits")
)


class DeepLabTeacher(nn.Module):
    """DeepLabV3 on MobileNetV2 at output stride 8, its batch normalisation folded."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.backbone = DeepLabMobileNetV2(
            frozen=True, out_indices=(6,), norm_cfg=None, **DEEPLAB_DILATION
        )
        self.aspp0 = nn.Conv2d(320, 256, 1)
        self.image_pooling = nn.Conv2d(320, 256, 1)
        self.concat_projection = nn.Conv2d(512, 256, 1)
        self.logits = nn.Conv2d(256, classes, 1)

    @torch.inference_mode()
    def forward(self, pixels: Float[Tensor, "b 3 _ _"]) -> Float[Tensor, "b classes h w"]:
        """Return the logits of each class at stride 8; pixels from -1 to 1."""
        x = self.backbone(pixels)
        pooled = F.relu(self.image_pooling(x.mean((2, 3), keepdim=True)))
        own = F.relu(self.aspp0(x))
        joined = torch.cat([pooled.expand_as(own), own], 1)
        return self.logits(F.relu(self.concat_projection(joined)))


def load_teacher(path: str | Path) -> DeepLabTeacher:
    """Read a teacher from a file of weights; the file gives the number of classes.

    Raises:
        WeightsError: the file cannot be read or holds another network.
    """
    weights = read_weights(path)
    # A file without a `decode_head` counts as a backbone, its head included.
    own = {
        name.removeprefix("backbone.") if name.startswith(_HEAD) else name: value
        for name, value in weights.items()
    }
    if "logits.weight" not in own:
        raise WeightsError(f"{Path(path).name} holds no DeepLab network to learn from.")
    teacher = DeepLabTeacher(len(own["logits.weight"]))
    try:
        teacher.load_state_dict(own)
    except RuntimeError as error:
        raise WeightsError(f"{Path(path).name} is not the teacher's network: {error}") from error
    teacher.eval()
    return teacher.requires_grad_(requires_grad=False)


@MODELS.register_module()
class DistilledEncoderDecoder(EncoderDecoder):
    """EncoderDecoder whose training adds `weight` x KL(teacher || network), the mean over cells.

    `teacher` is a file of weights; without one this is plain EncoderDecoder, with the same weights
    under the same names. `data_set` names the facts that say which class may stand unannotated as
    background: a background pixel that the teacher gives to that class is not scored.
    """

    def __init__(
        self, *, data_set: str, teacher: str | None = None, weight: float = 0.5, **settings: Any
    ) -> None:
        super().__init__(**settings)
        # Inside a tuple it is not a submodule: neither optimiser nor checkpoint includes it.
        self._teacher = (load_teacher(teacher),) if teacher else ()
        self._weight = weight
        self._not_annotated = dict(DATA_SETS[data_set].not_annotated)
        self._class_index = DATA_SETS[data_set].classes.index

    def loss(self, inputs: Tensor, data_samples: list[SegDataSample]) -> dict[str, Tensor]:
        """Return the head's losses and, with a teacher, the distance to it."""
        if not self._teacher:
            return super().loss(inputs, data_samples)
        seen = self._teacher[0].to(inputs.device)(inputs).clone()
        for sample, logits in zip(data_samples, seen, strict=True):
            self._leave_out(sample, logits)
        with logits_behind(self.decode_head) as made:
            losses = super().loss(inputs, data_samples)
        losses["loss_teacher"] = self._weight * divergence(made[-1], seen)
        return losses

    def _leave_out(self, sample: SegDataSample, logits: Float[Tensor, "classes h w"]) -> None:
        """Ignore background pixels where the teacher sees the class left out of annotations."""
        name = Path(sample.img_path).name
        labels = sample.gt_sem_seg.data
        for prefix, class_name in self._not_annotated.items():
            if name.startswith(prefix):
                enlarged = F.interpolate(logits[None], labels.shape[-2:], mode="bilinear")[0]
                found = enlarged.argmax(0) == self._class_index(class_name)
                labels[(labels == BACKGROUND) & found] = IGNORED


@contextmanager
def logits_behind(head: Any) -> Iterator[list[Tensor]]:
    """Record the logits of a decode head, with gradients, while its loss is computed."""
    made: list[Tensor] = []
    hook = head.conv_seg.register_forward_hook(lambda *call: made.append(call[2]))
    try:
        yield made
    finally:
        hook.remove()


def divergence(
    logits: Float[Tensor, "b classes h w"], taught: Float[Tensor, "b known th tw"]
) -> Float[Tensor, ""]:
    """Return KL(teacher || network) in nats, the mean over cells; the teacher's map is resized.

    Classes of the network that the teacher does not know, the last ones, count as its background.
    """
    taught = F.interpolate(taught, logits.shape[-2:], mode="bilinear")
    known = logits[:, : taught.shape[1]]
    unknown = logits[:, [BACKGROUND, *range(taught.shape[1], logits.shape[1])]]
    joined = torch.cat([unknown.logsumexp(1, keepdim=True), known[:, 1:]], 1)
    each = F.kl_div(joined.log_softmax(1), taught.log_softmax(1), reduction="none", log_target=True)
    return each.sum(1).mean()
