"""Draws the picture of link previews and the icon of the page: `python -m app.preview_image`.

Both files are committed; what is in them looks as on the page, so that they change with it.
"""

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from app.encodings import stored
from app.gallery import EXAMPLES
from app.preview import DARK_PAPER, ICON, PICTURE, PICTURE_SIZE
from app.viewer import dictionaries
from asa_viz.checkpoints import DEFAULT
from asa_viz.figures.colormap import viridis
from asa_viz.figures.query import panels_of

if TYPE_CHECKING:
    from asa_viz.views import QueryView

(PHOTOGRAPH,) = [each for each in EXAMPLES if each.name == "dogs"]
SENTENCE = "Which parts of a picture does each of its points read?"
PANELS = ("photo", "dense", "sparse")
MARGIN, GAP = 32, 20
# Previews in a list are shown at a third of this size, where letters must still be read.
TITLE_SIZE, TEXT_SIZE, LABEL_SIZE, CREDIT_SIZE = 66, 34, 34, 15
PANEL_TOP = 176
# As in viewer/page/viewer.css, of the dark page.
INK, QUIET, GOOD = "#e6e9ee", "#a0aab8", "#2cc298"

ICON_SIZE = 512
# How much each cell of the icon is read, in the colormap's range; None is not kept.
ICON_CELLS = ((None, 0.62, 1.0), (None, None, 0.78), (0.42, None, None))
ICON_QUERY = (2, 0)


def preview_image(view: "QueryView") -> Image.Image:
    """Return photo, dense row and kept row of a query under the page's title."""
    image = Image.new("RGB", PICTURE_SIZE, DARK_PAPER)
    draw = ImageDraw.Draw(image)
    words = dictionaries()["en"]
    _write(draw, (MARGIN, 22), words["app.title"], TITLE_SIZE, INK, bold=True)
    _write(draw, (MARGIN + 2, 112), SENTENCE, TEXT_SIZE, QUIET)
    count, kept = view.dense.size, int(view.support.sum())
    labels = (
        (words["panel.photo"], "the framed point", INK),
        (words["panel.dense.row"], f"weighs all {count} cells", INK),
        (words["panel.sparse.row"], f"keeps {kept} of them", GOOD),
    )
    width = (image.width - 2 * MARGIN - (len(PANELS) - 1) * GAP) // len(PANELS)
    panels = panels_of(view, PANELS).values()
    for index, (panel, (name, what, colour)) in enumerate(zip(panels, labels, strict=True)):
        left = MARGIN + index * (width + GAP)
        height = round(panel.image.height * width / panel.image.width)
        shown = panel.image.resize((width, height), Image.Resampling.LANCZOS)
        image.paste(shown, (left, PANEL_TOP))
        below = PANEL_TOP + height + 12
        _write(draw, (left, below), name, LABEL_SIZE, INK, bold=True)
        _write(draw, (left, below + 42), what, LABEL_SIZE, colour)
    # The licence asks for it.
    credit = f"Photo: {PHOTOGRAPH.credit}; attention drawn over it"
    _write(draw, (image.width - MARGIN, image.height - 10), credit, CREDIT_SIZE, QUIET, "rs")
    return image


def icon_image() -> Image.Image:
    """Return the icon: nine cells, of which a query, framed in white, reads some."""
    image = Image.new("RGBA", (ICON_SIZE, ICON_SIZE))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((0, 0, ICON_SIZE - 1, ICON_SIZE - 1), 88, DARK_PAPER)
    pitch, edge, side = 148, 40, 136
    for row, cells in enumerate(ICON_CELLS):
        for col, value in enumerate(cells):
            colour = (58, 66, 77) if value is None else _of_colormap(value)
            left, top = edge + col * pitch, edge + row * pitch
            draw.rectangle((left, top, left + side - 1, top + side - 1), colour)
            if (row, col) == ICON_QUERY:
                draw.rectangle((left, top, left + side - 1, top + side - 1), None, "white", 26)
    return image


def _of_colormap(value: float) -> tuple[int, ...]:
    return tuple(int(part) for part in viridis(np.array([[value]]))[0, 0])


def _write(
    draw: ImageDraw.ImageDraw,
    place: tuple[int, int],
    text: str,
    size: int,
    colour: str,
    anchor: str = "la",
    *,
    bold: bool = False,
) -> None:
    """Draw a line of text in the font that comes with Pillow; it has no bold, a stroke makes it."""
    font = ImageFont.load_default(size)
    draw.text(place, text, colour, font, anchor, stroke_width=size / 50 if bold else 0)


def query_view() -> "QueryView":
    """Return the row of the photograph's first point under the default network, as stored."""
    from app.torch_imports import unpack
    from asa_viz.geometry import Pixel

    path = stored(DEFAULT, PHOTOGRAPH.name)
    if path is None:
        raise FileNotFoundError("No session is stored; run python -m app.encodings.")
    return unpack(path.read_bytes()).query(Pixel(*PHOTOGRAPH.looks[0]))


def main() -> None:
    """Write both files."""
    preview_image(query_view()).save(PICTURE, quality=92, subsampling=0, optimize=True)
    icon_image().save(ICON, optimize=True)
    for path in (PICTURE, ICON):
        print(f"{path.name:12} {path.stat().st_size / 1e3:5.0f} kB")


if __name__ == "__main__":
    main()
