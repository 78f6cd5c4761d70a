// The way from the page to the worker and back, with the worker's own code at the other end.

import assert from "node:assert/strict";
import { test } from "node:test";

import { AS_TRAINED, rowOf } from "../../app/viewer/core/attention.ts";
import { Engine, newestOnly } from "../../app/viewer/core/engine.ts";
import { columnOf } from "../../app/viewer/core/maps.ts";
import { columnNumbersOf, numbersOf } from "../../app/viewer/core/numbers.ts";
import { surveyOf } from "../../app/viewer/core/opening.ts";
import { serve } from "../../app/viewer/core/worker.ts";
import { allMapsOf, thresholdsOf } from "./passes.mjs";
import { packetOf, randomSession } from "./sessions.mjs";

const session = randomSession({ height: 6, width: 7, seed: 3 });
// So many cells that a pass over all pairs of them pauses on its way.
const large = randomSession({ height: 20, width: 21, depth: 64, sharpness: 0.5 });

/** A page's end and a worker's end; what passes between is copied, as between threads. */
function ports() {
  const worker = {}, port = {};
  const sent = [];
  const pass = (target) => (data) => {
    const copy = structuredClone(data);
    if (target === worker) sent.push(copy);
    setImmediate(() => target.onmessage({ data: copy }));
  };
  port.postMessage = pass(worker);
  worker.postMessage = pass(port);
  serve(worker);
  return { port, sent };
}

async function engineOf(of = session) {
  const { port, sent } = ports();
  const engine = new Engine(port);
  await engine.open(packetOf(of));
  return { engine, sent };
}

test("a row comes with its numbers and its dense column", async () => {
  const { engine } = await engineOf();
  for (const whatIf of [AS_TRAINED, { ...AS_TRAINED, reciprocity: false }, { ...AS_TRAINED, topK: 8 }]) {
    const row = rowOf(session, 11, whatIf, thresholdsOf(session, whatIf));
    const column = { dense: row.incoming, weights: null };
    const expected = {
      ...row,
      column: { ...column, numbers: columnNumbersOf(session, 11, column) },
      numbers: numbersOf(session, row, whatIf.reciprocity),
      classes: null,
    };
    assert.deepEqual(await engine.row(11, whatIf), expected);
  }
});

test("the maps are those of the whole image, and rows have their sparse column from then on", async () => {
  const { engine } = await engineOf();
  await engine.row(5, AS_TRAINED);
  const maps = await engine.maps(AS_TRAINED);
  assert.deepEqual(maps, allMapsOf(session, AS_TRAINED));
  const row = await engine.row(5, AS_TRAINED);
  const column = columnOf(session, row, AS_TRAINED, maps);
  assert.deepEqual(row.column, { ...column, numbers: columnNumbersOf(session, 5, column) });
  assert.ok(row.column.weights);
  // The maps are those of another rule.
  assert.equal((await engine.row(5, { ...AS_TRAINED, nonlocalFactor: 2 })).column.weights, null);
});

test("rows asked for lately are remembered, the oldest forgotten", async () => {
  const { engine, sent } = await engineOf();
  const asked = async (i, whatIf = AS_TRAINED) => {
    const before = sent.length;
    await engine.row(i, whatIf);
    return sent.length > before;
  };
  assert.ok(await asked(0));
  assert.ok(!(await asked(0)));
  assert.ok(await asked(0, { ...AS_TRAINED, localFactor: 2 }));
  for (let i = 1; i < 42; i++) await asked(i);
  assert.ok(!(await asked(0)));
  for (let i = 0; i < 40; i++) await asked(i, { ...AS_TRAINED, localFactor: 3 });
  // The one that was asked for again in between is younger than its neighbours.
  assert.ok(!(await asked(0)));
  assert.ok(await asked(1));
  await engine.open(packetOf(session));
  assert.ok(await asked(0));
});

test("rows are answered while maps are being made", async () => {
  const { engine } = await engineOf(large);
  const order = [];
  await Promise.all([
    engine.maps(AS_TRAINED).then(() => order.push("maps")),
    engine.row(3, AS_TRAINED).then(() => order.push("row")),
  ]);
  assert.deepEqual(order, ["row", "maps"]);
});

test("of maps asked for in a row only the newest are made to the end", async () => {
  const { engine } = await engineOf(large);
  const changed = { ...AS_TRAINED, nonlocalFactor: 2 };
  const [first, second] = await Promise.all([engine.maps(AS_TRAINED), engine.maps(changed)]);
  assert.deepEqual(first, { late: true });
  assert.deepEqual(second.support, allMapsOf(large, changed).support);
});

test("another picture ends the maps of the one before", async () => {
  const { engine } = await engineOf(large);
  const [maps] = await Promise.all([engine.maps(AS_TRAINED), engine.open(packetOf(session))]);
  assert.deepEqual(maps, { late: true });
  assert.equal((await engine.row(0, AS_TRAINED)).dense.length, session.n);
  assert.equal((await engine.row(0, AS_TRAINED)).column.weights, null);
});

test("top-k is that of the picture that is open", async () => {
  const { engine } = await engineOf(large);
  const whatIf = { ...AS_TRAINED, topK: 8 };
  const before = await engine.row(7, whatIf);
  await engine.open(packetOf(session));
  const after = await engine.row(7, whatIf);
  assert.equal(before.threshold, rowOf(large, 7, whatIf, thresholdsOf(large, whatIf)).threshold);
  assert.equal(after.threshold, rowOf(session, 7, whatIf, thresholdsOf(session, whatIf)).threshold);
});

test("answers find their questions, in whatever order they come", async () => {
  const port = { postMessage: (question) => asked.push(question) };
  const asked = [];
  const engine = new Engine(port);
  const [first, second, third] = [1, 2, 3].map((i) => engine.row(i, AS_TRAINED));
  port.onmessage({ data: { id: asked[2].id, answer: "third" } });
  port.onmessage({ data: { id: asked[0].id, answer: "first" } });
  port.onmessage({ data: { id: asked[1].id, error: "no such row" } });
  assert.deepEqual([await first, await third], ["first", "third"]);
  await assert.rejects(second, /no such row/);
});

test("what fails in the worker fails on the page, and the next question is answered", async () => {
  const { port } = ports();
  const engine = new Engine(port);
  await assert.rejects(engine.row(0, AS_TRAINED));
  await assert.rejects(engine.open(new ArrayBuffer(4)));
  await engine.open(packetOf(session));
  assert.equal((await engine.row(0, AS_TRAINED)).i, 0);
});

test("where the worker is forbidden, stops or is silent, all goes on in another place", async () => {
  const dead = () => ({ postMessage: () => {}, terminate() { this.ended = true; } });
  // None at all; one that says so before anything is asked, and while it is asked; one that says nothing.
  const ways = {
    none: () => null,
    refused: (port) => port.onerror({}),
    stopped: (port) => setImmediate(() => port.onerror({ preventDefault() {} })),
    silent: () => {},
  };
  for (const [name, act] of Object.entries(ways)) {
    const port = name === "none" ? null : dead();
    let lost = 0;
    const engine = new Engine(port, () => ports().port, () => lost++, 20);
    if (name === "refused") act(port);
    const opened = engine.open(packetOf(session));
    if (name === "stopped") act(port);
    const survey = await opened;
    assert.deepEqual(survey, surveyOf(session), name);
    assert.deepEqual((await engine.row(3, AS_TRAINED)).weights, rowOf(session, 3).weights, name);
    assert.equal(lost, 1, name);
    if (port) assert.ok(port.ended, name);
  }
});

test("a worker that stops later hands over the picture and what was asked of it", async () => {
  const { port } = ports();
  const engine = new Engine(port, () => ports().port, () => {}, 20);
  await engine.open(packetOf(session));
  port.postMessage = () => {};
  port.onmessage = () => {};
  assert.deepEqual((await engine.row(8, AS_TRAINED)).weights, rowOf(session, 8).weights);
});

test("a worker that is long at work is asked whether it is there, and left at it while it answers", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const asked = [], port = { postMessage: (question) => asked.push(question) };
  let lost = 0;
  const engine = new Engine(port, () => ({ postMessage() {} }), () => lost++, 100);
  engine.maps(AS_TRAINED);
  const pings = () => asked.filter(({ kind }) => kind === "ping").length;
  for (let turn = 1; turn <= 3; turn++) {
    t.mock.timers.tick(100);
    assert.equal(pings(), turn);
    port.onmessage({ data: { id: 0, answer: {} } });
    t.mock.timers.tick(100);
    assert.equal(lost, 0);
  }
  t.mock.timers.tick(100);
  assert.equal(lost, 0);
  t.mock.timers.tick(100);
  assert.equal(lost, 1);
});

test("a row that failed is asked for again", async () => {
  const asked = [];
  const port = { postMessage: (question) => asked.push(question) };
  const engine = new Engine(port);
  const failed = engine.row(1, AS_TRAINED);
  port.onmessage({ data: { id: asked[0].id, error: "busy" } });
  await assert.rejects(failed);
  engine.row(1, AS_TRAINED);
  assert.equal(asked.length, 2);
});

// Newest wins --------------------------------------------------------------------------------------

const soon = () => new Promise((resolve) => setImmediate(resolve));

test("of wishes that come while one is worked on only the newest is done", async () => {
  const done = [];
  const wish = newestOnly(async (value) => {
    await soon();
    done.push(value);
  });
  const all = [1, 2, 3, 4].map(wish);
  await all[0];
  assert.deepEqual(done, [1, 4]);
  await wish(5);
  assert.deepEqual(done, [1, 4, 5]);
});

test("no two wishes are worked on at once", async () => {
  let working = 0, most = 0;
  const wish = newestOnly(async () => {
    most = Math.max(most, ++working);
    await soon();
    working--;
  });
  for (let k = 0; k < 20; k++) {
    wish(k);
    if (k % 3 === 0) await soon();
  }
  while (working) await soon();
  assert.equal(most, 1);
});

test("a wish that fails is not the last one that is worked on", async () => {
  const done = [];
  const wish = newestOnly(async (value) => {
    if (value === "bad") throw new Error("bad");
    done.push(value);
  });
  await assert.rejects(async () => wish("bad"));
  await wish("good");
  assert.deepEqual(done, ["good"]);
});

test("the newest wish is done also where the one before it fails", async () => {
  const done = [];
  const wish = newestOnly(async (value) => {
    await soon();
    if (value === "bad") throw new Error("bad");
    done.push(value);
  });
  await Promise.allSettled(["bad", "old", "new"].map(wish));
  for (let turn = 0; turn < 5; turn++) await soon();
  assert.deepEqual(done, ["new"]);
});
