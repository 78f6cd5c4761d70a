// Small multiples: which are chosen, what each shows, and what is said of it.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { contrastLine, linesOf, sortedLines } from "../../app/viewer/compare/experiment.ts";
import { headTitles } from "../../app/viewer/compare/agreement.ts";
import { SIGNED, chosenOf, multiplesOf, piecesOf, readingOf, valueAt, wordFor } from "../../app/viewer/compare/multiples.ts";
import { bytesOf } from "../../app/viewer/core/packet.ts";
import { colormapOf } from "../../app/viewer/core/scale.ts";
import { packed } from "../../app/viewer/draw/colours.ts";
import { START, fromQueryString, toQueryString } from "../../app/viewer/core/state.ts";
import { Texts } from "../../app/viewer/core/texts.ts";

const WORDS = Object.assign({}, ...["page", "methods"].map((area) =>
  JSON.parse(readFileSync(new URL(`../../app/texts/en/${area}.json`, import.meta.url), "utf-8"))));
const TEXTS = new Texts("en", WORDS);
const VIEW = { scale: "linear", scales: "own", colormap: "cividis" };

const base64 = (values) => Buffer.from(Float32Array.from(values).buffer).toString("base64");
const rowOf = (name, row, keys = [2, 3]) => ({
  name, row: Float32Array.from(row), keys, gates: {},
  support: 2, effective_support: 1.5, own_class: 0.5, total: 1,
});
const gatesOf = (name, gates) => ({ name, row: null, gates });
const gate = (values, shape) => ({ values: Float32Array.from(values), shape });
const colours = (colormap) => colormapOf(colormap).map(packed);

test("a word of the link means a set of methods, in their own order, and a set has one word", () => {
  const all = ["asa", "senet", "gcnet", "ccnet", "mine"];
  assert.deepEqual(chosenOf("usual", all), ["asa", "senet", "gcnet", "ccnet"]);
  assert.deepEqual(chosenOf("all", all), all);
  assert.deepEqual(chosenOf("none", all), []);
  assert.deepEqual(chosenOf("ccnet.nothing.asa", all), ["asa", "ccnet"]);
  assert.deepEqual(chosenOf("constructor", all), []);
  for (const word of ["usual", "all", "none", "asa.ccnet"]) assert.equal(wordFor(chosenOf(word, all), all), word);
  assert.equal(wordFor(["ccnet", "asa"], all), "asa.ccnet");
});

test("the link brings the view back, and what is no name says nothing", () => {
  for (const methods of ["usual", "all", "none", "asa.san_pairwise"]) {
    assert.equal(fromQueryString(toQueryString({ ...START, methods })).methods, methods);
  }
  assert.equal(toQueryString(START), "");
  assert.equal(fromQueryString("compare=1").methods, "usual");
  assert.equal(fromQueryString("compare=1&methods=all").methods, "all");
  assert.equal(fromQueryString("scales=one").scales, "one");
  for (const text of ["", "a..b", "<b>", "a/b", "a".repeat(99), Array(200).fill("a").join(".")]) {
    assert.equal(fromQueryString(`methods=${encodeURIComponent(text)}`).methods, undefined, text);
  }
});

test("an answer's base64 becomes the numbers it was made from", () => {
  const values = [0, 1.5, -2, 1e-7];
  const answer = { name: "x", row: base64(values), keys: [2, 2], gates: { channels: { values: base64([0.25]), shape: [1, 1] } } };
  const reading = readingOf(answer);
  assert.deepEqual(reading.row, Float32Array.from(values));
  assert.deepEqual(reading.gates.channels, gate([0.25], [1, 1]));
  assert.deepEqual(reading.keys, [2, 2]);
  assert.equal(readingOf({ ...answer, row: null }).row, null);
  assert.deepEqual([...bytesOf("AP8Q")], [0, 255, 16]);
});

test("each row has a scale of its own; keys that are not read stay open", () => {
  const scenes = multiplesOf([rowOf("wide", [0, 1, 2, 3, 4, 5]), rowOf("narrow", [0, 0, 0, 0, 60, 30])], VIEW);
  assert.deepEqual(scenes.get("wide").range, [0, 5]);
  assert.deepEqual(scenes.get("narrow").range, [0, 60]);
  const table = colours("cividis");
  const { pixels, height, width } = scenes.get("narrow").cells;
  assert.deepEqual([height, width], [2, 3]);
  assert.deepEqual([...pixels], [0, 0, 0, 0, table[255], table[128]]);
});

test("on one scale equal weights have equal colours, whichever method they are of", () => {
  const readings = [rowOf("wide", [1, 1, 2, 3, 4, 5]), rowOf("narrow", [0, 0, 0, 5, 60, 30])];
  for (const scale of ["linear", "log"]) {
    const scenes = multiplesOf(readings, { ...VIEW, scale, scales: "one" });
    const [wide, narrow] = ["wide", "narrow"].map((name) => scenes.get(name));
    assert.deepEqual(wide.range, narrow.range);
    assert.equal(narrow.range[1], 60);
    assert.equal(wide.cells.pixels[5], narrow.cells.pixels[3]);
    assert.notEqual(wide.cells.pixels[5], narrow.cells.pixels[4]);
  }
});

test("negative weights run over white to another colour, as far on both sides", () => {
  for (const scales of ["own", "one"]) {
    const readings = [rowOf("signed", [-4, 2, 0, 4, 0, 1]), rowOf("plain", [4, 1, 1, 0, 0, 0])];
    const scene = multiplesOf(readings, { ...VIEW, scales }).get("signed");
    assert.deepEqual(scene.range, [-4, 4]);
    assert.equal(scene.bar.colormap, SIGNED);
    const table = colours(SIGNED);
    assert.equal(scene.cells.pixels[0], table[0]);
    assert.equal(scene.cells.pixels[3], table[255]);
    assert.equal(scene.cells.pixels[2], 0);
  }
});

test("a row of one weight alone, or of none at all, still has a scale", () => {
  const scenes = multiplesOf([rowOf("one", [6, 0, 0, 0, 0, 0]), rowOf("none", [0, 0, 0, 0, 0, 0])], VIEW);
  assert.deepEqual(scenes.get("one").range, [0, 6]);
  assert.ok(scenes.get("none").cells.pixels.every((each) => each === 0));
  assert.ok(scenes.get("none").range.every(Number.isFinite));
});

test("gates are bars, a map of cells or a matrix, never a row", () => {
  const channels = gate([0.2, 0.8, 0.5], [1, 3]), cells = gate([0, 0.5, 1, 0.25], [2, 2]);
  const scenes = multiplesOf([
    gatesOf("bars", { channels }), gatesOf("both", { cells, channels }), gatesOf("matrix", { matrix: cells }),
  ], VIEW);
  assert.deepEqual(scenes.get("bars"), { bars: channels, range: [0, channels.values[1]] });
  const both = scenes.get("both");
  assert.deepEqual(both.range, [0, 1]);
  assert.equal(both.bars, channels);
  // A gate of 0 is a gate: nothing is left open.
  assert.deepEqual([both.cells.pixels[0], both.cells.pixels[2]], [colours("cividis")[0], colours("cividis")[255]]);
  assert.ok(scenes.get("matrix").matrix && !scenes.get("matrix").cells);
});

test("the number under the pointer is that of the key the cell lies in, on finer grids too", () => {
  const grid = { height: 2, width: 3 };
  assert.equal(valueAt(rowOf("row", [1, 2, 3, 4, 5, 6]), grid, 4), 5);
  const fine = Float32Array.from({ length: 24 }, (_, j) => j);
  // The cell in row 1, column 2 of 2 x 3: its middle lies in row 3, column 5 of 4 x 6.
  assert.equal(valueAt({ row: fine, keys: [4, 6], gates: {} }, grid, 5), 23);
  assert.equal(valueAt(gatesOf("g", { cells: gate([1, 2, 3, 4, 5, 6], [2, 3]) }), grid, 1), 2);
  assert.equal(valueAt(gatesOf("g", { channels: gate([1], [1, 1]) }), grid, 1), null);
});

test("what is said under a multiple", () => {
  const heads = { head: { label: "road", share: 0.875 } };
  const row = piecesOf(TEXTS, rowOf("row", [0.5, 0.5, 0, 0, 0, 0]), { head: "head" }, heads);
  assert.deepEqual(row, {
    keys: "2 keys", effect: "1.50 in effect", own: "50 % own class", bits: "0.58 bits", sum: "sum 1.00",
    says: "road, 88 % agree",
  });
  const dead = piecesOf(TEXTS, { ...rowOf("row", [0, 0, 0, 0, 0, 0]), dead_below: 0.001 }, { head: "head" }, heads);
  assert.match(dead.own, /nothing is read here.* 0\.001\.$/);
  assert.equal(dead.bits, "");
  const gates = { cells: gate([0, 1], [1, 2]), channels: gate([-0.25, 0.5], [1, 2]) };
  assert.deepEqual(piecesOf(TEXTS, gatesOf("g", gates), { head: null }, heads), {
    keys: "2 cells, 0.00…1.00", own: "2 channels, −0.25…0.50", says: "nothing trained",
  });
});

test("heads are called by the methods that live in them", () => {
  const methods = [{ title: "A", head: "x" }, { title: "B", head: "y" }, { title: "C", head: "x" }];
  assert.deepEqual([...headTitles(methods, ["x", "z"])], [["x", "A / C"], ["z", "z"]]);
});

test("the experiment's numbers are in the units of their headings, and what is missing is a dash", () => {
  const row = {
    head: "x", mIoU: 0.6125, mIoU_deviation: null, pixel_accuracy: 0.9,
    without_attention: { mIoU: 0.55, flips: 0.0725 }, parameters: 64499, multiply_adds: 3.2e7, milliseconds: 4.6,
    megabytes: 12.2, attention: {
      a: { support: 1, effective_support: 0.1, entropy: 8, own_class: 0.5 },
      b: { support: 0.5, effective_support: 0.3, entropy: 9, own_class: 0.7 },
    },
  };
  const arm = { head: "y", mIoU: 0.5, attention: {} };
  const [other, { title, texts }] = linesOf({ arms: [arm], rows: [row] }, (head) => `head ${head}`);
  assert.equal(title, "head x");
  assert.deepEqual([other.title, other.texts.miou, other.texts.without], ["head y", "50.0", "–"]);
  assert.deepEqual(texts, {
    miou: "61.3", deviation: "–", accuracy: "90.0", without: "55.0", flips: "7.2",
    support: "75.0", effective: "20.0", entropy: "8.50", own: "60", parameters: "64", multiply_adds: "32",
    milliseconds: "5", megabytes: "12",
  });
});

test("a contrast is said with its interval and with what it establishes, in points", () => {
  const said = [];
  const texts = { say: (key, values) => said.push([key, values]) && key };
  contrastLine({
    first: "asa_top_k_read_only", second: "fcn_published", difference: -0.0125, low: -0.02, high: 0.004,
    seeds: 5, verdict: "not established",
  }, texts);
  assert.deepEqual(said.at(-1), ["experiment.contrast", {
    first: "experiment.asa_top_kexperiment.form.read_only", second: "experiment.fcnexperiment.form.published",
    seeds: 5, difference: "−1.3", low: "−2.0", high: "+0.4", verdict: "experiment.verdict.not",
  }]);
});

test("a table is sorted by numbers or names, and what is missing comes last either way", () => {
  const lines = [["b", 2], ["c", null], ["a", 10], ["d", null]].map(([title, n]) => ({ title, values: { n } }));
  const order = (column, rising) => sortedLines(lines, column, rising).map(({ title }) => title).join("");
  assert.equal(order("n", false), "abcd");
  assert.equal(order("n", true), "bacd");
  assert.equal(order("head", true), "abcd");
  assert.equal(order("head", false), "dcba");
});
