// What sparse designs of attention cost, and what the keys with the largest weights hold: the chapter's numbers.

import { sortedKeys } from "../core/numbers.ts";
import type { AnsweredRow, Session } from "../types.ts";

export const DESIGNS = ["dense", "reciprocal", "indexer", "native", "blocks"] as const;
export type Design = (typeof DESIGNS)[number];

/** Keys in a block that is chosen as a whole, the stride of compressed keys, and the window of native sparse attention. */
export const BLOCK = 64, STRIDE = 16, WINDOW = 512;
const INDEX_BYTES = 4;

export interface Cost {
  design: Design;
  /** Pairs of a query and a key, or a mean of keys, that are compared to choose. */
  compared: number;
  /** Pairs of a query and a key whose value is read. */
  read: number;
  /** Bytes that say who reads whom, for all queries at once. */
  bytes: number;
}

/** What each design does for `n` cells where a query reads `k` keys of its choice. */
export function costsOf(n: number, k: number): Cost[] {
  const chosen = Math.min(k, n), blocks = Math.min(Math.ceil(chosen / BLOCK), Math.ceil(n / BLOCK));
  const whole = Math.min(blocks * BLOCK, n), means = Math.ceil(n / BLOCK), compressed = Math.ceil(n / STRIDE);
  return [
    // Every key is read: nothing has to be remembered.
    { design: "dense", compared: n * n, read: n * n, bytes: 0 },
    // A pair is kept where both reach their thresholds: a bit a pair, which is looked at from both sides.
    { design: "reciprocal", compared: n * n, read: n * chosen, bytes: (n * n) / 8 },
    { design: "indexer", compared: n * n, read: n * chosen, bytes: INDEX_BYTES * n * chosen },
    {
      design: "native", compared: n * compressed, read: n * Math.min(compressed + whole + Math.min(WINDOW, n), n + compressed),
      bytes: INDEX_BYTES * n * blocks,
    },
    { design: "blocks", compared: n * means, read: n * whole, bytes: INDEX_BYTES * n * blocks },
  ];
}

/** For each k from 1: the share of the dense weight that the k largest keys hold, and of that the share on the own class. */
export interface Sweep {
  mass: Float64Array;
  own: Float64Array;
}

/** The sweep of k over the row of a query. */
export function sweepOf({ cellLabels }: Pick<Session, "cellLabels">, { i, dense }: Pick<AnsweredRow, "i" | "dense">): Sweep {
  const mass = new Float64Array(dense.length), own = new Float64Array(dense.length);
  let sum = 0, ownSum = 0;
  sortedKeys(dense).forEach((j, place) => {
    sum += dense[j];
    if (cellLabels[j] === cellLabels[i]) ownSum += dense[j];
    mass[place] = sum;
    own[place] = sum ? ownSum / sum : 0;
  });
  return { mass, own };
}

/** A count in a few letters: 7.3 million is "7.3 M". */
export function shortCount(value: number): string {
  const [factor, unit] = ([[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]] as const).find(([least]) => value >= least) ?? [1, ""];
  const scaled = value / factor;
  return `${scaled >= 100 || Number.isInteger(scaled) ? scaled.toFixed(0) : scaled.toPrecision(2)}${unit && ` ${unit}`}`;
}
