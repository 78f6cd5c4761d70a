// Numbers of one row, dense and sparse: what the panel of numbers shows and the sentence says.

import { KEPT, groupOf } from "./attention.js";

/** What there is to say of a row in numbers. Entropies are in bits; shares are of one. */
export function numbersOf(session, row, reciprocity = true) {
  const { n, classes, cellLabels } = session;
  const own = cellLabels[row.i];
  const numbers = {
    n, own, support: 0, keptMass: 0, groups: [0, 0, 0, 0],
    dense: { entropy: 0, largest: 0, byClass: new Float64Array(classes.length) },
    sparse: { entropy: 0, largest: 0, byClass: new Float64Array(classes.length) },
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

function add(sums, weight, label) {
  if (weight > 0) sums.entropy -= weight * Math.log2(weight);
  if (weight > sums.largest) sums.largest = weight;
  sums.byClass[label] += weight;
}

/** The class with the largest share, and that share. */
export function leadingClass(byClass) {
  let label = 0;
  for (let k = 1; k < byClass.length; k++) if (byClass[k] > byClass[label]) label = k;
  return { label, share: byClass[label] };
}

/** The keys from the largest weight down; equal weights in the order of the cells. */
export function sortedKeys(weights) {
  return Uint32Array.from(weights.keys()).sort((a, b) => weights[b] - weights[a] || a - b);
}

/** How many weights fall in each of `bins` equal steps of the logarithm from `low` to `high`. */
export function histogramOf(weights, low, high, bins) {
  const counts = new Uint32Array(bins);
  const step = Math.log(high / low) / bins;
  for (const weight of weights) {
    const bin = weight > 0 ? Math.floor(Math.log(weight / low) / step) : 0;
    counts[Math.min(Math.max(bin, 0), bins - 1)]++;
  }
  return counts;
}

/** The keys that two rows keep: both, only the first, only the second; and their shared mass. */
export function overlapOf(first, second) {
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
