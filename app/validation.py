"""Validates what comes from outside: pictures, pixels and rules of requests."""

import base64
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gradio.processing_utils import save_bytes_to_cache
from gradio.utils import get_upload_folder

from app.gallery import EXAMPLES
from app.server.uploads import keep
from asa_viz.geometry import Grid, Pixel

if TYPE_CHECKING:
    from asa_viz.attention.what_if import WhatIf

NO_PICTURE = "Give a picture as an uploaded file, or the name of one of these: {names}."
NO_NETWORK = "There is no network {name!r:.40}; there are {names}."
NO_NUMBER = "{name} must be {kind}, not {value!r:.40}."
NO_POINTS = "points must be a list of 1 to {most} pixels, each [x, y]."
NO_DATA_URL = "That data URL is damaged, or longer than a picture may be."
MOST_POINTS = 64
# The limit of an upload holds for data URLs too.
MOST_BYTES = 10 * 2**20

_PHOTOGRAPHS = {example.name: example.path for example in EXAMPLES}


class ElsewhereError(ValueError):
    """The file is no upload of this server; it may be one of another replica."""


def picture_file(picture: object) -> str:
    """Return the path of a picture: a photograph by its name, a data URL, or an upload.

    An upload may have been deleted since; opening it tells. Gradio checks paths only where a value
    is marked as a file, so plain strings are checked here.

    Raises:
        ElsewhereError: it is a file outside the uploads of this server.
        ValueError: it is no picture at all.
    """
    if isinstance(picture, str) and picture in _PHOTOGRAPHS:
        return _PHOTOGRAPHS[picture]
    if isinstance(picture, str) and picture.startswith("data:image/"):
        return _written(picture)
    if isinstance(picture, dict) and isinstance(picture.get("path"), str):
        try:
            path = Path(picture["path"]).resolve()
            if path.is_relative_to(Path(get_upload_folder()).resolve()):
                keep(path)
                return str(path)
        except (OSError, ValueError):
            pass
        raise ElsewhereError(NO_PICTURE.format(names=", ".join(_PHOTOGRAPHS)))
    raise ValueError(NO_PICTURE.format(names=", ".join(_PHOTOGRAPHS)))


def _written(url: str) -> str:
    """Write the picture of a data URL into the folder of uploads, and return its path.

    Raises:
        ValueError: the URL is damaged, or too long.
    """
    _, _, text = url.partition(";base64,")
    if not text or len(text) > MOST_BYTES * 4 // 3:
        raise ValueError(NO_DATA_URL)
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise ValueError(NO_DATA_URL) from error
    # No suffix: the format is found from the content, as for any upload.
    file = save_bytes_to_cache(data, "picture", get_upload_folder())
    keep(Path(file))
    return file


def network_name(asked: object, names: Sequence[str]) -> str:
    """Return the name of a network if it is one of `names`.

    Raises:
        ValueError: it is not.
    """
    if asked not in names:
        raise ValueError(NO_NETWORK.format(name=asked, names=", ".join(names)))
    return str(asked)


def pixel_at(x: object, y: object) -> Pixel:
    """Return the pixel; whether it lies in the picture is checked by `Grid.cell_at`.

    Raises:
        ValueError: one of the numbers is not whole.
    """
    return Pixel(_whole("x", x), _whole("y", y))


def pixels_at(points: object) -> list[Pixel]:
    """Return several pixels.

    Raises:
        ValueError: there are none or too many, or one is not two whole numbers.
    """
    if not isinstance(points, list) or not 1 <= len(points) <= MOST_POINTS:
        raise ValueError(NO_POINTS.format(most=MOST_POINTS))
    for point in points:
        if not isinstance(point, list | tuple) or len(point) != 2:
            raise ValueError(NO_POINTS.format(most=MOST_POINTS))
    return [pixel_at(*point) for point in points]


def enlarged(grid: Grid, lattice: object) -> Grid:
    """Return `grid` over an image enlarged `lattice` times.

    The viewer enlarges a picture with fewer pixels than cells, so that every cell has a pixel.

    Raises:
        ValueError: the number is not whole, or outside the range that the viewer uses.
    """
    times = _whole("lattice", lattice)
    if not 1 <= times <= max(grid.height, grid.width):
        raise ValueError(NO_NUMBER.format(name="lattice", kind="a small number", value=lattice))
    return replace(
        grid, image_height=times * grid.image_height, image_width=times * grid.image_width
    )


def what_if(
    nonlocal_factor: object = 1.0,
    local_factor: object = 1.0,
    reciprocity: object = True,
    local_rule: object = True,
    window: object = None,
    top_k: object = None,
) -> "WhatIf":
    """Return the validated rule; a program may send values of any type.

    Raises:
        ValueError: a value is not a number, or is out of range.
    """
    from app.torch_imports import WhatIf

    return WhatIf(
        _number("nonlocal_factor", nonlocal_factor),
        _number("local_factor", local_factor),
        _switch("reciprocity", reciprocity),
        _switch("local_rule", local_rule),
        None if window is None else _whole("window", window),
        None if top_k is None else _whole("top_k", top_k),
    )


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(NO_NUMBER.format(name=name, kind="a finite number", value=value))
    return float(value)


def _whole(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value % 1 != 0:
        raise ValueError(NO_NUMBER.format(name=name, kind="a whole number", value=value))
    return int(value)


def _switch(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(NO_NUMBER.format(name=name, kind="true or false", value=value))
    return value
