// A set of cells taken as one query: the mean of their rows, as `rows` in asa_viz/attention/row.py gives it for a set.

import type { Row, Runs, Session, SetRow, SetSums, WhatIf } from "../types.ts";
import { AS_TRAINED, BACK, CHOSEN, KEPT, LOCAL, logThresholds, rowOf } from "./attention.ts";
import { placeOf } from "./geometry.ts";
import { nothing, add } from "./numbers.ts";
import { connected } from "./regions.ts";

/** The cells of runs, in order. */
export function cellsOf(runs: Runs): number[] {
  return runs.flatMap(([start, length]) => Array.from({ length }, (_, k) => start + k));
}

/** Cells as runs of numbers that follow each other, each cell once. */
export function runsOf(cells: Iterable<number>): Runs {
  const runs: Runs = [];
  for (const cell of [...new Set(cells)].sort((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last && last[0] + last[1] === cell) last[1]++;
    else runs.push([cell, 1]);
  }
  return runs;
}

/** The set with a cell more, or without it where it is there. */
export function toggled(runs: Runs | null, cell: number): Runs | null {
  const cells = new Set(cellsOf(runs ?? []));
  if (!cells.delete(cell)) cells.add(cell);
  return cells.size ? runsOf(cells) : null;
}

/** All cells of the rectangle between two cells that are its corners. */
export function rectangle({ width }: Pick<Session, "width">, one: number, other: number): number[] {
  const [a, b] = [placeOf({ width }, one), placeOf({ width }, other)], cells: number[] = [];
  for (let row = Math.min(a.row, b.row); row <= Math.max(a.row, b.row); row++) {
    for (let column = Math.min(a.column, b.column); column <= Math.max(a.column, b.column); column++) cells.push(row * width + column);
  }
  return cells;
}

/** The cells of a cell's class that are connected with it. */
export function segmentOf({ height, width, cellLabels }: Pick<Session, "height" | "width" | "cellLabels">, cell: number): number[] {
  return connected(cellLabels, height, width, cell);
}

/** The mean of the rows of some cells, one after the other; pauses after each. */
export function* setRowOf(session: Session, cells: number[], whatIf: WhatIf = AS_TRAINED, thresholds = logThresholds(session, whatIf)): Generator<number, SetRow> {
  const { n } = session, zeros = () => new Float64Array(n);
  const mean = {
    dense: zeros(), incoming: zeros(), weights: zeros(), chosen: zeros(), back: zeros(), reciprocal: zeros(), local: zeros(), support: zeros(),
  };
  const share = 1 / cells.length;
  let keptMass = 0;
  for (const [k, cell] of cells.entries()) {
    const row = rowOf(session, cell, whatIf, thresholds);
    keptMass += share * addRow(mean, row, share);
    yield k / cells.length;
  }
  return { cells, ...mean, numbers: sumsOf(session, cells, mean, keptMass) };
}

/** Add a row's part of a mean; returns the mass that it keeps. */
function addRow(mean: Omit<SetRow, "cells" | "numbers">, row: Row, share: number): number {
  let kept = 0;
  for (let j = 0; j < row.relation.length; j++) {
    const relation = row.relation[j];
    mean.dense[j] += share * row.dense[j];
    mean.incoming[j] += share * row.incoming[j];
    mean.weights[j] += share * row.weights[j];
    if (relation & CHOSEN) mean.chosen[j] += share;
    if (relation & BACK) mean.back[j] += share;
    if ((relation & (CHOSEN | BACK)) === (CHOSEN | BACK)) mean.reciprocal[j] += share;
    if (relation & LOCAL) mean.local[j] += share;
    if (!(relation & KEPT)) continue;
    mean.support[j] += share;
    kept += row.dense[j];
  }
  return kept;
}

/** A mean row in numbers; `own` is the class that most of the cells have. */
function sumsOf({ n, classes, cellLabels }: Session, cells: number[], mean: Pick<SetRow, "dense" | "weights" | "support" | "back">, keptMass: number): SetSums {
  const counts = new Uint32Array(classes.length);
  for (const cell of cells) counts[cellLabels[cell]]++;
  const own = counts.indexOf(Math.max(...counts));
  const numbers: SetSums = { n, own, cells: cells.length, support: 0, choosing: 0, keptMass, dense: nothing(classes), sparse: nothing(classes) };
  for (let j = 0; j < n; j++) {
    add(numbers.dense, mean.dense[j], cellLabels[j]);
    add(numbers.sparse, mean.weights[j], cellLabels[j]);
    if (mean.support[j] > 0) numbers.support++;
    if (mean.back[j] > 0) numbers.choosing++;
  }
  numbers.dense.own = numbers.dense.byClass[own];
  numbers.sparse.own = numbers.sparse.byClass[own];
  return numbers;
}
