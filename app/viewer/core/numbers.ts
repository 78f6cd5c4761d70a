// Numbers of one row, dense and sparse: what the panel of numbers shows and the sentence says.

import type { Column, ColumnNumbers, ColumnSums, Readout, Row, RowNumbers, Session, Sums } from "../types.ts";
import { KEPT, groupOf } from "./attention.ts";

/** What there is to say of a row in numbers. Entropies are in bits; shares are of one. */
export function numbersOf(session: Session, row: Row, reciprocity = true): RowNumbers {
  const { n, classes, cellLabels } = session;
  const own = cellLabels[row.i];
  const numbers = {
    n, own, support: 0, keptMass: 0, groups: [0, 0, 0, 0], dense: nothing(classes), sparse: nothing(classes),
  };
  for (let j = 0; j < n; j++) {
    add(numbers.dense, row.dense[j], cellLabels[j]);
    add(numbers.sparse, row.weights[j], cellLabels[j]);
    const group = groupOf(row.relation[j], reciprocity);
    if (group >= 0) numbers.groups[group]++;
    if (row.relation[j] & KEPT) {
      numbers.support++;
      numbers.keptMass += row.dense[j];
    }
  }
  numbers.dense.own = numbers.dense.byClass[own];
  numbers.sparse.own = numbers.sparse.byClass[own];
  return numbers;
}

/**
 * What there is to say of the column of cell `i`: by how many cells it is read, and how much in all;
 * entropy and classes are those of its shares. `sparse` is null until the sparse weights are known.
 */
export function columnNumbersOf({ classes, cellLabels }: Session, i: number, { dense, weights }: Column): ColumnNumbers {
  const own = cellLabels[i];
  const sumsOf = (values: ArrayLike<number>): ColumnSums => {
    const all = Array.from(values);
    const sums = { ...nothing(classes), count: 0, total: all.reduce((total, each) => total + each, 0) };
    all.forEach((each, j) => {
      if (each > 0) sums.count++;
      add(sums, each / (sums.total || 1), cellLabels[j]);
    });
    return Object.assign(sums, { largest: sums.largest * sums.total, own: sums.byClass[own] });
  };
  return { own, dense: sumsOf(dense), sparse: weights && sumsOf(weights) };
}

/**
 * The probability of each class, were the query to read with `weights`; by the layers of a read only
 * network, which hang on the row alone.
 */
export function probabilitiesOf({ values, width, layers }: Readout, weights: ArrayLike<number>): Float64Array {
  let vector = new Float64Array(width);
  for (let j = 0; j < weights.length; j++) {
    const weight = weights[j];
    if (weight) for (let c = 0; c < width; c++) vector[c] += weight * values[j * width + c];
  }
  for (const { weight, bias, inputs, isRectified } of layers) {
    vector = Float64Array.from(bias, (start, to) => {
      const sum = vector.reduce((total, each, from) => total + each * weight[to * inputs + from], start);
      return isRectified ? Math.max(sum, 0) : sum;
    });
  }
  const highest = Math.max(...vector);
  const powers = vector.map((each) => Math.exp(each - highest));
  const total = powers.reduce((sum, each) => sum + each, 0);
  return powers.map((each) => each / total);
}

export function nothing(classes: string[]): Sums {
  return { entropy: 0, largest: 0, byClass: new Float64Array(classes.length), own: 0 };
}

export function add(sums: Sums, weight: number, label: number): void {
  if (weight > 0) sums.entropy -= weight * Math.log2(weight);
  if (weight > sums.largest) sums.largest = weight;
  sums.byClass[label] += weight;
}

/** The keys from the largest weight down; equal weights in the order of the cells. */
export function sortedKeys(weights: Float64Array | Float32Array): Uint32Array {
  return Uint32Array.from(weights.keys()).sort((a, b) => weights[b] - weights[a] || a - b);
}

/** How many weights fall in each of `bins` equal steps of the logarithm from `low` to `high`. */
export function histogramOf(weights: Iterable<number>, low: number, high: number, bins: number): Uint32Array {
  const counts = new Uint32Array(bins);
  const step = Math.log(high / low) / bins;
  for (const weight of weights) {
    const bin = weight > 0 ? Math.floor(Math.log(weight / low) / step) : 0;
    counts[Math.min(Math.max(bin, 0), bins - 1)]++;
  }
  return counts;
}

/** The keys that two rows keep: both, only the first, only the second; and their shared mass. */
export function overlapOf(first: Row, second: Row): { sets: Int8Array; counts: number[]; sharedMass: number } {
  const sets = new Int8Array(first.relation.length).fill(-1);
  const counts = [0, 0, 0];
  let sharedMass = 0;
  for (let j = 0; j < sets.length; j++) {
    const a = first.weights[j] > 0, b = second.weights[j] > 0;
    if (!a && !b) continue;
    sets[j] = a && b ? 0 : a ? 1 : 2;
    counts[sets[j]]++;
    sharedMass += Math.min(first.weights[j], second.weights[j]);
  }
  return { sets, counts, sharedMass };
}
