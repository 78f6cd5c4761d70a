// Adaptive sparse attention as it is defined, with the whole n x n matrix and plain loops: slow, and
// meant to be checked by eye. The counterpart of tests/attention/loops.py.

import { AS_TRAINED } from "../../app/viewer/core/attention.ts";

/** Affinities P[i][j] of every query with every key: each row a softmax. */
export function affinitiesOf({ n, depth, query, key }) {
  const rows = [];
  for (let i = 0; i < n; i++) {
    const similar = [];
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let k = 0; k < depth; k++) sum += query[i * depth + k] * key[j * depth + k];
      similar.push(sum);
    }
    const highest = Math.max(...similar);
    const powers = similar.map((each) => Math.exp(each - highest));
    const total = powers.reduce((sum, each) => sum + each, 0);
    rows.push(powers.map((each) => each / total));
  }
  return rows;
}

/** The cells whose row and column differ from those of cell `i` by at most half the window. */
export function nearOf({ n, width }, i, window) {
  const near = [];
  for (let j = 0; j < n; j++) {
    const down = Math.floor(j / width) - Math.floor(i / width), right = (j % width) - (i % width);
    if (Math.max(Math.abs(down), Math.abs(right)) <= (window - 1) / 2) near.push(j);
  }
  return near;
}

/** For every query its affinities, thresholds, the sets of keys in each relation, and its weights. */
export function definition(session, whatIf = AS_TRAINED) {
  const { n } = session;
  const cells = [...Array(n).keys()];
  const affinity = affinitiesOf(session);
  const threshold = cells.map((i) => {
    if (whatIf.topK) return [...affinity[i]].sort((a, b) => b - a)[Math.min(whatIf.topK, n) - 1];
    return (session.nonlocalScale[i] * whatIf.nonlocalFactor) / n;
  });
  const chooses = (i, j) => affinity[i][j] >= threshold[i];
  return cells.map((i) => {
    const chosen = new Set(cells.filter((j) => chooses(i, j)));
    const back = new Set(cells.filter((j) => chooses(j, i)));
    const near = nearOf(session, i, whatIf.window ?? session.window);
    const mean = near.reduce((sum, j) => sum + affinity[i][j], 0) / near.length;
    const localThreshold = session.localScale[i] * whatIf.localFactor * mean;
    const local = new Set(whatIf.localRule ? near.filter((j) => affinity[i][j] >= localThreshold) : []);
    const support = new Set(
      cells.filter((j) => (chosen.has(j) && (back.has(j) || !whatIf.reciprocity)) || local.has(j)),
    );
    const read = support.size ? support : new Set([i]);
    const mass = [...read].reduce((sum, j) => sum + affinity[i][j], 0);
    return {
      dense: affinity[i],
      incoming: cells.map((j) => affinity[j][i]),
      incomingRatio: cells.map((j) => affinity[j][i] / threshold[j]),
      threshold: threshold[i] * n,
      localThreshold: localThreshold * n,
      chosen, back, local, support,
      weights: cells.map((j) => (read.has(j) ? affinity[i][j] / mass : 0)),
    };
  });
}

/** The what-ifs that every part of the arithmetic is held against. */
export const WHAT_IFS = {
  "as trained": {},
  "non-local x 1.5": { nonlocalFactor: 1.5 },
  "non-local x 0": { nonlocalFactor: 0 },
  "non-local x a million": { nonlocalFactor: 1e6 },
  "local x 0": { localFactor: 0 },
  "both x a million": { nonlocalFactor: 1e6, localFactor: 1e6 },
  "no reciprocity": { reciprocity: false },
  "no reciprocity, no local rule": { reciprocity: false, localRule: false },
  "no local rule": { localRule: false },
  "only the local rule": { nonlocalFactor: 1e6, window: 5 },
  "window 1": { window: 1 },
  "window 5": { window: 5 },
  "top 8": { topK: 8 },
  "top 16 without reciprocity": { topK: 16, reciprocity: false, localRule: false },
};

/** The what-ifs with everything that they leave as trained. */
export const whatIfs = Object.entries(WHAT_IFS).map(([name, what]) => [name, { ...AS_TRAINED, ...what }]);
