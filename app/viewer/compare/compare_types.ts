// The shapes of the compare view: methods, what they answer for a query, and how that is drawn.

import type { Engine } from "../core/engine.ts";
import type { Store } from "../core/state.ts";
import type { Texts } from "../core/texts.ts";
import type { smallOf } from "../draw/panels.ts";
import type { Comparison } from "../lesson/lesson_types.ts";
import type { Host } from "../core/host_types.ts";
import type { Bar, Cells } from "../draw/draw_types.ts";
import type { Grid, Moment, Opened, Pixel, Session, State, Zoom } from "../types.ts";

/** What is known of a method of attention; the texts are in the reader's language. */
export interface Method {
  name: string;
  family: string;
  title: string;
  note: string;
  paper: string;
  formula: string;
  support_per_pass: string;
  effective_support: string;
  cost: string;
  exact: string;
  unchecked: string;
  /** The trained head that it lives in; what weighs the image alone has none. */
  head: string | null;
}

export interface Family {
  name: string;
  title: string;
}

/** One head of the experiment, trained and measured like the others. */
export interface MeasuredHead {
  head: string;
  mIoU?: number;
  mIoU_deviation?: number;
  pixel_accuracy?: number;
  without_attention?: { mIoU: number; flips: number };
  attention?: Record<string, Record<AttentionNumber, number>>;
  parameters?: number;
  multiply_adds?: number;
  milliseconds?: number;
  megabytes?: number;
}

export type AttentionNumber = "support" | "effective_support" | "entropy" | "own_class";

/** The difference of two arms of the experiment, and what it establishes. */
export interface Contrast {
  first: string;
  second: string;
  difference: number;
  low: number;
  high: number;
  seeds: number;
  verdict: string;
}

export interface Experiment {
  arms?: MeasuredHead[];
  rows: MeasuredHead[];
  contrasts?: Contrast[];
  setting: Record<string, unknown> & { backbone: string; arms: { width: number; rate: number } };
}

/** What the server tells of all methods. */
export interface Facts {
  language: string;
  network: string;
  methods: Method[];
  families: Family[];
  experiment: Experiment;
}

export interface Values {
  values: Float32Array | Uint8Array;
  shape: number[];
}

export type GateKind = "channels" | "cells" | "matrix";

interface AnswerNumbers {
  name: string;
  keys: [height: number, width: number];
  total: number;
  dead_below: number | null;
  support: number;
  effective_support: number;
  own_class: number;
}

/** What a method answers for a query, as the server sends it: arrays in base64. */
export interface SentReading extends AnswerNumbers {
  row: string | null;
  gates: Partial<Record<GateKind, { values: string; shape: number[] }>>;
}

/** The same with its numbers as arrays; `row` is in multiples of 1 over its keys. */
export interface Reading extends AnswerNumbers {
  row: Float32Array | null;
  gates: Partial<Record<GateKind, Values>>;
}

/** The class that each head gives to the query, and on which share of the cells it agrees with the page. */
export type Heads = Record<string, { label: string; share: number }>;

/** The server's answer for a query. */
export interface SentAnswer {
  labels_of: string;
  grid: [height: number, width: number];
  methods: SentReading[];
  heads: Heads;
  /** How many heads agree, a byte a cell. */
  agreeing: string | null;
}

/** How a reading is drawn: a row has `cells`; gates have `cells`, `matrix` and `bars`, those there are. */
export interface MultipleScene {
  cells?: Cells;
  matrix?: Cells;
  bars?: Values;
  bar?: Pick<Bar, "scale" | "colormap">;
  /** What the colours or bars span. */
  range: [low: number, high: number];
  clipped?: boolean;
}

/** Where the marks on a small map stand. */
export interface Marks {
  grid: Grid;
  query: number;
  hover: number | null;
  pins: number[];
  fine: boolean;
}

/** What the view needs of the viewer. */
export interface CompareViewer {
  element: HTMLElement;
  host: Host;
  store: Store;
  texts: Texts;
  engine: Pick<Engine, "row">;
  state: State;
  session: Session | null;
  picture: Parameters<typeof smallOf>[0] | null;
  moment: Moment | null;
  opened: Opened | null;
  hovered: number | null;
  /** What was answered last, for the lesson. */
  comparison?: Comparison;
  find<T extends HTMLElement>(selector: string): T;
  say(key: string, values?: Record<string, unknown>): string;
  hover(pixel: Pixel | null, time?: number, leads?: boolean): void;
  lock(pixel: Pixel): void;
  free(): void;
  pin(): void;
  undo(): void;
  zoom(zoom: Zoom): void;
  zoomBy(factor: number): void;
}

/** The last answer, with its arrays and the query that it is for. */
export interface Answer extends Omit<SentAnswer, "methods"> {
  readings: Map<string, Reading>;
  session: Session;
  cell: number;
  own: Reading;
}
