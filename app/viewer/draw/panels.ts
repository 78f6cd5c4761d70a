// The six canvases: one picture, one zoom and one pointer in all of them.

import { placeIn } from "../core/geometry.ts";
import { colormapOf } from "../core/scale.ts";
import { DARK, WHITE, paintMarks, stroke } from "./marks.ts";
import { type Regions, paintRegions } from "./regions.ts";
import type { Zoom } from "../types.ts";
import type { Cells, Marks, Scene } from "./draw_types.ts";

/** A picture as the panels share it: itself, and a faint grey of it for maps to lie on. */
export interface Picture {
  bitmap: CanvasImageSource;
  faint: CanvasImageSource;
  width: number;
  height: number;
}

/** Decode a picture. */
export async function pictureOf(bytes: Uint8Array<ArrayBuffer>): Promise<Picture> {
  const bitmap = await createImageBitmap(new Blob([bytes]));
  const { width, height } = bitmap;
  const faint = canvasOf(width, height);
  const context = contextOf(faint, { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  const image = context.getImageData(0, 0, width, height);
  const { data } = image;
  for (let p = 0; p < data.length; p += 4) {
    const grey = 0.299 * data[p] + 0.587 * data[p + 1] + 0.114 * data[p + 2];
    // Dark, so that the colours of a map are light on it, on a white page and on a black one.
    data[p] = data[p + 1] = data[p + 2] = 26 + (90 * grey) / 255;
  }
  context.putImageData(image, 0, 0);
  return { bitmap, faint, width, height };
}

/** The same picture in fewer pixels, for many small maps of it. */
export function smallOf({ bitmap, faint, width, height }: Picture, side: number): Picture {
  const share = Math.min(1, side / Math.max(width, height));
  const scaled = (image: CanvasImageSource) => {
    const canvas = canvasOf(Math.round(share * width), Math.round(share * height));
    const context = contextOf(canvas);
    context.imageSmoothingQuality = "high";
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    return canvas;
  };
  return { bitmap: scaled(bitmap), faint: scaled(faint), width, height };
}

function canvasOf(width: number, height: number): HTMLCanvasElement {
  return Object.assign(document.createElement("canvas"), { width, height });
}

const contextOf = (canvas: HTMLCanvasElement, how?: CanvasRenderingContext2DSettings): CanvasRenderingContext2D =>
  canvas.getContext("2d", how)!;

/** One canvas with the cells of a scene over the picture, and the marks every panel has. */
export class Panel {
  readonly name: string;
  readonly canvas: HTMLCanvasElement;
  readonly cells = canvasOf(1, 1);
  private shown: Cells | null = null;
  private readonly ground = canvasOf(1, 1);
  private grounded: unknown[] = [];

  constructor(name: string, canvas: HTMLCanvasElement) {
    this.name = name;
    this.canvas = canvas;
  }

  /** Give the canvas as many pixels as it has on the screen. */
  resize(): void {
    const density = window.devicePixelRatio || 1;
    const { clientWidth, clientHeight } = this.canvas;
    const [width, height] = [Math.round(clientWidth * density), Math.round(clientHeight * density)];
    if (this.canvas.width === width && this.canvas.height === height) return;
    Object.assign(this.canvas, { width, height });
  }

  draw(scene: Scene, picture: Picture, marks: Marks, opacity: number, zoom: Zoom): void {
    this.resize();
    const { width, height } = this.canvas;
    // A hidden panel has no size; it is drawn when it has one.
    if (!width || !height) return;
    const painted = { scene, picture, marks, opacity, zoom, cells: this.#cellsOf(scene), density: width / (this.canvas.clientWidth || 1) };
    const context = contextOf(this.canvas);
    if (!scene.regions) return paint(context, width, height, painted);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    context.drawImage(this.#groundOf(painted), 0, 0);
    paintOver(context, width, height, painted);
  }

  /** Regions stay the same while the pointer moves, and take long to draw: they are kept as an image. */
  #groundOf(painted: Painted): HTMLCanvasElement {
    const { scene, picture, marks, opacity, zoom } = painted, { width, height } = this.canvas;
    const parts = [scene, picture, marks.alone, marks.wipe, marks.nameOf, opacity, zoom, width, height];
    if (parts.some((each, k) => each !== this.grounded[k])) {
      this.grounded = parts;
      Object.assign(this.ground, { width, height });
      paintGround(contextOf(this.ground), width, height, painted);
    }
    return this.ground;
  }

  /** The scene's cells as a canvas of one pixel a cell, kept while they are the same. */
  #cellsOf({ cells }: Scene): HTMLCanvasElement | null {
    if (!cells) return null;
    if (this.shown !== cells) {
      imageOf(cells, this.cells);
      this.shown = cells;
    }
    return this.cells;
  }
}

/** Write `pixels` of `height` x `width` into a canvas, one pixel each. */
export function imageOf({ pixels, height, width }: Cells, canvas = canvasOf(width, height)): HTMLCanvasElement {
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const bytes = new Uint8ClampedArray(pixels.buffer as ArrayBuffer, pixels.byteOffset, pixels.byteLength);
  contextOf(canvas).putImageData(new ImageData(bytes, width, height), 0, 0);
  return canvas;
}

/** A context that panels are drawn into: of a canvas, or one that writes SVG. */
export type Context = CanvasRenderingContext2D;

/** What is drawn; `cells` are those of the scene as an image, `density` is pixels in a unit. */
export interface Painted {
  scene: Scene;
  picture: Picture;
  marks: Marks;
  opacity: number;
  zoom: Zoom;
  cells: CanvasImageSource | null;
  density: number;
}

/** Draw one panel into a context of `width` x `height` pixels. */
export function paint(context: Context, width: number, height: number, painted: Painted): void {
  paintGround(context, width, height, painted);
  paintOver(context, width, height, painted);
}

/** The picture with its cells, without marks. */
function paintGround(context: Context, width: number, height: number, { scene, picture, marks, opacity, zoom, cells, density }: Painted): void {
  const place = placeIn(width, height, picture, zoom);
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, width, height);
  context.save();
  context.beginPath();
  context.rect(place.x, place.y, place.width, place.height);
  context.clip();
  const [left, top] = place.toBox(0, 0);
  const [w, h] = [place.width * place.factor, place.height * place.factor];
  context.imageSmoothingEnabled = true;
  const { alone = null, nameOf = String } = marks, { regions } = scene;
  const isFaint = regions ? alone !== null || scene.isFaint : cells || scene.note || scene.isVeiled;
  context.drawImage(isFaint ? picture.faint : picture.bitmap, left, top, w, h);
  if (cells && regions) {
    const { beside } = scene, split = beside ? width * (marks.wipe ?? 0.5) : width;
    const half = (from: number, to: number, shown: Regions, image: CanvasImageSource) => {
      context.save();
      context.beginPath();
      context.rect(from, 0, to - from, height);
      context.clip();
      paintRegions(context, place, { regions: shown, cells: image, bitmap: picture.bitmap, opacity, density, alone, nameOf });
      context.restore();
    };
    half(0, split, regions, cells);
    if (beside) {
      half(split, width, beside.regions, imageOf(beside.cells));
      context.beginPath();
      context.moveTo(split, 0);
      context.lineTo(split, height);
      stroke(context, DARK, 4 * density);
      stroke(context, WHITE, 2 * density);
    }
  } else if (cells) {
    // Each cell one flat colour: nothing is smoothed into a number that is not there.
    context.imageSmoothingEnabled = false;
    context.globalAlpha = opacity;
    context.drawImage(cells, left, top, w, h);
    context.globalAlpha = 1;
  }
  context.restore();
}

/** The marks over a picture. */
function paintOver(context: Context, width: number, height: number, { scene, picture, marks, zoom, density }: Painted): void {
  const place = placeIn(width, height, picture, zoom);
  context.save();
  context.beginPath();
  context.rect(place.x, place.y, place.width, place.height);
  context.clip();
  paintMarks(context, place, scene, marks, density);
  context.restore();
}

/** A colormap as the value of CSS `background`. */
export function rampOf(colormap: string): string {
  const table = colormapOf(colormap);
  const stops = Array.from({ length: 11 }, (_, k) => `rgb(${table[Math.round((k / 10) * 255)].join(" ")})`);
  return `linear-gradient(90deg, ${stops.join(", ")})`;
}
