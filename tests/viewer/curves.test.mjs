// Lines to partners: where they begin, bend and end, how wide they are, and how they are drawn.

import assert from "node:assert/strict";
import { test } from "node:test";

import { placeIn } from "../../app/viewer/core/geometry.ts";
import { curvesOf } from "../../app/viewer/draw/curves.ts";
import { paintMarks } from "../../app/viewer/draw/marks.ts";
import { SvgContext } from "../../app/viewer/export/svg.ts";

const GRID = { height: 9, width: 16 }, PICTURE = { width: 640, height: 450 }, ASPECT = 640 / 450;
const cellAt = (row, column) => row * GRID.width + column;
const QUERY = cellAt(4, 7);
const near = (found, expected) => assert.ok(Math.abs(found - expected) < 1e-9, `${found} is not ${expected}`);

const curveTo = (key, share = 1, query = QUERY) => curvesOf(GRID, ASPECT, query, [{ key, share }])[0];
const inPixels = ([across, along]) => [across * PICTURE.width, along * PICTURE.height];
const middleOf = (cell) => [((cell % 16) + 0.5) * 40, (Math.floor(cell / 16) + 0.5) * 50];

/** The point of a curve at `t`, in pixels. */
function pointAt({ from, control, to }, t) {
  const [[x0, y0], [x1, y1], [x2, y2]] = [from, control, to].map(inPixels);
  const mixed = (a, b, c) => (1 - t) ** 2 * a + 2 * t * (1 - t) * b + t ** 2 * c;
  return [mixed(x0, x1, x2), mixed(y0, y1, y2)];
}

/** How far the middle of a curve lies from the straight line, in lengths of that line; to the left of its way above 0. */
function bendOf(curve) {
  const [[x0, y0], [x, y], [x2, y2]] = [0, 0.5, 1].map((t) => pointAt(curve, t));
  return ((y2 - y0) * (x - x0) - (x2 - x0) * (y - y0)) / ((x2 - x0) ** 2 + (y2 - y0) ** 2);
}

test("a line runs from the middle of the query to that of its partner, and bends by a tenth of its length", () => {
  for (const key of [cellAt(4, 8), cellAt(1, 7), cellAt(7, 2), cellAt(6, 12), cellAt(3, 6)]) {
    const curve = curveTo(key);
    for (const [t, cell] of [[0, QUERY], [1, key]]) {
      pointAt(curve, t).forEach((each, k) => near(each, middleOf(cell)[k]));
    }
    near(bendOf(curve), 0.1);
  }
});

test("by hand: the middle of a line to the right lies above it, of one downwards to the right of it", () => {
  // Four cells of 40 pixels to the right, two of 50 down.
  const [[x, y], [column, row]] = [pointAt(curveTo(cellAt(4, 11)), 0.5), pointAt(curveTo(cellAt(6, 7)), 0.5)];
  [[x, 380], [y, 225 - 16], [column, 300 + 10], [row, 275]].forEach((pair) => near(...pair));
});

test("lines to cells on one ray part from each other", () => {
  const [short, long] = [curveTo(cellAt(4, 9)), curveTo(cellAt(4, 13))];
  // At the end of the short one the long one is above it.
  const t = Array.from({ length: 101 }, (_, k) => k / 100).find((each) => pointAt(long, each)[0] >= pointAt(short, 1)[0]);
  assert.ok(pointAt(short, 1)[1] - pointAt(long, t)[1] > 10);
});

test("at the border a line bends into the picture, whichever side that is", () => {
  const corners = [cellAt(0, 0), cellAt(0, 15), cellAt(8, 15), cellAt(8, 0)];
  corners.forEach((query, k) => {
    for (const key of [corners[(k + 1) % 4], corners[(k + 3) % 4]]) {
      const curve = curveTo(key, 1, query);
      near(Math.abs(bendOf(curve)), 0.1);
      for (let t = 0; t <= 1; t += 0.1) {
        const [x, y] = pointAt(curve, t);
        assert.ok(x >= 0 && x <= PICTURE.width && y >= 0 && y <= PICTURE.height, `${query} to ${key}: ${x}, ${y}`);
      }
    }
  });
});

test("the larger its weight, the wider and the more opaque a line; the largest is drawn last", () => {
  const shares = [1, 0.5, 0.02, 0.8], keys = [3, 40, 70, 100];
  const lines = shares.map((share, k) => ({ key: keys[k], share }));
  const curves = curvesOf(GRID, ASPECT, QUERY, lines);
  assert.deepEqual(curves.map(({ to }) => to), [70, 40, 100, 3].map((key) => curveTo(key).to));
  for (const [k, curve] of curves.entries()) {
    const before = curves[k - 1] ?? { width: 1, opacity: 0.6 };
    assert.ok(curve.width > before.width && curve.opacity > before.opacity);
    near(curve.casing, curve.width + 1.6);
  }
  const { width, opacity } = curves.at(-1);
  assert.deepEqual([width, opacity], [2.8, 0.95]);
  // Linear in the weight.
  near(curveTo(3, 0.5).width, (curveTo(3, 0).width + width) / 2);
  assert.deepEqual(lines.map(({ share }) => share), shares, "what is given stays as it is");
});

function drawn({ set = null, zoom = [1, 0, 0], density = 1, lines }) {
  const context = new SvgContext();
  const marks = { grid: GRID, query: QUERY, hover: null, pins: [], set };
  paintMarks(context, placeIn(640, 450, PICTURE, zoom), { title: "", lines }, marks, density);
  return context.parts.filter((part) => part.includes("Q"));
}

test("a line is a dark curve with a white one over it, from middle to middle under a zoom too", () => {
  const lines = [{ key: cellAt(4, 11), share: 1 }, { key: cellAt(6, 7), share: 0.2 }];
  const parts = drawn({ lines, density: 2 });
  assert.equal(parts.length, 4);
  assert.deepEqual(parts.map((part) => /stroke="(#\w+)"/.exec(part)[1]), ["#000000", "#ffffff", "#000000", "#ffffff"]);
  assert.deepEqual(parts.map((part) => +/stroke-width="([\d.]+)"/.exec(part)[1]), [5.92, 2.72, 8.8, 5.6]);
  assert.deepEqual(parts.map((part) => +/stroke-opacity="([\d.]+)"/.exec(part)[1]), [0.85, 0.67, 0.85, 0.95]);
  assert.match(parts[3], /d="M300 225Q380 193 460 225"/);
  const [under] = drawn({ lines: lines.slice(0, 1), zoom: [2, 0.25, 0.25] });
  assert.match(under, /d="M280 225Q440 161 600 225"/);
  assert.deepEqual(drawn({ lines, set: [[3, 2]] }), [], "a set has no partners of one cell");
});
