"""The photographs that ship, each with a query worth starting from."""

import base64
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageOps

from asa_viz.geometry import Pixel

_FOLDER = Path(__file__).parent / "examples"
_THUMBNAIL = (144, 108)


@dataclass(frozen=True)
class Example:
    """A photograph of the gallery, and the pixel of it where the query starts."""

    file: str
    query: Pixel

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
    Example("leuven_lane.jpg", Pixel(455, 470)),
    Example("leuven_street.jpg", Pixel(95, 250)),
    Example("parking_sign.jpg", Pixel(560, 520)),
    Example("road_barrier.jpg", Pixel(980, 160)),
    Example("building.jpg", Pixel(300, 515)),
    Example("palace.jpg", Pixel(290, 200)),
    Example("temple.jpg", Pixel(90, 120)),
)
