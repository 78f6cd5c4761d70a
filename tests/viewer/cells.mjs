// The cell of every pixel and the centre of every cell, for test_parity.py:
// node cells.mjs question.json answer.json

import { readFileSync, writeFileSync } from "node:fs";

import { cellOf, centreOf } from "../../app/viewer/core/geometry.ts";

const [question, answer] = process.argv.slice(2);
const found = JSON.parse(readFileSync(question, "utf8")).map(([height, width, imageHeight, imageWidth]) => {
  const grid = { height, width, imageHeight, imageWidth };
  const all = (count, make) => Array.from({ length: count }, (_, index) => make(index));
  return {
    rows: all(imageHeight, (y) => Math.floor(cellOf(grid, [0, y]) / width)),
    columns: all(imageWidth, (x) => cellOf(grid, [x, 0]) % width),
    centres: all(height * width, (cell) => centreOf(grid, cell)),
  };
});
writeFileSync(answer, JSON.stringify(found));
