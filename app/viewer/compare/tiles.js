// One small multiple on the page: its heading, its map or gates, its scale and its numbers.

import { make } from "../page/dom.ts";
import { piecesOf, signed, valueAt } from "./multiples.js";
import { Panel, imageOf, paint, rampOf } from "../draw/panels.ts";
import { listen } from "../page/pointer.ts";

const PIECES = [["keys", "effect"], ["own", "bits"], ["says"]];
// Seen on a white page and on a black one.
const BARS = "#77849a";
// Of the height, where bars stand under something else.
const UNDER = 0.3;

/** Build the tile of a method; a map of cells speaks to `desk`, as pointer.ts has it. */
export function buildTile({ name, exact }, desk, about) {
  const element = make("article", "multiple", { method: name });
  const heading = make("h4"), title = make("span", "title"), tag = make("span", "what");
  const button = make("button", "about", {}, "?");
  button.type = "button";
  button.addEventListener("click", () => about(name, button));
  heading.append(title, " ", tag);
  const canvas = make("canvas");
  canvas.setAttribute("role", "img");
  if (exact !== "none") listen(canvas, desk);
  const ends = make("div", "ends");
  ends.append(make("span"), make("div", "ramp"), make("span"));
  const line = make("p", "reading-line"), reading = make("span", "reading"), sum = make("span", "sum");
  line.append(reading, " ", sum);
  const lines = make("div", "lines");
  lines.append(...PIECES.map((names) => {
    const line = make("p");
    line.append(...names.flatMap((each) => [make("span", each), " "]));
    return line;
  }));
  const family = make("h3");
  const head = make("div", "about-head");
  head.append(heading, button);
  element.append(family, head, canvas, ends, line, lines);
  element.classList.toggle("gates", exact === "none");
  return { name, element, family, title, tag, button, canvas, ends, reading, sum, lines, panel: new Panel(name, canvas), scene: null };
}

/** Say what a tile shows; without a `reading` there are only its name and room. */
export function tellTile(tile, { texts, session, opacity }, method, reading, scene, heads) {
  tile.scene = scene;
  write(tile.title, method.title);
  write(tile.tag, method.exact === "exact" ? "" : texts.say(`methods.is.${method.exact}`));
  tile.button.title = texts.say("methods.about", { title: method.title });
  tile.button.setAttribute("aria-label", tile.button.title);
  tile.element.classList.toggle("waiting", !reading);
  const pieces = reading ? piecesOf(texts, reading, method, heads) : {};
  for (const span of tile.lines.querySelectorAll("span")) write(span, pieces[span.className] ?? "");
  write(tile.sum, pieces.sum ?? "");
  const label = reading && heads[method.head]?.label;
  const colour = label === undefined ? null : session.colours[session.classes.indexOf(label)];
  tile.lines.classList.toggle("classed", Boolean(colour));
  tile.lines.classList.toggle("dead", Boolean(reading?.dead_below));
  if (colour) tile.lines.style.setProperty("--class", `rgb(${colour.join(" ")})`);
  const [low, ramp, high] = tile.ends.children;
  const range = scene?.range.map(short) ?? ["", ""];
  write(low, range[0]);
  write(high, scene?.clipped ? `≥ ${range[1]}` : range[1]);
  ramp.style.visibility = scene?.bar ? "" : "hidden";
  if (scene?.bar) ramp.style.setProperty("--ramp", rampOf(scene.bar.palette));
  ramp.style.setProperty("--map-opacity", opacity);
  const told = [method.title, tile.tag.textContent, ...[...PIECES.flat(), "sum"].map((each) => pieces[each])].filter(Boolean);
  tile.canvas.setAttribute("aria-label", told.join(texts.say("list.comma")));
}

/** Print the number under the pointer, or under the query. */
export function readTile(tile, { texts, session }, reading, marks) {
  const value = reading ? valueAt(reading, session, marks.hover ?? marks.query) : null;
  const key = marks.hover === null ? "methods.at_query" : "methods.at_pointer";
  write(tile.reading, value === null ? "" : texts.say(key, { value: short(value) }));
}

/** Draw a tile as it is now. */
export function paintTile({ panel, scene }, picture, marks, { opacity, zoom }) {
  if (!scene || (scene.cells && !scene.bars)) panel.draw(scene ?? { note: true }, picture, marks, opacity, zoom);
  else paintGates(panel, scene, picture, marks, opacity, zoom);
}

function paintGates(panel, scene, picture, marks, opacity, zoom) {
  panel.resize();
  const { canvas } = panel, { width, height } = canvas;
  const context = canvas.getContext("2d");
  const above = scene.cells || scene.matrix;
  const top = scene.bars && above ? Math.round((1 - UNDER) * height) : 0;
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, width, height);
  if (scene.cells) {
    const cells = imageOf(scene.cells, panel.cells);
    const density = width / (canvas.clientWidth || 1);
    paint(context, width, top || height, { scene, picture, marks, opacity, zoom, cells, density });
  } else if (scene.matrix) {
    const [down, side] = [top || height, Math.min(width, top || height)];
    context.imageSmoothingEnabled = false;
    context.drawImage(imageOf(scene.matrix, panel.cells), (width - side) / 2, (down - side) / 2, side, side);
  }
  if (scene.bars) paintBars(context, top, width, height - top, scene);
}

/** Bars of the channels' gates, one row for each set; they stand on 0. */
function paintBars(context, top, width, height, { bars: { values, shape: [sets, channels] } }) {
  const low = values.reduce((a, b) => Math.min(a, b), 0), high = values.reduce((a, b) => Math.max(a, b), 0) || 1;
  const row = height / sets, room = 0.9 * row;
  context.fillStyle = BARS;
  values.forEach((value, k) => {
    const place = (share) => top + row * Math.floor(k / channels) + row - ((share - low) / (high - low)) * room;
    const [from, to] = [place(Math.max(value, 0)), place(Math.min(value, 0))];
    const left = ((k % channels) * width) / channels;
    context.fillRect(left, from, Math.max(width / channels - 1, 0.6), Math.max(to - from, 0.5));
  });
}

/** A number to three figures; a whole one, such as none at all, without. */
const short = (value) => (Number.isInteger(value) ? String(value).replace("-", "−") : signed(value));

export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
