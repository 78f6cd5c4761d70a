// Lines from the query to its partners: where they run, and how wide and how opaque they are. asa_viz/figures/curves.py has the same.

import { placeOf } from "../core/geometry.ts";
import type { Grid } from "../types.ts";
import type { Line } from "./draw_types.ts";

/** A line as a quadratic curve; points are shares of the picture, across and along. */
export interface Curve {
  from: Point;
  control: Point;
  to: Point;
  /** The width of the white line and of the dark one under it, in pixels of CSS. */
  width: number;
  casing: number;
  opacity: number;
}

type Point = [across: number, along: number];

// How far a curve lies from the straight line at its middle, in lengths of that line.
const BEND = 0.1;
const [THIN, WIDE] = [1, 2.8];
const [FAINT, CLEAR] = [0.6, 0.95];
// What the dark line is wider than the white one, both sides together.
const CASING = 1.6;

/** The curves to partners, the weakest first; `aspect` is the width of the picture by its height. */
export function curvesOf(grid: Pick<Grid, "height" | "width">, aspect: number, query: number, lines: Line[]): Curve[] {
  const from = middleOf(grid, query);
  return [...lines].sort((a, b) => a.share - b.share).map(({ key, share }) => {
    const to = middleOf(grid, key);
    const width = THIN + (WIDE - THIN) * share;
    return { from, control: controlOf(from, to, aspect), to, width, casing: width + CASING, opacity: FAINT + (CLEAR - FAINT) * share };
  });
}

/** The middle of a cell. */
function middleOf(grid: Pick<Grid, "height" | "width">, cell: number): Point {
  const { row, column } = placeOf(grid, cell);
  return [(column + 0.5) / grid.width, (row + 0.5) / grid.height];
}

/**
 * The control point of the curve between two points. It bends to the left of its way, so that lines to neighbouring
 * cells part from the query on; to the right where it would leave the picture on the left alone.
 */
function controlOf([x, y]: Point, [toX, toY]: Point, aspect: number): Point {
  const across = ((toY - y) / aspect) * BEND, along = (x - toX) * aspect * BEND;
  const [middleX, middleY] = [(x + toX) / 2, (y + toY) / 2];
  const holds = (side: number) => isShare(middleX + side * across) && isShare(middleY + side * along);
  const side = !holds(1) && holds(-1) ? -1 : 1;
  // A quadratic curve passes halfway between the middle of its ends and its control point.
  return [middleX + 2 * side * across, middleY + 2 * side * along];
}

const isShare = (value: number) => value >= 0 && value <= 1;
