"""The six panels as images of one size, each with the query's cell marked.

Colours are those of the page (app/viewer/draw/scenes.ts and panels.ts) as it starts.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, UInt8
from PIL import Image, ImageDraw
from plotly.colors import hex_to_rgb

from asa_viz.figures.colormap import viridis
from asa_viz.figures.curves import DARK, Line, curves_of
from asa_viz.figures.groups import GROUPS, group_map
from asa_viz.figures.scales import Scale
from asa_viz.geometry import Box, Cell, Grid
from asa_viz.views import FloatMap, MaskMap, QueryView, SegmentationView, cells_along

Pixels = UInt8[np.ndarray, "height width 3"]
Colours = UInt8[np.ndarray, "h w 3"]

LONGEST_SIDE = 640
# The share of a cell's colour in what is seen; the rest is the dark photo under it.
OPACITY = 0.85
# The share of white in the line around kept cells.
EDGE = 0.6
# Lines are drawn in so many times the pixels of a panel, so that they come out smooth.
FINER = 4
# A curve is drawn through so many of its points.
POINTS = 33
WHITE = np.full(3, 255, np.uint8)


@dataclass(frozen=True, eq=False)
class Stage:
    """A picture prepared for its panels: the photo, and a dark grey version under maps."""

    grid: Grid
    photo: Pixels
    dark: Pixels

    @property
    def rows(self) -> np.ndarray:
        """The row of cells under each row of pixels."""
        return cells_along(self.grid.image_height, self.grid.height)

    @property
    def cols(self) -> np.ndarray:
        """The column of cells under each column of pixels."""
        return cells_along(self.grid.image_width, self.grid.width)

    def spread(self, cells: np.ndarray) -> np.ndarray:
        """Return an array with every pixel holding its cell's value."""
        return cells[self.rows[:, None], self.cols[None, :]]


def panel_size(picture: Pixels) -> tuple[int, int]:
    """Return the width and height of the panels of a picture."""
    height, width = picture.shape[:2]
    factor = LONGEST_SIDE / max(height, width)
    return max(1, round(width * factor)), max(1, round(height * factor))


def stage_of(picture: Pixels, grid: Grid) -> Stage:
    """Prepare the panels of a picture with the feature map of `grid` over it."""
    width, height = panel_size(picture)
    photo = Image.fromarray(picture).resize((width, height), Image.Resampling.BILINEAR)
    pixels = np.asarray(photo)
    # Dark, so that the colours of a map are light on it.
    dark = np.rint(26 + 90 * (pixels @ [0.299, 0.587, 0.114]) / 255).astype(np.uint8)
    return Stage(
        Grid(grid.height, grid.width, height, width),
        pixels,
        np.repeat(dark[:, :, None], 3, axis=2),
    )


def photo_panel(stage: Stage, query: Cell) -> Image.Image:
    """Return the photo."""
    return _marked(stage, stage.photo, query)


def dark_panel(stage: Stage, query: Cell) -> Image.Image:
    """Return the dark photo alone, for a panel with nothing to show."""
    return _marked(stage, stage.dark, query)


def map_panel(
    stage: Stage,
    values: FloatMap,
    scale: Scale,
    query: Cell,
    shown: MaskMap | None = None,
    *,
    outlined: bool = False,
) -> Image.Image:
    """Return numbers as colours; cells that are not `shown` leave the dark photo.

    With `outlined` a line parts the cells that are shown from those that are not.
    """
    pixels = _laid(stage, viridis(scale.fraction(values)), shown)
    if outlined and shown is not None:
        edges = _edges(stage.spread(shown))
        pixels = np.where(edges[:, :, None], _mixed(WHITE, pixels, EDGE), pixels)
    return _marked(stage, pixels, query)


def group_panel(stage: Stage, view: QueryView, lines: Iterable[Line] = ()) -> Image.Image:
    """Return the groups of keys in their colours over the dark photo, with lines to partners."""
    groups = group_map(view)
    colours = np.array([hex_to_rgb(group.colour) for group in GROUPS], np.uint8)
    pixels = _laid(stage, colours[groups], groups >= 0)
    return _marked(stage, _lined(stage, pixels, view.query, lines), view.query)


def label_panel(stage: Stage, segmentation: SegmentationView, query: Cell) -> Image.Image:
    """Return the class of every pixel in its class colour."""
    labels = segmentation.working_labels
    height, width = labels.shape
    rows = cells_along(stage.grid.image_height, height)
    cols = cells_along(stage.grid.image_width, width)
    palette = np.array(segmentation.palette, np.uint8)
    coloured = palette[labels[rows[:, None], cols[None, :]]]
    return _marked(stage, _mixed(coloured, stage.dark, OPACITY), query)


def mark_box(stage: Stage, query: Cell) -> Box:
    """Return the inner edge of the query's mark: its cell, enlarged where that is tiny."""
    box = stage.grid.box_of(query)
    least = 3 * _stroke(stage)
    wider = max(0, least - (box.right - box.left) + 1) // 2
    taller = max(0, least - (box.bottom - box.top) + 1) // 2
    return Box(box.left - wider, box.top - taller, box.right + wider, box.bottom + taller)


def _laid(stage: Stage, colours: Colours, shown: MaskMap | None) -> Pixels:
    """Return the dark photo with the cells' colours drawn over it."""
    pixels = _mixed(stage.spread(colours), stage.dark, OPACITY)
    if shown is None:
        return pixels
    return np.where(stage.spread(shown)[:, :, None], pixels, stage.dark)


def _mixed(over: np.ndarray, under: Pixels, share: float) -> Pixels:
    """Return colours of which `share` is the one above, the rest the one below."""
    return np.rint(share * over + (1 - share) * under).astype(np.uint8)


def _edges(
    shown: Bool[np.ndarray, "height width"],
) -> Bool[np.ndarray, "height width"]:
    """Return the pixels at the border of what is shown, and of the picture where that is shown."""
    around = np.pad(shown, 1)
    inside = around[1:-1, 1:-1]
    edges = (inside != around[1:-1, :-2]) | (inside != around[:-2, 1:-1])
    edges[:, -1] |= shown[:, -1]
    edges[-1] |= shown[-1]
    return edges


def _lined(stage: Stage, pixels: Pixels, query: Cell, lines: Iterable[Line]) -> Pixels:
    """Draw lines from the query to its partners, white between dark edges."""
    height, width = pixels.shape[:2]
    layer = Image.new("RGBA", (FINER * width, FINER * height))
    draw = ImageDraw.Draw(layer)
    unit = FINER * _stroke(stage) / 2
    for curve in curves_of(stage.grid, query, lines):
        along = [tuple(point) for point in curve.points(POINTS) * layer.size]
        draw.line(along, _seen(0, DARK), round(curve.casing * unit), "curve")
        # Pillow does not mix what is drawn with what is there: white over dark is one colour.
        opacity = curve.opacity + DARK * (1 - curve.opacity)
        draw.line(
            along, _seen(curve.opacity / opacity, opacity), round(curve.width * unit), "curve"
        )
    # Pillow resizes colours that are partly transparent as they are seen.
    fine = layer.resize((width, height), Image.Resampling.BOX)
    return np.asarray(Image.alpha_composite(Image.fromarray(pixels).convert("RGBA"), fine))[..., :3]


def _seen(grey: float, opacity: float) -> tuple[int, int, int, int]:
    """Return a grey from 0 to 1 with an opacity, as Pillow draws it."""
    level = round(255 * grey)
    return level, level, level, round(255 * opacity)


def _marked(stage: Stage, pixels: Pixels, query: Cell) -> Image.Image:
    """Draw the query's mark: a white frame between two dark ones, around its cell."""
    image = Image.fromarray(pixels)
    draw = ImageDraw.Draw(image)
    box, stroke = mark_box(stage, query), _stroke(stage)
    for inner, outer, colour in (
        (0, 3 * stroke, (0, 0, 0)),
        (stroke, 2 * stroke, (255, 255, 255)),
    ):
        # Pillow counts the last pixel in, and draws the line inwards from the edge it is given.
        draw.rectangle(
            (
                box.left - outer,
                box.top - outer,
                box.right - 1 + outer,
                box.bottom - 1 + outer,
            ),
            outline=colour,
            width=outer - inner,
        )
    return image


def _stroke(stage: Stage) -> int:
    return max(1, max(stage.grid.image_height, stage.grid.image_width) // 240)
