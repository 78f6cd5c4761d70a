// A map of 3 x 3 cells small enough to work out by hand, run through the same code as a real one.
// Similarities are powers of two, so that every affinity is a fraction with a small denominator.

import type { Row, Session } from "../types.ts";
import { BACK, CHOSEN, KEPT, LOCAL, groupOf, rowOf, windowOf, AS_TRAINED } from "../core/attention.ts";

type Pair = [number, number];
interface ToyCell {
  name: string;
  query: Pair;
  key: Pair;
  nonlocalScale: number;
  localScale: number;
  value: number;
}

// Query and key of two numbers, the two learned scales, and the value: one number.
export const TOY_CELLS: ToyCell[] = [
  { name: "A", query: [1, 0], key: [1, 0], nonlocalScale: 2, localScale: 1.5, value: 9 },
  { name: "B", query: [2, 1], key: [1, 0], nonlocalScale: 0.75, localScale: 0.75, value: 8 },
  { name: "C", query: [1, 0], key: [1, 1], nonlocalScale: 0.75, localScale: 1, value: 8 },
  { name: "D", query: [1, 0], key: [1, 0], nonlocalScale: 0.75, localScale: 1.5, value: 5 },
  { name: "E", query: [0, 1], key: [1, 0], nonlocalScale: 0.5, localScale: 0.75, value: 6 },
  { name: "F", query: [2, 1], key: [0, 1], nonlocalScale: 0.75, localScale: 0.75, value: 6 },
  { name: "G", query: [1, 2], key: [0, 2], nonlocalScale: 1.25, localScale: 1, value: 2 },
  { name: "H", query: [0, 1], key: [0, 1], nonlocalScale: 0.75, localScale: 1.25, value: 4 },
  { name: "I", query: [1, 2], key: [0, 1], nonlocalScale: 0.5, localScale: 1, value: 4 },
];
export const TOY_START = 7;
const SIDE = 3;

const product = (query: Pair, key: Pair) => query[0] * key[0] + query[1] * key[1];
const sum = (numbers: number[]) => numbers.reduce((total, each) => total + each, 0);

/** 2 to the similarity of query `i` and key `j`, before it is divided by its row's sum. */
export function toyPower(i: number, j: number): number {
  return 2 ** product(TOY_CELLS[i].query, TOY_CELLS[j].key);
}

/** The sum that row `i` is divided by. */
export function toyTotal(i: number): number {
  return sum(TOY_CELLS.map((_, j) => toyPower(i, j)));
}

/** What a row is computed from. */
type Arithmetic = Pick<Session, "height" | "width" | "n" | "depth" | "window" | "learned" | "query" | "key"
  | "logNormaliser" | "nonlocalScale" | "localScale">;

/** The toy as a session, with what the arithmetic needs of one. */
export function toySession(): Session {
  const arithmetic: Arithmetic = {
    height: SIDE, width: SIDE, n: TOY_CELLS.length, depth: 2, window: 3, learned: true,
    query: Float32Array.from(TOY_CELLS.flatMap(({ query }) => query)),
    // The softmax is to the base e: keys times ln 2 make it one to the base 2.
    key: Float32Array.from(TOY_CELLS.flatMap(({ key }) => key), (each) => each * Math.LN2),
    logNormaliser: Float32Array.from(TOY_CELLS, (_, i) => Math.log(toyTotal(i))),
    nonlocalScale: Float32Array.from(TOY_CELLS, ({ nonlocalScale }) => nonlocalScale),
    localScale: Float32Array.from(TOY_CELLS, ({ localScale }) => localScale),
  };
  // The rest of a session, its picture and its classes, no row hangs on.
  return arithmetic as Session;
}

/**
 * Everything there is to say of query `i`: for each key how it stands to the query, and the numbers
 * of the query itself. Affinities are compared with `threshold` for the
 * query's choice and with `localThreshold` in its window; each key has its own `least` for the way back.
 */
export function toyRow(i: number, session = toySession()) {
  const row: Row = rowOf(session, i);
  const { n } = session;
  const near = windowOf(session, i, AS_TRAINED);
  const keys = TOY_CELLS.map(({ name, key, nonlocalScale, value }, j) => {
    const relation = row.relation[j];
    return {
      name, value,
      product: product(TOY_CELLS[i].query, key),
      power: toyPower(i, j),
      affinity: row.dense[j],
      chosen: Boolean(relation & CHOSEN),
      incomingPower: toyPower(j, i),
      incomingTotal: toyTotal(j),
      incoming: row.incoming[j],
      least: nonlocalScale / n,
      back: Boolean(relation & BACK),
      near: near.includes(j),
      local: Boolean(relation & LOCAL),
      kept: Boolean(relation & KEPT),
      group: groupOf(relation),
      weight: row.weights[j],
      part: row.weights[j] * value,
    };
  });
  return {
    name: TOY_CELLS[i].name,
    keys, n,
    total: toyTotal(i),
    nonlocalScale: TOY_CELLS[i].nonlocalScale,
    localScale: TOY_CELLS[i].localScale,
    threshold: row.threshold / n,
    localThreshold: row.localThreshold / n,
    near: near.length,
    nearMean: sum(near.map((j) => row.dense[j])) / near.length,
    kept: keys.filter(({ kept }) => kept).length,
    keptPower: sum(keys.map(({ kept, power }) => (kept ? power : 0))),
    dense: sum(keys.map(({ affinity, value }) => affinity * value)),
    mixed: sum(keys.map(({ part }) => part)),
  };
}
