// The steps of the lesson, taken without a page: a fake moment is a state, and the row it leads to.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { AS_TRAINED, rowOf } from "../../app/viewer/core/attention.ts";
import { largestClass, localOnlyCell, middleOf, strongestKey, targetFrom } from "../../app/viewer/lesson/examples.ts";
import { LABELS } from "../../app/viewer/lesson/labels.ts";
import { numbersOf } from "../../app/viewer/core/numbers.ts";
import { cellOf, centreOf } from "../../app/viewer/core/geometry.ts";
import { START, fromQueryString, toQueryString } from "../../app/viewer/core/state.ts";
import { small } from "../../app/viewer/lesson/formulas.ts";
import { STEPS } from "../../app/viewer/lesson/steps.ts";
import { Texts } from "../../app/viewer/core/texts.ts";
import { toySession } from "../../app/viewer/lesson/toy.ts";
import { randomSession, sessionOf } from "./sessions.mjs";

// The toy map with the sky above and the road along the bottom.
const SESSION = {
  ...toySession(), classes: ["sky", "car", "road"], cellLabels: Uint8Array.of(0, 0, 0, 0, 0, 0, 2, 2, 2),
  imageHeight: 90, imageWidth: 90,
};
const [A, C, E, F, G, H, I] = [0, 2, 4, 5, 6, 7, 8];
const stepOf = (id) => STEPS.find((step) => step.id === id);

/** The moment of a query's cell, with what else there is to say of it. */
function momentAt(
  cell,
  { session = SESSION, hovered = null, rerun = null, guessed = null, classes = null, canRerun = true, canCompare = true, ...state } = {},
) {
  const rule = { ...AS_TRAINED, ...state.whatIf };
  const row = rowOf(session, cell, rule);
  row.numbers = numbersOf(session, row, rule.reciprocity);
  row.classes = classes;
  const all = { ...START, query: centreOf(session, cell), ...state, whatIf: rule };
  const compared = all.compare?.map((k) => rowOf(session, cellOf(session, all.pins[k]), rule)) ?? null;
  const comparison = all.methods === null ? null : comparisonAt(session, cell, row);
  return { session, row, state: all, now: all, hovered, rerun, guessed, compared, comparison, canRerun, canCompare };
}

/** What three methods answer: one compares, one moves along, one is the same for all queries. */
function comparisonAt(session, cell, { dense }) {
  const alone = Float32Array.from({ length: session.n }, (_, j) => (j === cell ? session.n : 0));
  const same = new Float32Array(session.n).fill(1);
  const rows = [
    { name: "dense", family: "Dense", row: dense.map((each) => each * session.n), effective: 4 },
    { name: "window", family: "Window", row: alone, effective: 1 },
    { name: "also", family: "Window", row: alone, effective: 2 },
    { name: "shared", family: "Same", row: same, effective: session.n },
  ];
  return { session, cell, rows };
}

/** Whether each of some moments, one after the other, finds the step done. */
function taken(id, ...moments) {
  const memory = {};
  return moments.map((moment) => stepOf(id).done(moment, memory));
}

test("point: the road, or the largest other class where the query is on the road already", () => {
  assert.deepEqual(taken("point", momentAt(A), momentAt(F), momentAt(H)), [false, false, true]);
  assert.deepEqual(taken("point", momentAt(H), momentAt(G), momentAt(E)), [false, false, true]);
  const memory = {};
  stepOf("point").done(momentAt(A), memory);
  assert.deepEqual(stepOf("point").task(momentAt(A), memory), { label: "road" });
  assert.equal(targetFrom({ classes: ["sky", "road", "car"], cellLabels: [0, 1, 2, 2, 2] }, 0), 1);
  assert.equal(targetFrom({ classes: ["sky", "tree"], cellLabels: [1, 1, 0] }, 2), 1);
  assert.equal(targetFrom({ classes: ["sky", "road"], cellLabels: [0, 0] }, 0), 0);
});

test("lock: locked, and another cell under the pointer; or by keys, one cell on", () => {
  assert.deepEqual(taken("lock", momentAt(H), momentAt(H, { hovered: A })), [false, false]);
  assert.deepEqual(taken("lock", momentAt(H, { locked: true, hovered: H })), [false]);
  assert.deepEqual(taken("lock", momentAt(H, { locked: true, hovered: A })), [true]);
  const locked = momentAt(H, { locked: true });
  assert.deepEqual(taken("lock", locked, momentAt(I, { locked: true })), [false, true]);
  assert.deepEqual(taken("lock", locked, momentAt(I)), [false, false]);
  // 2/16 = exp(log 2 - log 16).
  assert.deepEqual(stepOf("lock").formula(momentAt(H, { hovered: C })), {
    row: 1, column: 3, affinity: "0.125", similarity: "0.69", normaliser: "2.77",
  });
});

test("uniform: half as strong again as at the start, or as weak", () => {
  // Largest affinities: H 4/16, I 16/44, A 2/14; 1.45 times is too little, and 0.57 times enough.
  assert.deepEqual(taken("uniform", momentAt(H), momentAt(I), momentAt(A)), [false, false, true]);
  assert.deepEqual(taken("uniform", momentAt(A), momentAt(H)), [false, true]);
  assert.deepEqual(stepOf("uniform").formula(momentAt(H)), {
    n: 9, uniform: "0.111", affinity: "0.25", times: "2.25",
  });
});

test("threshold: at most half of what the cell keeps as trained, and by a higher threshold", () => {
  const higher = { whatIf: { nonlocalFactor: 4 } };
  assert.deepEqual(taken("threshold", momentAt(H), momentAt(H, higher)), [false, true]);
  assert.deepEqual(taken("threshold", momentAt(H, higher)), [true]);
  assert.deepEqual(taken("threshold", momentAt(H, { whatIf: { nonlocalFactor: 1.05 } })), [false]);
  // F keeps one cell of three without the local rule, but by no threshold.
  assert.deepEqual(taken("threshold", momentAt(F, { whatIf: { localRule: false } })), [false]);
  // A keeps nobody: there is nothing to halve.
  assert.deepEqual(taken("threshold", momentAt(A), momentAt(A, higher)), [false, false]);
  const memory = {};
  stepOf("threshold").done(momentAt(H), memory);
  assert.deepEqual(stepOf("threshold").task(momentAt(H), memory), { trained: 3, half: 1 });
  stepOf("threshold").done(momentAt(A), memory);
  assert.deepEqual(stepOf("threshold").task(momentAt(A), memory), { ending: "few" });
  const { affinity, sign, least } = stepOf("threshold").formula(momentAt(H, { hovered: A }));
  assert.deepEqual([affinity, sign, least], ["0.0625", "<", "0.0833"]);
});

test("back: a locked query, and under the pointer a cell that does not choose back", () => {
  assert.deepEqual(taken("back", momentAt(H, { locked: true, hovered: C })), [true]);
  for (const hovered of [null, A, E, G, I]) {
    assert.deepEqual(taken("back", momentAt(H, { locked: true, hovered })), [false], `${hovered}`);
  }
  assert.deepEqual(taken("back", momentAt(H, { hovered: C })), [false]);
  const off = { reciprocity: false };
  assert.deepEqual(taken("back", momentAt(H, { locked: true, hovered: C, whatIf: off })), [false]);
  const { row, column, ...numbers } = stepOf("back").formula(momentAt(H, { hovered: C }));
  assert.deepEqual([row, column], [1, 3]);
  assert.deepEqual(numbers, {
    affinity: "0.125", sign: "≥", least: "0.0833", incoming: "0.0714", signBack: "<", leastBack: "0.0833",
  });
  assert.deepEqual(stepOf("back").formula(momentAt(A)), { ending: "none" });
});

test("reciprocity: off, and on again", () => {
  const off = momentAt(H, { whatIf: { reciprocity: false } });
  assert.deepEqual(taken("reciprocity", momentAt(H), off, momentAt(H)), [false, false, true]);
  const expected = { chosen: 5, back: 2, kept: 3, without: 5 };
  assert.deepEqual(stepOf("reciprocity").formula(momentAt(H)), expected);
  assert.deepEqual(stepOf("reciprocity").formula(off), expected);
  assert.equal(momentAt(H).row.numbers.support, 3);
  assert.equal(off.row.numbers.support, 5);
});

test("local: something is kept by it alone, then it is off, and on again", () => {
  const off = (cell) => momentAt(cell, { whatIf: { localRule: false } });
  assert.deepEqual(taken("local", momentAt(H), off(H), momentAt(H)), [false, false, true]);
  assert.deepEqual(taken("local", momentAt(A), off(A), momentAt(A)), [false, false, false]);
  const { count, mean, scale, least, amount } = stepOf("local").formula(momentAt(H));
  assert.deepEqual([count, mean, scale, least, amount], [6, "0.125", "1.25", "0.156", 1]);
  assert.equal(stepOf("local").formula(off(H)).amount, 0);
});

test("predict: a guess of what is read, and no other", () => {
  assert.deepEqual(taken("predict", momentAt(H), momentAt(H, { guessed: "back" }), momentAt(H, { guessed: "reads" })), [false, false, true]);
  assert.deepEqual(stepOf("predict").formula(momentAt(H)), { ending: "none" });
  // H keeps G, H, I, all of the road.
  assert.deepEqual(stepOf("predict").formula(momentAt(H, { guessed: "reads" })), { support: 3, n: 9, share: "100 %", label: "road" });
});

test("values: a key that is read, and what the sum of values says", () => {
  const locked = { locked: true };
  assert.deepEqual(taken("values", momentAt(H, { hovered: G })), [false]);
  for (const hovered of [null, A, C, H]) assert.deepEqual(taken("values", momentAt(H, { ...locked, hovered })), [false]);
  assert.deepEqual(taken("values", momentAt(H, { ...locked, hovered: G })), [true]);
  const { weight, count, ending } = stepOf("values").formula(momentAt(H, { hovered: I }));
  assert.deepEqual([weight, count, ending], ["0.25", 3, "unread"]);
  const classes = { sparse: Float64Array.of(0.1, 0.2, 0.7), without: Float64Array.of(0.6, 0.3, 0.1) };
  const { label, share, other, otherShare } = stepOf("values").formula(momentAt(H, { classes }));
  assert.deepEqual([label, share, other, otherShare], ["road", "70 %", "sky", "60 %"]);
  assert.deepEqual(stepOf("values").formula(momentAt(A)), { ending: "none" });
});

test("without: the pixels whose class changes", () => {
  assert.deepEqual(taken("without", momentAt(H), momentAt(H, { layer: "without" })), [false, true]);
  const session = { ...SESSION, workingLabels: Uint8Array.of(0, 1, 2, 2), withoutAttention: Uint8Array.of(0, 0, 2, 2) };
  assert.deepEqual(stepOf("without").formula(momentAt(H, { session })), { count: 1, share: "25 %" });
  assert.deepEqual(stepOf("without").formula(momentAt(H)), { ending: "unknown" });
});

test("column: there, and back to the row", () => {
  const column = momentAt(H, { direction: "column" });
  assert.deepEqual(taken("column", momentAt(H), column, momentAt(H)), [false, false, true]);
  const { row, column: sum } = stepOf("column").formula(momentAt(H));
  // 1/14 + 2/34 + 1/14 + 1/14 + 2/16 + 2/34 + 4/44 + 2/16 + 4/44.
  assert.deepEqual([row, sum], ["1.00", "0.764"]);
});

test("compare: two pins of different classes", () => {
  const pins = (...cells) => ({ pins: cells.map((cell) => centreOf(SESSION, cell)) });
  assert.deepEqual(taken("compare", momentAt(H, pins(H, A))), [false]);
  assert.deepEqual(taken("compare", momentAt(H, { ...pins(H, I), compare: [0, 1] })), [false]);
  assert.deepEqual(taken("compare", momentAt(H, { ...pins(H, I, A), compare: [0, 2] })), [true]);
  const values = stepOf("compare").formula(momentAt(H, { ...pins(H, I), compare: [0, 1] }));
  // H keeps G, H, I with 1/2, 1/4, 1/4; I keeps F, H, I with 1/3 each.
  assert.deepEqual(values, { first: 3, second: 3, both: 2, mass: "50 %" });
  assert.deepEqual(stepOf("compare").formula(momentAt(H, pins(H))), { ending: "pins", count: 1 });
});

test("rerun: run again where there is a server, changed where there is none, and as trained again", () => {
  const whatIf = { reciprocity: false }, rerun = { count: 120, share: 0.25 };
  const trained = momentAt(H), changed = momentAt(H, { whatIf }), again = momentAt(H, { whatIf, rerun });
  const found = taken("rerun", trained, changed, trained, again, trained);
  assert.deepEqual(found, [false, false, false, false, true]);
  const alone = (moment) => ({ ...moment, canRerun: false });
  assert.deepEqual(taken("rerun", ...[trained, changed, trained].map(alone)), [false, false, true]);
  assert.deepEqual(stepOf("rerun").formula(momentAt(H, { rerun })), { count: 120, share: "25 %" });
  assert.deepEqual(stepOf("rerun").formula(trained), { ending: "none" });
  assert.equal(stepOf("rerun").formula(alone(trained)), null);
});

test("families: two queries of different classes, and what their rows have in common", () => {
  const open = { methods: "usual" };
  assert.deepEqual(taken("families", momentAt(H), momentAt(H, open), momentAt(I, open)), [false, false, false]);
  assert.deepEqual(taken("families", momentAt(H, open), momentAt(A, open)), [false, true]);
  const memory = {}, step = stepOf("families");
  assert.deepEqual(step.formula(momentAt(H), memory), { ending: "none" });
  step.done(momentAt(H, open), memory);
  assert.deepEqual(step.formula(momentAt(H, open), memory), {
    ending: "one", list: "Dense 4.00 · Window 1.50 · Same 9.00",
  });
  const [first, second] = [H, A].map((cell) => momentAt(cell).row.dense);
  const common = Math.round(100 * first.reduce((sum, each, j) => sum + Math.min(each, second[j]), 0));
  assert.deepEqual(step.formula(momentAt(A, open), memory), {
    list: `Dense ${common} % · Window 0 % · Same 100 %`,
  });
  const alone = momentAt(H, { canCompare: false });
  assert.equal(step.done(alone, {}), true);
  assert.equal(step.formula(alone, {}), null);
});

/** Press "show me" until the step is done; returns how often. */
function presses(step, session, cell, canRerun) {
  const memory = {};
  let moment = momentAt(cell, { session, canRerun });
  for (let count = 0; count < 4; count++) {
    if (step.done(moment, memory)) return count;
    const { state = {}, hover = null, rerun = false, guess = false } = step.show(moment, memory);
    const now = { ...moment.now, ...state };
    moment = momentAt(cellOf(session, now.query), {
      session, canRerun, ...now, hovered: hover, rerun: rerun ? { count: 1, share: 0.5 } : null,
      guessed: guess ? step.question : null,
    });
  }
  return Infinity;
}

const HALVES = Uint8Array.from({ length: 63 }, (_, i) => (i < 30 ? 0 : 1));
const LARGER = { ...randomSession({ height: 7, width: 9 }), cellLabels: HALVES };

for (const step of STEPS.filter(({ show }) => show)) {
  test(`${step.id}: is not done by itself, and "show me" does it, from every cell`, () => {
    for (const session of [SESSION, LARGER]) {
      for (const canRerun of [true, false]) {
        for (let cell = 0; cell < session.n; cell++) {
          const count = presses(step, session, cell, canRerun);
          assert.ok(count >= 1 && count <= 3, `${count} presses from cell ${cell}`);
        }
      }
    }
  });
}

const WORDS = Object.assign({}, ...["page", "lesson/lesson", "methods", "lesson/guess"].map((area) =>
  JSON.parse(readFileSync(new URL(`../../app/texts/en/${area}.json`, import.meta.url), "utf-8"))));

test("every step has its words, and no words are left over", () => {
  const parts = {};
  for (const key of Object.keys(WORDS)) {
    const [area, id, part, touched] = key.split(".");
    if (area === "lesson" && part && !touched) (parts[id] ??= []).push(part);
  }
  const expected = Object.fromEntries(STEPS.map(({ id, show }) =>
    [id, show ? ["title", "text", "task", "formula", "done"] : ["title", "text"]]));
  expected.threshold.push("few");
  expected.back.push("none", "show");
  expected.compare.push("pins");
  expected.predict.push("none");
  expected.values.push("none", "unread");
  expected.without.push("unknown");
  expected.rerun.push("none", "text_offline", "task_offline");
  expected.families.push(
    "text_offline", "task_offline", "one", "none",
    "content", "dense", "pattern", "window", "pooled", "low_rank", "predicted", "shared", "classic", "gates",
  );
  expected.limits.push("why", "values", "cells", "what_if", "one");
  // Words of the lesson itself, not of a step.
  Object.assign(expected, { name: ["done"], show: ["title"] });
  const sorted = (lists) => Object.fromEntries(Object.entries(lists).map(([id, list]) => [id, list.sort()]));
  assert.deepEqual(sorted(parts), sorted(expected));
});

test("every number that a step's words ask for is given", () => {
  const texts = new Texts("en", WORDS);
  const labels = Object.fromEntries(Object.entries(LABELS).map(([name, key]) => [name, texts.say(key)]));
  const pins = [H, I].map((cell) => centreOf(SESSION, cell));
  const classes = { sparse: Float64Array.of(0.1, 0.2, 0.7), without: Float64Array.of(0.6, 0.3, 0.1) };
  const busy = { hovered: C, guessed: "reads", classes, rerun: { count: 7, share: 0.5 }, pins, compare: [0, 1] };
  const flips = { ...SESSION, workingLabels: Uint8Array.of(0, 1), withoutAttention: Uint8Array.of(0, 0) };
  const moments = [
    momentAt(H), momentAt(A), momentAt(H, busy), momentAt(H, { methods: "all" }), momentAt(H, { session: flips, ...busy }),
  ];
  for (const step of STEPS.filter(({ show }) => show)) {
    for (const moment of moments) {
      const memory = {};
      step.done(moment, memory);
      const formula = step.formula(moment, memory), task = step.task?.(moment, memory) ?? {};
      const told = [
        texts.say(`lesson.${step.id}.${formula.ending ?? "formula"}`, { ...labels, ...formula }),
        texts.say(`lesson.${step.id}.${task.ending ?? "task"}`, { ...labels, ...task }),
        texts.say(`lesson.${step.id}.text`, labels),
        formula.ending ? "" : texts.say(`lesson.${step.id}.done`, { ...labels, ...formula }),
      ];
      for (const text of told) assert.doesNotMatch(text, /[{}]|undefined|NaN|^lesson\./);
    }
  }
});

test("pages to read are done when they are open, and have nothing to show", () => {
  for (const id of ["toy", "limits"]) assert.ok(stepOf(id).isPage && !stepOf(id).show, id);
});

test("a step's number is in the link", () => {
  assert.ok(STEPS.length < 50);
  for (let lesson = 1; lesson <= STEPS.length; lesson++) {
    assert.equal(fromQueryString(toQueryString({ ...START, lesson })).lesson, lesson);
  }
});

test("cells to go to: the middle of a class, the strongest key, what the local rule alone keeps", () => {
  assert.equal(middleOf(SESSION, 2), H);
  assert.equal(largestClass(SESSION), 0);
  assert.equal(largestClass(SESSION, 0), 2);
  assert.equal(strongestKey(momentAt(H).row), G);
  assert.equal(strongestKey({ i: 0, dense: [9, 1, 2] }), 2);
  const { cell, whatIf } = localOnlyCell(SESSION);
  assert.deepEqual(whatIf, AS_TRAINED);
  assert.ok(momentAt(cell).row.numbers.groups[1] > 0);
  // Cell 0 keeps cell 1 by the local rule alone, for it does not choose it; cell 1 would, the other way.
  const pair = sessionOf([[0.6, 0.4], [0.9, 0.1]], { height: 1, width: 2, nonlocalScale: 1, localScale: 0.6 });
  assert.equal(localOnlyCell(pair).cell, 0);
  const strict = { ...SESSION, localScale: SESSION.localScale.map(() => 9) };
  const lowered = localOnlyCell(strict);
  assert.ok(lowered.whatIf.localFactor < 1);
  assert.ok(momentAt(lowered.cell, { session: strict, whatIf: lowered.whatIf }).row.numbers.groups[1] > 0);
});

test("an affinity is written without exponents", () => {
  const written = ["0.00037", "0.0187", "1", "0", "0.0000024", "< 0.000001"];
  assert.deepEqual([0.00037, 0.01874, 1, 0, 2.4e-6, 1e-9].map(small), written);
});
