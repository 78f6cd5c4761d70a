"""The six panels as images of one size, each with the query's cell marked."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw
from plotly.colors import hex_to_rgb

from asa_viz.figures.colormap import cividis
from asa_viz.figures.groups import GROUPS, group_map
from asa_viz.figures.scales import Scale
from asa_viz.geometry import Box, Cell, Grid
from asa_viz.views import FloatMap, MaskMap, QueryView, SegmentationView, cells_along

Pixels = UInt8[np.ndarray, "height width 3"]
Colours = UInt8[np.ndarray, "h w 3"]

LONGEST_SIDE = 640
# The most by which the photo's texture may change a colour, of 255: visible, but not read as data.
TEXTURE = 14.0


@dataclass(frozen=True, eq=False)
class Stage:
    """A picture prepared for its panels: the photo, a faint grey version, and its texture."""

    grid: Grid
    photo: Pixels
    faint: Pixels
    texture: Float[np.ndarray, "height width"]

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
    grey = np.asarray(photo.convert("L"), float)
    stage_grid = Grid(grid.height, grid.width, height, width)
    # Mid greys, which recede on a white page and on a black one.
    faint = np.rint(150 + 66 * grey / 255).astype(np.uint8)
    return Stage(
        stage_grid,
        np.asarray(photo),
        np.repeat(faint[:, :, None], 3, axis=2),
        _fine_structure(grey, stage_grid),
    )


def photo_panel(stage: Stage, query: Cell) -> Image.Image:
    """Return the photo."""
    return _marked(stage, stage.photo, query)


def faint_panel(stage: Stage, query: Cell) -> Image.Image:
    """Return the faint photo alone, for a panel with nothing to show."""
    return _marked(stage, stage.faint, query)


def map_panel(
    stage: Stage, values: FloatMap, scale: Scale, query: Cell, shown: MaskMap | None = None
) -> Image.Image:
    """Return numbers as colours; cells that are not `shown` leave the faint photo."""
    return _marked(stage, _laid(stage, cividis(scale.fraction(values)), shown), query)


def group_panel(stage: Stage, view: QueryView) -> Image.Image:
    """Return the groups of keys in their colours, the rest as faint photo."""
    groups = group_map(view)
    colours = np.array([hex_to_rgb(group.colour) for group in GROUPS], np.uint8)
    return _marked(stage, _laid(stage, colours[groups], groups >= 0), view.query)


def label_panel(stage: Stage, segmentation: SegmentationView, query: Cell) -> Image.Image:
    """Return the class of every pixel in its class colour."""
    labels = segmentation.working_labels
    height, width = labels.shape
    rows = cells_along(stage.grid.image_height, height)
    cols = cells_along(stage.grid.image_width, width)
    palette = np.array(segmentation.palette, np.uint8)
    return _marked(stage, _textured(stage, palette[labels[rows[:, None], cols[None, :]]]), query)


def mark_box(stage: Stage, query: Cell) -> Box:
    """Return the inner edge of the query's mark: its cell, enlarged where that is tiny."""
    box = stage.grid.box_of(query)
    least = 3 * _stroke(stage)
    wider = max(0, least - (box.right - box.left) + 1) // 2
    taller = max(0, least - (box.bottom - box.top) + 1) // 2
    return Box(box.left - wider, box.top - taller, box.right + wider, box.bottom + taller)


def _laid(stage: Stage, colours: Colours, shown: MaskMap | None) -> Pixels:
    """Return the faint photo with the cells' colours drawn over it."""
    pixels = _textured(stage, stage.spread(colours))
    if shown is None:
        return pixels
    return np.where(stage.spread(shown)[:, :, None], pixels, stage.faint)


def _textured(stage: Stage, pixels: Pixels) -> Pixels:
    """Add the photo's texture to flat colours."""
    return np.clip(np.rint(pixels + stage.texture[:, :, None]), 0, 255).astype(np.uint8)


def _fine_structure(
    grey: Float[np.ndarray, "height width"], grid: Grid
) -> Float[np.ndarray, "height width"]:
    """Return the brightness minus each cell's mean: added to a map it changes no cell's mean."""
    rows, cols = (
        cells_along(grid.image_height, grid.height),
        cells_along(grid.image_width, grid.width),
    )
    cells = rows[:, None] * grid.width + cols[None, :]
    counts = np.maximum(np.bincount(cells.ravel(), minlength=grid.size), 1)

    def centred(values: Float[np.ndarray, "height width"]) -> Float[np.ndarray, "height width"]:
        return values - (np.bincount(cells.ravel(), values.ravel(), grid.size) / counts)[cells]

    # Centre again what clipping has shifted; that at most doubles the largest step.
    return centred(np.clip(centred(grey) / 4, -TEXTURE / 2, TEXTURE / 2))


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
