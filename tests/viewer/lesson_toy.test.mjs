// The worked example, against numbers worked out by hand.

import assert from "node:assert/strict";
import { test } from "node:test";

import { TOY_CELLS, TOY_START, toyPower, toyRow, toySession, toyTotal } from "../../app/viewer/lesson/toy.ts";

const H = TOY_START;
const near = (actual, expected) => assert.ok(Math.abs(actual - expected) < 1e-6, `${actual}, ${expected}`);
const rows = TOY_CELLS.map((_, i) => toyRow(i));
const column = (row, name) => row.keys.map((key) => key[name]);

test("H, worked out by hand: powers, sums, choices both ways, the window", () => {
  // q of H is (0, 1): q·k is the second number of each key, 0 0 1, 0 0 1, 2 1 1.
  const row = rows[H];
  assert.equal(row.name, "H");
  assert.deepEqual(column(row, "product"), [0, 0, 1, 0, 0, 1, 2, 1, 1]);
  assert.deepEqual(column(row, "power"), [1, 1, 2, 1, 1, 2, 4, 2, 2]);
  assert.equal(row.total, 16);
  // It chooses from 0.75/9: two sixteenths do, one does not.
  near(row.threshold, 1 / 12);
  assert.equal(column(row, "chosen").map(Number).join(""), "001001111");
  // k of H is (0, 1): 2 to the second number of each query, over that row's own sum.
  assert.deepEqual(column(row, "incomingPower"), [1, 2, 1, 1, 2, 2, 4, 2, 4]);
  assert.deepEqual(column(row, "incomingTotal"), [14, 34, 14, 14, 16, 34, 44, 16, 44]);
  // 1/14 < 2/9, 2/34 < 1/12, 1/14 < 1/12, 1/14 < 1/12, 2/16 > 1/18, 2/34 < 1/12, 4/44 < 5/36, then
  // 2/16 > 1/12 and 4/44 > 1/18.
  assert.equal(column(row, "back").map(Number).join(""), "000010011");
  // The window is the two lower lines: 12/16 over six cells is 1/8; only G's 4/16 is 1.25 times that.
  assert.equal(row.near, 6);
  near(row.nearMean, 1 / 8);
  near(row.localThreshold, 5 / 32);
  assert.equal(column(row, "local").map(Number).join(""), "000000100");
});

test("H, worked out by hand: what is kept, its weights, and the mixed value", () => {
  const row = rows[H];
  // Both: H, I. Local only: G. Only the query: C, F. Only the key: E.
  assert.deepEqual(column(row, "group"), [-1, -1, 2, -1, 3, 2, 1, 0, 0]);
  assert.equal(row.kept, 3);
  assert.equal(row.keptPower, 8);
  // 4, 2 and 2 of 8.
  column(row, "weight").forEach((weight, j) => near(weight, [0, 0, 0, 0, 0, 0, 1 / 2, 1 / 4, 1 / 4][j]));
  // 2/2 + 4/4 + 4/4; dense: (9 + 8 + 16 + 5 + 6 + 12 + 8 + 8 + 8) / 16.
  near(row.mixed, 3);
  near(row.dense, 5);
});

test("A keeps nobody and reads its own value", () => {
  // 2/14 < 2/9, and the window's four cells have all 2/14: none is 1.5 times their mean.
  assert.equal(rows[0].kept, 0);
  assert.equal(rows[0].mixed, 9);
});

test("every group of keys occurs for the first query, and a key in none", () => {
  assert.deepEqual([...new Set(column(rows[H], "group"))].sort(), [-1, 0, 1, 2, 3]);
});

test("what the attention's own code says is what the fractions say", () => {
  rows.forEach((row, i) => {
    assert.equal(row.total, toyTotal(i));
    row.keys.forEach((key, j) => {
      near(key.affinity, toyPower(i, j) / toyTotal(i));
      near(key.incoming, toyPower(j, i) / toyTotal(j));
      assert.equal(key.chosen, key.affinity >= TOY_CELLS[i].nonlocalScale / 9);
      assert.equal(key.back, key.incoming >= key.least);
      assert.equal(key.local, key.near && key.affinity >= row.localThreshold);
      assert.equal(key.kept, (key.chosen && key.back) || key.local);
      if (key.kept) near(key.weight, key.power / row.keptPower);
    });
    near(column(row, "weight").reduce((sum, each) => sum + each), 1);
  });
});

test("no affinity lies so near a threshold that rounding could decide", () => {
  const { n } = toySession();
  rows.forEach((row) => row.keys.forEach((key) => {
    for (const [value, least] of [[key.affinity, row.threshold], [key.incoming, key.least]]) {
      assert.ok(Math.abs(Math.log(value / least)) > 0.05);
    }
    if (key.near) assert.ok(Math.abs(Math.log(key.affinity / row.localThreshold)) > 0.05);
  }));
  assert.equal(rows.length, n);
});
