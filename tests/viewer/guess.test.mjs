// Guesses: what is asked, what the answer is, and how a guess is scored.

import assert from "node:assert/strict";
import { test } from "node:test";

import { BACK, CHOSEN, KEPT, LOCAL } from "../../app/viewer/core/attention.ts";
import { answerOf, askedCells, brushOf, flippedCells, questionsOf, scoreOf, strokeOf } from "../../app/viewer/lesson/guess.ts";

const row = { relation: Uint8Array.of(CHOSEN | BACK | KEPT, CHOSEN, BACK, LOCAL | KEPT, 0, CHOSEN | BACK | KEPT) };
const session = { n: 6, learned: true, withoutAttention: null };

test("what is read is what is kept; who chooses back has been chosen", () => {
  assert.deepEqual([...answerOf("reads", session, row)], [1, 0, 0, 1, 0, 1]);
  assert.deepEqual([...answerOf("back", session, row)], [1, 0, 0, 0, 0, 1]);
  assert.deepEqual([...askedCells("back", session, row)], [1, 1, 0, 0, 0, 1]);
  assert.deepEqual([...askedCells("reads", session, row)], [1, 1, 1, 1, 1, 1]);
});

test("a cell changes where at least half of its pixels do", () => {
  const flat = {
    n: 2, height: 1, width: 2, workingHeight: 2, workingWidth: 4,
    workingLabels: Uint8Array.of(0, 0, 1, 1, 0, 0, 1, 1), withoutAttention: Uint8Array.of(0, 9, 9, 1, 0, 0, 9, 1),
  };
  assert.deepEqual([...flippedCells(flat)], [0, 1]);
  assert.deepEqual([...flippedCells({ ...flat, withoutAttention: null })], [0, 0]);
});

test("only what can be answered is asked", () => {
  const asked = (change, whatIf = { reciprocity: true }) => questionsOf({ ...session, ...change }, { whatIf });
  assert.deepEqual(asked({}), ["reads", "back"]);
  assert.deepEqual(asked({ withoutAttention: new Uint8Array(1) }), ["reads", "back", "flips"]);
  assert.deepEqual(asked({ learned: false }), ["reads"]);
  assert.deepEqual(asked({}, { reciprocity: false }), ["reads"]);
});

test("the score is intersection over union", () => {
  const score = (marked, answer) => scoreOf(Uint8Array.from(marked), Uint8Array.from(answer));
  assert.deepEqual(score([1, 1, 1, 0], [0, 1, 1, 1]), { both: 2, markedOnly: 1, answerOnly: 1, overlap: 0.5 });
  assert.equal(score([1, 0], [0, 1]).overlap, 0);
  assert.equal(score([1, 1], [1, 1]).overlap, 1);
  // Nothing was marked, and nothing changes: right.
  assert.equal(score([0, 0], [0, 0]).overlap, 1);
});

test("a brush ends at the border, and a quick stroke has no holes", () => {
  const grid = { height: 4, width: 5 };
  assert.deepEqual(brushOf(grid, 0, 1), [0, 1, 5, 6]);
  assert.deepEqual(brushOf(grid, 12, 0), [12]);
  assert.deepEqual([...strokeOf(grid, 0, 4, 0)], [0, 1, 2, 3, 4]);
  assert.deepEqual([...strokeOf(grid, 0, 15, 0)], [0, 5, 10, 15]);
  assert.deepEqual([...strokeOf(grid, 7, 7, 0)], [7]);
});
