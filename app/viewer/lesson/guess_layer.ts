// The canvas that a guess is drawn on, over the canvas of a panel: by pointer, finger or keyboard.

import { IDEAS } from "../core/ideas.ts";
import { cellOf, placeIn, placeOf } from "../core/geometry.ts";
import { stroke, traceEdges } from "../draw/marks.ts";
import { make } from "../page/dom.ts";
import { ARROWS, pixelAt } from "../page/pointer.ts";
import type { Grid, Zoom } from "../types.ts";
import { brushOf, strokeOf } from "./guess.ts";

/** What the layer draws and is told. */
export interface Drawing {
  grid: Grid;
  zoom: Zoom;
  picture: { width: number; height: number };
  marked: Uint8Array;
  /** The answer, once it is shown. */
  answer: Uint8Array | null;
  query: number | null;
}

export interface Strokes {
  /** Mark cells, or take their marks away. */
  mark(cells: Iterable<number>, on: boolean): void;
  look(): void;
  cancel(): void;
}

const REACH = 1, BIG_STEP = 5;
const MARK = "rgba(255,255,255,0.62)";
// Of the same idea as what is kept, and light enough to be seen on it.
const ANSWER = "#35e0ae";

export class GuessLayer {
  readonly canvas = make("canvas", "guess-layer");
  #drawing: Drawing | null = null;
  #cursor = 0;
  #stroke: { last: number; on: boolean } | null = null;
  readonly #strokes: Strokes;
  readonly #sizes = new ResizeObserver(() => this.#paint());

  constructor(strokes: Strokes) {
    this.#strokes = strokes;
    const { canvas } = this;
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "application");
    canvas.addEventListener("pointerdown", (event) => this.#start(event));
    canvas.addEventListener("pointermove", (event) => this.#go(event));
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { this.#stroke = null; });
    canvas.addEventListener("keydown", (event) => this.#press(event));
    for (const event of ["focus", "blur"]) canvas.addEventListener(event, () => this.#paint());
  }

  /** Lie over a panel's canvas and begin at a cell. */
  cover(panel: HTMLCanvasElement, cursor: number): void {
    this.#cursor = cursor;
    // Beside the panel, not in it: what a panel has is one canvas.
    const section = panel.closest(".panel");
    if (section && section.nextElementSibling !== this.canvas) section.after(this.canvas);
    this.#sizes.disconnect();
    this.#sizes.observe(panel);
    this.#panel = panel;
  }

  remove(): void {
    this.#sizes.disconnect();
    this.canvas.remove();
    this.#drawing = null;
  }

  draw(drawing: Drawing): void {
    this.#drawing = drawing;
    // The answer is looked at through it.
    this.canvas.classList.toggle("is-answered", drawing.answer !== null);
    this.canvas.tabIndex = drawing.answer ? -1 : 0;
    this.#paint();
  }

  #panel: HTMLCanvasElement | null = null;

  #cellAt(event: PointerEvent): number | null {
    if (!this.#drawing) return null;
    const { picture, grid, zoom } = this.#drawing;
    const pixel = pixelAt(this.canvas, event, picture, grid, zoom);
    return pixel ? cellOf(grid, pixel) : null;
  }

  #start(event: PointerEvent): void {
    const cell = this.#cellAt(event), drawing = this.#drawing;
    if (cell === null || !drawing || event.button !== 0) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.#stroke = { last: cell, on: !drawing.marked[cell] };
    this.#cursor = cell;
    this.#strokes.mark(brushOf(drawing.grid, cell, REACH), this.#stroke.on);
  }

  #go(event: PointerEvent): void {
    const cell = this.#cellAt(event);
    if (!this.#drawing || cell === null || (!this.#stroke && cell === this.#cursor)) return;
    this.#cursor = cell;
    if (this.#stroke && cell !== this.#stroke.last) {
      this.#strokes.mark(strokeOf(this.#drawing.grid, this.#stroke.last, cell, REACH), this.#stroke.on);
      this.#stroke.last = cell;
    } else this.#paint();
  }

  #press(event: KeyboardEvent): void {
    const drawing = this.#drawing;
    if (!drawing || event.ctrlKey || event.metaKey || event.altKey) return;
    const { key, shiftKey } = event, step = (ARROWS as Record<string, number[]>)[key];
    if (step) {
      const { height, width } = drawing.grid, { row, column } = placeOf(drawing.grid, this.#cursor);
      const [down, right] = step.map((each) => each * (shiftKey ? BIG_STEP : 1));
      const clamp = (value: number, most: number) => Math.min(Math.max(value, 0), most);
      this.#cursor = clamp(row + down, height - 1) * width + clamp(column + right, width - 1);
      this.#paint();
    } else if (key === " ") this.#strokes.mark(brushOf(drawing.grid, this.#cursor, REACH), !drawing.marked[this.#cursor]);
    else if (key === "Enter") this.#strokes.look();
    else if (key === "Escape") this.#strokes.cancel();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #paint(): void {
    const { canvas } = this, drawing = this.#drawing, panel = this.#panel;
    const context = canvas.getContext("2d");
    if (!drawing || !panel || !context) return;
    const { clientWidth, clientHeight } = panel, density = window.devicePixelRatio || 1;
    // What the layer is placed in: on a phone the panels are no box of their own, and the page is it.
    const here = canvas.offsetParent, outer = here?.getBoundingClientRect(), inner = panel.getBoundingClientRect();
    if (!here || !outer) return;
    const left = inner.left - outer.left - here.clientLeft + here.scrollLeft, top = inner.top - outer.top - here.clientTop + here.scrollTop;
    Object.assign(canvas.style, { left: `${left}px`, top: `${top}px`, width: `${clientWidth}px`, height: `${clientHeight}px` });
    Object.assign(canvas, { width: Math.round(clientWidth * density), height: Math.round(clientHeight * density) });
    const { grid: { height, width }, marked, answer } = drawing;
    const place = placeIn(canvas.width, canvas.height, drawing.picture, drawing.zoom);
    context.save();
    context.beginPath();
    context.rect(place.x, place.y, place.width, place.height);
    context.clip();
    const boxOf = (cell: number, cells = 1): [number, number, number, number] => {
      const row = Math.floor(cell / width), column = cell % width, around = (cells - 1) / 2;
      const [x, y] = place.toBox((column - around) / width, (row - around) / height);
      const [right, below] = place.toBox((column + 1 + around) / width, (row + 1 + around) / height);
      return [x, y, right - x, below - y];
    };
    // Without seams between neighbours.
    const fill = (cell: number, colour: string) => {
      const [x, y, w, h] = boxOf(cell), [left, top] = [Math.round(x), Math.round(y)];
      context.fillStyle = colour;
      context.fillRect(left, top, Math.round(x + w) - left, Math.round(y + h) - top);
    };
    marked.forEach((mark, cell) => {
      if (!answer) {
        if (mark) fill(cell, MARK);
      } else if (mark && answer[cell]) fill(cell, IDEAS.kept.fill);
      else if (mark) fill(cell, IDEAS.refused.fill);
    });
    if (answer) {
      traceEdges(context, place, { values: answer }, height, width);
      stroke(context, "#000", 5 * density);
      stroke(context, ANSWER, 3 * density);
    }
    if (drawing.query !== null) frame(context, boxOf(drawing.query), density, "#fff");
    if (!answer && document.activeElement === canvas) frame(context, boxOf(this.#cursor, 2 * REACH + 1), density, IDEAS.choosing.fill);
    context.restore();
  }
}

function frame(context: CanvasRenderingContext2D, [x, y, w, h]: [number, number, number, number], density: number, colour: string): void {
  context.beginPath();
  context.rect(x, y, w, h);
  stroke(context, "#000", 4 * density);
  stroke(context, colour, 2 * density);
}
