"""The arms of the experiment: ASA, its ablations and controls, each in two forms.

Every arm exists as published (residual sum, 3 x 3 convolutions, concatenation) and as read only
(the block's output and 1 x 1 convolutions alone). `nonlocal` has mmsegmentation's initialisation;
every other arm with a block has that of the shipped networks, so that `nonlocal_started` and `asa`
differ in the rule alone. Pyramid pooling is a positive control: an experiment that cannot
distinguish it from no context could show nothing. Arms have the width and the learning rate of the
shipped networks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmseg.models.decode_heads import FCNHead
from mmseg.registry import MODELS
from torch import Tensor, nn

from asa_viz.catalogue import METHODS
from asa_viz.catalogue.settings import PYRAMID_GRIDS
from asa_viz.compare.ablations import record
from asa_viz.networks.heads import TARGETS
from asa_viz.networks.zoo.dense import read_embedded_gaussian, rebuilt_nonlocal
from asa_viz.networks.zoo.record import Head, HeadMethod

FORMS = ("published", "read_only")
WIDTH = 128
RATE = 2e-3


@dataclass(frozen=True, eq=False)
class Arm:
    """One head of the experiment; `started` if `start_attention` initialises its queries and keys.

    Without `width` (channels) and `rate` those of the other designs are used.
    """

    head: Head
    started: bool
    methods: tuple[HeadMethod, ...]
    width: int | None = WIDTH
    rate: float | None = RATE


@MODELS.register_module()
class PooledHead(FCNHead):
    """Pyramid pooling, read only: the class of a cell from the means over bins around it alone.

    Zhao, Shi, Qi, Wang, Jia: Pyramid scene parsing network, CVPR 2017, arXiv 1612.01105.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(num_convs=2, kernel_size=1, concat_input=False, **settings)
        layers = {"norm_cfg": self.norm_cfg, "act_cfg": self.act_cfg}
        self.scales = nn.ModuleList(
            ConvModule(self.channels, self.channels // 4, 1, **layers) for _ in PYRAMID_GRIDS
        )

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Return the logits of each class."""
        entering = self.convs[0](self._transform_inputs(inputs))
        pooled = [
            F.interpolate(
                scale(F.adaptive_avg_pool2d(entering, bins)), entering.shape[-2:], mode="bilinear"
            )
            for scale, bins in zip(self.scales, PYRAMID_GRIDS, strict=True)
        ]
        return self.cls_seg(self.convs[1](torch.cat(pooled, 1)))


_ASA: Mapping[str, dict[str, Any]] = {
    "asa": {"type": "ASAHead"} | TARGETS,
    "asa_released": {"type": "ASAHead", "rule": "released"},
    **{
        f"asa_{part}": {"type": "AblatedASAHead", "ablation": part} | targets
        for part, targets in {
            "fixed": {"support_target": TARGETS["support_target"]},
            "top_k": {},
            "one_sided": TARGETS,
            "nonlocal_only": {"support_target": TARGETS["support_target"]},
            "local_only": {"local_target": TARGETS["local_target"]},
        }.items()
    },
}


def _arms(form: str) -> dict[str, Arm]:
    read_only: dict[str, Any] = {"read_only": form == "read_only"}
    plain: dict[str, Any] = {"type": "FCNHead", "num_convs": 2}
    pooled: dict[str, Any] = {"type": "PSPHead", "pool_scales": PYRAMID_GRIDS}
    if form == "read_only":
        plain, pooled = {"type": "OwnValueHead"} | read_only, {"type": "PooledHead"}

    def head(name: str, settings: dict[str, Any]) -> Head:
        return Head(f"{name}_{form}", settings)

    def dense(name: str) -> tuple[HeadMethod, ...]:
        return (
            HeadMethod(
                METHODS["nonlocal_embedded_gaussian"], f"{name}_{form}", ("nl_block",),
                read_embedded_gaussian, rebuilt_nonlocal,
            ),
        )  # fmt: skip

    arms = {
        "fcn": Arm(head("fcn", plain), started=False, methods=()),
        "pyramid_pooling": Arm(head("pyramid_pooling", pooled), started=False, methods=()),
    }
    for name, started in (("nonlocal", False), ("nonlocal_started", True)):
        settings = {"type": "NonLocalHead"} | read_only
        arms[name] = Arm(head(name, settings), started, dense(name))
    for name, settings in _ASA.items():
        asked = record(f"{name}_{form}", ablated="ablation" in settings)
        arms[name] = Arm(head(name, settings | read_only), started=True, methods=(asked,))
    return {arm.head.name: arm for arm in arms.values()}


ARMS: Mapping[str, Arm] = MappingProxyType(
    {name: arm for form in FORMS for name, arm in _arms(form).items()}
)
