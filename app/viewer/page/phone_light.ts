// The attention as light on the photo: what the query does not read lies in the dark.

import { placeIn } from "../core/geometry.ts";
import { remains, shownStage } from "../core/stages.ts";
import type { Moment } from "../types.ts";

// The opacity of the shade on a cell that is not read.
const DARK = 0.74;
// The opacity on a cell that is read with nearly no weight.
const DUSK = 0.3;

interface Lit {
  element: HTMLElement;
  moment: Moment | null;
  picture: { width: number; height: number } | null;
  panels: Record<string, { section: HTMLElement; canvas: HTMLCanvasElement }>;
}

/** Lay a canvas of darkness over the photo; `show` draws it for the present moment, or takes it away. */
export function lightOn(viewer: Lit): { show(isLit: boolean): void } {
  const shade = document.createElement("canvas"), cells = document.createElement("canvas");
  shade.className = "shade";
  shade.setAttribute("aria-hidden", "true");
  let drawn: unknown = null;

  function show(isLit: boolean): void {
    const { canvas } = viewer.panels.photo;
    shade.hidden = !isLit;
    const { moment, picture } = viewer;
    if (!isLit || !moment || !picture || moment.session.width === 0) return;
    if (!shade.isConnected) viewer.element.append(shade);
    const page = viewer.element.getBoundingClientRect(), { left, top, width, height } = canvas.getBoundingClientRect();
    Object.assign(shade.style, { left: `${left - page.left}px`, top: `${top - page.top}px`, width: `${width}px`, height: `${height}px` });
    const { session, state } = moment;
    const read = (moment.set ?? moment.row).weights;
    const told = JSON.stringify([moment.row.i, state.stage, state.direction, state.zoom, canvas.width, canvas.height]);
    if (drawn === read && shade.dataset.told === told) return;
    drawn = read;
    shade.dataset.told = told;
    Object.assign(cells, { width: session.width, height: session.height });
    const few = cells.getContext("2d"), many = shade.getContext("2d");
    if (!few || !many) return;
    const image = few.createImageData(session.width, session.height);
    darknessOf(moment).forEach((dark, j) => (image.data[4 * j + 3] = Math.round(255 * dark)));
    few.putImageData(image, 0, 0);
    Object.assign(shade, { width: canvas.width, height: canvas.height });
    const place = placeIn(shade.width, shade.height, picture, state.zoom);
    many.save();
    many.beginPath();
    many.rect(place.x, place.y, place.width, place.height);
    many.clip();
    const [x, y] = place.toBox(0, 0), [right, bottom] = place.toBox(1, 1);
    many.imageSmoothingEnabled = false;
    many.drawImage(cells, x, y, right - x, bottom - y);
    // A set has no frame.
    if (moment.set) return many.restore();
    // The frame of the query lies under the shade, and is drawn on it anew.
    const [row, column] = [Math.floor(moment.row.i / session.width), moment.row.i % session.width];
    const [cx, cy] = place.toBox((column + 0.5) / session.width, (row + 0.5) / session.height);
    const density = shade.width / (shade.clientWidth || 1), side = 18 * density;
    for (const [colour, line] of [["#000", 5], ["#fff", 2.5]] as const) {
      Object.assign(many, { strokeStyle: colour, lineWidth: line * density });
      many.strokeRect(cx - side / 2, cy - side / 2, side, side);
    }
    many.restore();
  }
  return { show };
}

/** How dark every cell is, from 0 to DARK: among those that are shown by its weight, the square root of it so that weak ones are seen. */
export function darknessOf({ session, state, row, set }: Moment): Float64Array {
  const stage = shownStage(session, state);
  const isColumn = state.direction === "column" && !set;
  const isSparse = !stage || stage === "kept" || stage === "result";
  const weights = set ? set.weights : isColumn ? row.column.weights ?? row.column.dense : isSparse ? row.weights : row.dense;
  const shown = (j: number) => isColumn || isSparse || stage === null || remains(stage, row.relation[j], state.whatIf.reciprocity);
  let most = 0;
  for (let j = 0; j < weights.length; j++) if (shown(j)) most = Math.max(most, weights[j]);
  const dark = Float64Array.from(weights, (weight, j) => (shown(j) && weight > 0 ? DUSK * (1 - Math.sqrt(weight / most)) : DARK));
  if (!set) dark[row.i] = 0;
  return dark;
}
