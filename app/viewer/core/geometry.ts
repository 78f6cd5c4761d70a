// Where things lie: pixels, cells, and the picture in a box of the screen.

import type { Grid, Pixel, Session, Zoom } from "../types.ts";
import type { Placed } from "./host_types.ts";

const MOST_ZOOM = 16;

/** The part of a box that a picture fills, and the way between shares of the picture and places in the box. */
export interface InBox {
  x: number;
  y: number;
  width: number;
  height: number;
  factor: number;
  toBox(across: number, along: number): [number, number];
  toShare(x: number, y: number): [number, number];
}

/**
 * Where a picture lies in a box of `width` x `height`, in the box's own unit: the part of the box
 * that it fills, and how shares of the picture become places in the box under a zoom.
 */
export function placeIn(width: number, height: number, picture: { width: number; height: number }, [factor, left, top]: Zoom): InBox {
  const fit = Math.min(width / picture.width, height / picture.height);
  const [w, h] = [picture.width * fit, picture.height * fit];
  const [x, y] = [(width - w) / 2, (height - h) / 2];
  return {
    x, y, width: w, height: h, factor,
    toBox: (across, along) => [x + (across - left) * factor * w, y + (along - top) * factor * h],
    toShare: (bx, by) => [(bx - x) / (factor * w) + left, (by - y) / (factor * h) + top],
  };
}

/**
 * The number of the cell that holds the centre of a pixel, as `Grid.cell_at` in Python. While another picture
 * is fetched the query may lie outside this one: then it is the nearest cell.
 */
export function cellOf(session: Grid, [x, y]: Pixel): number {
  const { height, width, imageHeight, imageWidth } = session;
  const row = clamp(share(y, imageHeight, height), height - 1);
  return row * width + clamp(share(x, imageWidth, width), width - 1);
}

/** Whether a cell can be pointed at: the bars around a framed picture cannot. */
export function isOfPicture({ width, inner }: Pick<Grid, "width" | "inner">, cell: number): boolean {
  if (!inner) return true;
  const row = Math.floor(cell / width), column = cell % width;
  return row >= inner.top && row < inner.bottom && column >= inner.left && column < inner.right;
}

/** Row and column of a cell. */
export const placeOf = ({ width }: Pick<Grid, "width">, cell: number) => ({ row: Math.floor(cell / width), column: cell % width });

/** Row and column as people count them, from 1. */
export function countedPlace(session: Pick<Grid, "width">, cell: number): { row: number; column: number } {
  const { row, column } = placeOf(session, cell);
  return { row: row + 1, column: column + 1 };
}

/** A pixel as the server is asked about it. */
export const placed = ({ lattice }: Pick<Session, "lattice">, pixel: Pixel): Placed => ({ pixel, lattice });

/** The pixel at the centre of a cell. */
export function centreOf(session: Grid, cell: number): Pixel {
  const { height, width, imageHeight, imageWidth } = session;
  const { row, column } = placeOf(session, cell);
  return [share(column, width, imageWidth), share(row, height, imageHeight)];
}

const clamp = (value: number, most: number) => Math.min(Math.max(value, 0), most);

const share = (index: number, count: number, parts: number) => Math.floor(((2 * index + 1) * parts) / (2 * count));

/** The pixel at the centre of the cell some rows and columns on, at most at the border of the picture. */
export function stepped(session: Grid, pixel: Pixel, down: number, right: number): Pixel {
  const cell = cellOf(session, pixel);
  const { row, column } = placeOf(session, cell);
  const { top, left, bottom, right: end } = session.inner ?? { top: 0, left: 0, bottom: session.height, right: session.width };
  const [below, beside] = [Math.max(clamp(row + down, bottom - 1), top), Math.max(clamp(column + right, end - 1), left)];
  return centreOf(session, below * session.width + beside);
}

/** A zoom by `factor` that leaves the share (across, along) of the picture where it is. */
export function zoomed([before, left, top]: Zoom, factor: number, across: number, along: number): Zoom {
  const after = Math.min(Math.max(before * factor, 1), MOST_ZOOM);
  const move = (start: number, fixed: number) => {
    const first = fixed - ((fixed - start) * before) / after;
    return Math.min(Math.max(first, 0), 1 - 1 / after);
  };
  return [after, move(left, across), move(top, along)];
}

