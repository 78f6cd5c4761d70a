// The numbers that are said of a row, by hand and against the row itself.

import assert from "node:assert/strict";
import { test } from "node:test";

import { AS_TRAINED, BACK, CHOSEN, KEPT, LOCAL, rowOf } from "../../app/viewer/core/attention.ts";
import { columnNumbersOf, histogramOf, numbersOf, overlapOf, probabilitiesOf, sortedKeys } from "../../app/viewer/core/numbers.ts";
import { definition, whatIfs } from "./definition.mjs";
import { rowsOf } from "./passes.mjs";
import { randomSession } from "./sessions.mjs";

const near = (actual, expected, name) => assert.ok(
  Math.abs(actual - expected) < 1e-5, `${name}: ${actual} for ${expected}`,
);
const sum = (numbers) => [...numbers].reduce((total, each) => total + each, 0);

test("the numbers of a hand-worked row", () => {
  const session = { n: 4, classes: ["sky", "road", "car"], cellLabels: Uint8Array.of(1, 1, 0, 0) };
  const row = {
    i: 1,
    dense: Float32Array.of(0.25, 0.5, 0.125, 0.125),
    weights: Float32Array.of(0, 0.5, 0.5, 0),
    relation: Uint8Array.of(CHOSEN, CHOSEN | BACK | KEPT, LOCAL | KEPT, BACK),
  };
  const numbers = numbersOf(session, row);
  assert.equal(numbers.n, 4);
  assert.equal(numbers.own, 1);
  assert.equal(numbers.support, 2);
  assert.equal(numbers.keptMass, 0.625);
  assert.deepEqual(numbers.groups, [1, 1, 1, 1]);
  // 1/4 x 2 bits + 1/2 x 1 bit + 2 x 1/8 x 3 bits.
  assert.equal(numbers.dense.entropy, 1.75);
  assert.equal(numbers.sparse.entropy, 1);
  assert.deepEqual([numbers.dense.largest, numbers.sparse.largest], [0.5, 0.5]);
  assert.deepEqual([...numbers.dense.byClass], [0.25, 0.75, 0]);
  assert.deepEqual([...numbers.sparse.byClass], [0.5, 0.5, 0]);
  assert.deepEqual([numbers.dense.own, numbers.sparse.own], [0.75, 0.5]);
  assert.deepEqual(numbersOf(session, row, false).groups, [2, 1, 0, 1]);
});

test("entropy is that of n equal weights at most, and 0 for one alone", () => {
  const session = randomSession({ height: 2, width: 4, sharpness: 0 });
  const flat = numbersOf(session, rowOf(session, 3, { ...AS_TRAINED, nonlocalFactor: 0 }));
  near(flat.dense.entropy, 3, "flat");
  near(flat.sparse.entropy, 3, "flat and all kept");
  const alone = numbersOf(session, rowOf(session, 3, { ...AS_TRAINED, nonlocalFactor: 1e6, localFactor: 1e6 }));
  assert.deepEqual([alone.sparse.entropy, alone.sparse.largest, alone.sparse.own], [0, 1, 1]);
  assert.deepEqual([alone.support, alone.keptMass], [0, 0]);
});

test("what is said of every row is what the definition holds", () => {
  const session = randomSession({ height: 4, width: 5 });
  for (const [name, whatIf] of whatIfs) {
    const expected = definition(session, whatIf);
    rowsOf(session, whatIf).forEach((row, i) => {
      const numbers = numbersOf(session, row, whatIf.reciprocity);
      const { dense, support, local, chosen, back } = expected[i];
      assert.equal(numbers.support, support.size, name);
      near(numbers.keptMass, sum([...support].map((j) => dense[j])), `${name}: kept mass`);
      near(sum(numbers.dense.byClass), 1, `${name}: dense shares`);
      near(sum(numbers.sparse.byClass), 1, `${name}: sparse shares`);
      const nonlocal = [...chosen].filter((j) => back.has(j) || !whatIf.reciprocity);
      assert.deepEqual(numbers.groups, [
        nonlocal.length,
        [...local].filter((j) => !nonlocal.includes(j)).length,
        [...chosen].filter((j) => !support.has(j)).length,
        [...back].filter((j) => !support.has(j) && !chosen.has(j)).length,
      ], name);
      assert.equal(numbers.groups[0] + numbers.groups[1], numbers.support);
    });
  }
});

test("a column's numbers: who reads the cell, how much in all, and the shares of that", () => {
  const session = { classes: ["sky", "road"], cellLabels: Uint8Array.of(0, 1, 1, 0) };
  const column = { dense: Float64Array.of(0.5, 0.5, 0.25, 0.75), weights: Float32Array.of(0, 1, 0, 1) };
  const { own, dense, sparse } = columnNumbersOf(session, 2, column);
  assert.equal(own, 1);
  assert.deepEqual([dense.count, dense.total, dense.largest], [4, 2, 0.75]);
  assert.deepEqual([...dense.byClass], [0.625, 0.375]);
  assert.equal(dense.own, 0.375);
  assert.deepEqual([sparse.count, sparse.total, sparse.largest, sparse.own, sparse.entropy], [2, 2, 1, 0.5, 1]);
  assert.equal(columnNumbersOf(session, 2, { ...column, weights: null }).sparse, null);
  // Nobody reads it: no number is none.
  const none = columnNumbersOf(session, 2, { ...column, weights: new Float32Array(4) }).sparse;
  assert.deepEqual([none.count, none.total, none.largest, none.own, none.entropy], [0, 0, 0, 0, 0]);
});

test("class probabilities follow from the row, the values and the layers, by hand", () => {
  const layer = (weight, bias, inputs, isRectified) => (
    { weight: Float32Array.from(weight), bias: Float32Array.from(bias), inputs, isRectified }
  );
  const readout = {
    width: 2, values: Float32Array.of(1, 0, 0, 2, 4, 4),
    layers: [layer([1, 0, 0, -1], [0, 0.5], 2, true), layer([1, 2, 0, 1], [0, Math.log(3)], 2, false)],
  };
  // Half of the first value and half of the second: [0.5, 1], then [0.5, max(-0.5, 0)], then [0.5, log 3].
  const given = probabilitiesOf(readout, Float32Array.of(0.5, 0.5, 0));
  const powers = [Math.exp(0.5), 3];
  near(given[0], powers[0] / (powers[0] + powers[1]), "first class");
  near(given[0] + given[1], 1, "all classes");
  // A cell alone: [1, 0], then [1, 0.5], then [2, 0.5 + log 3].
  const alone = probabilitiesOf(readout, Uint8Array.of(1, 0, 0));
  near(alone[1], 3 * Math.exp(0.5) / (3 * Math.exp(0.5) + Math.exp(2)), "alone");
});

test("keys from the largest weight down, equals in the order of the cells", () => {
  assert.deepEqual([...sortedKeys(Float32Array.of(0.1, 0.4, 0.1, 0.4, 0))], [1, 3, 0, 2, 4]);
});

test("a histogram counts every weight once, what lies beyond its ends in the outer bins", () => {
  // Steps of a factor ten from 0.1 to 100.
  const weights = Float32Array.of(0, 0.01, 0.2, 0.9, 2, 30, 99, 100, 5000);
  assert.deepEqual([...histogramOf(weights, 0.1, 100, 3)], [4, 1, 4]);
  const random = Float32Array.from({ length: 500 }, (_, k) => Math.exp((k % 37) - 18));
  for (const bins of [1, 7, 40]) assert.equal(sum(histogramOf(random, 1e-3, 1e3, bins)), 500);
});

test("the overlap of two rows, by hand", () => {
  const first = { relation: new Uint8Array(5), weights: Float32Array.of(0.5, 0.25, 0.25, 0, 0) };
  const second = { relation: new Uint8Array(5), weights: Float32Array.of(0.125, 0, 0.5, 0.375, 0) };
  const { sets, counts, sharedMass } = overlapOf(first, second);
  assert.deepEqual([...sets], [0, 1, 0, 2, -1]);
  assert.deepEqual(counts, [2, 1, 1]);
  assert.equal(sharedMass, 0.375);
});

test("a row shares all its mass with itself, and overlaps are the same seen from either", () => {
  const session = randomSession({ height: 4, width: 5 });
  const rows = rowsOf(session, AS_TRAINED);
  for (const row of rows) {
    near(overlapOf(row, row).sharedMass, 1, "with itself");
    const [there, back] = [overlapOf(rows[0], row), overlapOf(row, rows[0])];
    assert.deepEqual(there.counts, [back.counts[0], back.counts[2], back.counts[1]]);
    assert.equal(there.sharedMass, back.sharedMass);
    assert.equal(sum(there.counts), [...there.sets].filter((each) => each >= 0).length);
  }
});
