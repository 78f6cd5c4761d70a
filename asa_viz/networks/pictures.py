"""Finds the label file of each picture, and reads labels."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from asa_viz.images import SUFFIXES

IGNORED = 255
# One number a pixel: greys of any depth, or the indices of a palette.
_LABEL_MODES = ("1", "L", "P", "I", "I;16", "I;16B", "I;16L")


class DataError(Exception):
    """Pictures or labels are missing or of the wrong kind; the message says which, and where."""


def labelled(images: Path, annotations: Path) -> list[tuple[Path, Path]]:
    """List the pictures of a folder with their label files, in the order of their names.

    Both may be of any kind that can be read; a label file has its picture's name before the ending.

    Raises:
        DataError: there are no pictures, or one has no label file.
    """
    if not images.is_dir():
        raise DataError(f"There is no folder {images}; pictures are looked for there.")
    found = sorted(path for path in images.iterdir() if path.suffix.lower() in SUFFIXES)
    if not found:
        raise DataError(f"There are no pictures ({', '.join(SUFFIXES)}) in {images}.")
    by_name: dict[str, Path] = {}
    for path in sorted(annotations.iterdir()) if annotations.is_dir() else ():
        if path.suffix.lower() in SUFFIXES:
            # Beside others of the name, PNG is what labels are usually in.
            by_name[path.stem] = min(
                by_name.get(path.stem, path), path, key=lambda file: file.suffix.lower() != ".png"
            )
    without = [path for path in found if path.stem not in by_name]
    if without:
        wanted = annotations / f"{without[0].stem}.png"
        more = f", nor for {len(without) - 1} other pictures" if without[1:] else ""
        raise DataError(f"There are no labels at {wanted}{more}.")
    return [(path, by_name[path.stem]) for path in found]


def frames(data: Path, split: str, limit: int | None = None) -> list[tuple[Path, Path]]:
    """List the pictures of a split with their label files, sorted by name.

    Raises:
        DataError: there are no pictures, or one has no label file; the message names the folders.
    """
    return labelled(data / "images" / split, data / "annotations" / split)[:limit]


def check_labels(files: Iterable[Path]) -> None:
    """Check the headers of label files.

    Raises:
        DataError: one is not an image, or has colours instead of one number a pixel.
    """
    for path in files:
        try:
            with Image.open(path) as image:
                mode = image.mode
        except (OSError, ValueError, SyntaxError) as error:
            raise DataError(f"{path} is damaged, or no picture.") from error
        if mode not in _LABEL_MODES:
            raise DataError(
                f"{path} holds colours ({mode}), not labels: one number a pixel, the class's index."
            )


def read_labels(
    path: Path, classes: int, *, reduce_zero_label: bool = False
) -> UInt8[np.ndarray, "height width"]:
    """Return the labels in a file; those that are no class become IGNORED.

    With `reduce_zero_label` 0 is no class and 1 the first.

    Raises:
        DataError: the file is damaged, or holds no labels.
    """
    check_labels([path])
    try:
        with Image.open(path) as image:
            labels = np.asarray(image).astype(np.int64) - reduce_zero_label
    except (OSError, ValueError, SyntaxError) as error:
        raise DataError(f"{path} is damaged, or no picture.") from error
    return np.where((labels < 0) | (labels >= classes), IGNORED, labels).astype(np.uint8)
