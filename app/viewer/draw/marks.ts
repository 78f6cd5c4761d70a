// What lies over every panel: lines to partners, outlines, the set, the pins, the cell under the pointer, the query.

import type { InBox } from "../core/geometry.ts";
import { PIN_COLOURS } from "../core/scale.ts";
import { curvesOf } from "./curves.ts";
import type { Marks, Scene } from "./draw_types.ts";
import type { Context } from "./panels.ts";

export const WHITE = "rgba(255,255,255,0.95)";
export const DARK = "rgba(0,0,0,0.85)";
const EDGE = "rgba(255,255,255,0.6)";

type Point = [x: number, y: number];
type Box = [x: number, y: number, width: number, height: number];

/** Lines to the strongest partners, the pins, the cell under the pointer and the query. */
export function paintMarks(context: Context, place: InBox, scene: Scene, marks: Marks, density: number): void {
  const { grid: { height, width }, query, hover, pins, set = null, fine = false } = marks;
  // On a small map a fine frame, so that what lies close by is not hidden.
  const unit = fine ? 0.7 * density : density;
  const boxOf = (cell: number): Box => {
    const [row, col] = [Math.floor(cell / width), cell % width];
    const [x0, y0] = place.toBox(col / width, row / height);
    const [x1, y1] = place.toBox((col + 1) / width, (row + 1) / height);
    return [x0, y0, x1 - x0, y1 - y0];
  };
  // Over the cell, or under it at the top edge: the frame around the query stays in sight.
  const flagPlaceOf = (cell: number): Point => {
    const [x, y, w, h] = boxOf(cell);
    const middle = y + h / 2, away = Math.max(h, 7 * density) / 2 + 13.5 * density;
    return [x + w / 2, middle - away - 8 * density < place.y ? middle + away : middle - away];
  };
  for (const { from, control, to, width: wide, casing, opacity } of set ? [] : curvesOf(marks.grid, place.width / place.height, query, scene.lines ?? [])) {
    context.beginPath();
    context.moveTo(...place.toBox(...from));
    context.quadraticCurveTo(...place.toBox(...control), ...place.toBox(...to));
    stroke(context, DARK, casing * density);
    stroke(context, `rgba(255,255,255,${opacity.toFixed(3)})`, wide * density);
  }
  if (scene.outlined) {
    traceEdges(context, place, scene, height, width);
    stroke(context, EDGE, density);
  }
  if (hover !== null && hover !== query) frame(context, boxOf(hover), unit, 1);
  if (set) {
    const values = new Uint8Array(height * width);
    for (const [start, length] of set) values.fill(1, start, start + length);
    traceEdges(context, place, { values }, height, width);
    stroke(context, DARK, 4.5 * unit);
    stroke(context, WHITE, 2 * unit);
  }
  // With a set the frame marks only the cell that the keyboard moves.
  frame(context, boxOf(query), unit, set ? 1 : 2);
  pins.forEach((pin, k) => flag(context, flagPlaceOf(pin), String(k + 1), PIN_COLOURS[k], density));
}

/** Begin a path along the edges of the cells whose value is above 0. */
export function traceEdges(context: Context, place: InBox, of: Pick<Scene, "values">, height: number, width: number): void {
  context.beginPath();
  for (const [x0, y0, x1, y1] of edgesOf(of, height, width)) {
    context.moveTo(...place.toBox(x0 / width, y0 / height));
    context.lineTo(...place.toBox(x1 / width, y1 / height));
  }
}

/** The lines between cells that are kept and cells that are not, as [x0, y0, x1, y1] in cells. */
export function edgesOf({ values = [] }: Pick<Scene, "values">, height: number, width: number): Box[] {
  const edges: Box[] = [];
  const kept = (row: number, col: number) => row >= 0 && col >= 0 && row < height && col < width && values[row * width + col] > 0;
  for (let row = 0; row <= height; row++) {
    for (let col = 0; col <= width; col++) {
      if (kept(row, col) !== kept(row - 1, col)) edges.push([col, row, col + 1, row]);
      if (kept(row, col) !== kept(row, col - 1)) edges.push([col, row, col, row + 1]);
    }
  }
  return edges;
}

/** A white frame between two dark ones, never smaller than can be seen. */
function frame(context: Context, [x, y, w, h]: Box, density: number, weight: number): void {
  const least = 7 * density;
  const [dx, dy] = [Math.max(0, least - w) / 2, Math.max(0, least - h) / 2];
  const edge = weight * density;
  context.beginPath();
  context.rect(x - dx - edge, y - dy - edge, w + 2 * dx + 2 * edge, h + 2 * dy + 2 * edge);
  stroke(context, DARK, 3 * edge);
  stroke(context, WHITE, edge);
}

function flag(context: Context, [x, y]: Point, text: string, colour: string, density: number): void {
  context.beginPath();
  context.arc(x, y, 8 * density, 0, 2 * Math.PI);
  context.fillStyle = colour;
  context.fill();
  stroke(context, WHITE, 1.5 * density);
  context.fillStyle = colour === "#f0e442" ? "#000" : "#fff";
  context.font = `600 ${11 * density}px system-ui, sans-serif`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(text, x, y + 0.5 * density);
}

export function stroke(context: Context, colour: string, width: number): void {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.stroke();
}
