// What the visitor has chosen, as one plain object: shared by all views, in links and in the history.

import type { Pixel, State, WhatIf } from "../types.ts";
import { AS_TRAINED } from "./attention.ts";
import { STRENGTHS, TOP_KS } from "./maps.ts";
import { STAGES } from "./stages.ts";

export const COLORMAPS = ["viridis", "inferno", "cividis", "grey"];
export const MAPS = ["nonlocal", "local", "support", "chosen", "kept", "own"];
export const LAYERS = ["classes", "wipe", "without", "groups", "flips"];
export const LANGUAGES = ["en", "zh-CN", "zh-TW"];
export const MOST_PINS = 4;

/**
 * `picture` is the gallery's name of the photograph, or "upload:" and a number. `query` and `pins` are
 * pixels [x, y] of the original picture, the query beside it while there is none; `locked` keeps the query while the pointer moves. `compare`
 * holds the numbers of two pins. `set` are cells that are one query, as runs of cells. `twin` shows the same query by the twin of the network. `strength` null is the one at which groups are telling. `hold` keeps the ends of
 * the rows' scales, dense up to, A-RNN from and to, or is null while each row has its own. `methods` is null while methods are not compared, else "usual",
 * "all", "none" or names with stops between; their maps have `scales` of their "own", or "one". `stage` is that of the film, or null while all is shown. `zoom` is how much of the picture is enlarged: factor, and the
 * share of its width and height that lies at the panel's top left.
 */
export const START: Readonly<State> = Object.freeze<State>({
  picture: null,
  network: null,
  query: [-1, -1],
  locked: false,
  pins: [],
  compare: null,
  set: null,
  twin: false,
  whatIf: AS_TRAINED,
  direction: "row",
  map: "nonlocal",
  layer: "classes",
  strength: null,
  lines: true,
  scale: "log",
  shared: false,
  hold: null,
  colormap: "viridis",
  opacity: 0.85,
  zoom: [1, 0, 0],
  language: null,
  lesson: null,
  methods: null,
  scales: "own",
  stage: null,
});

type Listener = (state: State, before: State) => void;

/**
 * The state, who listens to it, and the way back.
 *
 * A step back leads to the state after the recorded change before. `mark` is the last such state.
 */
export class Store {
  state: State;
  mark: State;
  past: State[] = [];
  future: State[] = [];
  private readonly listeners: Listener[] = [];

  constructor(state: Partial<State> = START) {
    this.state = { ...START, ...state };
    this.mark = this.state;
  }

  subscribe(listener: Listener): void {
    this.listeners.push(listener);
  }

  /**
   * Change what `patch` names. A `recorded` change can be undone; one in `passing`, as the pointer
   * moves or a slider is drawn, leaves no trace once a recorded one follows.
   */
  set(patch: Partial<State>, { recorded = false, passing = false } = {}): void {
    const state = { ...this.state, ...patch };
    if (recorded && !same(state, this.mark)) {
      this.past.push(this.mark);
      this.future = [];
      this.mark = state;
    } else if (!recorded && !passing) {
      this.mark = { ...this.mark, ...patch };
    }
    this.#become(state);
  }

  undo(): void {
    this.#step(this.past, this.future);
  }

  redo(): void {
    this.#step(this.future, this.past);
  }

  /** Go to a recorded state of the past, as if by so many steps back. */
  backTo(index: number): void {
    while (this.past.length > index) this.undo();
  }

  /** Leave a state that could not be shown for one that was, as if nothing had led away from it. */
  retreat(state: State): void {
    if (this.past.length && same(this.past.at(-1), state)) this.past.pop();
    this.mark = state;
    this.#become(state);
  }

  #step(from: State[], to: State[]): void {
    const next = from.pop();
    if (!next) return;
    to.push(this.mark);
    this.mark = next;
    this.#become(this.mark);
  }

  #become(state: State): void {
    if (same(state, this.state)) return;
    const before = this.state;
    this.state = state;
    for (const listener of this.listeners) listener(state, before);
  }
}

const same = (a: unknown, b: unknown): boolean => a === b || JSON.stringify(a) === JSON.stringify(b);

const point = ([x, y]: Pixel) => `${x}.${y}`;
const toPoint = (text: string): Pixel | undefined => {
  const numbers = text.split(".").map(Number);
  return numbers.length === 2 && numbers.every((each) => Number.isInteger(each) && each >= 0)
    ? [numbers[0], numbers[1]] : undefined;
};
const toNumber = (least: number, most: number) => (text: string) => {
  const number = Number(text);
  return text !== "" && number >= least && number <= most ? number : undefined;
};
const toOneOf = <T extends string | number>(choices: readonly T[]) => (text: string | number) => choices.find((each) => each === text);
const toSwitch = (text: string) => (text === "1" ? true : text === "0" ? false : undefined);
const fromSwitch = (on: boolean) => (on ? "1" : "0");
const toWord = (text: string) => (/^[\w-]{1,80}$/.test(text) ? text : undefined);

type Part<T> = [word: string, toText: (value: NonNullable<T>) => string, fromText: (text: string) => T | undefined];
type Parts<T> = { [Name in keyof T]?: Part<T[Name]> };

// How each part is written in a link: its name there, to text, and back (undefined: not valid).
const METHODS = /^\w{1,40}(\.\w{1,40}){0,99}$/;
const PARTS: Parts<State> = {
  picture: ["picture", String, (text) => (toWord(text.replace(/^upload:/, "")) ? text : undefined)],
  network: ["network", String, toWord],
  query: ["at", point, toPoint],
  locked: ["lock", fromSwitch, toSwitch],
  pins: ["pins", (pins) => pins.map(point).join("_"), (text) => {
    const pins = text.split("_").map(toPoint), valid = pins.filter((pin) => pin !== undefined);
    return pins.length <= MOST_PINS && valid.length === pins.length ? valid : undefined;
  }],
  compare: ["compare", (pair) => pair.join("."), (text) => {
    const pair = toPoint(text);
    return pair && pair.every((each) => each < MOST_PINS) && pair[0] !== pair[1] ? pair : undefined;
  }],
  set: ["set", (runs) => runs.map((run) => run.join(".")).join("_"), (text) => {
    const runs = text.split("_").map(toPoint);
    let end = 0;
    const isInOrder = runs.every((run) => {
      const fits = run !== undefined && run[0] >= end && run[1] > 0;
      end = run ? run[0] + run[1] : end;
      return fits;
    });
    return isInOrder ? runs as State["set"] : undefined;
  }],
  twin: ["twin", fromSwitch, toSwitch],
  direction: ["look", String, toOneOf(["row", "column"])],
  map: ["map", String, toOneOf(MAPS)],
  layer: ["layer", String, toOneOf(LAYERS)],
  strength: ["strength", String, (text) => toOneOf(STRENGTHS)(Number(text))],
  lines: ["lines", fromSwitch, toSwitch],
  scale: ["scale", String, toOneOf(["linear", "log"])],
  shared: ["shared", fromSwitch, toSwitch],
  hold: ["hold", (ends) => ends.join("_"), (text) => {
    const ends = text.split("_").map(Number), [dense, low, high] = ends;
    return ends.length === 3 && dense > 0 && low > 0 && high > low && ends.every(Number.isFinite) ? [dense, low, high] : undefined;
  }],
  colormap: ["colormap", String, toOneOf(COLORMAPS)],
  opacity: ["opacity", String, toNumber(0, 1)],
  zoom: ["zoom", (zoom) => zoom.map((each) => +each.toFixed(4)).join("_"), (text) => {
    const zoom = text.split("_").map(Number);
    const [factor, ...start] = zoom;
    // A rounding beyond the picture's end is none.
    const most = 1 - 1 / factor + 1e-4;
    return zoom.length === 3 && factor >= 1 && factor <= 16 && start.every((each) => each >= 0 && each <= most)
      ? [factor, start[0], start[1]] : undefined;
  }],
  language: ["lang", String, toOneOf(LANGUAGES)],
  lesson: ["lesson", String, (text) => {
    const step = Number(text);
    return Number.isInteger(step) && step >= 0 && step < 50 ? step : undefined;
  }],
  methods: ["methods", String, (text) => (METHODS.test(text) ? text : undefined)],
  scales: ["scales", String, toOneOf(["own", "one"])],
  stage: ["stage", String, toOneOf(STAGES)],
};
const WHAT_IF_PARTS: Parts<WhatIf> = {
  nonlocalFactor: ["t1", String, toNumber(0, 100)],
  localFactor: ["t2", String, toNumber(0, 100)],
  reciprocity: ["reciprocal", fromSwitch, toSwitch],
  localRule: ["local", fromSwitch, toSwitch],
  window: ["window", String, (text) => toOneOf([1, 3, 5])(Number(text))],
  topK: ["top", String, (text) => toOneOf(TOP_KS)(Number(text))],
};

/** Whether a picture is the visitor's own, which is in no link. */
export const isUpload = (picture: string | null | undefined): boolean => picture?.startsWith("upload:") ?? false;

/**
 * The state as a query string; what stands at its start is left out, and so is a picture of one's own
 * but for an address in the browser that keeps it (`own`).
 */
export function toQueryString(state: State, own = false): string {
  const words = new URLSearchParams();
  const write = <T>(parts: Parts<T>, values: T, start: Readonly<T>) => {
    for (const name of Object.keys(parts) as (keyof T)[]) {
      const value = values[name], [word, toText] = parts[name] as Part<T[typeof name]>;
      if (name === "picture" && isUpload(value as string | null) && !own) continue;
      if (value !== null && value !== undefined && !same(value, start[name])) words.set(word, toText(value));
    }
  };
  write(PARTS, state, START);
  write(WHAT_IF_PARTS, state.whatIf, AS_TRAINED);
  return words.toString();
}

// Words of older links, and what they are called now.
const FORMER_WORDS = { palette: "colormap" };

/** What a query string says of the state; words that are not valid say nothing. */
export function fromQueryString(text: string): Partial<State> {
  const words = new URLSearchParams(text);
  for (const [former, word] of Object.entries(FORMER_WORDS)) {
    const value = words.get(former);
    if (value !== null && !words.has(word)) words.set(word, value);
  }
  const read = <T>(parts: Parts<T>) => {
    const values: Partial<T> = {};
    for (const name of Object.keys(parts) as (keyof T)[]) {
      const [word, , fromText] = parts[name] as Part<T[typeof name]>;
      const text = words.get(word), value = text === null ? undefined : fromText(text);
      if (value !== undefined) values[name] = value;
    }
    return values;
  };
  const state = read(PARTS);
  const whatIf = read(WHAT_IF_PARTS);
  if (Object.keys(whatIf).length) state.whatIf = { ...AS_TRAINED, ...whatIf };
  // As one would write it by hand.
  if (words.get("compare") === "1") state.methods ??= "usual";
  if (state.compare && state.compare.some((each) => each >= (state.pins ?? []).length)) delete state.compare;
  return state;
}
