// A drawing context that writes SVG: what the panels draw on a canvas, as shapes and words.
// It knows of a canvas's context what the viewer uses; anything else is an error, and fails a test.

import type { Cells } from "../draw/draw_types.ts";

/** A picture that stands in the file as data. */
export interface SvgImage {
  href: string;
  width: number;
  height: number;
}

interface Shared {
  clips: number;
  pictures: Map<SvgImage, string>;
}

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Text as it may stand in XML; what no XML can hold is left out. */
export function escaped(text: unknown): string {
  return String(text)
    .replace(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\p{Surrogate}]/gu, "")
    .replace(/[&<>"]/g, (each) => ENTITIES[each]);
}

const short = (number: number) => `${+number.toFixed(2)}`;
const ANCHORS: Record<string, string> = { left: "start", center: "middle", right: "end" };
// How far the middle of a line of text lies above its base, in sizes of the font.
const MIDDLE = 0.35;

/** A colour of CSS as attributes that every reader of SVG knows: "rgb(1 2 3)" and "rgba(1,2,3,0.5)" too. */
function colour(name: string, css: string): string {
  if (css.startsWith("#")) return `${name}="${css}"`;
  const [red, green, blue, opacity = 1] = (css.match(/[\d.]+/g) ?? []).map(Number);
  return `${name}="${hex(red, green, blue)}"${opacity < 1 ? ` ${name}-opacity="${opacity}"` : ""}`;
}

const hex = (red: number, green: number, blue: number) => `#${((red << 16) | (green << 8) | blue).toString(16).padStart(6, "0")}`;

/** Draws into `parts`, a list of SVG elements; pictures and clips are shared with its children. */
export class SvgContext {
  readonly shared: Shared;
  readonly parts: string[] = [];
  path = "";
  groups = 0;
  saved: number[] = [];
  fillStyle = "#000";
  strokeStyle = "#000";
  lineWidth = 1;
  globalAlpha = 1;
  font = "10px sans-serif";
  textAlign = "left";
  textBaseline = "alphabetic";
  imageSmoothingEnabled = true;

  constructor(shared: Shared = { clips: 0, pictures: new Map() }) {
    this.shared = shared;
    Object.preventExtensions(this);
  }

  child(): SvgContext {
    return new SvgContext(this.shared);
  }

  /** One unit is one unit: the only transformation there is. */
  setTransform(...matrix: number[]): void {
    if (String(matrix) !== "1,0,0,1,0,0") throw new Error(`no transformation ${matrix} in SVG`);
  }

  clearRect(): void {
    this.parts.length = 0;
  }

  save(): void {
    this.saved.push(this.groups);
    this.groups = 0;
  }

  restore(): void {
    this.parts.push("</g>".repeat(this.groups));
    this.groups = this.saved.pop() ?? 0;
  }

  clip(): void {
    const name = `clip${++this.shared.clips}`;
    this.parts.push(`<clipPath id="${name}"><path d="${this.path}"/></clipPath>`);
    this.parts.push(`<g clip-path="url(#${name})">`);
    this.groups++;
  }

  beginPath(): void {
    this.path = "";
  }

  moveTo(x: number, y: number): void {
    this.path += `M${short(x)} ${short(y)}`;
  }

  lineTo(x: number, y: number): void {
    this.path += `L${short(x)} ${short(y)}`;
  }

  quadraticCurveTo(controlX: number, controlY: number, x: number, y: number): void {
    this.path += `Q${short(controlX)} ${short(controlY)} ${short(x)} ${short(y)}`;
  }

  rect(x: number, y: number, width: number, height: number): void {
    this.path += `M${short(x)} ${short(y)}h${short(width)}v${short(height)}h${short(-width)}z`;
  }

  /** A whole circle. */
  arc(x: number, y: number, radius: number): void {
    const [r, across] = [short(radius), short(2 * radius)];
    const half = `a${r} ${r} 0 1 1`;
    this.path += `M${short(x - radius)} ${short(y)}${half} ${across} 0${half} -${across} 0z`;
  }

  fill(): void {
    this.parts.push(`<path d="${this.path}" ${colour("fill", this.fillStyle)}/>`);
  }

  stroke(): void {
    const line = `${colour("stroke", this.strokeStyle)} stroke-width="${short(this.lineWidth)}"`;
    this.parts.push(`<path d="${this.path}" fill="none" ${line}/>`);
  }

  fillRect(x: number, y: number, width: number, height: number): void {
    this.beginPath();
    this.rect(x, y, width, height);
    this.fill();
  }

  fillText(text: string, x: number, y: number): void {
    const [, weight, size, family] = /^(?:(\d+) )?([\d.]+)px (.+)$/.exec(this.font) ?? [];
    const base = this.textBaseline === "middle" ? y + MIDDLE * Number(size) : y;
    const words = [
      `x="${short(x)}" y="${short(base)}" ${colour("fill", this.fillStyle)}`,
      `font-family="${escaped(family)}" font-size="${size}"`,
    ];
    if (weight) words.push(`font-weight="${weight}"`);
    if (this.textAlign !== "left") words.push(`text-anchor="${ANCHORS[this.textAlign]}"`);
    this.parts.push(`<text ${words.join(" ")}>${escaped(text)}</text>`);
  }

  /** Draw cells ({ pixels, height, width }), a picture ({ href, height, width }) or a child. */
  drawImage(image: SvgContext | SvgImage | Cells, x: number, y: number, width: number, height: number): void {
    if (image instanceof SvgContext) {
      this.parts.push(`<g transform="translate(${short(x)} ${short(y)})">`, ...image.parts, "</g>");
      return;
    }
    const scale = [width / image.width, height / image.height].map((each) => +each.toFixed(6));
    const place = `translate(${short(x)} ${short(y)}) scale(${scale.join(" ")})`;
    const opacity = this.globalAlpha < 1 ? ` opacity="${this.globalAlpha}"` : "";
    if ("pixels" in image) {
      // Without smoothing at their edges no light line shows between two cells.
      const group = `<g transform="${place}" shape-rendering="crispEdges"${opacity}>`;
      this.parts.push(group, cellPaths(image), "</g>");
    } else {
      this.parts.push(`<use xlink:href="#${this.#pictureOf(image)}" transform="${place}"${opacity}/>`);
    }
  }

  /** The name of a picture, which stands in the file once. */
  #pictureOf(image: SvgImage): string {
    const { pictures } = this.shared;
    const name = pictures.get(image) ?? `picture${pictures.size + 1}`;
    pictures.set(image, name);
    return name;
  }

  /** The whole file; `about` has title, description, metadata (any text) and language. */
  file(
    width: number, height: number,
    { title, description, metadata, language }: { title: string; description: string; metadata: string; language: string },
  ): string {
    const pictures = [...this.shared.pictures].map(([image, name]) =>
      `<image id="${name}" width="${image.width}" height="${image.height}" xlink:href="${image.href}"/>`);
    return [
      '<?xml version="1.0" encoding="UTF-8"?>',
      '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
        + ` width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" xml:lang="${language}">`,
      `<title>${escaped(title)}</title>`,
      `<desc>${escaped(description)}</desc>`,
      `<metadata>${escaped(metadata)}</metadata>`,
      `<defs>${pictures.join("")}</defs>`,
      ...this.parts,
      "</svg>",
      "",
    ].join("\n");
  }
}

/**
 * Cells as paths, one for each colour, a run of equal cells as one rectangle.
 *
 * Rectangles rather than a small picture stretched: many programs smooth a stretched picture, and
 * then show numbers between two cells that are not there.
 */
export function cellPaths({ pixels, height, width }: Cells): string {
  const paths = new Map<number, string>();
  for (let row = 0; row < height; row++) {
    for (let col = 0, next: number; col < width; col = next) {
      const pixel = pixels[row * width + col];
      next = col + 1;
      while (next < width && pixels[row * width + next] === pixel) next++;
      // 0 is transparent; every other colour is opaque.
      if (!pixel) continue;
      const run = `M${col} ${row}h${next - col}v1h${col - next}z`;
      paths.set(pixel, (paths.get(pixel) ?? "") + run);
    }
  }
  return [...paths].map(([pixel, path]) => {
    const fill = hex(pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255);
    return `<path fill="${fill}" d="${path}"/>`;
  }).join("\n");
}
