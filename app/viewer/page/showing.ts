// Everything that is drawn and written from one moment.

import { cellOf } from "../core/geometry.ts";
import { PANELS } from "../draw/scenes.ts";
import { caption } from "./captions.ts";
import { showHistory } from "./history.ts";
import { showPins, showSide } from "./side.ts";
import type { Drawn } from "./viewer.ts";

// The same function for as long as the language is: what it names is drawn anew only with another.
let speaks = { language: "", nameOf: String as (name: string) => string };

function namerOf(texts: Drawn["texts"]): (name: string) => string {
  if (speaks.language !== texts.language) speaks = { language: texts.language, nameOf: (name) => texts.className(name) };
  return speaks.nameOf;
}

/** Draw the panels, and write all that stands around them. */
export function show(viewer: Drawn, time?: number): void {
  const { session, state, picture, scenes, panels, moment: { row } } = viewer;
  const marks = {
    grid: session,
    query: row.i,
    hover: viewer.hovered,
    pins: state.pins.map((pin) => cellOf(session, pin)),
    set: viewer.outlined ?? state.set,
    alone: viewer.alone,
    wipe: viewer.wiped,
    nameOf: namerOf(viewer.texts),
  };
  // The canvases first: their sizes are asked for, and after a change of the words the page would
  // have to be laid out anew for each answer.
  for (const name of PANELS) panels[name].panel.draw(scenes[name], picture, marks, state.opacity, state.zoom);
  viewer.painted(time);
  for (const name of PANELS) caption(viewer, name);
  viewer.stages.show();
  showSide(viewer);
  showPins(viewer);
  showHistory(viewer);
  viewer.element.dataset.cell = String(row.i);
  viewer.tell("asa:shown");
}
