"""One query as a single picture: the six panels on a sheet, each under its title."""

from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont

from asa_viz.figures.panels import (
    faint_panel,
    group_panel,
    label_panel,
    map_panel,
    photo_panel,
    stage_of,
)
from asa_viz.figures.scales import row_scale, threshold_scale
from asa_viz.views import QueryView

if TYPE_CHECKING:
    from asa_viz.session import Session

COLUMNS = 3
GAP = 16
TITLE_SIZE = 20
TITLE_HEIGHT = 32


def sheet(session: "Session", view: QueryView) -> Image.Image:
    """Draw the panels of a query, two rows of three."""
    stage, query = stage_of(session.picture, session.grid), view.query
    scale = row_scale(view)
    dense, sparse = view.dense_times_uniform, view.weights_times_uniform
    thresholds = session.scales[0]
    panels = {
        "Picture and query": photo_panel(stage, query),
        "Dense attention": map_panel(stage, dense, scale, query),
        "Sparse attention": map_panel(stage, sparse, scale, query, sparse > 0),
        "Reciprocal and local neighbours": group_panel(stage, view),
        "Learned non-local thresholds": (
            map_panel(stage, thresholds, threshold_scale(thresholds), query)
            if session.thresholds_learned
            else faint_panel(stage, query)
        ),
        "Segmentation": label_panel(stage, session.segmentation, query),
    }
    width, height = panels["Segmentation"].size
    across, down = width + GAP, height + GAP + TITLE_HEIGHT
    image = Image.new(
        "RGB", (COLUMNS * across + GAP, -(-len(panels) // COLUMNS) * down + GAP), "white"
    )
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(TITLE_SIZE)
    for index, (title, panel) in enumerate(panels.items()):
        row, column = divmod(index, COLUMNS)
        left, top = GAP + column * across, GAP + row * down
        draw.text((left, top), title, "black", font)
        image.paste(panel, (left, top + TITLE_HEIGHT))
    return image
