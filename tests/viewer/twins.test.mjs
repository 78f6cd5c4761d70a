// Twins: which network is whose, and one query in both.

import assert from "node:assert/strict";
import { test } from "node:test";

import { AS_TRAINED, rowOf } from "../../app/viewer/core/attention.ts";
import { centreOf } from "../../app/viewer/core/geometry.ts";
import { scenesOf } from "../../app/viewer/draw/scenes.ts";
import { sentenceOf } from "../../app/viewer/page/sentence.ts";
import { Twins, twinOf } from "../../app/viewer/page/twins.ts";
import { smallSession, smallViewer } from "./export_moment.mjs";
import { packetOf, randomSession } from "./sessions.mjs";

const TWINS = { asa_a_voc: "nonlocal_a_voc", nonlocal_a_voc: "asa_a_voc", asa_b: null };
const NETWORKS = ["asa_a_voc", "nonlocal_a_voc", "asa_b", "other"].map((name) => ({ name, title: name, twin: TWINS[name] }));

test("a network's twin is the one that the page names, where it names one", () => {
  assert.equal(twinOf("asa_a_voc", NETWORKS), "nonlocal_a_voc");
  assert.equal(twinOf("nonlocal_a_voc", NETWORKS), "asa_a_voc");
  for (const name of ["asa_b", "other", null, ""]) assert.equal(twinOf(name, NETWORKS), null);
});

test("the twin answers the same pixel as it was trained; its packet is fetched once, and again after a failure", async () => {
  const session = randomSession({ height: 5, width: 7, seed: 4 }), asked = [];
  let fails = true;
  const packets = {
    async get(picture, network) {
      asked.push([picture, network]);
      if (fails) throw Object.assign(new Error(), { key: "error.server" });
      return packetOf(session);
    },
  };
  const twins = new Twins({ networks: NETWORKS }, packets);
  const opened = { picture: "dogs", network: "asa_a_voc" };
  await assert.rejects(twins.row(opened, [0, 0]), { key: "error.server" });
  fails = false;
  const pixel = centreOf(session, 12);
  const { row } = await twins.row(opened, pixel);
  assert.equal(row.i, 12);
  const wanted = rowOf(session, 12, AS_TRAINED);
  wanted.weights.forEach((each, j) => assert.ok(Math.abs(each - row.weights[j]) < 1e-3));
  await twins.row(opened, centreOf(session, 3));
  assert.deepEqual(asked, [["dogs", "nonlocal_a_voc"], ["dogs", "nonlocal_a_voc"]]);
  assert.equal(await twins.row({ picture: "dogs", network: "asa_b" }, pixel), null);
});

test("both rows stand beside each other on one scale, and what is shown does not hang on which network is open", () => {
  const [sparse, dense] = [smallViewer(), smallViewer({ session: smallSession({ learned: false }) })].map(({ moment }) => moment);
  const both = [[sparse, dense], [dense, sparse]].map(([own, other]) => (
    { ...own, twin: { session: other.session, row: other.row }, state: { ...own.state, twin: true } }));
  const [first, second] = both.map(scenesOf);
  const n = sparse.session.n;
  sparse.row.weights.forEach((each, j) => {
    assert.equal(first.sparse.values[j], Math.fround(each * n));
    assert.equal(first.dense.values[j], Math.fround(dense.row.weights[j] * n));
  });
  for (const name of ["dense", "sparse", "map", "neighbours"]) {
    assert.deepEqual([...second[name].values], [...first[name].values], name);
    assert.deepEqual([...second[name].cells.pixels], [...first[name].cells.pixels], name);
  }
  const [one, other] = [first.dense.bar.scale, first.sparse.bar.scale];
  assert.deepEqual([one.low, one.high], [other.low, other.high]);
  // Each says its own largest.
  assert.deepEqual([one.largest, other.largest], [first.dense, first.sparse].map(({ values }) => Math.max(...values)));
  const { texts } = smallViewer();
  const [said, again] = both.map((moment) => sentenceOf({ moment, texts }).map(({ text }) => text).join(""));
  assert.equal(said, again);
  assert.match(said, new RegExp(`ASA reads ${sparse.row.numbers.support} cells .* its dense twin reads ${n} cells`));
});
