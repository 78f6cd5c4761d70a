// What the parts of the viewer hand to each other: the shapes of its data, and the names of its events.

import type { Stage } from "./core/stages.ts";
import type { Regions } from "./draw/regions.ts";
import type { LessonProgram } from "./lesson/lesson_types.ts";

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

/** The panels in the order in which the network computes; the maps of the whole image stand beside. */
export type PanelName = "photo" | "dense" | "neighbours" | "sparse" | "segmentation" | "map";

export type Scenes = Record<PanelName, Scene>;

/** What says the names of classes; core/texts.ts has the class. */
export interface Speech {
  className(name: string): string;
}

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
  lines?: number[];
  /** The cells that are kept have an outline. */
  outlined?: boolean;
  /** The picture under the cells is a faint one, though they are regions. */
  isFaint?: boolean;
  /** The film has not come to this panel yet. */
  isVeiled?: boolean;
  summary?: { key: string; values: Record<string, unknown> };
}

/** The words of one language, by key. */
export type Words = Record<string, string>;

/** A photograph of the gallery; `stored` names the files of its packets, by network. */
export interface Photograph {
  id: string;
  thumbnail?: string;
  /** Pixels whose rows tell something; the dictionary says what. */
  looks?: Pixel[];
  stored?: Record<string, string>;
}

/** Where pictures, words and answers come from: a server, or a saved file (`fixed`). */
export interface Host {
  fixed?: boolean;
  /** The function that all of the viewer stands in. */
  program: Program;
  gallery: Photograph[];
  /** `sure`: below this mean probability of its classes a picture is far from what the network knows. */
  networks: { name: string; title: string; sure?: number | null; twin?: string | null }[];
  plotly?: string;
  packet(picture: string, network: string, tell?: (place: Place) => void): Promise<ArrayBuffer>;
  words(language: string): Promise<Words>;
  /** The lesson's program, which is another than the page's. */
  lesson(): Promise<LessonProgram>;
  add?(file: File): Promise<{ id: string; isKept: boolean }>;
  /** The visitor's own pictures that this browser keeps, the oldest first. */
  own?(): Promise<{ id: string; file: Blob; from: [width: number, height: number] | null }[]>;
  /** Keep none of them any longer. */
  forget?(): Promise<void>;
  rerun?(picture: string, network: string, whatIf: WhatIf): Promise<Rerun>;
  /** A QR code of a link, as SVG. */
  qr?(text: string): Promise<string>;
  pairPlane?(picture: string, network: string, place: Placed, whatIf: WhatIf, language: string): Promise<{ figure: string }>;
  methods?(language: string): Promise<unknown>;
  compare?(picture: string, network: string, place: Placed, methods: string[]): Promise<unknown>;
}

/** How many visitors come before, and for about how long. */
export interface Place {
  before: number;
  seconds: number;
}

/** A pixel as the server is asked about it. */
export interface Placed {
  pixel: Pixel;
  lattice: number;
}

/** The whole viewer as one function, by its role: the page, a saved file, or the worker. */
export type Program = (role: string, given: unknown) => unknown;

/** What a worker has, and whatever stands for one. */
export interface Port {
  postMessage(message: unknown): void;
  onmessage: ((event: MessageEvent) => void) | null;
  onerror?: ((event: ErrorEvent) => void) | null;
  terminate?(): void;
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
