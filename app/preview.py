"""What a link preview shows of the page: its title and description, a picture, the icon."""

from pathlib import Path

from app.server.preview import Preview, Words
from app.viewer import dictionaries

NAME = "asa-viz"
# Written by `python -m app.preview_image`.
PICTURE = Path(__file__).with_name("link_preview.jpg")
PICTURE_SIZE = (1200, 630)
ICON = Path(__file__).with_name("icon.png")
# As in viewer/page/viewer.css: what lies over the page is of its colour.
PAPER, DARK_PAPER = "#ffffff", "#0f1318"


def preview() -> Preview:
    """Return what a preview shows in each language; the first is for a link that names none."""
    languages = sorted(dictionaries(), key=lambda language: language != "en")
    return Preview(
        NAME, {each: _words(each) for each in languages}, PICTURE, PICTURE_SIZE, (PAPER, DARK_PAPER)
    )


def _words(language: str) -> Words:
    words = dictionaries()[language]
    return Words(
        language,
        document=words["app.document"],
        title=words["app.title"],
        description=words["preview.description"],
        picture=words["preview.picture"],
        without_script=words["preview.without_script"],
    )
