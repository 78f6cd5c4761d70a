"""The six panels of one query on a single image, each under its title."""

from PIL import Image, ImageDraw, ImageFont

from asa_viz.figures.query import panels_of
from asa_viz.views import QueryView

COLUMNS = 3
GAP = 16
TITLE_SIZE = 20
TITLE_HEIGHT = 32


def panels_image(view: QueryView) -> Image.Image:
    """Return the panels of a query as one image, two rows of three."""
    panels = [(panel.title, panel.image) for panel in panels_of(view).values()]
    width, height = panels[0][1].size
    across, down = width + GAP, height + GAP + TITLE_HEIGHT
    image = Image.new(
        "RGB", (COLUMNS * across + GAP, -(-len(panels) // COLUMNS) * down + GAP), "white"
    )
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(TITLE_SIZE)
    for index, (title, panel) in enumerate(panels):
        row, column = divmod(index, COLUMNS)
        left, top = GAP + column * across, GAP + row * down
        draw.text((left, top), title, "black", font)
        image.paste(panel, (left, top + TITLE_HEIGHT))
    return image
