"""The photographs of the gallery, which are part of the project."""

import base64
import json
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageOps

_FOLDER = Path(__file__).parent / "examples"
_THUMBNAIL = (144, 108)


@dataclass(frozen=True)
class Example:
    """A photograph of the gallery; `looks` are pixels with instructive rows.

    `credit` says whose it is and under which licence. The first query is chosen from the
    network's result, not here.
    """

    file: str
    looks: tuple[tuple[int, int], ...] = ()
    credit: str = ""

    @property
    def name(self) -> str:
        """The photograph's name in links; its title is in the dictionaries."""
        return Path(self.file).stem

    @property
    def path(self) -> str:
        """The path of the photograph."""
        return str(_FOLDER / self.file)

    @property
    def thumbnail(self) -> str:
        """A thumbnail as a data URL, so that the gallery arrives with the page."""
        data = BytesIO()
        with Image.open(self.path) as photograph:
            small = ImageOps.fit(photograph.convert("RGB"), _THUMBNAIL)
        small.save(data, "jpeg", quality=80)
        return "data:image/jpeg;base64," + base64.b64encode(data.getvalue()).decode()


_LOOKS: dict[str, list[tuple[int, int]]] = json.loads((_FOLDER / "looks.json").read_text("utf-8"))
_CREDITS: dict[str, str] = json.loads((_FOLDER / "credits.json").read_text("utf-8"))

EXAMPLES: tuple[Example, ...] = tuple(
    Example(f"{name}.jpg", tuple((x, y) for x, y in points), _CREDITS[name])
    for name, points in _LOOKS.items()
)
