// A set of cells as one query: its cells, and the mean of their rows.

import assert from "node:assert/strict";
import { test } from "node:test";

import { AS_TRAINED, BACK, CHOSEN, KEPT, rowOf } from "../../app/viewer/core/attention.ts";
import { cellsOf, rectangle, runsOf, segmentOf, setRowOf, toggled } from "../../app/viewer/core/sets.ts";
import { START, fromQueryString, toQueryString } from "../../app/viewer/core/state.ts";
import { fitting } from "../../app/viewer/core/opening.ts";
import { finish, smallSession } from "./export_moment.mjs";

const session = smallSession();
const near = (a, b, what) => assert.ok(Math.abs(a - b) < 1e-9, `${what}: ${a}, ${b}`);

test("runs name each cell once, in order, and come back as cells", () => {
  assert.deepEqual(runsOf([7, 3, 4, 3, 9, 5]), [[3, 3], [7, 1], [9, 1]]);
  assert.deepEqual(cellsOf([[3, 3], [9, 1]]), [3, 4, 5, 9]);
  assert.deepEqual(toggled([[3, 3]], 4), [[3, 1], [5, 1]]);
  assert.deepEqual(toggled(null, 4), [[4, 1]]);
  assert.equal(toggled([[4, 1]], 4), null);
});

test("a rectangle has all cells between its corners, whichever they are", () => {
  const wanted = [6, 7, 8, 11, 12, 13];
  for (const [one, other] of [[6, 13], [13, 6], [8, 11], [11, 8]]) {
    assert.deepEqual(rectangle({ width: 5 }, one, other).sort((a, b) => a - b), wanted);
  }
});

test("a segment hangs together, has one class, and cannot be larger", () => {
  const { height, width, cellLabels } = session;
  for (let cell = 0; cell < session.n; cell++) {
    const found = new Set(segmentOf(session, cell));
    assert.ok(found.has(cell));
    for (const at of found) {
      assert.equal(cellLabels[at], cellLabels[cell]);
      for (const [down, right] of [[1, 0], [0, 1], [-1, 0], [0, -1]]) {
        const [row, column] = [Math.floor(at / width) + down, (at % width) + right];
        const isThere = row >= 0 && column >= 0 && row < height && column < width;
        if (isThere && cellLabels[row * width + column] === cellLabels[cell]) assert.ok(found.has(row * width + column));
      }
      assert.ok(segmentOf(session, at).includes(cell));
    }
  }
});

test("the row of a set is the mean of its cells' rows, and its shares count the cells", () => {
  for (const whatIf of [AS_TRAINED, { ...AS_TRAINED, reciprocity: false, nonlocalFactor: 0.5 }]) {
    const cells = [1, 4, 8], rows = cells.map((cell) => rowOf(session, cell, whatIf));
    const set = finish(setRowOf(session, cells, whatIf));
    const mean = (value) => rows.reduce((sum, row) => sum + value(row), 0) / 3;
    for (let j = 0; j < session.n; j++) {
      near(set.dense[j], mean((row) => row.dense[j]), "dense");
      near(set.weights[j], mean((row) => row.weights[j]), "weights");
      near(set.incoming[j], mean((row) => row.incoming[j]), "incoming");
      const has = (bits) => (row) => Number((row.relation[j] & bits) === bits);
      near(set.chosen[j], mean(has(CHOSEN)), "chosen");
      near(set.back[j], mean(has(BACK)), "back");
      near(set.reciprocal[j], mean(has(CHOSEN | BACK)), "reciprocal");
      near(set.support[j], mean(has(KEPT)), "support");
    }
    const { numbers } = set;
    near(numbers.keptMass, mean((row) => row.dense.reduce((sum, each, j) => sum + (row.relation[j] & KEPT ? each : 0), 0)), "mass");
    assert.equal(numbers.cells, 3);
    assert.equal(numbers.support, [...set.support].filter((each) => each > 0).length);
    assert.equal(numbers.choosing, [...set.back].filter((each) => each > 0).length);
    const own = [1, 4, 8].map((cell) => session.cellLabels[cell]);
    assert.equal(own.filter((each) => each === numbers.own).length >= 2, true);
    near(numbers.sparse.own, set.weights.reduce((sum, each, j) => sum + (session.cellLabels[j] === numbers.own ? each : 0), 0), "own");
  }
});

test("a set of one cell is that cell's row", () => {
  const row = rowOf(session, 7), set = finish(setRowOf(session, [7]));
  assert.deepEqual([...set.weights], [...row.weights]);
  assert.deepEqual([...set.dense], [...row.dense]);
});

test("a set stands in a link, and only where it is one", () => {
  const set = [[3, 4], [9, 1]];
  assert.deepEqual(fromQueryString(toQueryString({ ...START, set })).set, set);
  for (const bad of ["", "3", "3.0", "5.2_6.1", "9.1_3.4", "a.b", "3.1_", "-1.2"]) {
    assert.equal(fromQueryString(`set=${bad}`).set, undefined, bad);
  }
});

test("a set that does not fit another picture is left out there", () => {
  assert.deepEqual(fitting(session, { ...START, set: [[13, 2]] }, false).set, [[13, 2]]);
  assert.equal(fitting(session, { ...START, set: [[13, 3]] }, false).set, null);
});
