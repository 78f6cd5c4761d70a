// The chapter on sparse designs: its counters by hand, and the sweep of k against a sorted row.

import assert from "node:assert/strict";
import { test } from "node:test";

import { costsOf, shortCount, sweepOf } from "../../app/viewer/lesson/designs.ts";

const by = (n, k) => Object.fromEntries(costsOf(n, k).map(({ design, ...cost }) => [design, cost]));

test("pairs and bytes, counted by hand", () => {
  const costs = by(1024, 100);
  assert.deepEqual(costs.dense, { compared: 1048576, read: 1048576, bytes: 0 });
  assert.deepEqual(costs.reciprocal, { compared: 1048576, read: 102400, bytes: 131072 });
  assert.deepEqual(costs.indexer, { compared: 1048576, read: 102400, bytes: 409600 });
  // 64 compressed keys; two blocks of 64; a window of 512.
  assert.deepEqual(costs.native, { compared: 65536, read: 1024 * (64 + 128 + 512), bytes: 8192 });
  assert.deepEqual(costs.blocks, { compared: 16384, read: 131072, bytes: 8192 });
});

test("nothing is read more often than there is, but for compressed keys", () => {
  for (const [n, k] of [[16, 100], [300, 300], [4096, 1]]) {
    for (const { design, read } of costsOf(n, k)) assert.ok(read <= n * n + (design === "native" ? n * Math.ceil(n / 16) : 0), design);
  }
});

test("over n, what compares all pairs grows with its square and the others slower", () => {
  const [small, large] = [by(4096, 64), by(8192, 64)];
  for (const design of ["dense", "reciprocal", "indexer"]) assert.equal(large[design].compared, 4 * small[design].compared);
  for (const design of ["reciprocal", "indexer", "blocks"]) assert.equal(large[design].read, 2 * small[design].read);
});

test("the sweep adds the largest keys first", () => {
  const { mass, own } = sweepOf({ cellLabels: Uint8Array.of(1, 0, 1, 1) }, { i: 0, dense: Float64Array.of(0.1, 0.5, 0.25, 0.15) });
  assert.deepEqual([...mass].map((each) => +each.toFixed(6)), [0.5, 0.75, 0.9, 1]);
  assert.deepEqual([...own].map((each) => +each.toFixed(6)), [0, 0.333333, 0.444444, 0.5]);
});

test("counts in a few letters", () => {
  assert.deepEqual([7, 999, 1000, 7290000, 409600, 1.5e12].map(shortCount), ["7", "999", "1 k", "7.3 M", "410 k", "1.5 T"]);
});
