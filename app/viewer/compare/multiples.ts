// The small multiples as data: each method's answer for one query, its colours and its numbers.

import { bytesOf } from "../core/packet.ts";
import { Scale, mapScale, colormapOf, rowScale } from "../core/scale.ts";
import { packed } from "../draw/colours.ts";
import { type Texts, number, percent } from "../core/texts.ts";
import type { Grid, Rgb, State } from "../types.ts";
import type { Heads, Method, MultipleScene, Reading, SentReading, Values } from "./compare_types.ts";

type Kind = State["scale"];

// Vermilion below zero, white at it, blue above.
export const SIGNED = "pins 0 1";

// Some of every family: what is shown before anything is chosen.
const USUAL = [
  "asa", "dgmn",
  "nonlocal_embedded_gaussian", "nonlocal_dot_product", "dnl", "danet_position",
  "ocnet_pyramid", "isa", "ccnet", "stand_alone", "san_pairwise", "ann_apnb", "pyramid_pooling",
  "a2net", "emanet", "ocr", "psanet_collect", "synthesizer_dense", "gcnet",
  "bilateral", "non_local_means", "senet", "cbam",
];

/** The methods that the state's `methods` means, in their own order: "usual", "all", "none" or names. */
export function chosenOf(methods: string, all: string[]): string[] {
  const words: Record<string, string[]> = { usual: USUAL, all, none: [] };
  const names = Object.hasOwn(words, methods) ? words[methods] : methods.split(".");
  return all.filter((name) => names.includes(name));
}

/** The state's word for a set of methods. */
export function wordFor(chosen: string[], all: string[]): string {
  const text = all.filter((name) => chosen.includes(name)).join(".");
  const known = ["usual", "all"].find((word) => chosenOf(word, all).join(".") === text);
  return known ?? (text || "none");
}

/** A method's answer, its numbers as typed arrays; `row` is in multiples of 1 over its keys. */
export function readingOf({ row, gates, ...facts }: SentReading): Reading {
  const floats = (text: string) => new Float32Array(bytesOf(text).buffer);
  const each = ([kind, { values, shape }]: [string, { values: string; shape: number[] }]): [string, Values] => (
    [kind, { values: floats(values), shape }]);
  return { ...facts, row: row === null ? null : floats(row), gates: Object.fromEntries(Object.entries(gates).map(each)) };
}

/**
 * The scenes of some readings, by name, as panels.ts paints them. A row has `cells`; gates have
 * `cells`, `matrix` and `bars`, those there are. `range` is what the colours or bars span.
 */
export function multiplesOf(
  readings: Pick<Reading, "name" | "row" | "gates" | "keys">[], { scale: kind, scales, colormap }: Pick<State, "scale" | "scales" | "colormap">,
): Map<string, MultipleScene> {
  const rows = readings.flatMap(({ name, row, keys }) => (row ? [{ name, row, keys, own: ownScale(row, kind) }] : []));
  const common = scales === "one" ? commonScale(rows.map(({ own }) => own), kind) : null;
  const scenes = new Map(rows.map(({ name, row, keys: [height, width], own }): [string, MultipleScene] => {
    const isSigned = own.low < 0;
    const scale = !common ? own : isSigned ? around(common.high, common.largest) : common;
    return [name, rowScene(row, height, width, scale, isSigned ? SIGNED : colormap)];
  }));
  for (const { name, row, gates } of readings) if (!row) scenes.set(name, gateScene(gates, kind, colormap));
  return scenes;
}

/** A row's own scale; where weights are negative it is the same on both sides of 0, and linear. */
function ownScale(row: Float32Array, kind: Kind): Scale {
  if (row.every((each) => each >= 0)) return rowScale(Float64Array.from(row), 0, kind, row);
  const sizes = row.map(Math.abs);
  const { high, largest } = rowScale(Float64Array.from(sizes), 0, "linear", sizes);
  return around(high, largest);
}

const around = (high: number, largest: number) => new Scale(-high, high, largest);

/** One scale that holds all of them; most of a negative side's is that of its sizes. */
function commonScale(scales: Scale[], kind: Kind): Scale {
  const [high, largest] = (["high", "largest"] as const).map((end) => Math.max(...scales.map((each) => each[end])));
  const lows = scales.map(({ low }) => low).filter((low) => low > 0);
  return kind === "log" && lows.length ? new Scale(Math.min(...lows), high, largest, "log") : new Scale(0, high, largest);
}

function rowScene(row: Float32Array, height: number, width: number, scale: Scale, colormap: string): MultipleScene {
  return {
    cells: { pixels: coloured(row, scale, colormap), height, width },
    bar: { scale, colormap }, range: [scale.low, scale.high], clipped: scale.clipped,
  };
}

function gateScene(gates: Reading["gates"], kind: Kind, colormap: string): MultipleScene {
  const scene: MultipleScene = { range: [0, 0] };
  if (gates.channels) {
    const [low, high] = rangeOf(gates.channels.values);
    Object.assign(scene, { bars: gates.channels, range: [Math.min(low, 0), Math.max(high, 0)] });
  }
  for (const name of ["cells", "matrix"] as const) {
    const gate = gates[name];
    if (!gate) continue;
    const { values, shape: [height, width] } = gate;
    const scale = mapScale(Float64Array.from(values), kind);
    scene[name] = { pixels: coloured(values, scale, colormap, true), height, width };
    Object.assign(scene, { bar: { scale, colormap }, range: [scale.low, scale.high] });
  }
  return scene;
}

function rangeOf(values: Values["values"]): [low: number, high: number] {
  let [low, high] = [Infinity, -Infinity];
  for (const each of values) [low, high] = [Math.min(low, each), Math.max(high, each)];
  return [low, high];
}

/** A cell of weight 0 is left open: it is not read. */
function coloured(values: Values["values"], scale: Scale, colormap: string, all = false): Uint32Array {
  const table = colormapOf(colormap).map((colour: Rgb) => packed(colour)), last = table.length - 1;
  return Uint32Array.from(values, (each) => (each || all ? table[Math.round(scale.position(each) * last)] : 0));
}

/** The number that lies under a cell of the page's grid, in whichever grid the keys are; or null. */
export function valueAt(
  { row, keys, gates }: Pick<Reading, "row" | "keys" | "gates">, { height, width }: Pick<Grid, "height" | "width">, cell: number,
): number | null {
  const { values, shape } = row ? { values: row, shape: keys } : gates.cells ?? { values: null, shape: [] };
  if (!values) return null;
  const along = (at: number, size: number, count: number) => Math.floor(((2 * at + 1) * count) / (2 * size));
  const down = along(Math.floor(cell / width), height, shape[0]);
  return values[down * shape[1] + along(cell % width, width, shape[1])];
}

export type Piece = "keys" | "effect" | "own" | "bits" | "sum" | "says";

/** A weight with its sign, to three figures. */
export const signed = (value: number) => (value < 0 ? `−${number(-value)}` : number(value));

/**
 * What is said under a multiple, in pieces: of a row its `keys` and their `sum`, keys in `effect` and
 * their entropy in `bits`, and the `own` class's share, or in place of both that the row is dead; of
 * gates one line a kind; and of either what its head `says`.
 */
export function piecesOf(
  texts: Pick<Texts, "say" | "className">, reading: Reading, method: Pick<Method, "head">, heads: Heads,
): Partial<Record<Piece, string>> {
  const { row, gates, support, effective_support: effective, own_class: own, total, dead_below: bound } = reading;
  const head = method.head === null ? undefined : heads[method.head];
  const says = head
    ? texts.say("methods.head", { label: texts.className(head.label), share: percent(head.share) })
    : texts.say("methods.no_head");
  if (!row) {
    const kinds = Object.entries(gates).map(([kind, { values, shape }]) => {
      const [low, high] = rangeOf(values).map((each) => each.toFixed(2).replace("-", "−"));
      return texts.say(`methods.gate.${kind}`, { size: shape.filter((each) => each > 1).join(" × "), low, high });
    });
    return { keys: kinds[0] ?? "", own: kinds[1] ?? "", says };
  }
  return {
    keys: texts.say("methods.keys", { support }),
    effect: texts.say("methods.effect", { effective: number(effective) }),
    // Where nothing is read, how it is spread means nothing.
    own: bound ? texts.say("methods.dead", { bound }) : texts.say("methods.own", { share: percent(own) }),
    bits: bound ? "" : texts.say("methods.bits", { entropy: Math.log2(Math.max(effective, 1)).toFixed(2) }),
    sum: texts.say("methods.sum", { total: signed(total) }),
    says,
  };
}
