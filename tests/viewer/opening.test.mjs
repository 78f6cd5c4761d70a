// What a picture opens with: the query that tells most, and the scale of its dense rows.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

import { AS_TRAINED, KEPT, rowOf } from "../../app/viewer/core/attention.ts";
import { fitting, surveyOf } from "../../app/viewer/core/opening.ts";
import { probabilitiesOf } from "../../app/viewer/core/numbers.ts";
import { readPacket } from "../../app/viewer/core/packet.ts";
import { denseScale } from "../../app/viewer/core/scale.ts";
import { START } from "../../app/viewer/core/state.ts";
import { randomSession, sessionOf } from "./sessions.mjs";

const FOLDER = new URL("../../app/examples/encodings/asa_mobilenetv2_outdoor/", import.meta.url);
const PHOTOGRAPHS = readdirSync(FOLDER);
const stored = (name) => readPacket(Uint8Array.from(readFileSync(new URL(name, FOLDER))).buffer);

test("every photograph of the gallery opens on a query that tells something", () => {
  assert.ok(PHOTOGRAPHS.length >= 12);
  for (const name of PHOTOGRAPHS) {
    const session = stored(name);
    const { start } = surveyOf(session);
    const { weights, relation } = rowOf(session, start);
    const [row, column] = [Math.floor(start / session.width), start % session.width];
    assert.ok(row > 0 && row < session.height - 1 && column > 0 && column < session.width - 1, `${name}: at the border`);
    const kept = relation.reduce((count, each) => count + (each & KEPT ? 1 : 0), 0);
    assert.ok(kept >= 100 && kept <= 600, `${name}: ${kept} cells`);
    let own = 0;
    weights.forEach((each, j) => { if (session.cellLabels[j] === session.cellLabels[start]) own += each; });
    assert.ok(own > 0.9, `${name}: ${own} on its own class`);
  }
});

test("the scale of a dense row is the same from cell to cell", () => {
  for (const name of PHOTOGRAPHS.slice(0, 2)) {
    const session = stored(name);
    const survey = surveyOf(session);
    let jumps = 0, steps = 0, before = null;
    for (let cell = 0; cell < session.n; cell += 7) {
      const { dense, threshold } = rowOf(session, cell, AS_TRAINED);
      const linear = denseScale(dense, threshold, "linear", survey), log = denseScale(dense, threshold, "log", survey);
      const ends = [linear.high, log.high, log.low];
      if (before && ends.some((end, k) => Math.max(end / before[k], before[k] / end) > 1.2)) jumps++;
      before = ends;
      steps++;
    }
    assert.ok(jumps <= 0.05 * steps, `${name}: ${jumps} jumps in ${steps} steps`);
  }
});

test("the class of a cell follows from its row, and what it would be without attention from its own value", () => {
  const session = stored(PHOTOGRAPHS[0]);
  const { height, width, n, workingHeight, workingWidth } = session;
  const most = (probabilities) => probabilities.indexOf(Math.max(...probabilities));
  let same = 0, alone = 0, cells = 0;
  for (let cell = 7; cell < n; cell += 41) {
    const { weights } = rowOf(session, cell);
    const itself = Uint8Array.from({ length: n }, (_, j) => Number(j === cell));
    const [down, across] = [Math.floor(((Math.floor(cell / width) + 0.5) * workingHeight) / height), Math.floor((((cell % width) + 0.5) * workingWidth) / width)];
    if (most(probabilitiesOf(session.readout, weights)) === session.cellLabels[cell]) same++;
    if (most(probabilitiesOf(session.readout, itself)) === session.withoutAttention[down * workingWidth + across]) alone++;
    cells++;
  }
  // Labels of pixels are interpolated between cells, and half precision is rounded: at a border they may differ.
  assert.ok(same >= 0.97 * cells, `${same} of ${cells}`);
  assert.ok(alone >= 0.93 * cells, `${alone} of ${cells}`);
});

test("every picture has a start and a scale, however small or dull it is", () => {
  const flat = new Array(4).fill(new Array(4).fill(0.25));
  const sessions = [
    randomSession({ height: 1, width: 1 }), randomSession({ height: 2, width: 3 }), randomSession({ height: 3, width: 40 }),
    sessionOf(flat, { height: 2, width: 2 }), sessionOf(flat, { height: 2, width: 2, nonlocalScale: 0, localScale: 0, learned: false }),
  ];
  for (const session of sessions) {
    const { start, ceiling, bottom, top } = surveyOf(session);
    assert.ok(Number.isInteger(start) && start >= 0 && start < session.n);
    assert.ok(ceiling > 0 && Number.isFinite(ceiling) && bottom > 0 && top > bottom && Number.isFinite(top));
  }
});

test("a query beside the picture, or none, is found anew; a pin beside it is gone", () => {
  const session = { imageWidth: 40, imageHeight: 30 };
  const state = { ...START, query: [39, 29], pins: [[0, 0], [40, 2]], compare: [0, 1] };
  assert.deepEqual(fitting(session, state, false), { query: [39, 29], pins: [[0, 0]], compare: null, set: null });
  assert.deepEqual(fitting(session, state, true).query, START.query);
  assert.deepEqual(fitting(session, { ...state, query: [40, 0] }, false).query, START.query);
});
