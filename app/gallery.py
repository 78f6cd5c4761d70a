"""The photographs that ship, each with a query worth starting from."""

from dataclasses import dataclass
from pathlib import Path

from asa_viz.geometry import Pixel

_FOLDER = Path(__file__).parent / "examples"


@dataclass(frozen=True)
class Example:
    """A photograph of the gallery, and the pixel of it where the query starts."""

    file: str
    title: str
    query: Pixel

    @property
    def path(self) -> str:
        """Where the photograph lies."""
        return str(_FOLDER / self.file)


EXAMPLES: tuple[Example, ...] = (
    Example("leuven_lane.jpg", "Lane in Leuven: the cobbled street", Pixel(455, 470)),
    Example("leuven_street.jpg", "Street in Leuven: the brick house", Pixel(95, 250)),
    Example("parking_sign.jpg", "Parking sign: the car behind it", Pixel(560, 520)),
    Example("road_barrier.jpg", "Barrier: the road behind it", Pixel(980, 160)),
    Example("building.jpg", "Office block: the hedge", Pixel(300, 515)),
    Example("palace.jpg", "Palace: the tower", Pixel(290, 200)),
    Example("temple.jpg", "Temple: the sky", Pixel(90, 120)),
)
