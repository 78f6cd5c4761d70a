// Colours for numbers: where scales begin and end, their round numbers, and what is clipped.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  CEILING_PERCENTILE, GROUP_COLOURS, PIN_COLOURS, Scale, denseScale, keptScale, mapScale, colormapOf, rgbOf, rounded, rowScale,
} from "../../app/viewer/core/scale.ts";
import { COLORMAPS, START } from "../../app/viewer/core/state.ts";
import { randomness } from "./sessions.mjs";

const near = (actual, expected, bound = 1e-6) => assert.ok(
  Math.abs(actual - expected) <= bound * Math.max(1, Math.abs(expected)), `${actual} for ${expected}`,
);

// A row of 1000 weights from 0.001 to 1, the largest last.
const rising = Float32Array.from({ length: 1000 }, (_, j) => (j + 1) / 1000);

test("colours are read from their hexadecimal names", () => {
  assert.deepEqual(rgbOf("#d55e00"), [213, 94, 0]);
  assert.deepEqual(rgbOf("000004"), [0, 0, 4]);
});

test("a colormap has 256 colours from its first stop to its last", () => {
  assert.deepEqual([colormapOf("cividis")[0], colormapOf("cividis")[255]], [[0, 34, 78], [254, 232, 56]]);
  // A difference is in the colour of the pin that is ahead: the second at the start, the first at the end.
  const difference = colormapOf("pins 1 3");
  assert.deepEqual([difference[0], difference[255]], [rgbOf(PIN_COLOURS[3]), rgbOf(PIN_COLOURS[1])]);
  assert.ok(difference[127].every((each) => each > 240) && difference[128].every((each) => each > 240));
  for (const name of [...COLORMAPS, "pins 0 1", "pins 3 0"]) {
    const table = colormapOf(name);
    assert.equal(table.length, 256);
    assert.ok(table.flat().every((each) => Number.isInteger(each) && each >= 0 && each <= 255));
    assert.equal(colormapOf(name), table);
  }
});

test("colormaps for amounts grow lighter all the way, so that grey print keeps their order", () => {
  const light = (part) => (part / 255) ** 2.2;
  const lightness = ([r, g, b]) => 0.2126 * light(r) + 0.7152 * light(g) + 0.0722 * light(b);
  for (const name of COLORMAPS) {
    const lights = colormapOf(name).map(lightness);
    lights.slice(1).forEach((each, k) => assert.ok(each >= lights[k] - 2e-3, `${name} at ${k}`));
  }
});

test("the groups' and the pins' colours are all different", () => {
  for (const colours of [GROUP_COLOURS, PIN_COLOURS]) assert.equal(new Set(colours).size, 4);
});

test("a position is the share of the way from low to high, and never off the colormap", () => {
  const linear = new Scale(2, 6);
  assert.deepEqual([0, 2, 3, 4, 6, 9].map((each) => linear.position(each)), [0, 0, 0.25, 0.5, 1, 1]);
  const log = new Scale(0.01, 100, 100, "log");
  [[0, 0], [0.001, 0], [0.01, 0], [0.1, 0.25], [1, 0.5], [100, 1], [1e9, 1]].forEach(
    ([value, place]) => near(log.position(value), place),
  );
});

test("clipped is what has a number beyond its end, by more than a rounding", () => {
  assert.ok(!new Scale(0, 5).clipped);
  assert.ok(!new Scale(0, 5, 5 * (1 + 1e-7)).clipped);
  assert.ok(new Scale(0, 5, 5.1).clipped);
});

test("ticks of a linear scale, by hand", () => {
  const ticks = (low, high) => new Scale(low, high).ticks().map((each) => +each.toPrecision(12));
  assert.deepEqual(ticks(0, 8), [0, 2, 4, 6, 8]);
  assert.deepEqual(ticks(0, 23), [0, 10, 20]);
  assert.deepEqual(ticks(0, 1), [0, 0.5, 1]);
  assert.deepEqual(ticks(1.1, 2.3), [1.5, 2]);
  assert.deepEqual(ticks(-4, 4), [-4, -2, 0, 2, 4]);
  assert.deepEqual(ticks(0, 4e-5), [0, 1e-5, 2e-5, 3e-5, 4e-5]);
});

test("ticks of a logarithmic scale are powers of ten, plain steps where it is short", () => {
  const ticks = (low, high) => new Scale(low, high, high, "log").ticks().map((each) => +each.toPrecision(12));
  assert.deepEqual(ticks(0.01, 100), [0.01, 0.1, 1, 10, 100]);
  assert.deepEqual(ticks(0.02, 300), [0.1, 1, 10, 100]);
  assert.deepEqual(ticks(1e-10, 1), [1e-10, 1e-8, 1e-6, 1e-4, 1e-2, 1]);
  assert.deepEqual(ticks(1, 8), [1, 2, 5]);
  assert.deepEqual(ticks(5, 200), [5, 10, 20, 50, 100, 200]);
  // Between 2 and 5 lies none of them.
  assert.deepEqual(ticks(2.1, 4.9), [3, 4]);
});

test("numbers are rounded to 1, 2 and 5 times a power of ten", () => {
  const up = [1, 1.01, 2, 2.1, 5, 5.1, 99, 0.03].map((each) => +rounded(each).toPrecision(9));
  assert.deepEqual(up, [1, 2, 2, 5, 5, 10, 100, 0.05]);
  const down = [1, 1.9, 2, 4.9, 5, 9.9, 99, 0.03].map((each) => +rounded(each, false).toPrecision(9));
  assert.deepEqual(down, [1, 1, 2, 2, 5, 5, 50, 0.02]);
});

test("of the first colormap no colour is grey, so that none is taken for the photograph under it", () => {
  for (const [r, g, b] of colormapOf(COLORMAPS[0])) assert.ok(Math.max(r, g, b) - Math.min(r, g, b) >= 60, `${[r, g, b]}`);
  assert.equal(START.colormap, COLORMAPS[0]);
});

test("dense rows of a picture share the end of their scale, whatever their weights", () => {
  for (const factor of [0.1, 1, 7]) {
    const ends = { ceiling: 0.8, bottom: 0.01, top: 5 };
    const scale = denseScale(rising.map((each) => each * factor), 0.5, "linear", ends);
    assert.deepEqual([scale.low, scale.high], [0, 0.8]);
    near(scale.largest, factor);
    const log = denseScale(rising.map((each) => each * factor), 0.5, "log", ends);
    assert.deepEqual([log.low, log.high, log.clippedBelow], [0.01, 5, factor < 10]);
    // But the threshold is always on it.
    for (const threshold of [0.001, 2, 70]) {
      for (const kind of ["linear", "log"]) assert.ok(denseScale(rising, threshold, kind, ends).holds(threshold));
    }
  }
});

test("the scale of what is kept runs between round numbers around it, its mark on it", () => {
  const scale = (values, mark) => {
    const { low, high, kind, largest, smallest } = keptScale(Float32Array.of(0, ...values, 0), mark);
    return [low, high, kind, largest, smallest].map((each) => (typeof each === "number" ? +each.toPrecision(6) : each));
  };
  assert.deepEqual(scale([7, 30, 12], 6), [5, 50, "log", 30, 7]);
  // Kept by the local rule, below the mark.
  assert.deepEqual(scale([3, 30], 6), [2, 50, "log", 30, 3]);
  assert.deepEqual(scale([3, 4], 90), [2, 100, "log", 4, 3]);
  assert.deepEqual(scale([50], null), [50, 100, "log", 50, 50]);
  assert.deepEqual(scale([1e-6, 30], null), [2e-5, 50, "log", 30, 1e-6]);
  assert.ok(keptScale(Float32Array.of(1e-6, 30), null).clippedBelow);
  assert.ok(!keptScale(Float32Array.of(7, 30), 6).clippedBelow);
  assert.ok(keptScale(new Float32Array(4), null).high > 0);
});

test("ticks lie on the scale, evenly, and are few", () => {
  const random = randomness(3);
  for (let trial = 0; trial < 2000; trial++) {
    const low = trial % 3 ? 0 : 20 * random() - 10;
    const scale = new Scale(low, low + 10 ** (8 * random() - 4));
    const ticks = scale.ticks();
    const said = `${scale.low} to ${scale.high}: ${ticks}`;
    assert.ok(ticks.length >= 1 && ticks.length <= 6, said);
    const room = 1e-8 * (scale.high - scale.low);
    assert.ok(ticks.every((each) => each >= scale.low - room && each <= scale.high + room), said);
    for (let k = 2; k < ticks.length; k++) near(ticks[k] - ticks[k - 1], ticks[1] - ticks[0], 1e-7);
    const log = new Scale(10 ** (-9 * random()), 10 ** (4 * random()), 1, "log");
    const powers = log.ticks();
    assert.ok(powers.length <= 6);
    assert.ok(powers.every((each) => each >= log.low * (1 - 1e-9) && each <= log.high * (1 + 1e-9)));
  }
});

test("a row's scale ends at a high percentile, and says what it clips", () => {
  const scale = rowScale(rising, 0, "linear");
  near(scale.low, 0);
  near(scale.high, CEILING_PERCENTILE / 100);
  near(scale.largest, 1);
  assert.ok(scale.clipped);
});

test("the threshold always lies on a row's scale", () => {
  for (const threshold of [0, 0.3, 2, 50]) {
    for (const kind of ["linear", "log"]) {
      const scale = rowScale(rising, threshold, kind, rising.slice(-9));
      assert.ok(threshold === 0 || scale.high >= 1.25 * threshold * (1 - 1e-6), `${threshold} ${kind}`);
      assert.ok(scale.position(threshold) < 1);
    }
  }
  near(rowScale(rising, 50, "linear").high, 62.5);
});

test("two rows on one scale: half of the sparse weights are not clipped, but dense is not left dark", () => {
  // Ten kept weights around 0.9: their middle one decides.
  const kept = Float32Array.from({ length: 10 }, (_, j) => 0.95 + j / 100);
  const values = new Float32Array(1000);
  values.set(kept, 500);
  const small = rising.map((each) => each * 1.2);
  near(rowScale(small, 0, "linear", values).high, 1.2 * 0.995);
  const flat = new Float32Array(1000).fill(0.1).fill(2, 999);
  near(rowScale(flat, 0, "linear", values).high, kept[5]);
  // Kept weights of 7 lie beyond the dense row, which ends at 2.
  near(rowScale(flat, 0, "linear", values.map((each) => 7 * each)).high, 2);
  near(rowScale(flat, 0, "linear", values.map((each) => 7 * each)).largest, 7 * kept[9]);
});

test("a logarithmic scale spans four powers of ten at most, and clips nothing above", () => {
  const scale = rowScale(Float32Array.of(1e-9, 0.5, 40), 0, "log");
  near(scale.high, 40);
  near(scale.low, 0.004);
  assert.ok(!scale.clipped);
  near(rowScale(Float32Array.of(2, 3, 40), 0, "log").low, 2);
});

test("every row and map has a scale on which all its numbers have a place", () => {
  const rows = {
    "one cell": [1], "flat": new Array(50).fill(1), "nothing": new Array(9).fill(0), "one key": [0, 0, 7, 0],
    "tiny": [1e-20, 3e-20], "huge": [1, 1e20], "rising": [...rising],
  };
  for (const [name, row] of Object.entries(rows)) {
    for (const kind of ["linear", "log"]) {
      const values = Float32Array.from(row);
      const scales = [rowScale(values, 0, kind), rowScale(values, 1, kind, values), mapScale(values, kind)];
      for (const scale of scales) {
        const said = `${name}, ${kind}: ${scale.low} to ${scale.high}`;
        assert.ok(scale.high > scale.low && Number.isFinite(scale.high), said);
        assert.ok(scale.kind === "linear" || scale.low > 0, said);
        for (const value of [...values, 0, 1]) {
          const place = scale.position(value);
          assert.ok(place >= 0 && place <= 1, `${said}: ${value} at ${place}`);
        }
        assert.ok(scale.ticks().every(Number.isFinite), said);
      }
    }
  }
});

test("a map's scale holds all its numbers, and has two ends where they are all one", () => {
  const scale = mapScale(Float32Array.of(3, 1, 2), "linear");
  assert.deepEqual([scale.low, scale.high, scale.clipped], [1, 3, false]);
  const flat = mapScale(Float32Array.of(2, 2), "linear");
  near(flat.low, 1.9);
  near(flat.high, 2.1);
  const log = mapScale(Float32Array.of(0, 1, 500), "log");
  assert.deepEqual([log.kind, log.low, log.high, log.clipped], ["log", 1, 500, false]);
  near(mapScale(Float32Array.of(1e-9, 500), "log").low, 0.05);
  assert.equal(mapScale(Float32Array.of(0, 0), "log").kind, "linear");
});
