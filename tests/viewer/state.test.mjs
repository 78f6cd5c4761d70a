// The state: in links and back, whatever the link says, and the way back through the history.

import assert from "node:assert/strict";
import { test } from "node:test";

import { AS_TRAINED } from "../../app/viewer/core/attention.ts";
import { STRENGTHS, TOP_KS } from "../../app/viewer/core/maps.ts";
import {
  LAYERS, MAPS, MOST_PINS, COLORMAPS, START, Store, fromQueryString, isUpload, toQueryString,
} from "../../app/viewer/core/state.ts";
import { randomness } from "./sessions.mjs";

/** A state chosen by chance, of all that a visitor can reach. */
function randomState(random) {
  const whole = (most) => Math.floor(random() * most);
  const oneOf = (choices) => choices[whole(choices.length)];
  const pixel = () => [whole(2000), whole(2000)];
  const pins = Array.from({ length: whole(MOST_PINS + 1) }, pixel);
  const factor = oneOf([1, 1.5, 16]);
  return {
    ...START,
    picture: oneOf(["leuven_lane", "temple"]),
    network: "asa_mobilenetv2_camvid",
    query: oneOf([pixel(), [0, 0]]),
    locked: oneOf([true, false]),
    pins,
    compare: pins.length > 1 ? oneOf([null, [0, pins.length - 1], [1, 0]]) : null,
    whatIf: {
      nonlocalFactor: oneOf([1, 0, 0.55, 4]), localFactor: oneOf([1, 0, 3.95]),
      reciprocity: oneOf([true, false]), localRule: oneOf([true, false]),
      window: oneOf([null, 1, 3, 5]), topK: oneOf([null, 8, 512]),
    },
    direction: oneOf(["row", "column"]),
    map: oneOf(MAPS),
    layer: oneOf(LAYERS),
    strength: oneOf([null, 1, 2, 4, 8]),
    hold: oneOf([null, [3, 0.5, 20], [12, 2, 5000]]),
    lines: oneOf([true, false]),
    scale: oneOf(["linear", "log"]),
    shared: oneOf([true, false]),
    colormap: oneOf(COLORMAPS),
    opacity: oneOf([0, 0.05, 0.85, 1]),
    zoom: [factor, +(random() * (1 - 1 / factor)).toFixed(4), 0],
    language: oneOf(["en", "zh-CN", "zh-TW"]),
    lesson: oneOf([null, 0, 7]),
  };
}

test("every state comes back from its link as it was", () => {
  const random = randomness(11);
  for (let trial = 0; trial < 3000; trial++) {
    const state = randomState(random);
    const words = toQueryString(state);
    assert.deepEqual({ ...START, ...fromQueryString(`?${words}`) }, state, words);
  }
});

test("a link is short, and readable", () => {
  const state = {
    ...START, picture: "temple", query: [90, 120], pins: [[1, 2], [30, 4]],
    whatIf: { ...AS_TRAINED, topK: 32 },
  };
  assert.equal(toQueryString(state), "picture=temple&at=90.120&pins=1.2_30.4&top=32");
});

test("the first pixel of a picture is a query like any other, and stands in the link", () => {
  // A link that names no pixel opens the picture at the one its gallery suggests.
  const { query } = fromQueryString(toQueryString({ ...START, picture: "temple", query: [0, 0] }));
  assert.deepEqual(query, [0, 0]);
});

test("links of before, which call the colormap palette, still open; new ones say colormap", () => {
  assert.equal(fromQueryString("palette=inferno").colormap, "inferno");
  assert.equal(fromQueryString("palette=inferno&colormap=grey").colormap, "grey");
  assert.equal(fromQueryString("palette=none").colormap, undefined);
  assert.equal(toQueryString({ ...START, colormap: "inferno" }), "colormap=inferno");
});

test("a picture of one's own is in no link", () => {
  const state = { ...START, picture: "upload:1", query: [5, 6] };
  assert.equal(toQueryString(state), "at=5.6");
  assert.deepEqual([isUpload("upload:1"), isUpload("temple"), isUpload(null)], [true, false, false]);
  // The address of the browser that keeps it is another thing.
  assert.equal(toQueryString(state, true), "picture=upload%3A1&at=5.6");
  assert.equal(fromQueryString("?picture=upload:1").picture, "upload:1");
  assert.equal(fromQueryString("?picture=upload:../1").picture, undefined);
});

test("an empty link says nothing, and neither do words of others", () => {
  for (const text of ["", "?", "?__theme=dark&utm_source=x", "?at", "&&&==", "?%", "?=1"]) {
    assert.deepEqual(fromQueryString(text), {}, text);
  }
});

const HOSTILE = [
  "", " ", "x", "-1", "NaN", "Infinity", "-Infinity", "1e400", "null", "undefined", "true", "[object Object]",
  "0x", "1.2.3", ".", "_", "1_1", "a.b", "-1.5", "1.-1", "1.5e", "\u0000", "💥", "../../x", "<script>",
  "constructor", "toString", "hasOwnProperty", "__proto__", "prototype", "1".repeat(400), "_".repeat(5000),
  "1.1_".repeat(9), "1.1_2.2_3.3_4.4_5.5", "9.9", "0.0", "1.1",
  "17_0_0", "0_0_0", "2_-1_0", "2_0", "1_0_0_0", "2_9_9", "1_Infinity_0", "3_1_2", "upload:x", "upload:", "upload:upload:x",
];

const WORDS = [
  "picture", "network", "at", "lock", "pins", "compare", "look", "map", "layer", "strength", "lines",
  "scale", "shared", "hold", "colormap", "opacity", "zoom", "lang", "lesson",
  "t1", "t2", "reciprocal", "local", "window", "top",
];

/** Whether the parts of a state are what the viewer takes them for. */
function check(state, said) {
  const is = (condition, part) => assert.ok(condition, `${part} from ${said}: ${String(state[part])}`);
  const amount = (value, most = Infinity) => typeof value === "number" && value >= 0 && value <= most;
  const whole = (value, most) => amount(value, most) && Number.isInteger(value);
  const pixel = (value) => Array.isArray(value) && value.length === 2 && value.every((each) => whole(each));
  const name = (value) => value === null || (typeof value === "string" && /^(upload:)?[\w-]+$/.test(value));
  is(name(state.picture), "picture");
  is(name(state.network), "network");
  // Where no pixel is named there is none yet: the picture opens at its own.
  is(pixel(state.query) || state.query === START.query, "query");
  for (const part of ["locked", "lines", "shared"]) is(typeof state[part] === "boolean", part);
  is(state.pins.length <= MOST_PINS && state.pins.every(pixel), "pins");
  const [first, second] = state.compare ?? [0, 1];
  is(state.compare === null || (state.pins[first] && state.pins[second] && first !== second), "compare");
  is(["row", "column"].includes(state.direction), "direction");
  is(MAPS.includes(state.map), "map");
  is(LAYERS.includes(state.layer), "layer");
  is([null, 1, 2, 4, 8].includes(state.strength), "strength");
  const [dense, low, high] = state.hold ?? [1, 1, 2];
  is([dense, low, high].every((each) => amount(each, 1e300)) && dense > 0 && low > 0 && high > low, "hold");
  is(["linear", "log"].includes(state.scale), "scale");
  is(COLORMAPS.includes(state.colormap), "colormap");
  is(amount(state.opacity, 1), "opacity");
  const [factor, left, top] = state.zoom;
  is(state.zoom.length === 3 && factor >= 1 && factor <= 16, "zoom");
  is([left, top].every((each) => amount(each, 1 - 1 / factor + 1e-4)), "zoom");
  is([null, "en", "zh-CN", "zh-TW"].includes(state.language), "language");
  is(state.lesson === null || whole(state.lesson, 49), "lesson");
  const { whatIf } = state;
  is(amount(whatIf.nonlocalFactor, 100) && amount(whatIf.localFactor, 100), "whatIf");
  is(typeof whatIf.reciprocity === "boolean" && typeof whatIf.localRule === "boolean", "whatIf");
  is([null, 1, 3, 5].includes(whatIf.window), "whatIf");
  is([null, 8, 16, 32, 64, 128, 256, 512].includes(whatIf.topK), "whatIf");
}

test("whatever a link says, the state it leads to is one that a visitor can reach", () => {
  for (const word of WORDS) {
    for (const text of HOSTILE) {
      const others = word === "compare" ? { pins: "1.1_2.2" } : {};
      const words = new URLSearchParams({ [word]: text, ...others }).toString();
      check({ ...START, ...fromQueryString(words) }, words.slice(0, 80));
    }
  }
  const random = randomness(5);
  for (let trial = 0; trial < 3000; trial++) {
    const words = new URLSearchParams();
    for (const word of WORDS) {
      if (random() < 0.4) words.set(word, HOSTILE[Math.floor(random() * HOSTILE.length)]);
    }
    const state = { ...START, ...fromQueryString(words.toString()) };
    check(state, words.toString());
    // Said again it is the same: nothing is lost on the second way.
    assert.deepEqual({ ...START, ...fromQueryString(toQueryString(state, true)) }, state);
  }
});

test("a link may name just those strengths and sizes that there are maps for", () => {
  const numbers = Array.from({ length: 600 }, (_, k) => k);
  const taken = (word, read) => numbers.filter((each) => read(fromQueryString(`?${word}=${each}`)) === each);
  assert.deepEqual(taken("strength", ({ strength }) => strength), STRENGTHS);
  assert.deepEqual(taken("top", ({ whatIf }) => whatIf?.topK), TOP_KS);
});

test("a comparison of pins that are not there is none", () => {
  assert.equal(fromQueryString("?compare=0.1").compare, undefined);
  assert.equal(fromQueryString("?compare=0.1&pins=1.1").compare, undefined);
  assert.deepEqual(fromQueryString("?compare=1.0&pins=1.1_2.2").compare, [1, 0]);
  assert.equal(fromQueryString("?compare=1.1&pins=1.1_2.2").compare, undefined);
});

// The history ------------------------------------------------------------------------------------

const recorded = { recorded: true };
const passing = { passing: true };

test("undo leads back through the recorded changes, redo forth again", () => {
  const store = new Store();
  store.set({ map: "local" }, recorded);
  store.set({ layer: "groups" }, recorded);
  store.set({ locked: true, query: [3, 4] }, recorded);
  const last = store.state;
  store.undo();
  const { locked, layer, query } = store.state;
  assert.deepEqual([locked, layer, query], [false, "groups", START.query]);
  store.undo();
  assert.deepEqual([store.state.layer, store.state.map], ["classes", "local"]);
  store.undo();
  assert.deepEqual(store.state, START);
  store.undo();
  assert.deepEqual(store.state, START);
  for (let step = 0; step < 4; step++) store.redo();
  assert.deepEqual(store.state, last);
});

test("where the pointer went since is no step: undo goes to the query that was set", () => {
  const store = new Store();
  store.set({ query: [10, 10], locked: true }, recorded);
  store.set({ locked: false });
  store.set({ query: [50, 50] }, passing);
  store.set({ map: "own" }, recorded);
  store.set({ query: [70, 70] }, passing);
  store.undo();
  assert.deepEqual([store.state.query, store.state.map], [[10, 10], "nonlocal"]);
  store.redo();
  assert.deepEqual([store.state.query, store.state.map], [[50, 50], "own"]);
});

test("what is chosen without a step of its own belongs to the step before", () => {
  const store = new Store();
  store.set({ map: "own" }, recorded);
  store.set({ zoom: [2, 0, 0] });
  store.set({ layer: "groups" }, recorded);
  store.undo();
  assert.deepEqual([store.state.zoom, store.state.map], [[2, 0, 0], "own"]);
  store.undo();
  assert.deepEqual([store.state.zoom, store.state.map], [[1, 0, 0], "nonlocal"]);
});

test("a new step makes what was undone unreachable", () => {
  const store = new Store();
  store.set({ map: "local" }, recorded);
  store.undo();
  store.set({ map: "own" }, recorded);
  store.redo();
  assert.equal(store.state.map, "own");
  store.undo();
  assert.equal(store.state.map, "nonlocal");
});

test("a recorded change that changes nothing is no step", () => {
  const store = new Store();
  store.set({ map: "local" }, recorded);
  store.set({ map: "local" }, recorded);
  assert.equal(store.past.length, 1);
});

test("one can go back to any recorded state at once, and from there forth again", () => {
  const store = new Store();
  const states = MAPS.slice(1).map((map) => (store.set({ map }, recorded), store.state));
  store.backTo(2);
  assert.deepEqual(store.state, states[1]);
  while (store.future.length) store.redo();
  assert.deepEqual(store.state, states.at(-1));
  store.backTo(0);
  assert.deepEqual(store.state, START);
});

test("after any changes, all steps back lead to the start and all steps forth to the end", () => {
  const random = randomness(2);
  for (let trial = 0; trial < 200; trial++) {
    const store = new Store({ colormap: "grey" });
    const marks = [store.mark];
    for (let step = 0; step < 12; step++) {
      const { pins, query, map, whatIf } = randomState(random);
      const change = [{ pins }, { query }, { map }, { whatIf, query }][Math.floor(random() * 4)];
      const steps = store.past.length;
      const how = [recorded, recorded, passing, {}][Math.floor(random() * 4)];
      store.set(change, how);
      assert.ok(store.past.length - steps <= (how === recorded ? 1 : 0));
      if (store.past.length > steps) marks.push(store.mark);
      else marks[marks.length - 1] = store.mark;
    }
    for (const mark of marks.slice(0, -1).reverse()) {
      store.undo();
      assert.deepEqual(store.state, mark);
    }
    assert.equal(store.past.length, 0);
    for (const mark of marks.slice(1)) {
      store.redo();
      assert.deepEqual(store.state, mark);
    }
    assert.equal(store.future.length, 0);
  }
});

test("a listener hears of every change, with what was before, and of nothing else", () => {
  const store = new Store();
  const heard = [];
  store.subscribe((state, before) => heard.push([before.map, state.map]));
  store.set({ map: "local" }, recorded);
  store.set({ map: "local" });
  store.set({ query: [...START.query] });
  store.undo();
  store.undo();
  store.redo();
  assert.deepEqual(heard, [["nonlocal", "local"], ["local", "nonlocal"], ["nonlocal", "local"]]);
});

test("states are replaced, never changed", () => {
  const store = new Store();
  const first = store.state;
  const copy = structuredClone(first);
  store.set({ pins: [[1, 1]] }, recorded);
  store.set({ opacity: 0.1 });
  store.undo();
  assert.deepEqual(first, copy);
  assert.ok(Object.isFrozen(START));
});
