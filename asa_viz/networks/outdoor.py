"""Make the data of the outdoor networks: `python -m asa_viz.networks.outdoor --things VOC2012 ...`.

Things and stuff from three sources. VOC 2012's masks say where an object stands. CamVid's labels
say what streets are made of. On VOC's background a DeepLab trained on Cityscapes says where there
is sky, vegetation, ground, a building, road or pavement, and only where it is sure: it knows
streets alone, and calls the walls of a room a building. So its stuff is taken from pictures that
are surely outdoors, and what it says of others is not scored or is background, as the mask says.

The teacher is a .tflite file, run by ai-edge-litert (`pip install ai-edge-litert`); it is needed to
make labels, never to train or to run what was trained.
"""

import argparse
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, UInt8
from mmengine.utils import ProgressBar
from PIL import Image
from torch import Tensor

from asa_viz.images import read_image
from asa_viz.networks.datasets import CAMVID, OUTDOOR, VOC2012
from asa_viz.networks.distillation import BACKGROUND
from asa_viz.networks.pictures import IGNORED, DataError, frames, read_labels

Labels = UInt8[np.ndarray, "height width"]
# Probabilities of the 19 classes on the teacher's own grid.
Stuff = Callable[[Image.Image], Float[Tensor, "19 h w"]]

SURE = 0.8
# Sky and plants on so much of what is no object, and the picture was taken outdoors.
NATURE = 0.2
_SIZE = 513
_LOGITS = (1, 33, 33, 19)
# In the order of Cityscapes' train ids; what is neither stuff of ours nor an object is background.
CITYSCAPES = (
    "road", "pavement", "building", "building", "background", "background", "background",
    "background", "vegetation", "ground", "sky", *[""] * 8,
)  # fmt: skip
CAMVID_AS: dict[str, str | None] = {
    "tree": "vegetation", "pole": "background", "sign": "background", "fence": "background",
    "pedestrian": "person", "bicyclist": None,
}  # fmt: skip
_NATURE = ("sky", "vegetation", "ground")
_INDOORS = ("dining table", "sofa", "tv monitor")
_GRAZING = ("cow", "horse", "sheep")
# Street fashion, photographed in streets.
_OUTDOORS = "ccp_"


def street_labels(labels: Labels) -> Labels:
    """Return CamVid's labels as those of the outdoor networks; a bicyclist is not scored."""
    table = np.full(256, IGNORED, np.uint8)
    for index, name in enumerate(CAMVID.classes):
        if (ours := CAMVID_AS.get(name, name)) is not None:
            table[index] = OUTDOOR.classes.index(ours)
    return table[labels]


def thing_labels(labels: Labels, stuff: Float[Tensor, "19 h w"], *, street: bool) -> Labels:
    """Return VOC 2012's labels with the teacher's stuff on their background.

    Objects stay, and so does what is not scored. Outdoors (`street`, or a cow, horse or sheep, or
    sky and plants on a fifth of the background and no furniture) the background becomes what the
    teacher is sure of and is not scored elsewhere. In other pictures it stays background, but what
    the teacher surely takes for a building, road or pavement is not scored.
    """
    enlarged = F.interpolate(stuff[None], labels.shape, mode="bilinear")[0]
    sure, index = (map_.numpy() for map_ in enlarged.max(0))
    table = np.array(
        [OUTDOOR.classes.index(name) if name else IGNORED for name in CITYSCAPES], np.uint8
    )
    said = np.where(sure >= SURE, table[index], IGNORED).astype(np.uint8)
    background = labels == BACKGROUND
    if street or _outdoors(labels, said, background):
        return np.where(background, said, labels)
    built = [OUTDOOR.classes.index(name) for name in ("building", "road", "pavement")]
    return np.where(background & np.isin(said, built), IGNORED, labels).astype(np.uint8)


def _outdoors(labels: Labels, said: Labels, background: Bool[np.ndarray, "_ _"]) -> bool:
    def shows(classes: Sequence[str]) -> bool:
        return bool(np.isin(labels, [VOC2012.classes.index(name) for name in classes]).any())

    nature = [OUTDOOR.classes.index(name) for name in _NATURE]
    share = np.isin(said[background], nature).sum() / max(1, background.sum())
    return shows(_GRAZING) or (bool(share >= NATURE) and not shows(_INDOORS))


def load_stuff(path: Path) -> Stuff:
    """Return what a DeepLab in a .tflite file gives for a picture.

    Raises:
        DataError: the file cannot be read or holds another network, or its interpreter is missing.
    """
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise DataError("The teacher needs its interpreter: pip install ai-edge-litert") from error
    try:
        network = Interpreter(str(path), num_threads=1, experimental_preserve_all_tensors=True)
    except ValueError as error:
        raise DataError(f"{path} is no network that can be read: {error}") from error
    network.allocate_tensors()
    # Logits before they are enlarged: the first tensor of their shape.
    logits = next((x for x in network.get_tensor_details() if tuple(x["shape"]) == _LOGITS), None)
    if logits is None:
        raise DataError(f"{path} does not know the 19 classes of Cityscapes.")
    scale, zero = logits["quantization"]

    def probabilities(picture: Image.Image) -> Float[Tensor, "19 h w"]:
        resized = picture.convert("RGB").resize((_SIZE, _SIZE), Image.Resampling.BILINEAR)
        network.set_tensor(0, np.asarray(resized)[None])
        network.invoke()
        made = network.get_tensor(logits["index"])[0].astype(np.float32)
        return torch.from_numpy((made - zero) * scale).softmax(-1).permute(2, 0, 1)

    return probabilities


def make(things: Path, streets: Path, stuff: Stuff, out: Path) -> None:
    """Write pictures and labels of both splits to `out`.

    Raises:
        DataError: pictures or labels are missing.
    """
    for split in ("train", "val"):
        for kind in ("images", "annotations"):
            (out / kind / split).mkdir(parents=True, exist_ok=True)
        of_things, of_streets = frames(things, split), frames(streets, split)
        progress = ProgressBar(len(of_things) + len(of_streets))
        for image, annotation in of_things:
            labels = read_labels(annotation, len(VOC2012.classes))
            picture = Image.fromarray(read_image(image).rgb)
            street = image.name.startswith(_OUTDOORS)
            _write(out, split, image, thing_labels(labels, stuff(picture), street=street))
            progress.update()
        for image, annotation in of_streets:
            labels = street_labels(read_labels(annotation, len(CAMVID.classes)))
            _write(out, split, image, labels)
            progress.update()


def _write(out: Path, split: str, image: Path, labels: Labels) -> None:
    shutil.copyfile(image, out / "images" / split / image.name)
    Image.fromarray(labels).save(out / "annotations" / split / f"{image.stem}.png")


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the data set of the outdoor networks."""
    parser = argparse.ArgumentParser(prog="python -m asa_viz.networks.outdoor", description=__doc__)
    parser.add_argument("--things", required=True, type=Path, help="root folder of VOC 2012")
    parser.add_argument("--streets", required=True, type=Path, help="root folder of CamVid")
    parser.add_argument("--stuff", required=True, type=Path, help=".tflite of a Cityscapes DeepLab")
    parser.add_argument("--out", required=True, type=Path, help="where the data set is written")
    parsed = parser.parse_args(arguments)
    try:
        make(parsed.things, parsed.streets, load_stuff(parsed.stuff), parsed.out)
    except DataError as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
