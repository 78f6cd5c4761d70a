"""A session as a Jupyter widget that reports the locked query, the pins and the rule to Python."""

from typing import Any

from asa_viz.attention.what_if import AS_TRAINED, WhatIf
from asa_viz.geometry import Cell, Pixel
from asa_viz.notebook.standalone import HEIGHT, grid_of_page, page
from asa_viz.session import Session
from asa_viz.views import QueryView

try:
    from anywidget import AnyWidget
    from traitlets import Dict, Instance, Int, Tuple, Unicode
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f"asa_viz.widget needs {error.name}: pip install 'asa-viz[notebook]'.", name=error.name
    ) from error

# JavaScript that runs inside the frame. It reports a query once it is locked: otherwise each step
# of the pointer would send a message.
_IN_FRAME = """
let told = "";
const tell = ({ query, locked, pins, whatIf }) => {
  const state = { query: locked ? query : null, pins, whatIf };
  if (JSON.stringify(state) === told) return;
  told = JSON.stringify(state);
  parent.postMessage({ asaViz: state }, "*");
};
asaViz.ready.then(() => {
  asaViz.store.subscribe(tell);
  tell(asaViz.store.state);
});
addEventListener("message", ({ source, data }) => {
  if (source === parent && data?.asaViz) asaViz.store.set(data.asaViz, { recorded: true });
});
"""
_AROUND_FRAME = """
function render({ model, el }) {
  const frame = document.createElement("iframe");
  frame.setAttribute("sandbox", "allow-scripts allow-downloads allow-popups");
  frame.title = "asa-viz";
  Object.assign(frame.style, { border: 0, width: "100%", height: `${model.get("height")}px` });
  const hear = ({ source, data }) => {
    if (source !== frame.contentWindow || !data?.asaViz) return;
    model.set("state", data.asaViz);
    model.save_changes();
  };
  const tell = () => frame.contentWindow?.postMessage({ asaViz: model.get("asked").state }, "*");
  window.addEventListener("message", hear);
  model.on("change:asked", tell);
  frame.srcdoc = model.get("page");
  el.append(frame);
  return () => {
    window.removeEventListener("message", hear);
    model.off("change:asked", tell);
  };
}
export default { render };
"""


class SessionWidget(AnyWidget):
    """The page of a session in a notebook; made by `widget`.

    The traits follow the page's state: `observe` reports each change.
    """

    _esm = _AROUND_FRAME
    page = Unicode().tag(sync=True)
    height = Int(HEIGHT).tag(sync=True)
    # The page's state and the requested state, in the viewer's format.
    state = Dict().tag(sync=True)
    asked = Dict().tag(sync=True)

    cell = Instance(Cell, allow_none=True, help="the locked query; None while none is locked")
    pins = Tuple(help="the pinned cells")
    what_if = Instance(WhatIf, (), help="the rule that is tried")

    def __init__(
        self, session: Session, pixel: Pixel | None, *, language: str, height: int
    ) -> None:
        self.session = session
        self._grid = grid_of_page(session.grid)
        html = page(session, pixel, language=language, script=_IN_FRAME)
        super().__init__(page=html, height=height)
        self.observe(self._follow, "state")

    @property
    def view(self) -> QueryView | None:
        """What the locked query attends to under the current rule; None without a query."""
        if self.cell is None:
            return None
        return self.session.query_cell(self.cell, self.what_if)

    def lock(self, query: Pixel | Cell) -> None:
        """Lock a query on the page: a cell, or a pixel of the image.

        Raises:
            ValueError: it lies outside.
        """
        cell = query if isinstance(query, Cell) else self.session.grid.cell_at(query)
        self.session.grid.box_of(cell)
        state = {"query": list(self._grid.centre_of(cell)), "locked": True}
        # The number makes a repeated request a change, so that it is sent again.
        self.asked = {"state": state, "number": self.asked.get("number", 0) + 1}

    def _follow(self, change: Any) -> None:
        state = change["new"]
        query, pins = state.get("query"), state.get("pins") or ()
        with self.hold_trait_notifications():
            self.cell = None if query is None else self._grid.cell_at(Pixel(*query))
            self.pins = tuple(self._grid.cell_at(Pixel(*pin)) for pin in pins)
            self.what_if = _rule(state.get("whatIf"))


def widget(
    session: Session, pixel: Pixel | None = None, *, language: str = "en", height: int = HEIGHT
) -> SessionWidget:
    """Return a session's page as a widget, which reports locked query, pins and rule to Python.

        shown = asa_viz.widget(session)
        shown                       # in a cell of its own: the page
        shown.cell, shown.view      # after a click: the locked cell, and what it attends to
        shown.pins, shown.what_if   # the pinned cells, and the rule that is tried

    Args:
        session: what is shown.
        pixel: the query that is locked at first.
        language: "en", "zh-CN" or "zh-TW".
        height: of the page, in CSS pixels.

    Raises:
        ValueError: the session cannot be packed, or the pixel lies outside the image.
        ModuleNotFoundError: anywidget is not installed.
    """
    return SessionWidget(session, pixel, language=language, height=height)


def _rule(state: dict[str, Any] | None) -> WhatIf:
    if not state:
        return AS_TRAINED
    return WhatIf(
        state["nonlocalFactor"], state["localFactor"], state["reciprocity"], state["localRule"],
        state["window"], state["topK"],
    )  # fmt: skip
