// The small multiples as data: each method's answer for one query, its colours and its numbers.

import { bytesOf } from "../core/packet.ts";
import { Scale, mapScale, paletteOf, rowScale } from "../core/scale.ts";
import { packed } from "../draw/colours.ts";
import { number, percent } from "../core/texts.ts";

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
export function chosenOf(methods, all) {
  const words = { usual: USUAL, all, none: [] };
  const names = Object.hasOwn(words, methods) ? words[methods] : methods.split(".");
  return all.filter((name) => names.includes(name));
}

/** The state's word for a set of methods. */
export function wordFor(chosen, all) {
  const text = all.filter((name) => chosen.includes(name)).join(".");
  const known = ["usual", "all"].find((word) => chosenOf(word, all).join(".") === text);
  return known ?? (text || "none");
}

/** A method's answer, its numbers as typed arrays; `row` is in multiples of 1 over its keys. */
export function readingOf({ row, gates, ...facts }) {
  const floats = (text) => new Float32Array(bytesOf(text).buffer);
  const each = ([kind, { values, shape }]) => [kind, { values: floats(values), shape }];
  return { ...facts, row: row && floats(row), gates: Object.fromEntries(Object.entries(gates).map(each)) };
}

/**
 * The scenes of some readings, by name, as panels.js paints them. A row has `cells`; gates have
 * `cells`, `matrix` and `bars`, those there are. `range` is what the colours or bars span.
 */
export function multiplesOf(readings, { scale: kind, scales, palette }) {
  const rows = readings.filter(({ row }) => row).map(({ name, row }) => [name, row, ownScale(row, kind)]);
  const common = scales === "one" ? commonScale(rows.map(([, , scale]) => scale), kind) : null;
  const scenes = new Map(rows.map(([name, row, own]) => {
    const { keys: [height, width] } = readings.find((each) => each.name === name);
    const signed = own.low < 0;
    const scale = !common ? own : signed ? around(common.high, common.largest) : common;
    return [name, rowScene(row, height, width, scale, signed ? SIGNED : palette)];
  }));
  for (const { name, row, gates } of readings) if (!row) scenes.set(name, gateScene(gates, kind, palette));
  return scenes;
}

/** A row's own scale; where weights are negative it is the same on both sides of 0, and linear. */
function ownScale(row, kind) {
  if (row.every((each) => each >= 0)) return rowScale(row, 0, kind, row);
  const sizes = row.map(Math.abs);
  const { high, largest } = rowScale(sizes, 0, "linear", sizes);
  return around(high, largest);
}

const around = (high, largest) => new Scale(-high, high, largest);

/** One scale that holds all of them; most of a negative side's is that of its sizes. */
function commonScale(scales, kind) {
  const [high, largest] = ["high", "largest"].map((end) => Math.max(...scales.map((each) => each[end])));
  const lows = scales.map(({ low }) => low).filter((low) => low > 0);
  return kind === "log" && lows.length ? new Scale(Math.min(...lows), high, largest, "log") : new Scale(0, high, largest);
}

function rowScene(row, height, width, scale, palette) {
  return {
    cells: { pixels: coloured(row, scale, palette), height, width },
    bar: { scale, palette }, range: [scale.low, scale.high], clipped: scale.clipped,
  };
}

function gateScene(gates, kind, palette) {
  const scene = {};
  if (gates.channels) {
    const [low, high] = rangeOf(gates.channels.values);
    Object.assign(scene, { bars: gates.channels, range: [Math.min(low, 0), Math.max(high, 0)] });
  }
  for (const name of ["cells", "matrix"]) {
    if (!gates[name]) continue;
    const { values, shape: [height, width] } = gates[name];
    const scale = mapScale(values, kind);
    scene[name] = { pixels: coloured(values, scale, palette, true), height, width };
    Object.assign(scene, { bar: { scale, palette }, range: [scale.low, scale.high] });
  }
  return scene;
}

const rangeOf = (values) => [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];

/** A cell of weight 0 is left open: it is not read. */
function coloured(values, scale, palette, all = false) {
  const table = paletteOf(palette).map(packed), last = table.length - 1;
  return Uint32Array.from(values, (each) => (each || all ? table[Math.round(scale.position(each) * last)] : 0));
}

/** The number that lies under a cell of the page's grid, in whichever grid the keys are; or null. */
export function valueAt({ row, keys, gates }, { height, width }, cell) {
  const [values, shape] = row ? [row, keys] : [gates.cells?.values, gates.cells?.shape];
  if (!values) return null;
  const along = (at, size, count) => Math.floor(((2 * at + 1) * count) / (2 * size));
  const down = along(Math.floor(cell / width), height, shape[0]);
  return values[down * shape[1] + along(cell % width, width, shape[1])];
}

/** A weight with its sign, to three figures. */
export const signed = (value) => (value < 0 ? `−${number(-value)}` : number(value));

/**
 * What is said under a multiple, in pieces: of a row its `keys` and their `sum`, keys in `effect` and
 * their entropy in `bits`, and the `own` class's share, or in place of both that the row is dead; of
 * gates one line a kind; and of either what its head `says`.
 */
export function piecesOf(texts, reading, method, heads) {
  const { row, gates, support, effective_support: effective, own_class: own, total, dead_below: bound } = reading;
  const head = heads[method.head];
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
