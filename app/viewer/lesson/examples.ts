// Example cells and keys for the steps of the lesson, found by their numbers in the open picture.

import {
  AS_TRAINED, KEPT, groupOf, logLocalThreshold,
  logThresholds, reaches, rowOf, similarity, windowOf,
} from "../core/attention.ts";
import { placeOf } from "../core/geometry.ts";
import type { Row, Session, WhatIf } from "../types.ts";

type Labelled = Pick<Session, "classes" | "cellLabels">;
type Numbered = Pick<Row, "i" | "dense" | "relation">;

const SAMPLES = 64;
const FACTORS = [1.25, 1.5, 2, 3, 4];

/** Whether only the query chooses the key. */
export const isOneSided = (relation: number): boolean => groupOf(relation) === 2;

/** The class to point at: the road, unless the query is there already or the picture has none. */
export function targetFrom({ classes, cellLabels }: Labelled, cell: number): number {
  const road = classes.indexOf("road"), here = cellLabels[cell];
  const there = road >= 0 && road !== here && cellLabels.includes(road);
  return there ? road : largestClass({ classes, cellLabels }, here);
}

/** The class with the most cells, another than `but` where there is one. */
export function largestClass({ classes, cellLabels }: Labelled, but = -1): number {
  const counts = new Uint32Array(classes.length);
  for (const label of cellLabels) if (label !== but) counts[label]++;
  const most = Math.max(...counts);
  return most ? counts.indexOf(most) : but;
}

/** The cell of a class that lies nearest to the middle of all of them. */
export function middleOf(session: Pick<Session, "cellLabels" | "width">, label: number): number {
  const cells = [...session.cellLabels.keys()].filter((i) => session.cellLabels[i] === label);
  const places = cells.map((cell) => placeOf(session, cell));
  const mean = (name: "row" | "column") => places.reduce((total, place) => total + place[name], 0) / places.length;
  const [row, column] = [mean("row"), mean("column")];
  const away = places.map((place) => Math.hypot(place.row - row, place.column - column));
  return cells[away.indexOf(Math.min(...away))];
}

/** The keys whose relation is `wanted`, the query left out, from the largest affinity down. */
export function keysOf({ i, relation, dense }: Numbered, wanted: (relation: number) => boolean): number[] {
  const keys = [...relation.keys()].filter((j) => wanted(relation[j]) && j !== i);
  return keys.sort((a, b) => dense[b] - dense[a] || a - b);
}

/** The key with the largest affinity, another than the query. */
export function strongestKey({ i, dense }: Pick<Row, "i" | "dense">): number {
  let strongest = i === 0 ? 1 : 0;
  for (let j = 1; j < dense.length; j++) if (j !== i && dense[j] > dense[strongest]) strongest = j;
  return strongest;
}

/** The key with the largest weight that a row reads, another than the query; null where it reads no other. */
export function strongestRead({ i, weights }: Pick<Row, "i" | "weights">): number | null {
  let strongest: number | null = null;
  weights.forEach((weight, j) => {
    if (j !== i && weight > 0 && (strongest === null || weight > weights[strongest])) strongest = j;
  });
  return strongest;
}

/** A cell that reads another; the first one where none does. */
export function readingCell(session: Session): number {
  return sampleOf(session).find((cell) => strongestRead(rowOf(session, cell)) !== null) ?? 0;
}

/** How many keys have a relation that is `wanted`, the query among them. */
export function countOf({ relation }: Pick<Row, "relation">, wanted: (relation: number) => unknown): number {
  return relation.reduce((count: number, each) => count + (wanted(each) ? 1 : 0), 0);
}

/** How many keys a cell keeps under a what-if. */
export function supportOf(session: Session, cell: number, whatIf: WhatIf = AS_TRAINED): number {
  return countOf(rowOf(session, cell, whatIf), (each) => each & KEPT);
}

/** By how much to multiply the non-local thresholds so that a cell keeps half, or undefined. */
export function halvingFactor(session: Session, cell: number): number | undefined {
  const trained = supportOf(session, cell);
  const halves = (nonlocalFactor: number) => 2 * supportOf(session, cell, { ...AS_TRAINED, nonlocalFactor }) <= trained;
  return trained > 1 ? FACTORS.find(halves) : undefined;
}

/** Some cells from all over the map. */
export function sampleOf({ n }: Pick<Session, "n">): number[] {
  const step = Math.max(1, Math.floor(n / SAMPLES));
  return Array.from({ length: Math.ceil(n / step) }, (_, k) => k * step);
}

/** A cell that chooses another which does not choose it back, or undefined. */
export function choosingAlone(session: Session): number | undefined {
  return sampleOf(session).find((cell) => rowOf(session, cell).relation.some(isOneSided));
}

/**
 * A cell that keeps a key by the local rule alone, and the what-if under which it does: as trained
 * where there is one, else with all local scales lowered.
 */
export function localOnlyCell(session: Session): { cell: number; whatIf: WhatIf } {
  for (const localFactor of [1, 0.75, 0.5, 0.25, 0]) {
    const whatIf = { ...AS_TRAINED, localFactor };
    const thresholds = logThresholds(session, whatIf);
    for (let cell = 0; cell < session.n; cell++) {
      if (keepsLocally(session, cell, whatIf, thresholds)) return { cell, whatIf };
    }
  }
  return { cell: 0, whatIf: AS_TRAINED };
}

function keepsLocally(session: Session, cell: number, whatIf: WhatIf, thresholds: Float64Array): boolean {
  const { depth, query, key, logNormaliser } = session;
  const near = windowOf(session, cell, whatIf);
  const forth = near.map((j) => similarity(query, cell, key, j, depth) - logNormaliser[cell]);
  const threshold = logLocalThreshold(session, cell, whatIf, forth);
  return near.some((j, k) => {
    if (!reaches(forth[k], threshold)) return false;
    const back = similarity(query, j, key, cell, depth) - logNormaliser[j];
    return !reaches(forth[k], thresholds[cell]) || !reaches(back, thresholds[j]);
  });
}

/** The largest affinity of a row, in multiples of 1 / n. */
export function peakOf({ n, depth, query, key, logNormaliser }: Session, cell: number): number {
  let highest = -Infinity;
  for (let j = 0; j < n; j++) highest = Math.max(highest, similarity(query, cell, key, j, depth));
  return Math.exp(highest - logNormaliser[cell]) * n;
}
