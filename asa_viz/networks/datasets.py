"""The facts of each data set: classes, colours, files, working sizes, terms.

Training, evaluation, export, the comparison and the cards all read them from here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

from mmengine.config import Config
from mmseg.datasets import BaseSegDataset
from mmseg.registry import DATASETS

from asa_viz.networks.pictures import labelled

Colour = tuple[int, int, int]

# About 2700 cells each at output stride 8: 4:3, 3:4, square, 3:2, 16:9, 9:16.
SHAPES = ((360, 480), (480, 360), (416, 416), (344, 512), (312, 552), (552, 312))


@dataclass(frozen=True)
class DataSet:
    """The facts of one data set.

    Pictures lie in `images/SPLIT` and label files of the same names in `annotations/SPLIT`, both of
    any kind that can be read; a label that is not the index of a class is not scored. `palette`
    holds the colour of each class. `shapes` are the (height, width) at which networks of this data
    set work. `scored` are the classes that enough pictures show for a mean over them to say
    something; all of them unless given. `not_annotated` names, for pictures whose name begins with
    a prefix, a class whose members may stand as background. `sequence_of` is the length of the
    prefix of a name that all frames of one video share, 0 where pictures do not come from videos.
    """

    name: str
    title: str
    classes: tuple[str, ...]
    palette: tuple[Colour, ...]
    licence: str
    shapes: tuple[tuple[int, int], ...] = SHAPES
    scored: tuple[str, ...] = ()
    not_annotated: Mapping[str, str] = field(default_factory=dict)
    sequence_of: int = 0

    def __post_init__(self) -> None:
        if not self.scored:
            object.__setattr__(self, "scored", self.classes)


CAMVID = DataSet(
    name="camvid",
    title="CamVid, 367 training frames of 480 x 360, 11 classes",
    classes=(
        "sky", "building", "pole", "road", "pavement", "tree",
        "sign", "fence", "car", "pedestrian", "bicyclist",
    ),
    palette=(
        (128, 128, 128), (128, 0, 0), (192, 192, 128), (128, 64, 128), (60, 40, 222),
        (128, 128, 0), (192, 128, 128), (64, 64, 128), (64, 0, 128), (64, 64, 0), (0, 128, 192),
    ),
    licence="Research and non-commercial use, with attribution: trained on CamVid (Brostow, "
    "Shotton, Fauqueur, Cipolla, ECCV 2008; Brostow, Fauqueur, Cipolla, Pattern Recognition "
    "Letters 2008; 11 classes of Badrinarayanan, Kendall, Cipolla, PAMI 2017).",
    sequence_of=6,
)  # fmt: skip

VOC2012 = DataSet(
    name="voc2012",
    title="2504 photographs: 1600 of PASCAL VOC 2012 (augmented), 904 of Clothing Co-Parsing; "
    "21 classes",
    classes=(
        "background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat",
        "chair", "cow", "dining table", "dog", "horse", "motorbike", "person", "potted plant",
        "sheep", "sofa", "train", "tv monitor",
    ),
    palette=(
        (0, 0, 0), (128, 0, 0), (0, 128, 0), (128, 128, 0), (0, 0, 128), (128, 0, 128),
        (0, 128, 128), (128, 128, 128), (64, 0, 0), (192, 0, 0), (64, 128, 0), (192, 128, 0),
        (64, 0, 128), (192, 0, 128), (64, 128, 128), (192, 128, 128), (0, 64, 0), (128, 64, 0),
        (0, 192, 0), (128, 192, 0), (0, 64, 128),
    ),
    licence="Research and non-commercial use, with attribution: trained on PASCAL VOC 2012 "
    "(Everingham et al., IJCV 2010), its augmented masks (Hariharan et al., ICCV 2011) and "
    "Clothing Co-Parsing (Yang, Luo, Lin, CVPR 2014).",
    scored=("background", "cat", "cow", "dog", "horse", "person", "sheep"),
    not_annotated=MappingProxyType({"ccp_": "person"}),
)  # fmt: skip

OUTDOOR = DataSet(
    name="outdoor",
    title="2504 photographs of VOC 2012 and Clothing Co-Parsing and 367 frames of CamVid: 20 "
    "things, 6 kinds of stuff",
    # The first 21 are those of VOC 2012, in its order.
    classes=(
        *VOC2012.classes, "sky", "building", "road", "pavement", "vegetation", "ground",
    ),
    palette=(
        *VOC2012.palette, (70, 130, 180), (70, 70, 70), (128, 64, 128), (244, 35, 232),
        (107, 142, 35), (152, 251, 152),
    ),
    licence=VOC2012.licence.removesuffix(".")
    + "; and on CamVid (Brostow, Shotton, Fauqueur, Cipolla, ECCV 2008; Brostow, Fauqueur, "
    "Cipolla, Pattern Recognition Letters 2008; Badrinarayanan, Kendall, Cipolla, PAMI 2017). "
    "Stuff in the photographs is labelled by a DeepLab that was trained on Cityscapes (Cordts et "
    "al., CVPR 2016).",
    scored=(*VOC2012.scored, "sky", "building", "road", "pavement", "vegetation", "ground"),
    not_annotated=VOC2012.not_annotated,
)  # fmt: skip

DATA_SETS: Mapping[str, DataSet] = MappingProxyType(
    {facts.name: facts for facts in (VOC2012, CAMVID, OUTDOOR)}
)


def data_set_of(config: Config) -> DataSet:
    """Return the facts of the data set that a config trains on.

    Raises:
        ValueError: nothing is known of it.
    """
    kind = config.train_dataloader.dataset.type
    facts = facts_of_type(kind)
    if facts is None:
        known = ", ".join(DATA_SETS)
        raise ValueError(f"Nothing is known of the data set {kind}, only of: {known}.")
    return facts


def facts_of_type(kind: str) -> DataSet | None:
    """Return the facts of a type of data set in a config, None for one of others."""
    return next((each.facts for each in (CamVid, Voc2012, Outdoor) if each.__name__ == kind), None)


class _Pictures(BaseSegDataset):
    """Pictures and labels of a data set; labels outside the classes become 255, ignored."""

    facts: ClassVar[DataSet]

    def __init__(self, **settings: Any) -> None:
        settings.setdefault("metainfo", {"classes": self.facts.classes})
        super().__init__(**settings)

    def load_data_list(self) -> list[dict[str, Any]]:
        """List pictures and label files, of any kind that can be read.

        Raises:
            DataError: there are none, or a picture has no labels.
        """
        folders = (self.data_prefix[name] for name in ("img_path", "seg_map_path"))
        return [
            {
                "img_path": str(image),
                "seg_map_path": str(labels),
                "label_map": self.label_map,
                "reduce_zero_label": self.reduce_zero_label,
                "seg_fields": [],
            }
            for image, labels in labelled(*map(Path, folders))
        ]

    def __init_subclass__(cls) -> None:
        # One class more than there is: mmsegmentation ignores labels of classes it is not asked
        # for, and 11 of CamVid means "not labelled".
        cls.METAINFO = {
            "classes": (*cls.facts.classes, "unlabelled"),
            "palette": [*map(list, cls.facts.palette), [0, 0, 0]],
        }


@DATASETS.register_module()
class CamVid(_Pictures):
    """CamVid with 11 classes, 480 x 360: pictures in `images/SPLIT`, `annotations/SPLIT`."""

    facts = CAMVID


@DATASETS.register_module()
class Voc2012(_Pictures):
    """VOC 2012 and CCP with 21 classes: pictures in `images/SPLIT`, `annotations/SPLIT`."""

    facts = VOC2012


@DATASETS.register_module()
class Outdoor(_Pictures):
    """The outdoor data: `images/SPLIT`, `annotations/SPLIT`, made by `asa_viz.networks.outdoor`."""

    facts = OUTDOOR
