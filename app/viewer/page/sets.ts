// A set of cells as the query: chosen with Shift and the pointer, with keys, or as the segment of the query.

import { cellOf } from "../core/geometry.ts";
import { cellsOf, rectangle, runsOf, segmentOf, toggled } from "../core/sets.ts";
import type { Runs } from "../types.ts";
import { pixelAt } from "./pointer.ts";
import type { Viewer } from "./viewer.ts";

/** Let Shift and a click take a cell into the set or out of it, Shift and a drag take in a rectangle; S and G do it by keyboard. */
export function connectSets(viewer: Viewer): void {
  const panels = viewer.find(".panels");
  let start: { cell: number; runs: Runs | null; id: number } | null = null, isOver = false;

  const cellAt = (event: MouseEvent): number | null => {
    const { session, picture } = viewer, { target } = event;
    if (!session || !picture || !(target instanceof HTMLCanvasElement)) return null;
    const pixel = pixelAt(target, event, picture, session, viewer.state.zoom);
    return pixel && cellOf(session, pixel);
  };
  // Before the panels' own listeners, to which Shift and a drag would move the picture.
  const listen = (name: "pointerdown" | "pointermove" | "pointerup" | "pointercancel" | "click", act: (event: PointerEvent) => void) =>
    panels.addEventListener(name, (event) => act(event as PointerEvent), { capture: true });

  listen("pointerdown", (event) => {
    isOver = false;
    const cell = event.shiftKey && event.button === 0 ? cellAt(event) : null;
    if (cell === null) return;
    event.stopPropagation();
    event.preventDefault();
    const canvas = event.target as HTMLCanvasElement;
    canvas.focus();
    canvas.setPointerCapture(event.pointerId);
    start = { cell, runs: viewer.state.set, id: event.pointerId };
  });
  listen("pointermove", (event) => {
    if (!start || event.pointerId !== start.id || !viewer.session) return;
    event.stopPropagation();
    const cell = cellAt(event);
    if (cell === null || cell === start.cell) return;
    const cells = rectangle(viewer.session, start.cell, cell);
    viewer.mark({ outlined: runsOf([...cellsOf(start.runs ?? []), ...cells]) });
  });
  for (const end of ["pointerup", "pointercancel"] as const) {
    listen(end, (event) => {
      if (!start || event.pointerId !== start.id) return;
      event.stopPropagation();
      const { cell, runs } = start, drawn = viewer.outlined;
      start = null;
      // The browser sends a click after this; it is ignored.
      isOver = end === "pointerup";
      viewer.mark({ outlined: null });
      if (end === "pointerup") viewer.query(drawn ?? toggled(runs, cell));
    });
  }
  listen("click", (event) => {
    if (isOver) event.stopPropagation();
    // A plain click asks for one cell again.
    else if (viewer.state.set) viewer.query(null);
    isOver = false;
  });
  panels.addEventListener("keydown", (event) => {
    const { key, ctrlKey, metaKey, altKey, target } = event, { session, state } = viewer;
    if (!session || ctrlKey || metaKey || altKey || !(target instanceof HTMLCanvasElement)) return;
    if (key === "s" || key === "S") viewer.query(toggled(state.set, cellOf(session, state.query)));
    else if (key === "g" || key === "G") viewer.query(runsOf(segmentOf(session, cellOf(session, state.query))));
    else if (key === "Escape" && state.set) viewer.query(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }, { capture: true });
}
