// The strip of queries that were looked at: a small picture of each, and a way back to it.

import { make } from "./dom.ts";
import { cellOf, countedPlace } from "../core/geometry.ts";
import type { Picture } from "../draw/panels.ts";
import type { Pixel, Session } from "../types.ts";
import type { Drawn } from "./viewer.ts";

const SIDE = 30;
const SHOWN = 12;

/** Show the recorded states of this picture, the newest last and marked. */
export function showHistory(viewer: Pick<Drawn, "store" | "session" | "picture" | "state" | "texts" | "find" | "say">): void {
  const { store, session, picture } = viewer;
  const list = viewer.find(".history");
  const steps = [...store.past, store.mark]
    .map((state, index) => ({ state, index }))
    .filter(({ state }) => state.picture === viewer.state.picture)
    // Of several steps at one query, such as changes of the view, the last stands for all.
    .filter(({ state }, k, all) => JSON.stringify(state.query) !== JSON.stringify(all[k + 1]?.state.query))
    .slice(-SHOWN);
  const told = JSON.stringify([steps.map(({ state, index }) => [index, state.query]), viewer.texts.language]);
  if (list.dataset.told === told) return;
  list.dataset.told = told;
  list.replaceChildren(...steps.map(({ state, index }) => {
    const cell = cellOf(session, state.query);
    const where = viewer.say("history.step", {
      ...countedPlace(session, cell),
      label: viewer.texts.className(session.classes[session.cellLabels[cell]]),
    });
    const button = make("button");
    button.type = "button";
    button.title = where;
    button.setAttribute("aria-label", where);
    if (index === store.past.length) button.setAttribute("aria-current", "true");
    button.append(crop(picture, session, state.query));
    button.addEventListener("click", () => store.backTo(index));
    const item = make("li");
    item.append(button);
    return item;
  }));
}

/** A small square of the picture around a pixel. */
function crop(picture: Picture, session: Session, [x, y]: Pixel): HTMLCanvasElement {
  const canvas = make("canvas");
  canvas.width = canvas.height = 2 * SIDE;
  const side = Math.min(picture.width, picture.height) / 4;
  const place = (at: number, size: number, original: number) => Math.min(Math.max((at * size) / original - side / 2, 0), size - side);
  const left = place(x, picture.width, session.imageWidth), top = place(y, picture.height, session.imageHeight);
  canvas.getContext("2d")!.drawImage(picture.bitmap, left, top, side, side, 0, 0, canvas.width, canvas.height);
  return canvas;
}
