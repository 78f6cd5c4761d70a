// Colours for numbers: colormaps, where a scale begins and ends, and its round numbers.

import type { Rgb } from "../types.ts";
import { IDEAS } from "./ideas.ts";

// Perceptually even colormaps, as stops; the first is told apart with every kind of colour vision, and
// no colour of it is the grey of the photograph that it lies on.
const STOPS: Record<string, string> = {
  viridis: "440154 482878 3e4989 31688e 26828e 1f9e89 35b779 6ece58 b5de2b fde725",
  cividis: "00224e 123570 3b496c 575d6d 707173 8a8678 a59c74 c3b369 e1cc55 fee838",
  inferno: "000004 1b0c41 4a0c6b 781c6d a52c60 cf4446 ed6925 fb9b06 f7d13d fcffa4",
  grey: "111111 2b2b2b 454545 5f5f5f 797979 939393 adadad c7c7c7 e1e1e1 fbfbfb",
};
// The groups of keys, as attention.ts has them.
export const GROUP_COLOURS = [IDEAS.kept.fill, IDEAS.local.fill, IDEAS.refused.fill, IDEAS.choosing.fill];
export const PIN_COLOURS = ["#0072b2", "#d55e00", "#f0e442", "#cc79a7"];
export const THRESHOLD_COLOUR = IDEAS.threshold.fill;

const ENTRIES = 256;
const ROUND = [1, 2, 5];
const tables = new Map<string, Rgb[]>();

export type Kind = "linear" | "log";
type Numbers = Float64Array | Float32Array | number[];

/**
 * 256 colours from the first to the last stop, as [r, g, b] of 0 to 255.
 *
 * "pins" and two numbers run from the second pin's colour over white to the first's.
 */
export function colormapOf(name: string): Rgb[] {
  let table = tables.get(name);
  if (!table) {
    const [first, second] = (name.match(/^pins (\d) (\d)$/) ?? []).slice(1).map(Number);
    const stops = (STOPS[name]?.split(" ") ?? [PIN_COLOURS[second], "f7f7f7", PIN_COLOURS[first]]).map(rgbOf);
    table = Array.from({ length: ENTRIES }, (_, entry) => {
      const place = (entry / (ENTRIES - 1)) * (stops.length - 1);
      const from = Math.min(Math.floor(place), stops.length - 2);
      return stops[from].map((each, k) => Math.round(each + (place - from) * (stops[from + 1][k] - each))) as Rgb;
    });
    tables.set(name, table);
  }
  return table;
}

/** The `k`-th of a row of colours that differ in hue, and a little in lightness, as "#rrggbb". */
export function hueOf(k: number): string {
  // The golden angle keeps neighbouring numbers far apart in hue.
  const hue = (k * 137.508 + 200) % 360, light = [0.55, 0.42, 0.68][k % 3];
  const part = (shift: number) => {
    const place = (shift + hue / 30) % 12;
    const value = light - 0.6 * Math.min(light, 1 - light) * Math.max(-1, Math.min(place - 3, 9 - place, 1));
    return Math.round(255 * value).toString(16).padStart(2, "0");
  };
  return `#${part(0)}${part(8)}${part(4)}`;
}

/** "#rrggbb" or "rrggbb" as three numbers. */
export function rgbOf(hex: string): Rgb {
  const number = Number.parseInt(hex.replace("#", ""), 16);
  return [number >> 16, (number >> 8) & 255, number & 255];
}

/**
 * From numbers to shares of the colormap.
 *
 * `low` to `high` is what the colours show, `smallest` and `largest` the ends of the numbers that are
 * shown: where these lie beyond the colours they are clipped, and the panel says so.
 */
export class Scale {
  readonly low: number;
  readonly high: number;
  readonly largest: number;
  readonly kind: Kind;
  readonly smallest: number;

  constructor(low: number, high: number, largest = high, kind: Kind = "linear", smallest = low) {
    this.low = low;
    this.high = high;
    this.largest = largest;
    this.kind = kind;
    this.smallest = smallest;
  }

  /** Whether a number lies between the ends. */
  holds(value: number): boolean {
    return value >= this.low * (1 - 1e-6) && value <= this.high * (1 + 1e-6);
  }

  get clippedBelow(): boolean {
    return this.smallest < this.low * (1 - 1e-6);
  }

  get clipped(): boolean {
    return this.largest > this.high * (1 + 1e-6);
  }

  /** Where a number lies, 0 at the start of the colours and 1 at their end; clipped to them. */
  position(value: number): number {
    const share = this.kind === "log"
      ? Math.log(Math.max(value, this.low) / this.low) / Math.log(this.high / this.low)
      : (value - this.low) / (this.high - this.low);
    return Math.min(Math.max(share, 0), 1);
  }

  /** Round numbers that lie on the scale, about four. */
  ticks(): number[] {
    return this.kind === "log" ? this.#powers() : this.#steps(4);
  }

  #steps(count: number): number[] {
    const least = (this.high - this.low) / count;
    const power = 10 ** Math.floor(Math.log10(least));
    const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= least * (1 - 1e-9)) ?? least;
    const ticks: number[] = [];
    for (let k = Math.ceil(this.low / step - 1e-9); k <= this.high / step + 1e-9; k++) ticks.push(k * step);
    return ticks;
  }

  #powers(): number[] {
    const [first, last] = [Math.log10(this.low), Math.log10(this.high)];
    if (last - first < 2) {
      const ticks: number[] = [];
      for (let power = Math.floor(first); power <= last; power++) ticks.push(...ROUND.map((each) => each * 10 ** power));
      const held = ticks.filter((each) => this.holds(each));
      return held.length ? held : this.#steps(4);
    }
    const every = Math.ceil((last - first) / 5);
    const ticks: number[] = [];
    for (let power = Math.ceil(first); power <= last; power += every) ticks.push(10 ** power);
    return ticks;
  }
}

// A few keys, the query itself first, outweigh all others by far; the colours are for the others.
export const CEILING_PERCENTILE = 99.5;
const LOG_SPAN = 1e4;
const KEPT_SPAN = 1e6;

/**
 * The scale of a row in multiples of the uniform weight: up to a high percentile, higher where half
 * of the shown weights would be clipped, and always with the threshold on it.
 */
export function rowScale(values: Numbers, threshold: number, kind: Kind, also: Numbers | null = null): Scale {
  const times = Float64Array.from(values);
  const shown = also ? Float32Array.from(also).filter((each) => each > 0) : new Float32Array();
  const largest = Math.max(times.reduce(larger, 0), shown.reduce(larger, 0));
  const sorted = Float32Array.from(times).sort();
  const top = sorted[sorted.length - 1];
  shown.sort();
  const middle = shown.length ? shown[shown.length >> 1] : 0;
  const percentile = sorted[Math.min(Math.ceil((CEILING_PERCENTILE / 100) * sorted.length), sorted.length) - 1];
  if (kind === "log") {
    const low = Math.max(sorted.find((each) => each > 0) ?? 0, largest / LOG_SPAN, 1e-12);
    // A flat row still needs a scale with two ends.
    return new Scale(low, Math.max(largest, 1.25 * threshold, 1.25 * low), largest, kind);
  }
  const high = Math.max(Math.min(Math.max(percentile, middle), top), 1.25 * threshold) || 1;
  return new Scale(0, high, largest);
}

/** `value` rounded up to the next of `parts` times a power of ten, or down to the one before. */
export function rounded(value: number, up = true, parts = ROUND): number {
  const power = 10 ** Math.floor(Math.log10(value) + 1e-9), near = 1e-6;
  const all = [...parts, 10].map((each) => each * power);
  return (up ? all.find((each) => each >= value * (1 - near)) : all.findLast((each) => each <= value * (1 + near))) ?? value;
}

/**
 * The scale of a dense row, the same for all rows of a picture, and longer only where it has to be for
 * the query's threshold to lie on it: linear up to a `ceiling`, logarithmic from a `bottom` to a `top`.
 */
export function denseScale(values: Float64Array, threshold: number, kind: Kind, { ceiling, bottom, top }: { ceiling: number; bottom: number; top: number }): Scale {
  const largest = values.reduce(larger, 0), smallest = values.reduce(smaller, Infinity);
  if (kind !== "log") return new Scale(0, Math.max(ceiling, 1.05 * threshold), largest);
  const low = threshold > 0 ? Math.min(bottom, threshold / 1.05) : bottom;
  return new Scale(low, Math.max(top, 1.05 * threshold), largest, kind, smallest);
}

/**
 * The scale of the weights that are kept, logarithmic between round numbers, with the threshold among
 * them on it: few keys of much weight and many of little are both told apart.
 */
export function keptScale(values: Numbers, mark: number | null): Scale {
  const kept = Float32Array.from(values).filter((each) => each > 0);
  const largest = kept.reduce(larger, 0) || 1, smallest = kept.reduce(smaller, largest);
  const low = rounded(Math.max(Math.min(smallest, mark ?? smallest), largest / KEPT_SPAN), false);
  // One weight, or many that are the same, still need a scale with two ends.
  const high = Math.max(rounded(largest), rounded(1.01 * (mark ?? 0) || largest), 2 * low);
  return new Scale(low, high, largest, "log", smallest);
}

/** The scale of a map from its smallest to its largest number; nothing is clipped. */
export function mapScale(numbers: Numbers, kind: Kind): Scale {
  const values = Array.from(numbers);
  if (kind === "log") {
    const positive = values.filter((each) => each > 0);
    const [low, high] = [positive.reduce(smaller, Infinity), positive.reduce(larger, 0)];
    if (low < high) return new Scale(Math.max(low, high / LOG_SPAN), high, high, kind);
  }
  let low = values.reduce(smaller, Infinity);
  const high = values.reduce(larger, -Infinity);
  // One number everywhere still needs a scale with two ends.
  const margin = high - low > 1e-3 * Math.abs(high) ? 0 : Math.max(0.05 * Math.abs(high), 0.05);
  low -= margin;
  return new Scale(low, high + margin, high);
}

const larger = (a: number, b: number): number => (a > b ? a : b);
const smaller = (a: number, b: number): number => (a < b ? a : b);
