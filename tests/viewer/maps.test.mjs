// Maps of the whole image against the rows they sum up, one by one.

import assert from "node:assert/strict";
import { test } from "node:test";

import { AS_TRAINED, CHOSEN, KEPT } from "../../app/viewer/core/attention.ts";
import { STRENGTHS, TOP_KS, columnOf, kthLargestOf, mapsOf } from "../../app/viewer/core/maps.ts";
import { affinitiesOf, definition, whatIfs } from "./definition.mjs";
import { allMapsOf, finished, thresholdsOf, paused, rowsOf } from "./passes.mjs";
import { randomSession, sessionOf } from "./sessions.mjs";

// Tiles are of 32 cells: one of less, of exactly so many, of several with a rest.
const GRIDS = [[1, 1], [1, 5], [3, 4], [5, 5], [4, 8], [7, 11]];
const sessions = GRIDS.map(([height, width]) => randomSession({ height, width, seed: width }));

function close(actual, expected, name, bound = 2e-5) {
  actual.forEach((each, j) => {
    const near = Math.abs(each - expected[j]) <= bound * Math.max(Math.abs(expected[j]), 1e-30);
    assert.ok(near, `${name}[${j}]: ${each} for ${expected[j]}`);
  });
}

const sum = (numbers) => numbers.reduce((total, each) => total + each, 0);

for (const [name, whatIf] of whatIfs) {
  test(`the maps are the sums of the rows: ${name}`, () => {
    for (const session of sessions) {
      const { n, cellLabels } = session;
      const rows = definition(session, whatIf);
      const maps = allMapsOf(session, whatIf);
      assert.deepEqual([...maps.support], rows.map(({ support }) => support.size));
      for (let j = 0; j < n; j++) {
        assert.equal(maps.inDegree[j], rows.filter(({ support }) => support.has(j)).length);
      }
      const mass = rows.map(({ dense, support }) => sum([...support].map((j) => dense[j])));
      close(maps.keptMass, mass, "kept mass");
      const own = rows.map(({ dense, support }, i) => (
        sum([...support].filter((j) => cellLabels[j] === cellLabels[i]).map((j) => dense[j]))
      ));
      // What reads itself alone reads its own class.
      close(maps.ownShare, own.map((each, i) => (rows[i].support.size ? each / mass[i] : 1)), "own share");
    }
  });

  test(`a column is that of the matrix of all rows: ${name}`, () => {
    for (const session of sessions) {
      const maps = allMapsOf(session, whatIf);
      const rows = rowsOf(session, whatIf);
      const expected = definition(session, whatIf);
      for (const row of rows) {
        const column = columnOf(session, row, whatIf, maps);
        close(column.dense, expected.map(({ dense }) => dense[row.i]), "dense");
        close(column.weights, expected.map(({ weights }) => weights[row.i]), "weights");
        const readers = rows.map(({ weights }) => weights[row.i] > 0);
        assert.deepEqual([...column.weights].map((each) => each > 0), readers);
        assert.deepEqual(columnOf(session, row, whatIf, null), { dense: row.incoming, weights: null });
      }
    }
  });

  test(`the groups are what a search along strong pairs finds: ${name}`, () => {
    for (const session of sessions) {
      const rows = definition(session, whatIf);
      const { groups } = allMapsOf(session, whatIf);
      assert.equal(groups.length, STRENGTHS.length);
      STRENGTHS.forEach((strength, s) => {
        const strong = (i, j) => {
          const { dense, incomingRatio, threshold } = rows[i];
          return (dense[j] * session.n) / threshold >= strength && incomingRatio[j] >= strength;
        };
        assert.deepEqual([...groups[s]], searched(session.n, strong), `strength ${strength}`);
      });
    }
  });
}

/** The group of every cell by breadth-first search, numbered from the largest; -1 for one alone. */
function searched(n, joined) {
  const group = new Array(n).fill(null);
  const found = [];
  for (let start = 0; start < n; start++) {
    if (group[start] !== null) continue;
    const members = [start];
    group[start] = members;
    for (const i of members) {
      for (let j = 0; j < n; j++) {
        if (group[j] !== null || !joined(i, j)) continue;
        group[j] = members;
        members.push(j);
      }
    }
    found.push(members);
  }
  // A sort keeps the order of equals: the one with the first cell.
  const numbered = found.filter((members) => members.length > 1).sort((a, b) => b.length - a.length);
  return group.map((members) => numbered.indexOf(members));
}

test("maps of a hand-worked example", () => {
  // As in attention.test.mjs: 0 and 1 tie with each other's threshold, 2 and 3 stand alone.
  const session = sessionOf([
    [0.40, 0.25, 0.24, 0.11],
    [0.25, 0.35, 0.20, 0.20],
    [0.30, 0.20, 0.30, 0.20],
    [0.60, 0.10, 0.10, 0.20],
  ], { height: 1, width: 4, labels: [0, 1, 0, 0] });
  const maps = allMapsOf(session, AS_TRAINED);
  assert.deepEqual([...maps.support], [2, 2, 1, 0]);
  assert.deepEqual([...maps.inDegree], [2, 2, 1, 0]);
  close(maps.keptMass, [0.65, 0.6, 0.3, 0], "kept mass");
  close(maps.ownShare, [0.4 / 0.65, 0.35 / 0.6, 1, 1], "own share");
  const alone = [-1, -1, -1, -1];
  assert.deepEqual(maps.groups.map((group) => [...group]), [[0, 0, -1, -1], alone, alone, alone]);
  // Without reciprocity 2 and 3 read 0; a group needs both to choose all the same.
  const free = allMapsOf(session, { ...AS_TRAINED, reciprocity: false });
  assert.deepEqual([...free.support], [2, 2, 2, 1]);
  assert.deepEqual([...free.inDegree], [4, 2, 1, 0]);
  assert.deepEqual([...free.groups[0]], [0, 0, -1, -1]);
});

test("a column of cells that read themselves alone", () => {
  const session = sessions[3];
  const whatIf = { ...AS_TRAINED, nonlocalFactor: 1e6, localFactor: 1e6 };
  const maps = allMapsOf(session, whatIf);
  for (const row of rowsOf(session, whatIf)) {
    const { weights } = columnOf(session, row, whatIf, maps);
    assert.deepEqual([...weights], [...weights].map((_, j) => (j === row.i ? 1 : 0)));
  }
});

test("a column holds where the mass that a row keeps is too small for float32", () => {
  // Cell 0 keeps its neighbour 1 alone, with an affinity of e^-110.
  const session = sessionOf(
    [[0.5, 0.5, 0.5], [0.5, 0.5, 0.5], [0.5, 0.5, 0.5]], { height: 1, width: 3, nonlocalScale: 1, localScale: 1.9 },
  );
  session.query.set([-200, -110, 0]);
  const whatIf = { ...AS_TRAINED, nonlocalFactor: 10 };
  const maps = allMapsOf(session, whatIf);
  const rows = rowsOf(session, whatIf);
  assert.deepEqual([...rows[0].weights], [0, 1, 0]);
  for (const row of rows) {
    const { weights } = columnOf(session, row, whatIf, maps);
    close(weights, rows.map((each) => each.weights[row.i]), `column ${row.i}`);
  }
});

test("without thresholds there are no groups, with top-k there are", () => {
  const zero = new Float32Array(12);
  const scales = { nonlocalScale: zero, localScale: zero };
  const session = randomSession({ height: 3, width: 4, learned: false, ...scales });
  const maps = allMapsOf(session, AS_TRAINED);
  assert.deepEqual(maps.groups, []);
  assert.deepEqual([...maps.support], new Array(12).fill(12));
  assert.equal(allMapsOf(session, { ...AS_TRAINED, topK: 8 }).groups.length, STRENGTHS.length);
});

test("the k-th largest log affinity of every row, the smallest where there are fewer keys", () => {
  for (const session of [...sessions, randomSession({ height: 9, width: 15 })]) {
    const largest = finished(kthLargestOf(session));
    assert.deepEqual([...largest.keys()], TOP_KS);
    affinitiesOf(session).forEach((row, i) => {
      const sorted = [...row].sort((a, b) => b - a);
      for (const k of TOP_KS) {
        const expected = Math.log(sorted[Math.min(k, session.n) - 1]);
        assert.ok(Math.abs(largest.get(k)[i] - expected) < 1e-5 * Math.max(1, Math.abs(expected)));
      }
    });
  }
});

test("top-k chooses exactly k, however large the similarities are", () => {
  for (const sharpness of [1, 30, 300]) {
    const session = randomSession({ height: 9, width: 15, sharpness });
    for (const topK of [8, 64]) {
      for (const row of rowsOf(session, { ...AS_TRAINED, topK })) {
        const count = row.relation.filter((each) => each & CHOSEN).length;
        assert.equal(count, topK, `sharpness ${sharpness}, cell ${row.i}`);
      }
    }
  }
});

test("equal keys tie for the k-th place, and all are chosen", () => {
  const session = randomSession({ height: 4, width: 5 });
  // From cell 3 on every key is the same.
  const { key, depth } = session;
  for (let p = 4 * depth; p < key.length; p++) key[p] = key[p - depth];
  for (const row of rowsOf(session, { ...AS_TRAINED, topK: 8, localRule: false })) {
    const same = new Set([...row.relation.slice(3)].map((each) => each & CHOSEN));
    assert.equal(same.size, 1);
    assert.ok(row.relation.filter((each) => each & CHOSEN).length >= 8);
  }
});

test("a pass pauses on the way and says how far it is, and pausing changes nothing", () => {
  const session = randomSession({ height: 20, width: 21, depth: 64, sharpness: 0.5 });
  for (const pass of [mapsOf(session, AS_TRAINED, thresholdsOf(session, AS_TRAINED)), kthLargestOf(session)]) {
    const { pauses } = paused(pass);
    assert.ok(pauses.length > 1);
    pauses.reduce((before, each) => {
      assert.ok(each > before && each <= 1, `${each} after ${before}`);
      return each;
    }, 0);
  }
  const rows = rowsOf(session, AS_TRAINED);
  const { support } = allMapsOf(session, AS_TRAINED);
  assert.deepEqual([...support], rows.map(({ relation }) => relation.filter((each) => each & KEPT).length));
});
