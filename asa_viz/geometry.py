"""Pixels of an image, cells of a feature map, and the grid that maps between them.

All coordinates count from the top left: a pixel is (x, y), a cell (row, col).
"""

from dataclasses import dataclass
from typing import NamedTuple


class Pixel(NamedTuple):
    """A point of the image, in whole pixels."""

    x: int
    y: int


class Cell(NamedTuple):
    """A position of the feature map."""

    row: int
    col: int


class Box(NamedTuple):
    """A rectangle of pixels; `right` and `bottom` are the first ones outside, as in Pillow."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True)
class Grid:
    """A feature map of `height` x `width` cells laid over an image of any size.

    A pixel belongs to the cell that contains its centre. The image may have any size, larger or
    smaller than the network's working size.
    """

    height: int
    width: int
    image_height: int
    image_width: int

    def __post_init__(self) -> None:
        if min(self.height, self.width, self.image_height, self.image_width) < 1:
            raise ValueError(f"Every side of a grid must be at least 1; got {self}.")

    @property
    def size(self) -> int:
        """The number of cells, n."""
        return self.height * self.width

    def cell_at(self, pixel: Pixel) -> Cell:
        """Return the cell that holds the centre of `pixel`.

        Raises:
            ValueError: the pixel lies outside the image.
        """
        x, y = pixel
        if not (0 <= x < self.image_width and 0 <= y < self.image_height):
            raise ValueError(
                f"Pixel ({x}, {y}) is outside the {self.image_width} x {self.image_height} image."
            )
        return Cell(
            _share(y, self.image_height, self.height), _share(x, self.image_width, self.width)
        )

    def box_of(self, cell: Cell) -> Box:
        """Return the pixels that `cell` covers: those whose centres it holds.

        A cell smaller than a pixel may contain no centre; its box is then the pixel that it lies
        in, so that every cell can be marked.

        Raises:
            ValueError: the cell lies outside the grid.
        """
        if not (0 <= cell.row < self.height and 0 <= cell.col < self.width):
            raise ValueError(f"{cell} is outside the grid of {self.height} x {self.width}.")
        top, bottom = _span(cell.row, self.height, self.image_height)
        left, right = _span(cell.col, self.width, self.image_width)
        return Box(left, top, right, bottom)

    def cells_in(self, part: Box) -> Box:
        """Return the box of the cells that hold some of a part of the image."""
        return Box(
            part.left * self.width // self.image_width,
            part.top * self.height // self.image_height,
            -(-part.right * self.width // self.image_width),
            -(-part.bottom * self.height // self.image_height),
        )

    def centre_of(self, cell: Cell) -> Pixel:
        """Return the pixel at the centre of `cell`."""
        return Pixel(
            _share(cell.col, self.width, self.image_width),
            _share(cell.row, self.height, self.image_height),
        )


def _share(index: int, count: int, parts: int) -> int:
    """Return which of `parts` equal intervals contains the centre of element `index` of `count`."""
    return (2 * index + 1) * parts // (2 * count)


def _span(index: int, count: int, pixels: int) -> tuple[int, int]:
    """Return the first pixel with its centre in interval `index`, and one past the last."""
    # Pixel p has its centre in interval i when i * pixels <= (p + 1/2) * count < (i + 1) * pixels.
    first = -((count - 2 * index * pixels) // (2 * count))
    last = -((count - 2 * (index + 1) * pixels) // (2 * count))
    if first == last:
        first = _share(index, count, pixels)
        last = first + 1
    return first, last
