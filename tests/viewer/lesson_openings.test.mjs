// The examples that the steps of the lesson open with are chosen by their numbers.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { AS_TRAINED, rowOf } from "../../app/viewer/core/attention.ts";
import { cellOf, placeOf } from "../../app/viewer/core/geometry.ts";
import { numbersOf, probabilitiesOf } from "../../app/viewer/core/numbers.ts";
import { readPacket } from "../../app/viewer/core/packet.ts";
import { START } from "../../app/viewer/core/state.ts";
import { flippedCells } from "../../app/viewer/lesson/guess.ts";
import { EXAMPLES_OF, OPENINGS, openingState } from "../../app/viewer/lesson/openings.ts";
import { STEPS } from "../../app/viewer/lesson/steps.ts";

const examples = new URL("../../app/examples/", import.meta.url);
const BORDER = 3;

function opened(id) {
  const { picture, pixel } = OPENINGS[id].example;
  const bytes = readFileSync(new URL(`encodings/${EXAMPLES_OF}/${picture}.safetensors`, examples));
  const session = readPacket(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  const cell = cellOf(session, pixel), row = rowOf(session, cell);
  return { session, cell, row, numbers: numbersOf(session, row) };
}

test("every step has an opening, and no opening is left over", () => {
  assert.deepEqual(Object.keys(OPENINGS).sort(), STEPS.map(({ id }) => id).sort());
});

for (const id of Object.keys(OPENINGS).filter((each) => OPENINGS[each].example)) {
  test(`${id}: reads 100 to 600 cells off the border, and more than 90 % of its own class`, () => {
    const { session, cell, numbers } = opened(id);
    assert.ok(numbers.support >= 100 && numbers.support <= 600, `${numbers.support} cells`);
    assert.ok(numbers.sparse.own > 0.9, `${numbers.sparse.own}`);
    const { row, column } = placeOf(session, cell);
    for (const [place, size] of [[row, session.height], [column, session.width]]) {
      assert.ok(place >= BORDER && place < size - BORDER, `${row}, ${column}`);
    }
  });
}

test("the steps on choosing open where many are chosen in vain, and one on the local rule where it keeps some", () => {
  for (const id of ["threshold", "back", "reciprocity"]) assert.ok(opened(id).numbers.groups[2] >= 100, id);
  assert.ok(opened("local").numbers.groups[1] >= 5);
});

test("the step on values opens where reading changes the class, and the next where many pixels hang on it", () => {
  const { session, cell, row } = opened("values");
  const alone = Float32Array.from({ length: session.n }, (_, j) => Number(j === cell));
  const classOf = (weights) => {
    const shares = probabilitiesOf(session.readout, weights);
    return shares.indexOf(Math.max(...shares));
  };
  assert.equal(classOf(row.weights), session.cellLabels[cell]);
  assert.notEqual(classOf(alone), session.cellLabels[cell]);
  const flipped = flippedCells(opened("without").session).reduce((sum, each) => sum + each, 0);
  assert.ok(flipped > 0.05 * session.n, `${flipped} cells`);
});

test("a step opens as trained in its own picture, or in the reader's where that is another", () => {
  const now = { ...START, picture: "dogs", network: EXAMPLES_OF }, pictures = ["dogs", "cat", "parking_sign"];
  const session = { height: 2, width: 2, imageHeight: 40, imageWidth: 40, survey: { start: 3 } };
  const own = openingState("back", now, session, { leads: true, pictures });
  assert.equal(own.picture, "parking_sign");
  assert.deepEqual(own.query, OPENINGS.back.example.pixel);
  assert.deepEqual([own.stage, own.locked, own.whatIf, own.direction], ["chosen", true, AS_TRAINED, "row"]);
  for (const [state, how] of [
    [{ ...now, picture: "upload:1" }, { leads: false, pictures }],
    [{ ...now, network: "another" }, { leads: true, pictures }],
    [now, { leads: true, pictures: [] }],
  ]) {
    const theirs = openingState("back", state, session, how);
    assert.equal(theirs.picture, state.picture);
    assert.deepEqual(theirs.query, [30, 30]);
  }
});
