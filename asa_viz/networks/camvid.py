"""CamVid with 11 classes, as an mmsegmentation data set."""

from typing import Any, ClassVar

from mmseg.datasets import BaseSegDataset
from mmseg.registry import DATASETS

CLASSES = (
    "sky", "building", "pole", "road", "pavement", "tree",
    "sign", "fence", "car", "pedestrian", "bicyclist",
)  # fmt: skip

PALETTE = (
    (128, 128, 128), (128, 0, 0), (192, 192, 128), (128, 64, 128), (60, 40, 222), (128, 128, 0),
    (192, 128, 128), (64, 64, 128), (64, 0, 128), (64, 64, 0), (0, 128, 192),
)  # fmt: skip


@DATASETS.register_module()
class CamVid(BaseSegDataset):
    """`images/SPLIT/*.webp` and `annotations/SPLIT/*.png`, 480 x 360; label 11 is not labelled.

    Built with the first eleven classes, as the configs do, label 11 becomes the ignored 255.
    """

    METAINFO: ClassVar[dict[str, Any]] = {
        "classes": (*CLASSES, "unlabelled"),
        "palette": [*map(list, PALETTE), [0, 0, 0]],
    }

    def __init__(self, **settings: Any) -> None:
        settings.setdefault("metainfo", {"classes": CLASSES})
        super().__init__(img_suffix=".webp", seg_map_suffix=".png", **settings)
