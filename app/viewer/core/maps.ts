// Maps of the whole image: what every cell's row amounts to, in one pass over all pairs of cells.
// The pass is a generator that pauses every few milliseconds, so that a pointer is answered between.

import type { Column, Maps, Row, Session, WhatIf } from "../types.ts";
import { BACK, CHOSEN, logLocalThreshold, reaches, similarity, windowOf } from "./attention.ts";

const TILE = 32;
// Multiplications between two pauses: some 4 ms.
const PAUSE = 4e6;

// A group of reciprocal neighbours holds together by pairs at least this far above both thresholds.
export const STRENGTHS = [1, 2, 4, 8];
// The sizes that a what-if may give every row in place of its threshold.
export const TOP_KS = [8, 16, 32, 64, 128, 256, 512];

/**
 * For every cell: the size of its support, by how many cells it is chosen into theirs, the mass its
 * support holds, and the share of that mass on its own class; `groups` has for each of STRENGTHS
 * the connected group of every cell, the largest first, -1 for a cell that is alone.
 *
 * Without thresholds there are no groups: everything would be one.
 */
export function* mapsOf(session: Session, whatIf: WhatIf, thresholds: Float64Array): Generator<number, Maps> {
  const { n, cellLabels } = session;
  const support = new Uint32Array(n), inDegree = new Uint32Array(n);
  const keptMass = new Float64Array(n), ownMass = new Float64Array(n);
  const grouped = session.learned || whatIf.topK;
  const links = grouped ? STRENGTHS.map(() => Int32Array.from({ length: n }, (_, i) => i)) : [];
  const logStrengths = STRENGTHS.map(Math.log);

  const keep = (i: number, j: number, logAffinity: number) => {
    support[i]++;
    inDegree[j]++;
    const mass = Math.exp(logAffinity);
    keptMass[i] += mass;
    if (cellLabels[i] === cellLabels[j]) ownMass[i] += mass;
  };
  yield* pairsOf(session, (i, j, forth, back) => {
    const chooses = reaches(forth, thresholds[i]), chosen = reaches(back, thresholds[j]);
    if (chooses && (chosen || !whatIf.reciprocity)) keep(i, j, forth);
    if (i === j) return;
    if (chosen && (chooses || !whatIf.reciprocity)) keep(j, i, back);
    if (!chooses || !chosen) return;
    const strength = Math.min(forth - thresholds[i], back - thresholds[j]);
    for (let s = 0; s < links.length && (s === 0 || strength >= logStrengths[s]); s++) {
      unite(links[s], i, j);
    }
  });

  for (let i = 0; i < n && whatIf.localRule; i++) {
    const near = windowOf(session, i, whatIf);
    const forth = near.map((j) => logAffinityOf(session, i, j));
    const threshold = logLocalThreshold(session, i, whatIf, forth);
    near.forEach((j, index) => {
      if (!reaches(forth[index], threshold)) return;
      const chooses = reaches(forth[index], thresholds[i]);
      const chosen = reaches(logAffinityOf(session, j, i), thresholds[j]);
      if (!chooses || (whatIf.reciprocity && !chosen)) keep(i, j, forth[index]);
    });
  }

  const ownShare = Float32Array.from(ownMass, (mass, i) => (keptMass[i] > 0 ? mass / keptMass[i] : 1));
  return { support, inDegree, keptMass, ownShare, groups: links.map(groupsOf) };
}

/**
 * The column of key `i`: the weight with which every cell reads it. `weights` are those of the
 * sparse rows, which needs the mass each of them keeps; null until `maps` are there.
 */
export function columnOf(session: Session, { i, incoming, relation }: Row, whatIf: WhatIf, maps: Maps | null): Column {
  if (!maps) return { dense: incoming, weights: null };
  const weights = new Float32Array(session.n);
  const needed = whatIf.reciprocity ? CHOSEN | BACK : BACK;
  for (let j = 0; j < session.n; j++) {
    if ((relation[j] & needed) === needed) weights[j] = incoming[j] / maps.keptMass[j];
  }
  for (const j of windowOf(session, i, whatIf)) {
    if (!whatIf.localRule || weights[j] > 0) continue;
    const near = windowOf(session, j, whatIf).map((k) => logAffinityOf(session, j, k));
    const threshold = logLocalThreshold(session, j, whatIf, near);
    if (reaches(logAffinityOf(session, j, i), threshold)) weights[j] = incoming[j] / maps.keptMass[j];
  }
  if (maps.keptMass[i] === 0) weights[i] = 1;
  return { dense: incoming, weights };
}

/** For each of TOP_KS the k-th largest log affinity of every row. */
export function* kthLargestOf(session: Session): Generator<number, Map<number, Float64Array>> {
  const { n, depth, query, key, logNormaliser } = session;
  const largest = new Map(TOP_KS.map((k) => [k, new Float64Array(n)]));
  const row = new Float64Array(n);
  let work = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) row[j] = similarity(query, i, key, j, depth);
    row.sort();
    for (const [k, ofRows] of largest) ofRows[i] = row[Math.max(n - k, 0)] - logNormaliser[i];
    work += n * depth;
    if (work > PAUSE) {
      work = 0;
      yield i / n;
    }
  }
  return largest;
}

/** Call `visit(i, j, log P_ij, log P_ji)` for every pair with i <= j. */
function* pairsOf(session: Session, visit: (i: number, j: number, forth: number, back: number) => void): Generator<number, void> {
  const { n, depth, query, key, logNormaliser } = session;
  let work = 0, done = 0;
  for (let top = 0; top < n; top += TILE) {
    const bottom = Math.min(top + TILE, n);
    for (let left = top; left < n; left += TILE) {
      const right = Math.min(left + TILE, n);
      for (let i = top; i < bottom; i++) {
        for (let j = Math.max(left, i); j < right; j++) {
          const forth = similarity(query, i, key, j, depth) - logNormaliser[i];
          const back = similarity(query, j, key, i, depth) - logNormaliser[j];
          visit(i, j, forth, back);
        }
      }
      work += 2 * TILE * TILE * depth;
      done += TILE * TILE;
      if (work > PAUSE) {
        work = 0;
        yield Math.min((2 * done) / (n * n), 1);
      }
    }
  }
}

function logAffinityOf(session: Session, i: number, j: number): number {
  const { query, key, depth, logNormaliser } = session;
  return similarity(query, i, key, j, depth) - logNormaliser[i];
}

/** The head of the group that cell `i` belongs to, the way there halved. */
function headOf(links: Int32Array, i: number): number {
  while (links[i] !== i) {
    links[i] = links[links[i]];
    i = links[i];
  }
  return i;
}

function unite(links: Int32Array, i: number, j: number): void {
  const first = headOf(links, i), second = headOf(links, j);
  if (first !== second) links[Math.max(first, second)] = Math.min(first, second);
}

/** Number the groups from the largest down; a cell alone is in none. */
function groupsOf(links: Int32Array): Int32Array {
  const sizes = new Map<number, number>();
  for (let i = 0; i < links.length; i++) {
    const head = headOf(links, i);
    sizes.set(head, (sizes.get(head) ?? 0) + 1);
  }
  const heads = [...sizes].filter(([, size]) => size > 1).sort((a, b) => b[1] - a[1] || a[0] - b[0]);
  const numbers = new Map(heads.map(([head], number) => [head, number]));
  return Int32Array.from(links, (_, i) => numbers.get(headOf(links, i)) ?? -1);
}
