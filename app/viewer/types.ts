// What the parts of the viewer hand to each other: the shapes of its data, and the names of its events.

import type { Stage } from "./core/stages.ts";

/** A pixel of the original picture, [x, y]. */
export type Pixel = [x: number, y: number];

/** A colour of three bytes, [r, g, b]. */
export type Rgb = [red: number, green: number, blue: number];

/** How much of the picture is enlarged: factor, and the share of its width and height at the top left. */
export type Zoom = [factor: number, left: number, top: number];

/** The layers behind the attention of a read only network. */
export interface Layer {
  weight: Float32Array;
  bias: Float32Array;
  inputs: number;
  isRectified: boolean;
}

/** Values and layers from which the class of a row follows. */
export interface Readout {
  values: Float32Array;
  width: number;
  layers: Layer[];
}

/** The grid of cells over a picture. */
export interface Grid {
  height: number;
  width: number;
  imageHeight: number;
  imageWidth: number;
  /** The cells that can be pointed at, where those are not all. */
  inner?: Inner | null;
}

/** The cells that hold some of a framed picture, `bottom` and `right` the first ones outside, and its own size in pixels. */
export interface Inner {
  pixelsAcross: number;
  pixelsAlong: number;
  top: number;
  left: number;
  bottom: number;
  right: number;
}

/** One encoded picture, as the server sends it. */
export interface Session extends Grid {
  network: string;
  learned: boolean;
  window: number;
  half: boolean;
  classes: string[];
  /** The colours of the classes in the data set. */
  palette: Rgb[];
  notes: string[];
  n: number;
  lattice: number;
  workingHeight: number;
  workingWidth: number;
  depth: number;
  query: Float32Array;
  key: Float32Array | null;
  logNormaliser: Float32Array;
  nonlocalScale: Float32Array;
  localScale: Float32Array;
  cellLabels: Uint8Array;
  workingLabels: Uint8Array;
  /** What every cell says if it reads itself alone, where that is known. */
  withoutAttention: Uint8Array | null;
  readout: Readout | null;
  picture: Uint8Array<ArrayBuffer>;
  survey?: Survey;
}

/** What rows all over a picture say of it. */
export interface Survey {
  /** The cell whose query tells most. */
  start: number;
  /** Where a linear scale of the dense rows ends. */
  ceiling: number;
  /** Where a logarithmic one ends, and where it begins. */
  top: number;
  bottom: number;
  /** How sure the network is of its class on average, from 0 to 1; null where that is not known. */
  sureness: number | null;
}

/** Cells as runs of numbers that follow each other: the first, and how many. */
export type Runs = [start: number, length: number][];

/** What a mean row sums up to: how many cells are one query, how many cells any of them keeps, and how many choose any of them. */
export interface SetSums extends Omit<RowNumbers, "groups"> {
  cells: number;
  choosing: number;
}

/** The row of a set of cells: means of weights, and shares of the set's cells that stand in a relation to each key. */
export interface SetRow {
  cells: number[];
  dense: Float64Array;
  incoming: Float64Array;
  weights: Float64Array;
  chosen: Float64Array;
  back: Float64Array;
  reciprocal: Float64Array;
  local: Float64Array;
  support: Float64Array;
  numbers: SetSums;
}

/** A rule that differs from the trained network's in what is not as in AS_TRAINED. */
export interface WhatIf {
  nonlocalFactor: number;
  localFactor: number;
  reciprocity: boolean;
  localRule: boolean;
  window: number | null;
  topK: number | null;
}

/** The row of one query. */
export interface Row {
  i: number;
  dense: Float64Array;
  incoming: Float64Array;
  incomingRatio: Float32Array;
  relation: Uint8Array;
  weights: Float32Array;
  threshold: number;
  localScale: number;
  localThreshold: number;
}

/** The column of a key: how much every cell reads it; the sparse weights come a little later. */
export interface Column {
  dense: Float64Array;
  weights: Float32Array | null;
}

/** What the weights of a row or a column sum up to. */
export interface Sums {
  entropy: number;
  largest: number;
  byClass: Float64Array;
  own: number;
}

export interface ColumnSums extends Sums {
  count: number;
  total: number;
}

/** A row in numbers. */
export interface RowNumbers {
  n: number;
  own: number;
  support: number;
  keptMass: number;
  groups: number[];
  dense: Sums;
  sparse: Sums;
}

export interface ColumnNumbers {
  own: number;
  dense: ColumnSums;
  sparse: ColumnSums | null;
}

/** A row with all that the worker says of it. */
export interface AnsweredRow extends Row {
  column: Column & { numbers: ColumnNumbers };
  numbers: RowNumbers;
  /** The probability of each class by both rows, without attention, and under another rule also as trained. */
  classes: { dense: Float64Array; sparse: Float64Array; without: Float64Array; trained: Float64Array | null } | null;
}

/** What every cell's row amounts to. */
export interface Maps {
  support: Uint32Array;
  inDegree: Uint32Array;
  keptMass: Float64Array;
  ownShare: Float32Array;
  groups: Int32Array[];
}

/** An answer that came too late to be wanted. */
export interface Late {
  late: true;
}

/** What the visitor has chosen; START in core/state.ts says what each part is. */
export interface State {
  picture: string | null;
  network: string | null;
  query: Pixel;
  locked: boolean;
  pins: Pixel[];
  compare: Pixel | null;
  set: Runs | null;
  twin: boolean;
  whatIf: WhatIf;
  direction: "row" | "column";
  map: string;
  layer: string;
  strength: number | null;
  lines: boolean;
  scale: "linear" | "log";
  shared: boolean;
  hold: [dense: number, low: number, high: number] | null;
  colormap: string;
  opacity: number;
  zoom: Zoom;
  language: string | null;
  lesson: number | null;
  methods: string | null;
  scales: "own" | "one";
  stage: Stage | null;
}

/** The segmentation under a changed rule, and what differs in it. */
export interface Rerun {
  labels: Uint8Array;
  count: number;
  share: number;
  flips: { from: number; to: number; pixels: number }[];
}

/** The same query by the twin of the network. */
export interface Twin {
  session: Session;
  row: Row & { numbers: RowNumbers };
}

/** What the panels are made from. */
export interface Moment {
  state: State;
  session: Session;
  row: AnsweredRow;
  maps: Maps | null;
  rerun: Rerun | null;
  compared: readonly AnsweredRow[] | null;
  /** The row of the set that is the query. */
  set?: SetRow | null;
  /** The same query by the twin of the network. */
  twin?: Twin | null;
}

/** Which picture is open, by which network. */
export interface Opened {
  picture: string;
  network: string;
}

/** What says the names of classes; core/texts.ts has the class. */
export interface Speech {
  className(name: string): string;
}

/** The viewer's events on its element: `asa:` and one of these. */
export interface Events {
  /** The state has changed. */
  "asa:state": { state: State; before: State };
  /** Another picture is open. */
  "asa:opened": undefined;
  /** The page speaks another language. */
  "asa:language": undefined;
  /** A row has been answered and drawn. */
  "asa:drawn": { row: AnsweredRow; state: State; session: Session };
  /** Everything has been drawn anew. */
  "asa:shown": undefined;
  /** Other methods have answered for the query. */
  "asa:compared": undefined;
}
