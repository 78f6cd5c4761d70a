"""The photographs that ship."""

import base64
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageOps

_FOLDER = Path(__file__).parent / "examples"
_THUMBNAIL = (144, 108)


@dataclass(frozen=True)
class Example:
    """A photograph of the gallery; where its query starts is found from a network's result."""

    file: str

    @property
    def name(self) -> str:
        """What the photograph is called in links; its title is in the dictionary."""
        return Path(self.file).stem

    @property
    def path(self) -> str:
        """Where the photograph lies."""
        return str(_FOLDER / self.file)

    @property
    def thumbnail(self) -> str:
        """The photograph in small, as a data URL: the gallery is there with the page."""
        data = BytesIO()
        with Image.open(self.path) as photograph:
            small = ImageOps.fit(photograph.convert("RGB"), _THUMBNAIL)
        small.save(data, "jpeg", quality=80)
        return "data:image/jpeg;base64," + base64.b64encode(data.getvalue()).decode()


EXAMPLES: tuple[Example, ...] = (
    Example("dogs.jpg"),
    Example("astronaut.jpg"),
    Example("cat.jpg"),
    Example("hopper.jpg"),
    Example("chelsea.jpg"),
    Example("leuven_lane.jpg"),
    Example("leuven_street.jpg"),
    Example("parking_sign.jpg"),
    Example("road_barrier.jpg"),
    Example("building.jpg"),
    Example("palace.jpg"),
    Example("temple.jpg"),
)
