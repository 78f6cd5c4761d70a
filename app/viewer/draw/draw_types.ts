// What panels show, as data: cells in colours, bars, legends, and the marks of all panels.

import type { Regions } from "./regions.ts";
import type { Grid, Runs } from "../types.ts";

/** The panels in the order in which the network computes; the maps of the whole image stand beside. */
export type PanelName = "photo" | "dense" | "neighbours" | "sparse" | "segmentation" | "map";

export type Scenes = Record<PanelName, Scene>;

/** What all panels mark in a picture: the query, the cell under the pointer, the pins. */
export interface Marks {
  grid: Pick<Grid, "height" | "width">;
  query: number;
  hover: number | null;
  pins: number[];
  /** The cells that are one query, or are about to be. */
  set?: Runs | null;
  /** On a small map: frames are fine. */
  fine?: boolean;
  /** The label that the segmentation shows alone. */
  alone?: number | null;
  /** Where the wipe stands, in shares of the width of the panel. */
  wipe?: number;
  /** What a class is called in the reader's language. */
  nameOf?: (name: string) => string;
}

/** Colours of cells, or of pixels, row by row; 0 is transparent. */
export interface Cells {
  pixels: Uint32Array;
  height: number;
  width: number;
}

/** A bar of colours under a panel. */
export interface Bar {
  scale: ScaleLike;
  colormap: string;
  line: number | null;
  here?: number;
  unit: string;
}

/** What a bar needs of a scale; core/scale.ts has the class. */
export interface ScaleLike {
  low: number;
  high: number;
  largest: number;
  clipped: boolean;
  clippedBelow: boolean;
  holds(value: number): boolean;
  position(value: number): number;
  ticks(): number[];
}

export interface LegendEntry {
  colour: string;
  /** The label that this entry shows alone. */
  label?: number;
  key?: string;
  name?: string;
  from?: string;
  to?: string;
  amount?: number;
  share?: number;
  /** The share to the right of the wipe. */
  beside?: number;
}

/** A line from the query to a key, and the key's weight in shares of the largest weight that has a line. */
export interface Line {
  key: number;
  share: number;
}

/** What one panel shows; `title`, `note` and the keys of a legend are keys of the dictionary. */
export interface Scene {
  title: string;
  note?: string;
  cells?: Cells;
  values?: ArrayLike<number>;
  /** The cells lie half-transparent on the photograph, with outlines and names. */
  regions?: Regions;
  /** What lies to the right of the wipe. */
  beside?: { regions: Regions; cells: Cells };
  bar?: Bar;
  legend?: LegendEntry[];
  lines?: Line[];
  /** The cells that are kept have an outline. */
  outlined?: boolean;
  /** The picture under the cells is a faint one, though they are regions. */
  isFaint?: boolean;
  /** The film has not come to this panel yet. */
  isVeiled?: boolean;
  summary?: { key: string; values: Record<string, unknown> };
}
