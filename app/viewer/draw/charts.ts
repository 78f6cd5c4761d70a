// Small charts of one row, as SVG: the sorted row, the histogram of its weights, the classes.

import { KEPT } from "../core/attention.ts";
import { make } from "../page/dom.ts";
import type { Moment, Speech } from "../types.ts";
import { histogramOf, sortedKeys } from "../core/numbers.ts";
import { GROUP_COLOURS } from "../core/scale.ts";
import { sparseKey } from "./scenes.ts";
import { percent } from "../core/texts.ts";

/** What a chart is drawn of. */
export interface Charted {
  moment: Moment;
  texts: Speech;
  say(key: string, values?: Record<string, unknown>): string;
}

interface Axis {
  (value: number): number;
  ticks: number[];
}

const WIDTH = 300, HEIGHT = 200;
const LEFT = 38, RIGHT = 6, TOP = 8, BOTTOM = 32;
const LEAST = 1e-6;
const BINS = 36;

/** The dense row from the largest weight down, the kept keys marked, both axes logarithmic. */
export function showCurve(viewer: Charted, box: HTMLElement): void {
  const { session: { n } } = viewer.moment;
  const { dense, isKept, threshold } = lookedAt(viewer.moment);
  const keys = sortedKeys(dense);
  const times = (k: number) => Math.max(dense[keys[k]] * n, LEAST);
  const y = logAxis(Math.min(times(n - 1), 1), Math.max(times(0), threshold, 1), HEIGHT - BOTTOM, TOP);
  const x = logAxis(1, Math.max(n, 2), LEFT, WIDTH - RIGHT);
  const ranks = [...new Set(Array.from({ length: 160 }, (_, k) => Math.round(n ** (k / 159))))];
  const line = ranks.map((rank, k) => `${k ? "L" : "M"}${x(rank).toFixed(1)} ${y(times(rank - 1)).toFixed(1)}`);
  const dots: string[] = [];
  // Where ranks stand closer than a pixel one dot stands for them.
  let last = -1;
  for (let k = 0; k < n; k++) {
    const at = Math.round(x(k + 1) * 2);
    if (!isKept(keys[k]) || at === last) continue;
    last = at;
    dots.push(`M${(at / 2).toFixed(1)} ${y(times(k)).toFixed(1)}h0`);
  }
  chart(viewer, box, "chart.curve.label", [
    ...axes(x, y, viewer.say("chart.rank"), viewer.say("chart.weight")),
    ...(threshold > 0 ? [path(`M${LEFT} ${y(threshold).toFixed(1)}H${WIDTH - RIGHT}`, "threshold")] : []),
    path(line.join(""), "line"),
    path(dots.join(""), "dots", GROUP_COLOURS[0]),
  ]);
}

/** How many keys have which weight: all of them, and in colour those that are kept. */
export function showHistogram(viewer: Charted, box: HTMLElement): void {
  const { session: { n } } = viewer.moment;
  const { dense, isKept, threshold } = lookedAt(viewer.moment);
  const times = Float64Array.from(dense, (each) => Math.max(each * n, LEAST));
  const low = Math.min(times.reduce((a, b) => Math.min(a, b)), 0.1) * 0.999;
  const high = Math.max(times.reduce((a, b) => Math.max(a, b)), 10) * 1.001;
  const all = histogramOf(times, low, high, BINS);
  const kept = histogramOf(times.filter((_, j) => isKept(j)), low, high, BINS);
  const x = logAxis(low, high, LEFT, WIDTH - RIGHT);
  const most = Math.max(...all, 1);
  const y: Axis = Object.assign(
    (amount: number) => HEIGHT - BOTTOM - Math.sqrt(amount / most) * (HEIGHT - BOTTOM - TOP), { ticks: [most, most / 4].map(Math.round) });
  const width = (WIDTH - RIGHT - LEFT) / BINS;
  const bars = (counts: Uint32Array) => [...counts].map((count, k) => (
    count ? `M${(LEFT + k * width).toFixed(1)} ${HEIGHT - BOTTOM}V${y(count).toFixed(1)}h${(width - 0.6).toFixed(1)}V${HEIGHT - BOTTOM}Z` : ""
  )).join("");
  const at = threshold > 0 ? [path(`M${x(threshold)} ${TOP}V${HEIGHT - BOTTOM}`, "threshold")] : [];
  chart(viewer, box, "chart.histogram.label", [
    ...axes(x, y, viewer.say("chart.weight"), viewer.say("chart.count")),
    path(bars(all), "bars"),
    path(bars(kept), "bars", "", GROUP_COLOURS[0]),
    ...at,
  ]);
}

/** The share of each class in both rows, the query's own first. */
export function showClasses(viewer: Charted, box: HTMLElement): void {
  const { session, state, row, set } = viewer.moment;
  const { dense, sparse: known, own } = set ? set.numbers : state.direction === "column" ? row.column.numbers : row.numbers;
  // The sparse column comes a little later.
  const sparse = known ?? dense;
  const order = [...session.classes.keys()]
    .filter((k) => k === own || Math.max(dense.byClass[k], sparse.byClass[k]) >= 0.005)
    .sort((a, b) => Number(b === own) - Number(a === own) || sparse.byClass[b] - sparse.byClass[a] || dense.byClass[b] - dense.byClass[a]);
  const list = make("dl", "classes");
  list.setAttribute("aria-label", viewer.say("chart.classes.label"));
  for (const k of order) {
    const name = make("dt", k === own ? "own" : "", {}, viewer.texts.className(session.classes[k]));
    const bars = make("dd");
    for (const [kind, share] of [["dense", dense.byClass[k]], ["sparse", sparse.byClass[k]]] as const) {
      const bar = make("span", kind, {}, percent(share));
      bar.style.setProperty("--share", String(share));
      bar.title = viewer.say(kind === "sparse" ? sparseKey(viewer.moment) : "table.dense");
      bars.append(bar);
    }
    list.append(name, bars);
  }
  box.replaceChildren(list);
}

/** How sure the query is of each class: by its A-RNN row, by its dense row, and without attention. */
export function showSays(viewer: Charted, box: HTMLElement): void {
  const { session, row: { classes } } = viewer.moment;
  if (!classes) return void box.replaceChildren(make("p", "note", {}, viewer.say("says.none")));
  const { trained } = classes;
  const ways: (readonly [way: string, key: string, shares: Float64Array])[] = [
    ["sparse", trained ? "says.what_if" : sparseKey(viewer.moment), classes.sparse],
    ...(trained ? [["trained", "says.trained", trained] as const] : []),
    ["dense", "table.dense", classes.dense], ["without", "says.without", classes.without],
  ];
  const order = [...session.classes.keys()]
    .map((k) => ({ k, most: Math.max(...ways.map(([, , shares]) => shares[k])) }))
    .filter(({ most }, _, all) => most >= 0.01 || all.length < 3)
    .sort((a, b) => classes.sparse[b.k] - classes.sparse[a.k] || b.most - a.most);
  const list = make("dl", "classes");
  list.setAttribute("aria-label", viewer.say("says.label"));
  for (const { k } of order.slice(0, 6)) {
    const bars = make("dd");
    for (const [way, key, shares] of ways) {
      const bar = make("span", way, {}, `${percent(shares[k])} ${viewer.say(key)}`);
      bar.style.setProperty("--share", String(shares[k]));
      bars.append(bar);
    }
    list.append(make("dt", "", {}, viewer.texts.className(session.classes[k])), bars);
  }
  box.replaceChildren(list);
}

/** The row or the column that is looked at: its dense weights, which cells are kept, and the threshold where it has one. */
function lookedAt({ state, row, set }: Moment): { dense: Float64Array; isKept: (cell: number) => boolean; threshold: number } {
  if (set) return { dense: set.dense, isKept: (j) => set.support[j] > 0, threshold: 0 };
  if (state.direction === "row") {
    return { dense: row.dense, isKept: (j) => (row.relation[j] & KEPT) !== 0, threshold: row.threshold || 0 };
  }
  return { dense: row.incoming, isKept: (j) => (row.column.weights?.[j] ?? 0) > 0, threshold: 0 };
}

/** A function from numbers to places, logarithmic, with the powers of ten that lie on it. */
function logAxis(low: number, high: number, from: number, to: number): Axis {
  const [first, last] = [Math.log10(low), Math.max(Math.log10(high), Math.log10(low) + 0.1)];
  const place = (value: number) => from + ((Math.log10(value) - first) / (last - first)) * (to - from);
  const every = Math.max(1, Math.ceil((last - first) / 6));
  // On a short axis few powers of ten lie, or none: 2 and 5 are marked as well.
  const steps = last - first < 1.5 ? [1, 2, 5] : [1];
  const all: number[] = [];
  for (let power = steps.length > 1 ? Math.floor(first) : Math.ceil(first); power <= last; power += every) {
    const ticks = steps.map((step) => step * 10 ** power);
    all.push(...ticks.filter((tick) => tick >= 10 ** first && tick <= 10 ** last));
  }
  return Object.assign(place, { ticks: all });
}

function axes(x: Axis, y: Axis, across: string, up: string): SVGElement[] {
  const parts: SVGElement[] = [];
  for (const tick of x.ticks) {
    parts.push(path(`M${x(tick).toFixed(1)} ${TOP}V${HEIGHT - BOTTOM}`, "grid"));
    parts.push(text(short(tick), x(tick), HEIGHT - BOTTOM + 12, "middle"));
  }
  for (const tick of y.ticks) {
    parts.push(path(`M${LEFT} ${y(tick).toFixed(1)}H${WIDTH - RIGHT}`, "grid"));
    parts.push(text(short(tick), LEFT - 4, y(tick) + 3.5, "end"));
  }
  parts.push(text(across, (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, "middle"));
  const turned = text(up, 0, 0, "middle");
  turned.setAttribute("transform", `translate(9 ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)`);
  return [...parts, turned];
}

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";
const short = (value: number): string => {
  const power = Math.log10(value);
  if (Number.isInteger(power) && Math.abs(power) > 3) {
    return `10${power < 0 ? "⁻" : ""}${SUPERSCRIPTS[Math.abs(power)]}`;
  }
  return `${+value.toPrecision(2)}`;
};

function chart(viewer: Charted, box: HTMLElement, label: string, parts: SVGElement[]): void {
  let drawing: SVGElement | null = box.querySelector("svg");
  if (!drawing) {
    drawing = element("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" });
    box.replaceChildren(drawing);
  }
  drawing.setAttribute("aria-label", viewer.say(label));
  drawing.replaceChildren(...parts);
}

function path(d: string, className: string, stroke = "", fill = ""): SVGElement {
  const shape = element("path", { d, class: className });
  if (stroke) shape.style.stroke = stroke;
  if (fill) shape.style.fill = fill;
  return shape;
}

function text(words: string, x: number, y: number, anchor: string): SVGElement {
  const shape = element("text", { x: x.toFixed(1), y: y.toFixed(1), "text-anchor": anchor });
  shape.textContent = words;
  return shape;
}

function element(tag: string, attributes: Record<string, string>): SVGElement {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}
