"""The six panels as images of one size, the query's cell marked alike in each."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw
from plotly.colors import hex_to_rgb

from asa_viz.figures.palettes import GROUPS, cividis, group_map
from asa_viz.figures.scales import Scale
from asa_viz.geometry import Box, Cell, Grid
from asa_viz.views import FloatMap, MaskMap, QueryView, SegmentationView, cells_along

Pixels = UInt8[np.ndarray, "height width 3"]
Colours = UInt8[np.ndarray, "h w 3"]

LONGEST_SIDE = 640
# How far the photo's fine structure may lift or lower a colour, of 255: seen, yet not read as data.
TEXTURE = 14.0


@dataclass(frozen=True, eq=False)
class Stage:
    """One picture as its panels share it: the photo, a faint grey of it, and its fine structure."""

    grid: Grid
    photo: Pixels
    faint: Pixels
    texture: Float[np.ndarray, "height width"]

    @property
    def rows(self) -> np.ndarray:
        """The row of cells that each row of pixels shows."""
        return cells_along(self.grid.image_height, self.grid.height)

    @property
    def cols(self) -> np.ndarray:
        """The column of cells that each column of pixels shows."""
        return cells_along(self.grid.image_width, self.grid.width)

    def spread(self, cells: np.ndarray) -> np.ndarray:
        """Give every pixel what its cell holds."""
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
    # Mid-tones that stand back on a white page and on a black one.
    faint = np.rint(150 + 66 * grey / 255).astype(np.uint8)
    return Stage(
        stage_grid,
        np.asarray(photo),
        np.repeat(faint[:, :, None], 3, axis=2),
        _fine_structure(grey, stage_grid),
    )


def photo_panel(stage: Stage, query: Cell) -> Image.Image:
    """The photo itself."""
    return _marked(stage, stage.photo, query)


def faint_panel(stage: Stage, query: Cell) -> Image.Image:
    """The faint photo alone, where there is nothing to show on it."""
    return _marked(stage, stage.faint, query)


def map_panel(
    stage: Stage, values: FloatMap, scale: Scale, query: Cell, shown: MaskMap | None = None
) -> Image.Image:
    """Numbers as colours; cells that are not `shown` leave the faint photo."""
    return _marked(stage, _laid(stage, cividis(scale.fraction(values)), shown), query)


def group_panel(stage: Stage, view: QueryView) -> Image.Image:
    """The groups of keys in their colours, the rest faint."""
    groups = group_map(view)
    colours = np.array([hex_to_rgb(group.colour) for group in GROUPS], np.uint8)
    return _marked(stage, _laid(stage, colours[groups], groups >= 0), view.query)


def label_panel(stage: Stage, segmentation: SegmentationView, query: Cell) -> Image.Image:
    """The class of every pixel in the palette of the classes."""
    labels = segmentation.working_labels
    height, width = labels.shape
    rows = cells_along(stage.grid.image_height, height)
    cols = cells_along(stage.grid.image_width, width)
    palette = np.array(segmentation.palette, np.uint8)
    return _marked(stage, _textured(stage, palette[labels[rows[:, None], cols[None, :]]]), query)


def mark_box(stage: Stage, query: Cell) -> Box:
    """Return the inner edge of the query's mark: its cell, and a little more where that is tiny."""
    box = stage.grid.box_of(query)
    least = 3 * _stroke(stage)
    wider = max(0, least - (box.right - box.left) + 1) // 2
    taller = max(0, least - (box.bottom - box.top) + 1) // 2
    return Box(box.left - wider, box.top - taller, box.right + wider, box.bottom + taller)


def _laid(stage: Stage, colours: Colours, shown: MaskMap | None) -> Pixels:
    """Lay the colours of cells over the faint photo."""
    pixels = _textured(stage, stage.spread(colours))
    if shown is None:
        return pixels
    return np.where(stage.spread(shown)[:, :, None], pixels, stage.faint)


def _textured(stage: Stage, pixels: Pixels) -> Pixels:
    """Lend the photo's fine structure to flat colours."""
    return np.clip(np.rint(pixels + stage.texture[:, :, None]), 0, 255).astype(np.uint8)


def _fine_structure(
    grey: Float[np.ndarray, "height width"], grid: Grid
) -> Float[np.ndarray, "height width"]:
    """Return the brightness less the mean of each cell: laid over a map it moves no cell's mean."""
    rows, cols = (
        cells_along(grid.image_height, grid.height),
        cells_along(grid.image_width, grid.width),
    )
    cells = rows[:, None] * grid.width + cols[None, :]
    counts = np.maximum(np.bincount(cells.ravel(), minlength=grid.size), 1)

    def centred(values: Float[np.ndarray, "height width"]) -> Float[np.ndarray, "height width"]:
        return values - (np.bincount(cells.ravel(), values.ravel(), grid.size) / counts)[cells]

    # The second time for what the clipping moved; it at most doubles the largest step.
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
