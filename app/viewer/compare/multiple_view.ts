// One small multiple on the page: its heading, its map or gates, its scale and its numbers.

import { make } from "../page/dom.ts";
import type { Texts } from "../core/texts.ts";
import type { Scene } from "../draw/draw_types.ts";
import type { Session, State } from "../types.ts";
import type { Heads, Marks, Method, MultipleScene, Reading, Values } from "./compare_types.ts";
import { type Piece, piecesOf, signed, valueAt } from "./multiples.ts";
import { type Picture, Panel, imageOf, paint, rampOf } from "../draw/panels.ts";
import { listen } from "../page/pointer.ts";

type Target = Parameters<typeof listen>[1];
/** What a multiple is told in: the words, and the picture that it lies on. */
export interface Told {
  texts: Pick<Texts, "say" | "className">;
  session: Session;
  opacity: number;
}

const PIECES: Piece[][] = [["keys", "effect"], ["own", "bits"], ["says"]];
// Seen on a white page and on a black one.
const BARS = "#77849a";
// Of the height, where bars stand under something else.
const UNDER = 0.3;

/** Build the multiple of a method; a map of cells reports pointer and keys to `target` (`listen` in pointer.ts). */
export function buildMultiple(
  { name, exact }: Pick<Method, "name" | "exact">, target: Target | null, about: (name: string, button: HTMLElement) => void,
) {
  const element = make("article", "multiple", { method: name });
  const heading = make("h4"), title = make("span", "title"), tag = make("span", "what");
  const button = make("button", "about", {}, "?");
  button.type = "button";
  button.addEventListener("click", () => about(name, button));
  heading.append(title, " ", tag);
  const canvas = make("canvas");
  canvas.setAttribute("role", "img");
  if (exact !== "none" && target) listen(canvas, target);
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
  const scene: MultipleScene | null = null;
  return { name, element, family, title, tag, button, canvas, ends, reading, sum, lines, panel: new Panel(name, canvas), scene };
}

export interface Multiple extends Omit<ReturnType<typeof buildMultiple>, "scene"> {
  scene: MultipleScene | null;
}

/** Say what a multiple shows; without a `reading` there are only its name and room. */
export function tellMultiple(
  multiple: Multiple, { texts, session, opacity }: Told, method: Pick<Method, "title" | "exact" | "head">,
  reading: Reading | null, scene: MultipleScene | null, heads: Heads,
): void {
  multiple.scene = scene;
  write(multiple.title, method.title);
  write(multiple.tag, method.exact === "exact" ? "" : texts.say(`methods.is.${method.exact}`));
  multiple.button.title = texts.say("methods.about", { title: method.title });
  multiple.button.setAttribute("aria-label", multiple.button.title);
  multiple.element.classList.toggle("waiting", !reading);
  const pieces = reading ? piecesOf(texts, reading, method, heads) : {};
  for (const span of multiple.lines.querySelectorAll("span")) write(span, pieces[span.className as Piece] ?? "");
  write(multiple.sum, pieces.sum ?? "");
  const label = reading && method.head !== null ? heads[method.head]?.label : undefined;
  const colour = label === undefined ? null : session.palette[session.classes.indexOf(label)];
  multiple.lines.classList.toggle("classed", Boolean(colour));
  multiple.lines.classList.toggle("dead", Boolean(reading?.dead_below));
  if (colour) multiple.lines.style.setProperty("--class", `rgb(${colour.join(" ")})`);
  const [low, ramp, high] = [...multiple.ends.children] as HTMLElement[];
  const range = scene?.range.map(short) ?? ["", ""];
  write(low, range[0]);
  write(high, scene?.clipped ? `≥ ${range[1]}` : range[1]);
  ramp.style.visibility = scene?.bar ? "" : "hidden";
  if (scene?.bar) ramp.style.setProperty("--ramp", rampOf(scene.bar.colormap));
  ramp.style.setProperty("--map-opacity", String(opacity));
  const told = [method.title, multiple.tag.textContent, ...[...PIECES.flat(), "sum" as const].map((each) => pieces[each])].filter(Boolean);
  multiple.canvas.setAttribute("aria-label", told.join(texts.say("list.comma")));
}

/** Print the number under the pointer, or under the query. */
export function readMultiple(multiple: Pick<Multiple, "reading">, { texts, session }: Told, reading: Parameters<typeof valueAt>[0] | null, marks: Marks): void {
  const value = reading ? valueAt(reading, session, marks.hover ?? marks.query) : null;
  const key = marks.hover === null ? "methods.at_query" : "methods.at_pointer";
  write(multiple.reading, value === null ? "" : texts.say(key, { value: short(value) }));
}

/** A multiple as a scene of a panel; without an answer it is the faint picture alone. */
const sceneOf = (scene: MultipleScene | null): Scene => ({ title: "", cells: scene?.cells, note: scene ? undefined : "methods.asking" });

/** Draw a multiple as it is now. */
export function paintMultiple(
  { panel, scene }: Pick<Multiple, "panel" | "scene">, picture: Picture, marks: Marks, { opacity, zoom }: Pick<State, "opacity" | "zoom">,
): void {
  if (scene && (scene.bars || !scene.cells)) paintGates(panel, scene, picture, marks, opacity, zoom);
  else panel.draw(sceneOf(scene), picture, marks, opacity, zoom);
}

function paintGates(panel: Panel, scene: MultipleScene, picture: Picture, marks: Marks, opacity: number, zoom: State["zoom"]): void {
  panel.resize();
  const { canvas } = panel, { width, height } = canvas;
  const context = canvas.getContext("2d")!;
  const above = scene.cells || scene.matrix;
  const top = scene.bars && above ? Math.round((1 - UNDER) * height) : 0;
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, width, height);
  if (scene.cells) {
    const cells = imageOf(scene.cells, panel.cells);
    const density = width / (canvas.clientWidth || 1);
    paint(context, width, top || height, { scene: sceneOf(scene), picture, marks, opacity, zoom, cells, density });
  } else if (scene.matrix) {
    const [down, side] = [top || height, Math.min(width, top || height)];
    context.imageSmoothingEnabled = false;
    context.drawImage(imageOf(scene.matrix, panel.cells), (width - side) / 2, (down - side) / 2, side, side);
  }
  if (scene.bars) paintBars(context, top, width, height - top, scene.bars);
}

/** Bars of the channels' gates, one row for each set; they stand on 0. */
function paintBars(
  context: CanvasRenderingContext2D, top: number, width: number, height: number, { values, shape: [sets, channels] }: Values,
): void {
  const all = [...values], low = Math.min(0, ...all), high = Math.max(0, ...all) || 1;
  const row = height / sets, room = 0.9 * row;
  context.fillStyle = BARS;
  all.forEach((value, k) => {
    const place = (share: number) => top + row * Math.floor(k / channels) + row - ((share - low) / (high - low)) * room;
    const [from, to] = [place(Math.max(value, 0)), place(Math.min(value, 0))];
    const left = ((k % channels) * width) / channels;
    context.fillRect(left, from, Math.max(width / channels - 1, 0.6), Math.max(to - from, 0.5));
  });
}

/** A number to three figures; a whole one, such as none at all, without. */
const short = (value: number) => (Number.isInteger(value) ? String(value).replace("-", "−") : signed(value));

export function write(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
