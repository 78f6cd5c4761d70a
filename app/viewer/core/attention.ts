// One query's row of adaptive sparse attention from what is stored once per image, in O(n d).
// The same arithmetic as asa_viz/attention/row.py, which a test holds it against.

import type { Row, Session, WhatIf } from "../types.ts";

// The four relations of a key to the query, as bits of a row's `relation`.
export const CHOSEN = 1;
export const BACK = 2;
export const LOCAL = 4;
export const KEPT = 8;

export const AS_TRAINED: Readonly<WhatIf> = Object.freeze({
  nonlocalFactor: 1, localFactor: 1, reciprocity: true, localRule: true, window: null, topK: null,
});

// How far below its threshold a log affinity still counts as a tie: 64 roundings of float32.
const TIE_SLACK = 64 * 2 ** -23;

// A packet has no logarithm of 0, only of next to nothing: a row of those reads nothing.
const LOG_OF_NOTHING = -5000;

/** Whether a what-if differs from the network as it was trained. */
export function isChanged(whatIf: WhatIf): boolean {
  return (Object.keys(AS_TRAINED) as (keyof WhatIf)[]).some((name) => whatIf[name] !== AS_TRAINED[name]);
}

/** Whether every cell is read, as there is no threshold to be reached. */
export const keepsAll = ({ learned }: Session, { topK }: WhatIf): boolean => !learned && !topK;

/**
 * The product of two projections: of row `i` of `a` and row `j` of `b`.
 *
 * Without `b`, `a` holds the logarithm of every weight, row by row, and `depth` is their number.
 */
export function similarity(a: Float32Array, i: number, b: Float32Array | null, j: number, depth: number): number {
  if (b === null) return a[i * depth + j];
  let sum0 = 0, sum1 = 0, sum2 = 0, sum3 = 0;
  let p = i * depth, q = j * depth;
  const end = p + depth - 3;
  for (; p < end; p += 4, q += 4) {
    sum0 += a[p] * b[q];
    sum1 += a[p + 1] * b[q + 1];
    sum2 += a[p + 2] * b[q + 2];
    sum3 += a[p + 3] * b[q + 3];
  }
  for (const last = (i + 1) * depth; p < last; p++, q++) sum0 += a[p] * b[q];
  return sum0 + sum1 + (sum2 + sum3);
}

/**
 * The log threshold that a query's log affinities must reach under the non-local rule, one for each cell.
 *
 * With `topK` it is each row's k-th largest log affinity (`kthLargest`), else the learned threshold.
 */
export function logThresholds(session: Session, whatIf: WhatIf, kthLargest?: Float64Array): Float64Array {
  if (whatIf.topK && kthLargest) return kthLargest;
  const { n, nonlocalScale } = session;
  return Float64Array.from(nonlocalScale, (scale) => Math.log(scale * whatIf.nonlocalFactor) - Math.log(n));
}

/** The cells in the window around cell `i`, clipped at the borders of the map. */
export function windowOf(session: Session, i: number, whatIf: WhatIf): number[] {
  const { height, width } = session;
  const reach = ((whatIf.window ?? session.window) - 1) / 2;
  const row = Math.floor(i / width), col = i % width;
  const cells: number[] = [];
  for (let r = Math.max(0, row - reach); r <= Math.min(height - 1, row + reach); r++) {
    for (let c = Math.max(0, col - reach); c <= Math.min(width - 1, col + reach); c++) {
      cells.push(r * width + c);
    }
  }
  return cells;
}

/** The log threshold that a log affinity in the window must reach, from those of the window's cells. */
export function logLocalThreshold(session: Session, i: number, whatIf: WhatIf, logAffinities: number[]): number {
  const highest = Math.max(...logAffinities);
  const sum = logAffinities.reduce((total, each) => total + Math.exp(each - highest), 0);
  const logMean = highest + Math.log(sum / logAffinities.length);
  return Math.log(session.localScale[i] * whatIf.localFactor) + logMean;
}

/** Whether a log affinity reaches its log threshold; a tie does. */
export function reaches(logAffinity: number, threshold: number): boolean {
  return logAffinity >= threshold - TIE_SLACK;
}

/**
 * The row of query `i`: its affinity with every key (`dense`) and of every key with it
 * (`incoming`), who stands in which relation to it, and the weights the network reads with.
 *
 * `incomingRatio` is the incoming affinity over the threshold of that key. Thresholds are
 * in multiples of the uniform weight 1 / n.
 */
export function rowOf(session: Session, i: number, whatIf: WhatIf = AS_TRAINED, thresholds = logThresholds(session, whatIf)): Row {
  const { n, depth, query, key, logNormaliser } = session;
  const logAffinity = new Float64Array(n);
  const dense = new Float64Array(n);
  const incoming = new Float64Array(n);
  const incomingRatio = new Float32Array(n);
  const relation = new Uint8Array(n);
  for (let j = 0; j < n; j++) {
    logAffinity[j] = similarity(query, i, key, j, depth) - logNormaliser[i];
    const logIncoming = similarity(query, j, key, i, depth) - logNormaliser[j];
    dense[j] = Math.exp(logAffinity[j]);
    incoming[j] = Math.exp(logIncoming);
    incomingRatio[j] = Math.exp(logIncoming - thresholds[j]);
    if (reaches(logAffinity[j], thresholds[i])) relation[j] |= CHOSEN;
    if (reaches(logIncoming, thresholds[j])) relation[j] |= BACK;
  }
  const near = windowOf(session, i, whatIf);
  const logLocal = logLocalThreshold(session, i, whatIf, near.map((j) => logAffinity[j]));
  if (whatIf.localRule) {
    for (const j of near) if (reaches(logAffinity[j], logLocal)) relation[j] |= LOCAL;
  }
  const weights = keep(relation, logAffinity, i, whatIf);
  return {
    i, dense, incoming, incomingRatio, relation, weights,
    threshold: Math.exp(thresholds[i]) * n,
    localScale: session.localScale[i] * whatIf.localFactor,
    localThreshold: Math.exp(logLocal) * n,
  };
}

/** Mark the support in `relation` and return the affinities renormalised over it. */
function keep(relation: Uint8Array, logAffinity: Float64Array, i: number, whatIf: WhatIf): Float32Array {
  const n = relation.length;
  const needed = whatIf.reciprocity ? CHOSEN | BACK : CHOSEN;
  let highest = -Infinity;
  for (let j = 0; j < n; j++) {
    if ((relation[j] & needed) !== needed && !(relation[j] & LOCAL)) continue;
    relation[j] |= KEPT;
    highest = Math.max(highest, logAffinity[j]);
  }
  const weights = new Float32Array(n);
  if (highest < LOG_OF_NOTHING && highest > -Infinity) return weights;
  if (highest === -Infinity) {
    // Nobody is kept: the query reads its own value.
    weights[i] = 1;
    return weights;
  }
  let sum = 0;
  for (let j = 0; j < n; j++) if (relation[j] & KEPT) sum += Math.exp(logAffinity[j] - highest);
  for (let j = 0; j < n; j++) {
    if (relation[j] & KEPT) weights[j] = Math.exp(logAffinity[j] - highest) / sum;
  }
  return weights;
}

// The groups of keys, each key in one at most: what is kept comes first.
export const GROUPS = ["reciprocal", "local", "query_only", "key_only"];

/** What a group is called; without reciprocity the first holds all that the query chooses, without thresholds all. */
export function groupName(group: number, reciprocity = true, all = false): string {
  if (all) return "all";
  return group === 0 && !reciprocity ? "chosen" : (GROUPS[group] ?? "rest");
}

/** The dictionary's key for a group. */
export const groupKey = (...group: Parameters<typeof groupName>): string => `group.${groupName(...group)}`;

/**
 * The group of a key: its index in GROUPS, or -1.
 *
 * Without reciprocity a key that only the query chooses is kept, and stands in the group of what
 * is kept by the non-local rule.
 */
export function groupOf(relation: number, reciprocity = true): number {
  const chosen = relation & CHOSEN, back = relation & BACK;
  if (chosen && (back || !reciprocity)) return 0;
  if (relation & LOCAL) return 1;
  if (chosen) return 2;
  return back ? 3 : -1;
}
