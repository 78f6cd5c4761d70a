// What the panels show, cell by cell, against the row and the maps that they show.

import assert from "node:assert/strict";
import { test } from "node:test";

import { AS_TRAINED, GROUPS, KEPT, groupOf } from "../../app/viewer/core/attention.ts";
import { classColours } from "../../app/viewer/core/classes.ts";
import { columnOf } from "../../app/viewer/core/maps.ts";
import { columnNumbersOf, numbersOf } from "../../app/viewer/core/numbers.ts";
import { GROUP_COLOURS, PIN_COLOURS, colormapOf, rgbOf } from "../../app/viewer/core/scale.ts";
import { packed } from "../../app/viewer/draw/colours.ts";
import { PANELS, scenesOf } from "../../app/viewer/draw/scenes.ts";
import { MAPS, COLORMAPS, START } from "../../app/viewer/core/state.ts";
import { whatIfs } from "./definition.mjs";
import { allMapsOf, rowsOf } from "./passes.mjs";
import { randomSession } from "./sessions.mjs";

const session = {
  ...randomSession({ height: 5, width: 7, seed: 4 }),
  workingHeight: 10, workingWidth: 14,
  workingLabels: Uint8Array.from({ length: 140 }, (_, p) => (p < 30 ? 2 : 0)),
};

/** What the viewer draws from: all as the worker answers it. */
function momentOf({ i = 9, whatIf = AS_TRAINED, late = false, pair = null, rerun = null, ...state } = {}) {
  const maps = allMapsOf(session, whatIf);
  const rows = rowsOf(session, whatIf).map((row) => {
    const column = columnOf(session, row, whatIf, late ? null : maps);
    const numbers = numbersOf(session, row, whatIf.reciprocity);
    return { ...row, column: { ...column, numbers: columnNumbersOf(session, row.i, column) }, numbers };
  });
  return {
    state: { ...START, whatIf, compare: pair && [0, 1], ...state }, session, rerun,
    row: rows[i], maps: late ? null : maps, compared: pair && pair.map((k) => rows[k]),
  };
}

const count = (list, wanted) => [...list].filter((each) => each === wanted).length;
const colour = (hex) => packed(rgbOf(hex));
const shown = ({ cells }) => [...cells.pixels.keys()].filter((j) => cells.pixels[j] !== 0);

test("a colour is packed as ImageData wants it: red first, opaque", () => {
  const [pixel] = [Uint32Array.of(packed([1, 2, 254]))];
  assert.deepEqual([...new Uint8Array(pixel.buffer)], [1, 2, 254, 255]);
});

test("there is a scene for every panel, in every state", () => {
  for (const map of MAPS) {
    for (const layer of ["classes", "groups", "flips"]) {
      for (const late of [false, true]) {
        for (const pair of [null, [3, 20]]) {
          const scenes = scenesOf(momentOf({ map, layer, late, pair, direction: late ? "column" : "row" }));
          assert.deepEqual(Object.keys(scenes).sort(), [...PANELS].sort());
          for (const scene of Object.values(scenes)) {
            assert.ok(scene.title);
            if (!scene.cells) continue;
            const { pixels, height, width } = scene.cells;
            assert.equal(pixels.length, height * width);
            assert.ok(pixels.every((each) => each === 0 || each >>> 24 === 255), `${scene.title} is opaque`);
          }
        }
      }
    }
  }
});

for (const [name, whatIf] of whatIfs) {
  test(`the neighbours' legend counts what is painted: ${name}`, () => {
    for (const i of [0, 9, 34]) {
      const moment = momentOf({ i, whatIf });
      const { neighbours, sparse } = scenesOf(moment);
      assert.equal(neighbours.legend.length, GROUPS.length);
      neighbours.legend.forEach((entry, k) => {
        assert.equal(entry.colour, GROUP_COLOURS[k]);
        assert.equal(entry.amount, count(neighbours.cells.pixels, colour(entry.colour)), entry.key);
        assert.equal(entry.amount, count(neighbours.values, k), entry.key);
      });
      const kept = moment.row.relation.filter((each) => each & KEPT).length;
      assert.equal(neighbours.legend[0].amount + neighbours.legend[1].amount, kept);
      assert.equal(neighbours.legend[0].key, whatIf.reciprocity ? "group.reciprocal" : "group.chosen");
      // What is kept is what the sparse panel shows; where nothing is, it shows the query.
      const { weights } = moment.row;
      assert.deepEqual(shown(sparse), [...weights.keys()].filter((j) => weights[j] > 0));
      assert.equal(shown(sparse).length, Math.max(kept, 1));
    }
  });
}

test("a cell's colour is its weight's place on the scale that the bar shows", () => {
  for (const colormap of COLORMAPS) {
    for (const scale of ["linear", "log"]) {
      for (const shared of [true, false]) {
        const moment = momentOf({ colormap, scale, shared });
        const { dense, sparse } = scenesOf(moment);
        for (const [scene, weights] of [[dense, moment.row.dense], [sparse, moment.row.weights]]) {
          assert.equal(scene.bar.colormap, colormap);
          // Kept weights differ so much that only their logarithms tell them apart.
          assert.equal(scene.bar.scale.kind, shared || scene === dense ? scale : "log");
          for (const j of shown(scene)) {
            const value = weights[j] * session.n;
            assert.ok(Math.abs(scene.values[j] - value) <= 1e-6 * value);
            const place = Math.round(scene.bar.scale.position(scene.values[j]) * 255);
            assert.equal(scene.cells.pixels[j], packed(colormapOf(colormap)[place]));
          }
        }
        assert.equal(shown(dense).length, session.n);
        const ends = [dense, sparse].map(({ bar: { scale: { low, high } } }) => [low, high]);
        if (shared) assert.deepEqual(ends[0], ends[1]);
        else assert.ok(!sparse.bar.scale.clipped && !sparse.bar.scale.clippedBelow);
      }
    }
  }
});

test("the bar has the query's threshold on it, and says what is clipped", () => {
  for (const change of [{}, { shared: true }, { scale: "log" }, { scale: "log", shared: true }]) {
    for (const i of [0, 9, 20, 34]) {
      const moment = momentOf({ i, ...change });
      const { dense, sparse } = scenesOf(moment);
      const { threshold, numbers: { keptMass } } = moment.row;
      assert.ok(keptMass > 0 && keptMass < 1);
      // The A-RNN row is renormalised over the kept mass, and what its weights had to reach with it.
      assert.equal(dense.bar.line, threshold);
      assert.equal(sparse.bar.line, threshold / keptMass);
      for (const { bar, values } of [dense, sparse]) {
        const { shared } = change;
        assert.ok(bar.scale.holds(bar.line) || shared, `${i}`);
        assert.equal(bar.scale.largest, values.reduce((a, b) => Math.max(a, b)), "its own largest");
        assert.equal(bar.scale.clipped, bar.scale.largest > bar.scale.high * (1 + 1e-6));
      }
      // Every kept key but the local ones lies on the upper side of the mark.
      const chosen = [...moment.row.relation.keys()].filter((j) => (moment.row.relation[j] & 3) === 3);
      assert.ok(chosen.every((j) => sparse.values[j] >= sparse.bar.line * (1 - 1e-5)));
    }
  }
  const alone = momentOf({ whatIf: { ...AS_TRAINED, nonlocalFactor: 1e9, localRule: false } });
  assert.equal(alone.row.numbers.support, 0);
  assert.equal(scenesOf(alone).sparse.bar.line, null);
  const { dense: free } = scenesOf(momentOf({ whatIf: { ...AS_TRAINED, nonlocalFactor: 0 } }));
  assert.equal(free.bar.line, null);
});

test("looking back shows the column; the sparse one says that it is being computed until it is there", () => {
  const moment = momentOf({ direction: "column" });
  const { dense, sparse } = scenesOf(moment);
  dense.values.forEach((each, j) => {
    assert.ok(Math.abs(each - moment.row.incoming[j] * session.n) < 1e-5 * each);
  });
  const { weights } = moment.row.column;
  assert.deepEqual(shown(sparse), [...weights.keys()].filter((j) => weights[j] > 0));
  // A column is held against every cell's own threshold: there is no one line.
  assert.deepEqual([dense.bar.line, sparse.bar.line], [null, null]);
  const late = scenesOf(momentOf({ direction: "column", late: true }));
  assert.ok(late.dense.cells);
  assert.deepEqual([late.sparse.note, late.sparse.cells], ["note.computing", undefined]);
});

test("each map is the maps' own, under the what-if, and marks the query's number", () => {
  const whatIf = { ...AS_TRAINED, nonlocalFactor: 2, localFactor: 3 };
  const { maps } = momentOf({ whatIf });
  const expected = {
    nonlocal: session.nonlocalScale.map((each) => 2 * each),
    local: session.localScale.map((each) => 3 * each),
    support: maps.support, chosen: maps.inDegree, kept: maps.keptMass, own: maps.ownShare,
  };
  for (const map of MAPS) {
    const { map: scene } = scenesOf(momentOf({ whatIf, map, i: 17 }));
    assert.equal(scene.title, `map.${map}`);
    assert.deepEqual([...scene.values], [...expected[map]]);
    assert.equal(scene.bar.here, expected[map][17]);
    assert.equal(shown(scene).length, session.n);
    const late = scenesOf(momentOf({ map, late: true })).map;
    assert.equal(late.note, map === "nonlocal" || map === "local" ? undefined : "note.computing");
  }
});

test("a dense network has no thresholds to show, nor groups", () => {
  const learned = session.learned;
  session.learned = false;
  try {
    for (const map of ["nonlocal", "local"]) {
      assert.equal(scenesOf(momentOf({ map })).map.note, "note.no_thresholds");
    }
    assert.equal(scenesOf(momentOf({ layer: "groups" })).segmentation.note, "note.no_thresholds");
  } finally {
    session.learned = learned;
  }
});

test("the lines lead to the strongest reciprocal keys, never to the query itself", () => {
  const whatIf = { ...AS_TRAINED, nonlocalFactor: 0.01 };
  // The query that reads itself the most: it would be the first of its own partners.
  const own = rowsOf(session, whatIf).map(({ weights, i }) => weights[i]);
  const moment = momentOf({ whatIf, i: own.indexOf(Math.max(...own)) });
  const shares = scenesOf(moment).neighbours.lines, lines = shares.map(({ key }) => key);
  const { row } = moment;
  const partners = [...row.weights.keys()].filter((j) => j !== row.i && groupOf(row.relation[j]) === 0);
  assert.ok(partners.length > 8, "there are more than are shown");
  assert.equal(lines.length, 8);
  assert.ok(lines.every((j) => partners.includes(j)));
  const weakest = Math.min(...lines.map((j) => row.weights[j]));
  assert.ok(partners.every((j) => lines.includes(j) || row.weights[j] <= weakest));
  assert.ok(shares.every(({ key, share }) => share === row.weights[key] / row.weights[lines[0]]));
  assert.deepEqual(scenesOf({ ...moment, state: { ...moment.state, lines: false } }).neighbours.lines, []);
});

test("the comparison of two pins: both rows, their difference and what they share", () => {
  const moment = momentOf({ pair: [3, 20] });
  const [first, second] = moment.compared;
  const scenes = scenesOf(moment);
  const times = (row) => row.weights.map((each) => each * session.n);
  assert.deepEqual(scenes.dense.values, times(first));
  assert.deepEqual(scenes.sparse.values, times(second));
  assert.deepEqual(scenes.map.values, times(first).map((each, j) => each - times(second)[j]));
  const { scale } = scenes.map.bar;
  assert.equal(scale.low, -scale.high);
  assert.equal(scale.position(0), 0.5);
  const [most] = [...scenes.map.values].sort((a, b) => Math.abs(b) - Math.abs(a));
  assert.equal(scale.largest, Math.abs(most));
  // Where the first pin reads more the colour is on the first pin's side, at the end of the colormap.
  const table = colormapOf(scenes.map.bar.colormap);
  assert.deepEqual([table[0], table[255]], [rgbOf(PIN_COLOURS[1]), rgbOf(PIN_COLOURS[0])]);
  for (const j of shown(scenes.map)) {
    const place = Math.round(scale.position(scenes.map.values[j]) * 255);
    assert.equal(scenes.map.cells.pixels[j], packed(table[place]));
  }

  const kept = (row) => [...row.weights].map((each) => each > 0);
  const [a, b] = [kept(first), kept(second)];
  const amounts = [
    a.filter((each, j) => each && b[j]).length,
    a.filter((each, j) => each && !b[j]).length,
    b.filter((each, j) => each && !a[j]).length,
  ];
  const { neighbours } = scenes;
  assert.deepEqual(neighbours.legend.map(({ amount }) => amount), amounts);
  assert.equal(shown(scenes.map).length, amounts[0] + amounts[1] + amounts[2]);
  const colours = [GROUP_COLOURS[0], PIN_COLOURS[0], PIN_COLOURS[1]];
  assert.deepEqual(neighbours.legend.map((entry) => entry.colour), colours);
  neighbours.legend.forEach((entry) => {
    assert.equal(count(neighbours.cells.pixels, colour(entry.colour)), entry.amount, entry.key);
  });
});

test("the segmentation's legend names the classes there are, largest share first", () => {
  const { segmentation } = scenesOf(momentOf());
  assert.deepEqual(segmentation.legend, [
    { colour: classColours(session.classes)[0], label: 0, name: "sky", share: 110 / 140 },
    { colour: classColours(session.classes)[2], label: 2, name: "car", share: 30 / 140 },
  ]);
  assert.deepEqual([segmentation.cells.height, segmentation.cells.width], [10, 14]);
  session.workingLabels.forEach((label, p) => {
    assert.equal(segmentation.cells.pixels[p], colour(classColours(session.classes)[label]));
  });
});

test("the connected groups: the legend's amounts are the sizes, everyone is counted once", () => {
  for (const [s, strength] of [1, 2, 4, 8].entries()) {
    const moment = momentOf({ layer: "groups", strength });
    const { segmentation } = scenesOf(moment);
    const groups = moment.maps.groups[s];
    const { values: { count: groupCount, alone } } = segmentation.summary;
    assert.equal(groupCount, new Set(groups.filter((each) => each >= 0)).size);
    assert.equal(alone, count(groups, -1));
    assert.equal(segmentation.legend.length, Math.min(groupCount, 5));
    segmentation.legend.forEach((entry, k) => {
      assert.equal(entry.amount, count(groups, k));
      assert.equal(entry.amount, count(segmentation.cells.pixels, colour(entry.colour)));
    });
    assert.deepEqual(shown(segmentation), [...groups.keys()].filter((j) => groups[j] >= 0));
  }
});

test("flips: only pixels whose class changed are painted, in the new class's colour", () => {
  const labels = session.workingLabels.slice();
  labels.fill(1, 0, 12);
  const rerun = { labels, count: 12, share: 12 / 140, flips: [{ from: 2, to: 1, pixels: 12 }] };
  const { segmentation } = scenesOf(momentOf({ layer: "flips", rerun }));
  assert.deepEqual(shown(segmentation), [...Array(12).keys()]);
  assert.ok(shown(segmentation).every((p) => segmentation.cells.pixels[p] === colour(classColours(session.classes)[1])));
  assert.deepEqual(segmentation.legend, [{ colour: classColours(session.classes)[1], label: 1, from: "car", to: "road", amount: 12 }]);
  assert.deepEqual(segmentation.summary.values, { count: 12, share: 12 / 140 });
  assert.equal(scenesOf(momentOf({ layer: "flips" })).segmentation.note, "note.no_rerun");
});

test("drawing changes nothing of what is drawn from", () => {
  const moment = momentOf({ pair: [1, 2], layer: "groups" });
  const before = structuredClone(moment);
  scenesOf(moment);
  scenesOf({ ...moment, compared: null });
  assert.deepEqual(moment, before);
});

test("without attention the pixels that flip are painted, counted and told by class", () => {
  const withoutAttention = session.workingLabels.map((label, p) => (p < 4 ? 1 : p === 50 ? 2 : label));
  const moment = momentOf({ layer: "without" });
  moment.session = { ...session, withoutAttention };
  const { segmentation } = scenesOf(moment);
  assert.equal(segmentation.title, "layer.without");
  assert.deepEqual(shown(segmentation), [0, 1, 2, 3, 50]);
  assert.equal(segmentation.cells.pixels[50], colour(classColours(session.classes)[2]));
  const told = segmentation.legend.map(({ from, to, amount }) => [from, to, amount]);
  assert.deepEqual(told, [["car", "road", 4], ["sky", "car", 1]]);
  assert.deepEqual(segmentation.summary.values, { count: 5, share: 5 / 140 });
});
