// From points on the screen to pixels and cells, and the zoom between them.

import assert from "node:assert/strict";
import { test } from "node:test";

import { cellOf, centreOf, placeIn, stepped, zoomed } from "../../app/viewer/core/geometry.ts";
import { listen, pixelAt } from "../../app/viewer/page/pointer.ts";
import { readPacket } from "../../app/viewer/core/packet.ts";
import { fileOf, randomness } from "./sessions.mjs";

const WHOLE = [1, 0, 0];
const near = (actual, expected) => assert.ok(Math.abs(actual - expected) < 1e-9, `${actual} for ${expected}`);
const sizeOf = (height, width, imageHeight, imageWidth) => (
  { height, width, imageHeight, imageWidth, n: height * width }
);

// Grids over pictures: larger, smaller, of one cell or pixel, of sides that do not divide each other.
const SIZES = [
  [45, 60, 563, 751], [60, 45, 640, 427], [3, 5, 9, 15], [7, 5, 20, 20],
  [1, 1, 5, 9], [4, 6, 3, 2], [2, 9, 1, 1], [5, 5, 8, 5],
];

test("a pixel belongs to the cell that holds its centre", () => {
  for (const sizes of SIZES) {
    const session = sizeOf(...sizes);
    const { height, width, imageHeight, imageWidth } = session;
    for (let y = 0; y < imageHeight; y++) {
      for (let x = 0; x < imageWidth; x += 1 + (imageWidth > 99 ? 7 : 0)) {
        const cell = cellOf(session, [x, y]);
        const [row, col] = [Math.floor(cell / width), cell % width];
        // In units of half a pixel times a cell, so that all is whole.
        const inside = (centre, index, pixels, cells) => (
          2 * index * pixels <= centre * cells && centre * cells < 2 * (index + 1) * pixels
        );
        assert.ok(inside(2 * y + 1, row, imageHeight, height), `row ${row} for y = ${y}`);
        assert.ok(inside(2 * x + 1, col, imageWidth, width), `column ${col} for x = ${x}`);
      }
    }
  }
});

test("a pixel outside the picture belongs to the nearest cell", () => {
  const session = sizeOf(3, 4, 30, 40);
  assert.equal(cellOf(session, [900, 4]), 3);
  assert.equal(cellOf(session, [4, 900]), 8);
  assert.equal(cellOf(session, [900, 900]), 11);
});

test("the point under the pointer is in the cell that is answered for, and every cell has one", () => {
  for (const [height, width, imageHeight, imageWidth] of [...SIZES, [45, 60, 47, 63], [45, 60, 30, 30], [39, 52, 20, 9]]) {
    const packet = fileOf(
      {
        query: ["F32", [height * width, 1], new Float32Array(height * width)],
        ...Object.fromEntries(["key", "log_normaliser", "nonlocal_scale", "local_scale"].map((name) => [name, ["F32", [0], new Float32Array()]])),
        ...Object.fromEntries(["cell_labels", "picture"].map((name) => [name, ["U8", [0], new Uint8Array()]])),
        ...Object.fromEntries(["working_labels", "without_attention"].map((name) => [name, ["U8", [0, 0], new Uint8Array()]])),
      },
      { session: JSON.stringify({ version: 1, grid: { height, width, image_height: imageHeight, image_width: imageWidth } }) },
    );
    const session = readPacket(packet);
    const size = { width: imageWidth, height: imageHeight };
    const canvas = { getBoundingClientRect: () => ({ left: 0, top: 0, width: 3 * width, height: 3 * height }) };
    // Stretched over the canvas: what counts is where in the picture a point lies.
    const stretched = { ...size, width: 3 * width, height: 3 * height };
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        for (const [dx, dy] of [[0.1, 0.1], [1.5, 1.5], [2.9, 2.9], [0.1, 2.9]]) {
          const event = { clientX: 3 * column + dx, clientY: 3 * row + dy };
          const pixel = pixelAt(canvas, event, stretched, session, WHOLE);
          assert.equal(cellOf(session, pixel), row * width + column, `${[height, width, imageHeight, imageWidth]}: ${[row, column]}`);
          assert.ok(pixel[0] >= 0 && pixel[0] < session.imageWidth && pixel[1] >= 0 && pixel[1] < session.imageHeight);
        }
      }
    }
    assert.deepEqual([session.imageHeight / session.lattice, session.imageWidth / session.lattice], [imageHeight, imageWidth]);
  }
});

test("the centre of a cell lies in the cell, wherever it is larger than a pixel", () => {
  for (const sizes of SIZES) {
    const session = sizeOf(...sizes);
    if (session.height > session.imageHeight || session.width > session.imageWidth) continue;
    for (let cell = 0; cell < session.n; cell++) assert.equal(cellOf(session, centreOf(session, cell)), cell);
  }
});

test("arrows move by cells, and stop at the border", () => {
  const session = sizeOf(4, 6, 40, 60);
  const moved = (pixel, down, right) => cellOf(session, stepped(session, pixel, down, right));
  const at = (row, col) => centreOf(session, row * 6 + col);
  assert.equal(moved(at(1, 2), 1, 0), 2 * 6 + 2);
  assert.equal(moved(at(1, 2), 0, -1), 1 * 6 + 1);
  assert.equal(moved(at(1, 2), -5, 0), 2);
  assert.equal(moved(at(1, 2), 0, 5), 1 * 6 + 5);
  assert.equal(moved([59, 39], 5, 5), 23);
});

test("arrows cross any picture from border to border", () => {
  for (const sizes of SIZES) {
    const session = sizeOf(...sizes);
    // As packet.js sees to it, there is a pixel for every cell.
    if (session.height > session.imageHeight || session.width > session.imageWidth) continue;
    const { imageWidth, imageHeight } = session;
    const [right, bottom] = [imageWidth - 1, imageHeight - 1];
    const corners = { "0,1": [right, 0], "0,-1": [0, 0], "1,0": [0, bottom], "-1,0": [0, 0] };
    for (const [step, corner] of Object.entries(corners)) {
      const [down, across] = step.split(",").map(Number);
      let pixel = down < 0 ? [0, bottom] : across < 0 ? [right, 0] : [0, 0];
      for (let k = 0; k < session.n; k++) pixel = stepped(session, pixel, down, across);
      assert.equal(cellOf(session, pixel), cellOf(session, corner), `${sizes}, step ${step}`);
    }
  }
});

test("a picture fills its box in one direction and lies in the middle of the other", () => {
  const wide = placeIn(400, 400, { width: 200, height: 100 }, WHOLE);
  assert.deepEqual([wide.x, wide.y, wide.width, wide.height], [0, 100, 400, 200]);
  const tall = placeIn(400, 400, { width: 100, height: 200 }, WHOLE);
  assert.deepEqual([tall.x, tall.y, tall.width, tall.height], [100, 0, 200, 400]);
  const corners = [wide.toBox(0, 0), wide.toBox(1, 1), wide.toBox(0.5, 0.5)];
  assert.deepEqual(corners, [[0, 100], [400, 300], [200, 200]]);
});

test("shares of the picture and places in the box are each other's way back", () => {
  const random = randomness(8);
  for (let trial = 0; trial < 300; trial++) {
    const factor = 1 + 15 * random();
    const zoom = [factor, random() * (1 - 1 / factor), random() * (1 - 1 / factor)];
    const place = placeIn(100 + 900 * random(), 50 + 500 * random(), { width: 640, height: 427 }, zoom);
    const [across, along] = [random(), random()];
    const back = place.toShare(...place.toBox(across, along));
    near(back[0], across);
    near(back[1], along);
    // What the zoom shows is exactly what lies in the picture's part of the box.
    near(place.toShare(place.x, place.y)[0], zoom[1]);
    near(place.toShare(place.x + place.width, place.y)[0], zoom[1] + 1 / factor);
  }
});

const canvasAt = (left, top, width, height) => (
  { getBoundingClientRect: () => ({ left, top, width, height }) }
);

test("the pixel under a point of the canvas; none beside the picture", () => {
  const session = sizeOf(4, 8, 100, 200);
  const canvas = canvasAt(50, 20, 400, 300);
  const picture = { width: 100, height: 50 };
  const at = (clientX, clientY, zoom = WHOLE) => (
    pixelAt(canvas, { clientX, clientY }, picture, session, zoom)
  );
  // The picture of 2 : 1 fills 400 x 200, 50 below the top of its box.
  assert.deepEqual(at(50, 70), [0, 0]);
  assert.deepEqual(at(449.9, 269.9), [199, 99]);
  assert.deepEqual(at(250, 170), [100, 50]);
  assert.deepEqual([at(49.9, 100), at(450, 100), at(100, 69.9), at(100, 270)], [null, null, null, null]);
  // Enlarged twice, with the lower right quarter shown.
  assert.deepEqual(at(50, 70, [2, 0.5, 0.5]), [100, 50]);
  assert.deepEqual(at(449.9, 269.9, [2, 0.5, 0.5]), [199, 99]);
});

test("a zoom leaves what is under the pointer where it is, as far as the picture reaches", () => {
  const random = randomness(4);
  for (let trial = 0; trial < 500; trial++) {
    let zoom = WHOLE;
    for (let step = 0; step < 6; step++) {
      const [factor, left, top] = zoom;
      const [across, along] = [left + random() / factor, top + random() / factor];
      const after = zoomed(zoom, Math.exp(3 * random() - 1.2), across, along);
      assert.ok(after[0] >= 1 && after[0] <= 16);
      for (const [k, fixed, start] of [[1, across, left], [2, along, top]]) {
        assert.ok(after[k] >= 0 && after[k] <= 1 - 1 / after[0] + 1e-12, `${after}`);
        const place = (fixed - after[k]) * after[0];
        const atBorder = after[k] === 0 || after[k] === 1 - 1 / after[0];
        if (!atBorder) near(place, (fixed - start) * factor);
      }
      zoom = after;
    }
    assert.deepEqual(zoomed(zoom, 1e-9, 0.5, 0.5), WHOLE);
  }
});

test("enlarging and going back comes back", () => {
  const there = zoomed([2, 0.25, 0.25], 1.5, 0.5, 0.6);
  zoomed(there, 1 / 1.5, 0.5, 0.6).forEach((each, k) => near(each, [2, 0.25, 0.25][k]));
});

// Events -----------------------------------------------------------------------------------------

/** A canvas and a target that records what is reported. */
function targetOf(state = {}) {
  const size = { clientWidth: 60, clientHeight: 40 };
  const canvas = Object.assign(new EventTarget(), canvasAt(0, 0, 60, 40), size, { setPointerCapture() {} });
  const told = [];
  const target = {
    session: sizeOf(4, 6, 40, 60), picture: { width: 60, height: 40 },
    state: { zoom: WHOLE, locked: false, query: [25, 15], ...state },
  };
  for (const name of ["hover", "lock", "free", "pin", "undo", "zoom", "zoomBy"]) {
    target[name] = (...values) => told.push([name, ...values]);
  }
  listen(canvas, target);
  const fire = (type, values) => {
    const event = Object.assign(new Event(type, { cancelable: true }), values);
    canvas.dispatchEvent(event);
    return event;
  };
  return { target, told, fire };
}

test("the pointer hovers, a click locks, a click on the same cell frees", () => {
  const { target, told, fire } = targetOf();
  const event = fire("pointermove", { clientX: 31.5, clientY: 12 });
  assert.deepEqual(told.pop(), ["hover", [31, 12], event.timeStamp]);
  fire("pointerleave", {});
  assert.deepEqual(told.pop(), ["hover", null]);
  fire("click", { clientX: 31, clientY: 12 });
  assert.deepEqual(told.pop(), ["lock", [31, 12]]);
  target.state = { ...target.state, locked: true, query: [31, 12] };
  fire("click", { clientX: 38, clientY: 19 });
  assert.deepEqual(told.pop(), ["free"]);
  fire("click", { clientX: 41, clientY: 12 });
  assert.deepEqual(told.pop(), ["lock", [41, 12]]);
  assert.equal(told.length, 0);
});

test("a picture that is dragged is no click", () => {
  const { told, fire } = targetOf({ zoom: [2, 0.25, 0.25] });
  fire("pointerdown", { clientX: 30, clientY: 20, shiftKey: true, pointerId: 1, pointerType: "mouse" });
  fire("pointermove", { clientX: 24, clientY: 28, pointerId: 1 });
  const [name, [factor, left, top]] = told.pop();
  assert.equal(name, "zoom");
  assert.equal(factor, 2);
  // Six of the 120 pixels that the enlarged picture is wide; eight of 80.
  near(left, 0.3);
  near(top, 0.15);
  fire("pointerup", { pointerId: 1 });
  fire("click", { clientX: 24, clientY: 28 });
  assert.equal(told.length, 0);
  fire("click", { clientX: 24, clientY: 28 });
  assert.equal(told.pop()[0], "lock");
});

test("the wheel zooms with a key, and scrolls the page without", () => {
  const { told, fire } = targetOf();
  assert.ok(!fire("wheel", { deltaY: -100, clientX: 30, clientY: 20 }).defaultPrevented);
  assert.equal(told.length, 0);
  assert.ok(fire("wheel", { deltaY: -300, ctrlKey: true, clientX: 30, clientY: 20 }).defaultPrevented);
  const [, [factor, left, top]] = told.pop();
  near(factor, Math.E);
  near(left, top);
  near(left, 0.5 - 0.5 / Math.E);
});

test("two fingers enlarge what is between them", () => {
  const { told, fire } = targetOf();
  fire("pointerdown", { clientX: 20, clientY: 20, pointerId: 1, pointerType: "touch" });
  fire("pointerdown", { clientX: 40, clientY: 20, pointerId: 2, pointerType: "touch" });
  fire("pointermove", { clientX: 50, clientY: 20, pointerId: 2 });
  const [name, [factor, left]] = told.pop();
  assert.equal(name, "zoom");
  near(factor, 1.5);
  near(left, (35 / 60) * (1 - 1 / 1.5));
  fire("pointerup", { pointerId: 1 });
  fire("pointermove", { clientX: 10, clientY: 20, pointerId: 2 });
  assert.deepEqual(told.pop().slice(0, 2), ["hover", [10, 20]]);
});

test("every key of the query does its own, and keys of the browser are left to it", () => {
  const { target, told, fire } = targetOf();
  const press = (key, more) => [fire("keydown", { key, ...more }).defaultPrevented, told.pop()];
  assert.deepEqual(press("ArrowDown"), [true, ["lock", [25, 25]]]);
  assert.deepEqual(press("ArrowLeft"), [true, ["lock", [15, 15]]]);
  assert.deepEqual(press("ArrowUp", { shiftKey: true }), [true, ["lock", [25, 5]]]);
  assert.deepEqual(press("Enter"), [true, ["pin"]]);
  assert.deepEqual(press(" "), [true, ["lock", [25, 15]]]);
  assert.deepEqual(press("Escape"), [true, ["free"]]);
  assert.deepEqual(press("u"), [true, ["undo"]]);
  assert.deepEqual(press("0"), [true, ["zoom", WHOLE]]);
  assert.deepEqual(press("+"), [true, ["zoomBy", 1.5]]);
  assert.deepEqual(press("Tab"), [false, undefined]);
  assert.deepEqual(press("ArrowDown", { altKey: true }), [false, undefined]);
  assert.deepEqual(press("0", { ctrlKey: true }), [false, undefined]);
  target.state = { ...target.state, locked: true, query: [5, 15] };
  assert.deepEqual(press(" "), [true, ["free"]]);
  // Five cells on from the first column of six.
  assert.deepEqual(press("ArrowRight", { shiftKey: true }), [true, ["lock", [55, 15]]]);
});

test("before there is a picture nothing happens", () => {
  const { target, told, fire } = targetOf();
  target.session = null;
  fire("pointermove", { clientX: 5, clientY: 5 });
  fire("click", { clientX: 5, clientY: 5 });
  fire("keydown", { key: "Enter" });
  fire("wheel", { deltaY: 5, ctrlKey: true });
  assert.equal(told.length, 0);
});
