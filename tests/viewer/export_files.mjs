// Writes what the viewer exports, for other programs to read: see test_export.py.
//   node export_files.mjs files FOLDER             the numbers and the figure of a small moment
//   node export_files.mjs page FOLDER PACKET       page.html of a packet; FOLDER has program.js and words.json

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { manifestOf } from "../../app/viewer/export/metadata.ts";
import { arraysNpz, neighboursCsv } from "../../app/viewer/export/data_files.ts";
import { withTexts } from "../../app/viewer/export/png.ts";
import { standalonePage } from "../../app/viewer/export/standalone_page.ts";
import { PANELS } from "../../app/viewer/draw/scenes.ts";
import { figureOf } from "../../app/viewer/export/figure.ts";
import { START } from "../../app/viewer/core/state.ts";
import { svgSurface } from "../../app/viewer/export/surfaces.ts";
import { smallViewer } from "./export_moment.mjs";

const [what, folder, packet] = process.argv.slice(2);
const write = (name, content) => writeFileSync(join(folder, name), content);

function writeFiles() {
  const viewer = smallViewer();
  const { row, column, numbers, ...rest } = viewer.moment.row;
  const about = { Title: "A lane · 阈值", Comment: JSON.stringify(manifestOf(viewer)) };
  write("query.csv", neighboursCsv(viewer.moment));
  write("query.npz", arraysNpz(viewer));
  write("told.png", withTexts(new Uint8Array(readFileSync(join(folder, "plain.png"))), about));
  write("figure.svg", figure(viewer));
  const listed = Object.entries(rest).map(([name, values]) => [name, values.length ? [...values] : values]);
  write("row.json", JSON.stringify({ ...Object.fromEntries(listed), column: [...column.weights] }));
}

function figure(viewer) {
  const sheet = figureOf(viewer, PANELS, (text, font) => text.length * 0.55 * /([\d.]+)px/.exec(font)[1]);
  const href = `data:image/png;base64,${readFileSync(join(folder, "plain.png")).toString("base64")}`;
  const picture = { href, width: 99, height: 61 };
  const surface = svgSurface({ bitmap: picture, faint: { ...picture }, width: 99, height: 61 });
  sheet.draw(surface);
  const about = { title: sheet.title, description: sheet.lines.join("\n"), metadata: "{}", language: "en" };
  return surface.context.file(sheet.width, sheet.height, about);
}

function writePage() {
  const bytes = readFileSync(packet);
  write("page.html", standalonePage({
    program: readFileSync(join(folder, "program.js"), "utf8"),
    lesson: readFileSync(join(folder, "lesson.js"), "utf8"),
    packet: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length),
    title: "A lane",
    networkTitle: "ASA",
    words: JSON.parse(readFileSync(join(folder, "words.json"), "utf8")),
    state: {
      ...START, picture: "leuven_lane", language: "en", network: "asa_mobilenetv2_outdoor", query: [500, 420], locked: true,
    },
  }));
}

if (what === "page") writePage();
else writeFiles();
