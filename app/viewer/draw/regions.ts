// Regions of classes over the photograph: half-transparent, outlined, with their names in them.

import { inkOn } from "../core/classes.ts";
import type { InBox } from "../core/geometry.ts";
import { type Loop, type Region, outlineOf, regionsOf } from "../core/regions.ts";
import type { Context } from "./panels.ts";

const HALO = "rgba(0,0,0,0.55)";
// Of the opacity that maps have: the photograph stays in sight.
const FILL = 0.5;
const FONT = 12, PAD = 6, TALL = 18, APART = 3;

/** One class of a segmentation. */
export interface ClassShown {
  name: string;
  /** "#rrggbb". */
  colour: string;
  /** The background has neither fill nor outline nor name. */
  isLeftOver: boolean;
}

/** Where a name stands, in the units of the canvas; `x` and `y` are its top left. */
export interface Name {
  text: string;
  x: number;
  y: number;
  width: number;
  height: number;
  colour: string;
}

/** The classes of labels, row by row, and their outlines, which are found when they are first drawn. */
export class Regions {
  readonly labels: Uint8Array;
  readonly height: number;
  readonly width: number;
  readonly classes: readonly (ClassShown | undefined)[];
  private readonly outlines = new Map<number, Loop[]>();
  private known: Region[] | null = null;

  /** Labels that no class has are left open. */
  constructor(labels: Uint8Array, height: number, width: number, classes: readonly (ClassShown | undefined)[]) {
    [this.labels, this.height, this.width, this.classes] = [labels, height, width, classes];
  }

  /** The labels that are outlined. */
  get drawn(): number[] {
    return [...new Set(this.labels)].filter((label) => this.classes[label] && !this.classes[label].isLeftOver);
  }

  outline(label: number): Loop[] {
    let loops = this.outlines.get(label);
    if (!loops) {
      loops = outlineOf(this.labels, this.height, this.width, label);
      this.outlines.set(label, loops);
    }
    return loops;
  }

  /** The regions that are large enough for a name. */
  get named(): Region[] {
    const { classes } = this;
    this.known ??= regionsOf(this.labels, this.height, this.width, (label) => Boolean(classes[label] && !classes[label].isLeftOver));
    return this.known;
  }
}

/** How wide a text becomes, near enough: a letter of Chinese is as wide as it is tall. */
export const widthOf = (text: string, size: number): number =>
  size * [...text].reduce((sum, each) => sum + (each > "\u2e7f" ? 1 : each === " " ? 0.3 : 0.58), 0);

/** Where the names stand so that none covers another and all are in the picture, the largest regions first. */
export function namesOf(regions: Regions, place: InBox, density: number, nameOf: (name: string) => string): Name[] {
  const names: Name[] = [];
  const height = TALL * density, pad = PAD * density, apart = APART * density;
  for (const { label, spots } of regions.named) {
    const { name, colour } = regions.classes[label]!;
    const text = nameOf(name), width = widthOf(text, FONT * density) + 2 * pad;
    for (const { x, y, room } of spots) {
      const [cx, cy] = place.toBox(x, y);
      const isSeen = cx > place.x && cy > place.y && cx < place.x + place.width && cy < place.y + place.height;
      if (!isSeen || 2 * room * place.width * place.factor < height || width > place.width) continue;
      const left = Math.min(Math.max(cx - width / 2, place.x), place.x + place.width - width);
      const top = Math.min(Math.max(cy - height / 2, place.y), place.y + place.height - height);
      const isFree = names.every((other) => (
        left > other.x + other.width + apart || left + width + apart < other.x
        || top > other.y + other.height + apart || top + height + apart < other.y
      ));
      if (!isFree) continue;
      names.push({ text, x: left, y: top, width, height, colour });
      break;
    }
  }
  return names;
}

/** How regions are drawn: `cells` is their fill as an image, `alone` the label that is shown by itself. */
export interface RegionsPainted {
  regions: Regions;
  cells: CanvasImageSource;
  /** The photograph, for the region that is shown alone. */
  bitmap: CanvasImageSource;
  opacity: number;
  density: number;
  alone: number | null;
  nameOf: (name: string) => string;
}

/** Draw fills, outlines and names over a picture that is there already. */
export function paintRegions(context: Context, place: InBox, { regions, cells, bitmap, opacity, density, alone, nameOf }: RegionsPainted): void {
  const [left, top] = place.toBox(0, 0);
  const [w, h] = [place.width * place.factor, place.height * place.factor];
  const trace = (label: number) => {
    context.beginPath();
    for (const loop of regions.outline(label)) traceLoop(context, place, loop);
  };
  if (alone !== null) {
    context.save();
    trace(alone);
    context.clip("evenodd");
    context.drawImage(bitmap, left, top, w, h);
  }
  context.globalAlpha = FILL * opacity;
  context.imageSmoothingEnabled = true;
  context.drawImage(cells, left, top, w, h);
  context.globalAlpha = 1;
  if (alone !== null) context.restore();
  const labels = alone === null ? regions.drawn : [alone];
  for (const [colour, weight] of [[HALO, 3], [null, 1.6]] as const) {
    for (const label of labels) {
      trace(label);
      context.strokeStyle = colour ?? regions.classes[label]?.colour ?? HALO;
      context.lineWidth = weight * density;
      context.stroke();
    }
  }
  const names = namesOf(regions, place, density, nameOf);
  for (const { text, x, y, width, height, colour } of names) {
    if (alone !== null && colour !== regions.classes[alone]?.colour) continue;
    pill(context, x, y, width, height);
    context.fillStyle = colour;
    context.fill();
    context.fillStyle = inkOn(colour);
    context.font = `600 ${FONT * density}px system-ui, sans-serif`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText(text, x + width / 2, y + height / 2 + 0.5 * density);
  }
}

function traceLoop(context: Context, place: InBox, loop: Loop): void {
  context.moveTo(...place.toBox(loop[0], loop[1]));
  for (let k = 2; k < loop.length; k += 2) context.lineTo(...place.toBox(loop[k], loop[k + 1]));
  context.lineTo(...place.toBox(loop[0], loop[1]));
}

/** A box with slanted corners, of straight lines alone. */
function pill(context: Context, x: number, y: number, width: number, height: number): void {
  const r = height / 5;
  context.beginPath();
  context.moveTo(x + r, y);
  for (const [px, py] of [
    [x + width - r, y], [x + width, y + r], [x + width, y + height - r], [x + width - r, y + height],
    [x + r, y + height], [x, y + height - r], [x, y + r], [x + r, y],
  ]) context.lineTo(px, py);
}
