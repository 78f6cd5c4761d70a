// The regions of a segmentation: outlines by their area, names by where they stand.

import assert from "node:assert/strict";
import { test } from "node:test";

import { classColours, inkOn, lightOf } from "../../app/viewer/core/classes.ts";
import { placeIn } from "../../app/viewer/core/geometry.ts";
import { outlineOf, regionsOf } from "../../app/viewer/core/regions.ts";
import { Regions, namesOf, widthOf } from "../../app/viewer/draw/regions.ts";
import { inFileColours, segmentationScene } from "../../app/viewer/draw/segmentation.ts";
import { START } from "../../app/viewer/core/state.ts";
import { smallSession } from "./export_moment.mjs";

const CLASSES = readClasses();

function readClasses() {
  const voc = "background aeroplane bicycle bird boat bottle bus car cat chair cow,dining table,dog horse motorbike person,potted plant,sheep sofa train,tv monitor";
  const camvid = "sky building pole road pavement tree sign fence car pedestrian bicyclist";
  const things = voc.split(",").flatMap((each) => (/^(dining|potted|tv)/.test(each) ? [each] : each.split(" ")));
  return [things, camvid.split(" "), [...things, "sky", "building", "road", "pavement", "vegetation", "ground"]];
}

/** Labels of a seeded noise, in blocks so that there are regions, holes and corners that touch. */
function noise(height, width, seed, classes = 3) {
  let state = seed;
  const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  return Uint8Array.from({ length: height * width }, () => Math.floor(random() * classes));
}

/** The signed area of a loop in pixels: positive where its region is on the right hand. */
function areaOf(loop, height, width) {
  let twice = 0;
  for (let k = 0; k < loop.length; k += 2) {
    const next = (k + 2) % loop.length;
    twice += (loop[k] * loop[next + 1] - loop[next] * loop[k + 1]) * width * height;
  }
  return twice / 2;
}

test("outlines close around exactly the pixels of a label: each corner cuts an eighth of a pixel, or adds it", () => {
  for (const [height, width, seed] of [[9, 13, 1], [20, 8, 2], [31, 31, 3]]) {
    const labels = noise(height, width, seed);
    for (const label of [0, 1, 2]) {
      const areas = outlineOf(labels, height, width, label).map((loop) => areaOf(loop, height, width));
      const around = areas.filter((area) => area > 0).length, holes = areas.length - around;
      const pixels = labels.filter((each) => each === label).length;
      const sum = areas.reduce((a, b) => a + b, 0);
      assert.ok(Math.abs(sum - (pixels - 0.5 * (around - holes))) < 1e-3, `${label}: ${sum}, ${pixels} pixels`);
    }
  }
});

test("a region's name stands in it, as far from its edge as can be", () => {
  const [height, width] = [60, 90], labels = new Uint8Array(height * width);
  for (let y = 10; y < 50; y++) for (let x = 20; x < 44; x++) labels[y * width + x] = 1;
  labels[0] = 2;
  const regions = regionsOf(labels, height, width, (label) => label > 0);
  assert.deepEqual(regions.map(({ label }) => label), [1]);
  const [{ area, spots: [spot] }] = regions;
  assert.ok(Math.abs(area - (40 * 24) / labels.length) < 1e-9);
  assert.ok(Math.abs(spot.x * width - 32) <= 1 && spot.y * height > 21 && spot.y * height < 39);
  assert.ok(Math.abs(spot.room * width - 12) <= 1);
});

test("names do not cover each other, lie in the picture and stand in a region of their class", () => {
  const [height, width] = [90, 120], classes = ["a", "a long name of a class", "third"];
  const labels = Uint8Array.from({ length: height * width }, (_, p) => {
    const x = p % width, y = Math.floor(p / width);
    return (Math.floor(x / 30) + Math.floor(y / 15)) % 3;
  });
  const regions = new Regions(labels, height, width, classes.map((name, k) => ({ name, colour: `#0000${k}0`, isLeftOver: false })));
  let most = 0;
  for (const zoom of [[1, 0, 0], [2.5, 0.3, 0.2]]) {
    for (const size of [150, 400, 1200]) {
      const place = placeIn(size, size, { width, height }, zoom);
      const names = namesOf(regions, place, 1, String);
      most = Math.max(most, names.length);
      names.forEach((one, k) => {
        assert.ok(one.x >= place.x && one.x + one.width <= place.x + place.width + 1e-6);
        assert.ok(one.y >= place.y && one.y + one.height <= place.y + place.height + 1e-6);
        for (const other of names.slice(k + 1)) {
          const apart = one.x + one.width < other.x || other.x + other.width < one.x
            || one.y + one.height < other.y || other.y + other.height < one.y;
          assert.ok(apart, `${one.text} covers ${other.text}`);
        }
      });
    }
  }
  assert.ok(most > 10);
});

test("what is left over has no outline and no name", () => {
  const labels = Uint8Array.from({ length: 100 }, (_, p) => Number(p >= 50));
  const regions = new Regions(labels, 10, 10, [{ name: "background", colour: "#888888", isLeftOver: true }, { name: "cat", colour: "#de95ce", isLeftOver: false }]);
  assert.deepEqual(regions.drawn, [1]);
  assert.deepEqual(regions.named.map(({ label }) => label), [1]);
});

test("a name is read on its class's colour: 4.5 at least, whatever the class", () => {
  for (const names of [...CLASSES, Array.from({ length: 150 }, (_, k) => `class ${k}`)]) {
    for (const [k, colour] of classColours(names).entries()) {
      const [a, b] = [lightOf(colour), lightOf(inkOn(colour))].sort((x, y) => y - x);
      assert.ok((a + 0.05) / (b + 0.05) >= 4.5, `${names[k]} ${colour}`);
    }
  }
});

test("every class of the networks that ship has a colour of its own among them", () => {
  for (const names of CLASSES) assert.equal(new Set(classColours(names)).size, names.length);
  assert.equal(CLASSES[0].length, 21);
});

test("a letter of Chinese is as wide as it is tall", () => {
  assert.equal(widthOf("猫狗", 12), 24);
  assert.ok(widthOf("cat", 12) < 30);
});

test("a file has the data set's colours, flat", () => {
  const session = { ...smallSession(), withoutAttention: null };
  const scene = segmentationScene({ state: START, session, maps: null, rerun: null });
  const { cells, legend, regions } = inFileColours(scene, session);
  assert.equal(regions, undefined);
  session.workingLabels.forEach((label, p) => {
    const bytes = [...new Uint8Array(Uint32Array.of(cells.pixels[p]).buffer)];
    assert.deepEqual(bytes, [...session.palette[label], 255]);
  });
  assert.deepEqual(legend.map(({ colour }) => colour), session.palette.map((each) => `rgb(${each.join(" ")})`));
});
