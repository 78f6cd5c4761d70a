// One query's row: by hand, and against the definition with its loops.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  AS_TRAINED, BACK, CHOSEN, GROUPS, KEPT, LOCAL, groupOf, isChanged, logLocalThreshold, logThresholds,
  reaches, rowOf, similarity, windowOf,
} from "../../app/viewer/core/attention.ts";
import { definition, nearOf, whatIfs } from "./definition.mjs";
import { thresholdsOf, rowsOf } from "./passes.mjs";
import { randomSession, sessionOf } from "./sessions.mjs";

const GRIDS = [[1, 1], [1, 5], [5, 1], [2, 2], [3, 4], [5, 5]];

/** The keys that have a bit of a row's relation. */
const cellsWith = (row, bit) => new Set([...row.relation.keys()].filter((j) => row.relation[j] & bit));

function close(actual, expected, name) {
  assert.equal(actual.length, expected.length, name);
  actual.forEach((each, j) => {
    const bound = 1e-5 * Math.abs(expected[j]) + 1e-30;
    const equal = each === expected[j] || Math.abs(each - expected[j]) <= bound;
    assert.ok(equal, `${name}[${j}]: ${each} for ${expected[j]}`);
  });
}

for (const [name, whatIf] of whatIfs) {
  for (const window of [1, 3, 5]) {
    test(`every row is that of the definition: ${name}, trained with window ${window}`, () => {
      for (const [height, width] of GRIDS) {
        for (const depth of [1, 3, 4, 6]) {
          const session = randomSession({ height, width, depth, window, seed: 7 * depth + width });
          rowsOf(session, whatIf).forEach((row, i) => {
            const expected = definition(session, whatIf)[i];
            assert.equal(row.i, i);
            for (const each of ["dense", "incoming", "incomingRatio", "weights"]) {
              close(row[each], expected[each], each);
            }
            const { threshold, localThreshold } = expected;
            close([row.threshold, row.localThreshold], [threshold, localThreshold], "thresholds");
            close([row.localScale], [session.localScale[i] * whatIf.localFactor], "local scale");
            assert.deepEqual(cellsWith(row, CHOSEN), expected.chosen);
            assert.deepEqual(cellsWith(row, BACK), expected.back);
            assert.deepEqual(cellsWith(row, LOCAL), expected.local);
            assert.deepEqual(cellsWith(row, KEPT), expected.support);
          });
        }
      }
    });
  }
}

test("a dense network keeps everything, whatever the factors", () => {
  const session = randomSession({
    height: 3, width: 5, learned: false, window: 1,
    nonlocalScale: new Float32Array(15), localScale: new Float32Array(15),
  });
  for (const factor of [0, 1, 1e6]) {
    const row = rowOf(session, 7, { ...AS_TRAINED, nonlocalFactor: factor, localFactor: factor });
    close(row.weights, row.dense, "weights");
    assert.equal(cellsWith(row, KEPT).size, 15);
    assert.equal(row.threshold, 0);
    assert.ok(row.incomingRatio.every((ratio) => ratio === Infinity));
  }
});

// Four cells in a line, thresholds 1 / 4 for all but the last, which asks for 2 / 4; the window mean
// of cell 0 is (0.5 + 0.25) / 2 = 0.375, of cell 3 it is (0.1 + 0.2) / 2 = 0.15.
const HAND = [
  [0.50, 0.25, 0.15, 0.10],
  [0.20, 0.30, 0.30, 0.20],
  [0.40, 0.20, 0.30, 0.10],
  [0.60, 0.10, 0.20, 0.10],
];
const byHand = () => sessionOf(HAND, { height: 1, width: 4, nonlocalScale: [1, 1, 1, 2], localScale: 4 / 3 });

test("the row of a hand-worked example", () => {
  const session = byHand();
  const row = rowOf(session, 0);
  close(row.dense, HAND[0], "dense");
  close(row.incoming, [0.5, 0.2, 0.4, 0.6], "incoming");
  close(row.incomingRatio, [2, 0.8, 1.6, 1.2], "incoming ratio");
  close([row.threshold, row.localScale, row.localThreshold], [1, 4 / 3, 2], "thresholds");
  // 0.25 ties with its threshold and is chosen; 0.2 of key 1 is less than its 0.25.
  assert.deepEqual(cellsWith(row, CHOSEN), new Set([0, 1]));
  assert.deepEqual(cellsWith(row, BACK), new Set([0, 2, 3]));
  // 4/3 times the mean of its window is 0.5, which the query's own weight ties with.
  assert.deepEqual(cellsWith(row, LOCAL), new Set([0]));
  assert.deepEqual(cellsWith(row, KEPT), new Set([0]));
  assert.deepEqual([...row.weights], [1, 0, 0, 0]);
  const groups = [...row.relation].map((each) => GROUPS[groupOf(each)]);
  assert.deepEqual(groups, ["reciprocal", "query_only", "key_only", "key_only"]);
});

test("each change of the rule, worked by hand", () => {
  const kept = (i, change) => {
    const row = rowOf(byHand(), i, { ...AS_TRAINED, ...change });
    return [...row.weights].map((each) => +each.toFixed(4));
  };
  // Without reciprocity key 1 comes in: 0.5 and 0.25 of 0.75.
  assert.deepEqual(kept(0, { reciprocity: false }), [0.6667, 0.3333, 0, 0]);
  // At 1.5 the threshold is 0.375, the query alone is left.
  assert.deepEqual(kept(0, { reciprocity: false, nonlocalFactor: 1.5 }), [1, 0, 0, 0]);
  // At 0.5 key 1 chooses back with 0.2 >= 0.125, key 2 with 0.4 and is chosen with 0.15; 0.1 is not.
  assert.deepEqual(kept(0, { nonlocalFactor: 0.5 }), [0.5556, 0.2778, 0.1667, 0]);
  // Half the local scale is a threshold of 0.25, which key 1 in the window ties with.
  assert.deepEqual(kept(0, { localFactor: 0.5 }), [0.6667, 0.3333, 0, 0]);
  // In a window of 1 the mean is the own weight: 4/3 of it is not reached, nor is it needed.
  assert.deepEqual(kept(0, { window: 1, nonlocalFactor: 3 }), [1, 0, 0, 0]);
  // Nothing of row 1 reaches its threshold of 0.75, nor 0.3333: it reads itself.
  assert.deepEqual(kept(1, { nonlocalFactor: 3 }), [0, 1, 0, 0]);
  // Without thresholds everybody chooses everybody.
  assert.deepEqual(kept(1, { nonlocalFactor: 0 }), [0.2, 0.3, 0.3, 0.2]);
});

test("top-k chooses the k largest, and all that tie with the last of them", () => {
  const session = byHand();
  const second = Float64Array.from([0.25, 0.3, 0.3, 0.2], Math.log);
  const row = (i) => rowOf(session, i, { ...AS_TRAINED, topK: 2 }, second);
  assert.deepEqual(cellsWith(row(0), CHOSEN), new Set([0, 1]));
  assert.deepEqual(cellsWith(row(1), CHOSEN), new Set([1, 2]));
  assert.deepEqual(cellsWith(row(0), BACK), new Set([0, 2, 3]));
  close([row(0).threshold, row(3).threshold], [1, 0.8], "thresholds in multiples of 1 / n");
  const third = Float64Array.from([0.15, 0.2, 0.2, 0.1], Math.log);
  const tied = rowOf(session, 3, { ...AS_TRAINED, topK: 3 }, third);
  assert.deepEqual(cellsWith(tied, CHOSEN), new Set([0, 1, 2, 3]));
});

test("a row that keeps nothing reads itself, and says that it keeps nothing", () => {
  const session = randomSession({ height: 3, width: 3 });
  const row = rowOf(session, 4, { ...AS_TRAINED, nonlocalFactor: 1e6, localFactor: 1e6 });
  assert.deepEqual([...row.weights], [0, 0, 0, 0, 1, 0, 0, 0, 0]);
  assert.equal(cellsWith(row, KEPT).size, 0);
});

test("a flat row passes a scale of 1 whole, and a scale just above it not at all", () => {
  for (const n of [3, 7, 49, 1000]) {
    const ones = new Float32Array(n).fill(1);
    const session = randomSession({
      height: 1, width: n, depth: 1, sharpness: 0, nonlocalScale: ones, localScale: ones,
    });
    const row = rowOf(session, 1);
    assert.ok(row.relation.every((each) => each & CHOSEN && each & BACK && each & KEPT), `n = ${n}`);
    assert.equal(cellsWith(row, LOCAL).size, Math.min(n, 3));
    const above = rowOf(session, 1, { ...AS_TRAINED, nonlocalFactor: 1 + 1e-4, localFactor: 1 + 1e-4 });
    assert.ok(above.relation.every((each) => each === 0), `n = ${n}`);
  }
});

test("a tie is 64 roundings of float32 wide and no more", () => {
  const slack = 64 * 2 ** -23;
  assert.ok(reaches(0, 0) && reaches(1, 0));
  assert.ok(reaches(-0.99 * slack, 0));
  assert.ok(!reaches(-1.01 * slack, 0));
  assert.ok(reaches(-800, -Infinity));
});

test("weights are exact where every affinity of a row is too small for a number", () => {
  // The kept keys of query 0 have affinities of e^-800 and e^-801; their weights are those of 1 and 1/e.
  const session = sessionOf([[0.5, 0.5], [0.5, 0.5]], { height: 1, width: 2, nonlocalScale: 0 });
  session.query.set([-800, -801, -800, -801]);
  const row = rowOf(session, 0);
  close(row.weights, [1 / (1 + Math.exp(-1)), Math.exp(-1) / (1 + Math.exp(-1))], "weights");
  assert.deepEqual([...row.dense], [0, 0]);
});

test("similarity is the dot product of any depth", () => {
  for (const depth of [1, 2, 3, 4, 5, 7, 8, 13]) {
    const a = Float32Array.from({ length: 3 * depth }, (_, k) => k + 1);
    const b = Float32Array.from({ length: 4 * depth }, (_, k) => 2 * k - 5);
    let sum = 0;
    for (let k = 0; k < depth; k++) sum += a[2 * depth + k] * b[3 * depth + k];
    assert.equal(similarity(a, 2, b, 3, depth), sum, `depth ${depth}`);
  }
});

test("without keys a similarity is the logarithm of a weight that is there", () => {
  const logs = Float32Array.of(0, -1, -2, -3, -4, -5);
  assert.equal(similarity(logs, 1, null, 2, 3), -5);
  assert.equal(similarity(logs, 0, null, 1, 3), -1);
});

test("of rows that are there, one that reads nothing has no weights", () => {
  const half = Math.log(0.5), none = () => new Float32Array(2);
  const session = {
    height: 1, width: 2, n: 2, depth: 2, window: 1, query: Float32Array.of(-1e4, -1e4, half, half), key: null,
    logNormaliser: none(), nonlocalScale: none(), localScale: none(),
  };
  assert.deepEqual([...rowOf(session, 0).weights], [0, 0]);
  assert.deepEqual([...rowOf(session, 1).weights], [0.5, 0.5]);
});

test("the window is clipped at the borders, the what-if's stands in for the trained one", () => {
  for (const [height, width] of GRIDS) {
    const session = randomSession({ height, width, window: 3 });
    for (let i = 0; i < session.n; i++) {
      assert.deepEqual(windowOf(session, i, AS_TRAINED), nearOf(session, i, 3));
      for (const window of [1, 5, 9]) {
        assert.deepEqual(windowOf(session, i, { ...AS_TRAINED, window }), nearOf(session, i, window));
      }
    }
  }
});

test("the local threshold is the scale times the mean of the window", () => {
  const session = { localScale: [0.5] };
  const threshold = logLocalThreshold(session, 0, { ...AS_TRAINED, localFactor: 3 }, [0.1, 0.2, 0.6].map(Math.log));
  close([Math.exp(threshold)], [3 * 0.5 * 0.3], "threshold");
  const tiny = logLocalThreshold(session, 0, AS_TRAINED, [-900, -900]);
  close([tiny], [Math.log(0.5) - 900], "threshold of affinities too small for a number");
});

test("thresholds are the scales over n, and top-k's stand in for them", () => {
  const session = { n: 8, nonlocalScale: [2, 0] };
  const thresholds = logThresholds(session, { ...AS_TRAINED, nonlocalFactor: 0.5 });
  close([thresholds[0]], [Math.log(1 / 8)], "threshold");
  assert.equal(thresholds[1], -Infinity);
  const given = Float64Array.of(1, 2);
  assert.equal(logThresholds(session, { ...AS_TRAINED, topK: 8 }, given), given);
});

test("rows stand alone: asking for one changes no other", () => {
  const session = randomSession({ height: 3, width: 4 });
  const before = structuredClone(session);
  const [first, again] = [rowOf(session, 5), (rowOf(session, 2), rowOf(session, 5))];
  assert.deepEqual(first, again);
  assert.deepEqual(session, before);
  assert.deepEqual(rowOf(session, 5, AS_TRAINED, thresholdsOf(session, AS_TRAINED)), first);
});

test("a key is in one group at most, and what is kept comes first", () => {
  const expected = {
    0: -1, [CHOSEN]: 2, [BACK]: 3, [CHOSEN | BACK]: 0, [LOCAL]: 1, [LOCAL | CHOSEN]: 1, [LOCAL | BACK]: 1,
    [LOCAL | CHOSEN | BACK]: 0,
  };
  for (const [relation, group] of Object.entries(expected)) {
    assert.equal(groupOf(+relation), group, `relation ${relation}`);
    assert.equal(groupOf(+relation | KEPT), group, `kept does not count`);
  }
  const without = { ...expected, [CHOSEN]: 0, [LOCAL | CHOSEN]: 0 };
  for (const [relation, group] of Object.entries(without)) {
    assert.equal(groupOf(+relation, false), group, `relation ${relation} without reciprocity`);
  }
});

test("the kept keys are those of the first two groups, with and without reciprocity", () => {
  for (const [, whatIf] of whatIfs) {
    for (const row of rowsOf(randomSession({ height: 4, width: 5 }), whatIf)) {
      for (const relation of row.relation) {
        const group = groupOf(relation, whatIf.reciprocity);
        assert.equal(Boolean(relation & KEPT), group === 0 || group === 1);
      }
    }
  }
});

test("a what-if is changed where any part of it differs", () => {
  assert.ok(!isChanged(AS_TRAINED));
  assert.ok(!isChanged({ ...AS_TRAINED }));
  for (const [name, whatIf] of whatIfs) assert.equal(isChanged(whatIf), name !== "as trained", name);
  assert.ok(Object.isFrozen(AS_TRAINED));
});
