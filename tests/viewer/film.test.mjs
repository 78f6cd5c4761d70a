// The film of one row: what remains at each stage is what the row itself says.

import assert from "node:assert/strict";
import { test } from "node:test";

import { BACK, CHOSEN, KEPT } from "../../app/viewer/core/attention.ts";
import { STAGES, countsOf, remains, shownStage, stagesOf } from "../../app/viewer/core/stages.ts";
import { IDEAS } from "../../app/viewer/core/ideas.ts";
import { rgbOf } from "../../app/viewer/core/scale.ts";
import { START, fromQueryString, toQueryString } from "../../app/viewer/core/state.ts";
import { number } from "../../app/viewer/core/texts.ts";
import { scenesAt } from "../../app/viewer/draw/film.ts";
import { packed } from "../../app/viewer/draw/colours.ts";
import { stageWords } from "../../app/viewer/page/side.ts";
import { smallSession, smallViewer } from "./export_moment.mjs";

const shown = ({ cells }) => [...cells.pixels.keys()].filter((j) => cells.pixels[j] !== 0);
const cellsWith = ({ relation }, wanted) => [...relation.keys()].filter((j) => (relation[j] & wanted) === wanted);
const near = (a, b) => Math.abs(a - b) <= 1e-6 * Math.max(1, Math.abs(b));
const WHAT_IFS = [{}, { reciprocity: false }, { localRule: false }, { topK: 8 }, { nonlocalFactor: 3 }];

function at(stage, patch = {}, progress = 1) {
  const viewer = smallViewer({ patch });
  return { viewer, row: viewer.moment.row, scenes: scenesAt(stage, viewer.scenes, viewer.moment, progress) };
}

test("a rule has the stages that it has", () => {
  const session = smallSession(), stages = (whatIf, others = {}) => (
    stagesOf({ ...session, ...others }, { ...START, whatIf: { ...START.whatIf, ...whatIf } })
  );
  assert.deepEqual(stages({}), [...STAGES]);
  assert.ok(!stages({ reciprocity: false }).includes("back"));
  assert.ok(!stages({ localRule: false }).includes("local"));
  assert.deepEqual(stages({}, { learned: false }), ["ask", "dense", "result"]);
});

test("no stage is shown of a column, of a comparison, or that the rule does not have", () => {
  const session = smallSession(), state = { ...START, stage: "back" };
  assert.equal(shownStage(session, state), "back");
  assert.equal(shownStage(session, { ...state, direction: "column" }), null);
  assert.equal(shownStage(session, { ...state, compare: [0, 1] }), null);
  assert.equal(shownStage(session, { ...state, whatIf: { ...START.whatIf, reciprocity: false } }), null);
  assert.equal(shownStage(session, START), null);
});

test("the counts are those of the row, and what is kept is what both choose and what is near", () => {
  for (const whatIf of WHAT_IFS) {
    const { moment } = smallViewer({ patch: { whatIf } });
    const { session, state, row } = moment, counts = countsOf(session, row, state);
    assert.equal(counts.n, 15);
    assert.equal(counts.chosen, cellsWith(row, CHOSEN).length);
    assert.equal(counts.back, cellsWith(row, state.whatIf.reciprocity ? CHOSEN | BACK : CHOSEN).length);
    assert.equal(counts.back + counts.near, counts.kept);
    assert.equal(counts.kept, cellsWith(row, KEPT).length);
    assert.equal(counts.keptMass, row.numbers.keptMass);
  }
});

test("the class that is read, and the one without attention, are the likeliest", () => {
  const { moment } = smallViewer();
  const classes = { sparse: Float64Array.of(0.2, 0.8), dense: Float64Array.of(1, 0), without: Float64Array.of(0.9, 0.1) };
  const counts = countsOf(moment.session, { ...moment.row, classes }, moment.state);
  assert.deepEqual([counts.becomes, counts.without], [1, 0]);
  const label = moment.session.cellLabels[moment.row.i];
  assert.deepEqual([countsOf(moment.session, moment.row, moment.state).becomes], [label]);
});

test("panels whose turn has not come show no cells", () => {
  const turns = { ask: 0, dense: 1, chosen: 3, back: 3, local: 3, kept: 3, result: 4 };
  for (const [stage, count] of Object.entries(turns)) {
    const { scenes } = at(stage);
    const open = ["dense", "neighbours", "sparse", "segmentation"].filter((name) => !scenes[name].isVeiled);
    assert.equal(open.length, count, stage);
    for (const scene of Object.values(scenes)) assert.ok(!scene.isVeiled || !scene.cells);
  }
});

test("the cells that remain at a stage are drawn, and no others", () => {
  for (const whatIf of WHAT_IFS) {
    for (const stage of ["chosen", "back", "local", "kept"]) {
      const { scenes, row, viewer } = at(stage, { whatIf });
      const { reciprocity } = viewer.state.whatIf;
      const wanted = { chosen: CHOSEN, back: reciprocity ? CHOSEN | BACK : CHOSEN, local: KEPT, kept: KEPT }[stage];
      const cells = cellsWith(row, wanted);
      assert.deepEqual(shown(scenes.sparse), cells, stage);
      assert.deepEqual([...row.relation.keys()].filter((j) => remains(stage, row.relation[j], reciprocity)), cells);
    }
  }
});

test("who chooses back is told from who does not, in the colours of these ideas", () => {
  const { scenes, row } = at("back");
  const colour = (idea) => packed(rgbOf(IDEAS[idea].fill));
  const both = new Set(cellsWith(row, CHOSEN | BACK)), chosen = new Set(cellsWith(row, CHOSEN));
  assert.ok(both.size && chosen.size > both.size);
  scenes.neighbours.cells.pixels.forEach((pixel, j) => {
    assert.equal(pixel, both.has(j) ? colour("kept") : chosen.has(j) ? colour("refused") : 0);
  });
  assert.deepEqual(scenes.neighbours.legend.map(({ amount }) => amount), [both.size, chosen.size - both.size]);
  const before = at("chosen").scenes.neighbours;
  assert.deepEqual(before.legend.map(({ amount }) => amount), [chosen.size]);
});

test("weights are the dense ones until they are divided by what is kept", () => {
  const { scenes: before, row, viewer } = at("local");
  const { n } = viewer.session, { keptMass } = row.numbers;
  const kept = cellsWith(row, KEPT);
  assert.ok(keptMass > 0 && keptMass < 1);
  for (const j of kept) assert.ok(near(before.sparse.values[j], row.dense[j] * n));
  assert.ok(near(before.sparse.bar.line, row.threshold));
  const half = at("kept", {}, 0.5).scenes.sparse;
  for (const j of kept) assert.ok(near(half.values[j], (row.dense[j] * n * (1 + 1 / keptMass)) / 2));
  const after = at("kept").scenes.sparse;
  for (const j of kept) assert.ok(near(after.values[j], row.weights[j] * n));
  assert.ok(near(after.bar.line, row.threshold / keptMass));
});

test("a link opens at a stage, and not at one that is none", () => {
  assert.equal(fromQueryString(toQueryString({ ...START, stage: "kept" })).stage, "kept");
  assert.equal(fromQueryString("stage=later").stage, undefined);
});

test("every stage has its formula with the numbers of a cell", () => {
  const { viewer, row } = at("back");
  const one = cellsWith(row, CHOSEN | BACK)[0], other = cellsWith(row, CHOSEN).find((j) => !(row.relation[j] & BACK));
  assert.match(stageWords(viewer, "back", one), /≥/);
  assert.match(stageWords(viewer, "back", other), /</);
  const theirs = (row.incoming[other] * 15) / row.incomingRatio[other];
  assert.ok(stageWords(viewer, "back", other).includes(number(theirs)));
  assert.match(stageWords(viewer, "chosen", other), /≥/);
  assert.match(stageWords(viewer, "kept", other), row.relation[other] & KEPT ? / = / : /not kept/);
  for (const stage of STAGES) assert.doesNotMatch(stageWords(viewer, stage, one), /\{|undefined|NaN/);
});
