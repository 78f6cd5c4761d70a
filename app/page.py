"""Where the components stand, and which handler runs."""

import logging
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.processing_utils import save_bytes_to_cache
from PIL import Image

from app import captions, texts
from app.gallery import EXAMPLES
from app.handlers import Desk, Encode, Newest, Screen, Visit
from asa_viz.geometry import Cell, Pixel
from asa_viz.images import ImageError
from asa_viz.session import SessionStore

STYLE = Path(__file__).with_name("style.css")
PICTURE_FILES = [".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif"]

_SYSTEM_FONTS = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Arial", "sans-serif"]
# A live region must outlast what it says, so it is the component itself.
_LIVE = "element.setAttribute('role', 'status'); element.setAttribute('aria-live', 'polite');"
_QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}

_log = logging.getLogger(__name__)

# What a handler shows: new values by component.
Update = dict[Any, Any]


def theme() -> gr.themes.Base:
    """Return a quiet theme: greys, square corners, and fonts that need no other host."""
    return gr.themes.Base(
        primary_hue="slate",
        neutral_hue="slate",
        spacing_size="sm",
        radius_size="none",
        text_size="sm",
        font=_SYSTEM_FONTS,
        font_mono=["ui-monospace", "monospace"],
    )


def build_page(encode: Encode, networks: list[str], store: SessionStore) -> gr.Blocks:
    """Build the page; `encode` turns a picture's file and a network's name into a session."""
    desk = Desk(encode, store, shared=frozenset(example.path for example in EXAMPLES))
    with gr.Blocks(
        title=texts.TITLE, analytics_enabled=False, fill_width=True, delete_cache=(3600, 24 * 3600)
    ) as page:
        gr.HTML(f"<h1>{texts.TITLE}</h1><p>{texts.SUBTITLE}</p>", elem_id="head")
        with gr.Row(elem_id="desk"):
            Controls(desk, networks).join(page)
        gr.HTML(f"<p>{texts.FOOTER}</p>", elem_id="foot")
    return page


class Controls:
    """The components that change, and what happens when one is used."""

    def __init__(self, desk: Desk, networks: list[str]) -> None:
        self.desk = desk
        self.clicks, self.openings = Newest(), Newest()
        self.visit = gr.State(None)
        with gr.Column(elem_id="choose"):
            self.gallery = gr.Gallery(
                [(example.path, example.title) for example in EXAMPLES],
                label=texts.PICTURES,
                columns=2,
                object_fit="cover",
                allow_preview=False,
                buttons=[],
                selected_index=0,
                interactive=False,
                elem_id="gallery",
            )
            self.upload = gr.UploadButton(
                texts.UPLOAD, file_types=PICTURE_FILES, type="filepath", elem_id="open"
            )
            self.network = gr.Radio(
                [(texts.network_title(name), name) for name in networks],
                value=networks[0],
                label=texts.NETWORK,
            )
            with gr.Row(elem_id="cell"):
                self.row = gr.Number(label=texts.ROW.format(last="…"), precision=0, min_width=60)
                self.col = gr.Number(label=texts.COLUMN.format(last="…"), precision=0, min_width=60)
        with gr.Column(elem_id="said"):
            self.sentence = gr.HTML(elem_id="sentence", js_on_load=_LIVE)
            self.status = gr.HTML(elem_id="status", js_on_load=_LIVE)
        self.headings: dict[str, gr.HTML] = {}
        self.panels: dict[str, gr.Image] = {}
        self.captions: dict[str, gr.HTML] = {}
        with gr.Column(elem_id="panels"):
            for name in texts.PANELS:
                self._panel(name)
        with gr.Column(elem_id="plots"):
            self.headings["pair_plane"] = gr.HTML()
            self.pair_plane = gr.Plot(show_label=False, container=False, buttons=[])
            self.headings["sorted_row"] = gr.HTML()
            self.sorted_row = gr.Plot(show_label=False, container=False, buttons=[])

    def _panel(self, name: str) -> None:
        with gr.Column(elem_classes=["view", f"view-{name}"], min_width=200):
            with gr.Row(elem_classes="title"):
                self.headings[name] = gr.HTML(captions.heading(*texts.PANELS[name]))
                if name == "thresholds":
                    self.which = gr.Radio(
                        [texts.NONLOCAL, texts.LOCAL],
                        value=texts.NONLOCAL,
                        show_label=False,
                        label=texts.PANELS[name][0],
                        container=False,
                        min_width=60,
                        elem_classes="switch",
                    )
            self.panels[name] = gr.Image(
                format="png",
                interactive=False,
                show_label=False,
                container=False,
                buttons=[],
                alt_text=texts.ALT[name],
                label=texts.PANELS[name][0],
            )
            self.captions[name] = gr.HTML(elem_classes="caption")

    @property
    def drawn(self) -> list[Any]:
        """The components that a new query changes."""
        return [
            self.visit, self.row, self.col, self.sentence, self.status,
            *self.headings.values(), *self.panels.values(), *self.captions.values(),
            self.pair_plane, self.sorted_row,
        ]  # fmt: skip

    def join(self, page: gr.Blocks) -> None:
        """Join events and handlers."""
        heavy = {**_QUIET, "concurrency_id": "encode", "concurrency_limit": 1}
        choice = [self.visit, self.which]
        page.load(self.on_load, [self.network, self.which], self.drawn, **heavy)
        self.gallery.select(
            self.on_example,
            [self.network, self.which],
            self.drawn,
            trigger_mode="multiple",
            **heavy,
        )
        self.upload.upload(
            self.on_upload,
            [self.upload, self.network, self.which],
            [*self.drawn, self.gallery],
            **heavy,
        )
        self.network.input(
            self.on_network,
            [*choice, self.network],
            self.drawn,
            trigger_mode="always_last",
            **heavy,
        )
        # `always_last` would run again with the first click's point: each click runs, and the
        # handler itself drops what is no longer the newest.
        for panel in self.panels.values():
            panel.select(
                self.on_click, choice, self.drawn, queue=False, trigger_mode="multiple", **_QUIET
            )
        gr.on(
            [self.row.input, self.col.input],
            self.on_cell,
            [*choice, self.row, self.col],
            self.drawn,
            queue=False,
            trigger_mode="always_last",
            **_QUIET,
        )
        self.which.input(
            self.on_which, choice, self.drawn, queue=False, trigger_mode="always_last", **_QUIET
        )

    def on_load(self, network: str, which: str, request: gr.Request) -> Iterator[Update]:
        """Show the first photograph of the gallery."""
        first = EXAMPLES[0]
        yield from self._open(first.path, network, first.query, which, request, texts.WAITING)

    def on_example(
        self, network: str, which: str, event: gr.SelectData, request: gr.Request
    ) -> Iterator[Update]:
        """Show the photograph that was chosen."""
        example = EXAMPLES[event.index]
        yield from self._open(example.path, network, example.query, which, request)

    def on_upload(
        self, file: str, network: str, which: str, request: gr.Request
    ) -> Iterator[Update]:
        """Show the visitor's own picture, and choose none of the gallery."""
        for update in self._open(file, network, None, which, request):
            if self.visit in update:
                update[self.gallery] = gr.Gallery(selected_index=None)
            yield update

    def on_network(
        self, visit: Visit | None, which: str, network: str, request: gr.Request
    ) -> Iterator[Update]:
        """Show the same picture and query with another network."""
        if visit is None:
            first = EXAMPLES[0]
            visit = Visit(first.path, network, "", first.query)
        yield from self._open(visit.source, network, visit.query, which, request)

    def on_click(
        self, visit: Visit | None, which: str, event: gr.SelectData, request: gr.Request
    ) -> Update:
        """Move the query to where a panel was clicked."""
        return self._draw(visit, which, request, lambda known: self.desk.click(known, *event.index))

    def on_cell(
        self, visit: Visit | None, which: str, row: float | None, col: float | None,
        request: gr.Request,
    ) -> Update:  # fmt: skip
        """Move the query to the cell whose numbers are in the fields."""
        # A field is empty while a number is being typed.
        if row is None or col is None:
            return gr.skip()
        asked = Cell(int(row), int(col))
        return self._draw(visit, which, request, lambda known: self.desk.move(known, asked), asked)

    def on_which(self, visit: Visit | None, which: str, request: gr.Request) -> Update:
        """Show the other learned number."""
        return self._draw(visit, which, request, lambda known: known)

    def _open(
        self,
        source: str,
        network: str,
        query: Pixel | None,
        which: str,
        request: gr.Request,
        waiting: str = texts.READING,
    ) -> Iterator[Update]:
        """Encode a picture and show it; where that fails the page says so and stays as it was."""
        visitor = str(request.session_hash)
        opening = self.openings.take(visitor)
        yield {self.status: captions.status(waiting)}
        try:
            visit = self.desk.open(source, network, query)
            # From here on clicks on the picture before are late.
            self.clicks.take(visitor)
            update = self._shown(self.desk.screen(visit, which == texts.LOCAL))
        except ImageError as refusal:
            update = {self.status: captions.status(str(refusal))}
        except OSError:
            update = {self.status: captions.status(texts.GONE)}
        except Exception:
            _log.exception("A picture could not be encoded.")
            update = {self.status: captions.status(texts.FAILED)}
        if self.openings.holds(visitor, opening):
            yield update

    def _draw(
        self,
        visit: Visit | None,
        which: str,
        request: gr.Request,
        moved: Callable[[Visit], Visit],
        asked: Cell | None = None,
    ) -> Update:
        """Show the query where `moved` puts it, unless the visitor has asked for another since."""
        if visit is None:
            return gr.skip()
        visitor = str(request.session_hash)
        click = self.clicks.take(visitor)
        try:
            screen = self.desk.screen(moved(visit), which == texts.LOCAL)
        except (ImageError, OSError):
            # The session had left the store, and its picture has been deleted too.
            return {self.status: captions.status(texts.GONE)}
        return self._shown(screen, asked) if self.clicks.holds(visitor, click) else gr.skip()

    def _shown(self, screen: Screen, asked: Cell | None = None) -> Update:
        """Give every component its new value; the fields not, where the cell was `asked` there.

        By now they may hold a newer number, which would be lost.
        """
        cell, last = screen.cell, screen.last_cell
        fields = {
            self.row: gr.Number(cell.row, label=texts.ROW.format(last=last.row)),
            self.col: gr.Number(cell.col, label=texts.COLUMN.format(last=last.col)),
        }
        return {
            self.visit: screen.visit,
            self.sentence: screen.sentence,
            self.status: "",
            self.pair_plane: screen.pair_plane,
            self.sorted_row: screen.sorted_row,
            **(fields if cell != asked else {}),
            **{self.headings[name]: value for name, value in screen.headings.items()},
            **{self.captions[name]: value for name, value in screen.captions.items()},
            **{self.panels[name]: self._file(image) for name, image in screen.panels.items()},
        }

    def _file(self, image: Image.Image) -> str:
        """Write a panel where Gradio serves from, at the quickest level of PNG."""
        data = BytesIO()
        image.save(data, "png", compress_level=1)
        folder = self.panels["photo"].GRADIO_CACHE
        return save_bytes_to_cache(data.getvalue(), "panel.png", folder)
