// The pages of the lesson that are read: the worked example, the chapter on designs, lists of points.

import { make } from "../page/dom.ts";
import type { LessonViewer } from "./lesson_types.ts";
import { buildDesigns } from "./designs_view.ts";
import { showToy } from "./toy_view.ts";

/** What attention does not tell; `lesson.limits.<name>` are the words. */
export const LIMITS = ["why", "values", "cells", "what_if", "one"];

// What is read point by point.
const POINTS: Record<string, string[]> = {
  limits: LIMITS,
  families: [
    "content", "dense", "pattern", "window", "pooled", "low_rank", "predicted", "shared", "classic", "gates",
  ],
};

/** Show the page of a step, or nothing; returns what writes the numbers of the query of now. */
export function showPage(viewer: LessonViewer, id: string, page: HTMLElement): () => void {
  const points = POINTS[id];
  page.hidden = id !== "toy" && id !== "designs" && !points;
  if (id === "toy") showToy(viewer.texts, page);
  else if (id === "designs") {
    const { element, update } = buildDesigns(viewer);
    page.replaceChildren(element);
    return update;
  } else page.replaceChildren(...(points ? [pointsOf(viewer, id, points)] : []));
  return () => {};
}

function pointsOf(viewer: LessonViewer, id: string, points: string[]): HTMLElement {
  const list = make("ul", "limits");
  list.append(...points.map((each) => make("li", "", {}, viewer.say(`lesson.${id}.${each}`))));
  return list;
}
