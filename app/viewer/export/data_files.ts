// The numbers of a query as files: neighbours as CSV, arrays as .npz for numpy.

import { BACK, CHOSEN, KEPT, LOCAL, groupName, groupOf, keepsAll } from "../core/attention.ts";
import { describedCell, manifestOf } from "./metadata.ts";
import type { Moment } from "../types.ts";
import type { Described } from "./export_types.ts";
import { npyOf, zipped } from "./zip.ts";

const COLUMNS = [
  "row", "column", "x", "y", "class", "group",
  "dense_times_uniform", "weight_times_uniform", "incoming_times_uniform", "dense", "weight",
];

/** The keys that the query reads, largest weight first, as plain CSV (RFC 4180). */
export function neighboursCsv({ session, state, row }: Moment): string {
  const { n } = session;
  const keys = [...row.weights.keys()].filter((j) => row.relation[j] & KEPT || row.weights[j] > 0);
  keys.sort((a, b) => row.weights[b] - row.weights[a] || a - b);
  const lines = keys.map((j) => {
    const { row: down, column, x, y, label } = describedCell(session, j);
    const group = keepsAll(session, state.whatIf) ? "all" : keptAs(row.relation[j], state.whatIf.reciprocity);
    const [dense, weight, incoming] = [row.dense[j], row.weights[j], row.incoming[j]];
    const numbers = [dense * n, weight * n, incoming * n, dense, weight];
    return [down, column, x, y, label, group, ...numbers.map(single)];
  });
  return [COLUMNS, ...lines].map((line) => `${line.map(quoted).join(",")}\r\n`).join("");
}

/** Where nobody is kept the query reads itself, and stands in no group. */
function keptAs(relation: number, reciprocity: boolean): string {
  const group = groupOf(relation, reciprocity);
  if (group < 0 || !(relation & KEPT)) return "itself";
  return groupName(group, reciprocity);
}

/** A number in as few digits as bring the same float32 back. */
const single = (value: number) => +value.toPrecision(9);

function quoted(value: string | number): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The rows and the maps as a .npz file: arrays by cell, the labels by pixel, and manifest.json. */
export function arraysNpz(viewer: Described): Uint8Array<ArrayBuffer> {
  const arrays = arraysOf(viewer.moment);
  const about = Object.entries(arrays).map(([name, { shape }]) => [name, { shape, unit: UNITS[name] }]);
  const manifest = JSON.stringify({ ...manifestOf(viewer), arrays: Object.fromEntries(about) }, null, 2);
  return zipped([
    ...Object.entries(arrays).map(([name, { values, shape, bool }]): [string, Uint8Array] =>
      [`${name}.npy`, npyOf(values, shape, bool)]),
    ["manifest.json", new TextEncoder().encode(manifest)],
  ]);
}

// What a 1 is in the arrays that are not yes and no: part of the format, the same in every language.
const UNITS: Record<string, string> = {
  dense: "share of the query's row", weights: "share of the query's row",
  incoming: "share of each cell's own row",
  column_dense: "share of each cell's own row", column_weights: "share of each cell's own row",
  nonlocal_scale: "1/n, as learned, before any what-if",
  local_scale: "mean of the cell's window, as learned, before any what-if",
  support_size: "cells", in_degree: "cells", kept_mass: "share of the dense row",
  own_class_share: "share of the kept mass", cell_labels: "index into classes", labels: "index into classes",
};

interface NpyArray {
  values: Float32Array | Uint32Array | Uint8Array;
  shape: number[];
  bool?: boolean;
}

/** Every array of a moment with its shape; what is not known yet, or does not exist, is left out. */
function arraysOf({ session, row, maps }: Moment): Record<string, NpyArray> {
  const { height, width, workingHeight, workingWidth } = session;
  // What is reckoned in double is kept as the network reckons.
  const single = (values: Float64Array | NpyArray["values"]) => (values instanceof Float64Array ? Float32Array.from(values) : values);
  const cells = (values: Float64Array | NpyArray["values"] | null | undefined, bool = false): NpyArray | null => (
    values ? { values: single(values), shape: [height, width], bool } : null);
  const has = (bits: number) => (each: number) => Number((each & bits) === bits);
  const where = (bits: number) => cells(Uint8Array.from(row.relation, has(bits)), true);
  const arrays = {
    dense: cells(row.dense),
    weights: cells(row.weights),
    incoming: cells(row.incoming),
    chosen: where(CHOSEN),
    chooses_back: where(BACK),
    reciprocal: where(CHOSEN | BACK),
    local: where(LOCAL),
    support: where(KEPT),
    column_dense: cells(row.column.dense),
    column_weights: cells(row.column.weights),
    nonlocal_scale: cells(session.nonlocalScale),
    local_scale: cells(session.localScale),
    support_size: cells(maps?.support),
    in_degree: cells(maps?.inDegree),
    kept_mass: cells(maps?.keptMass),
    own_class_share: cells(maps?.ownShare),
    cell_labels: cells(session.cellLabels),
    labels: { values: session.workingLabels, shape: [workingHeight, workingWidth] },
  };
  return Object.fromEntries(Object.entries(arrays).flatMap(([name, array]) => (array ? [[name, array]] : [])));
}
