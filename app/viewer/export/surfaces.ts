// Where a figure is drawn: on a canvas, for a PNG file, or as SVG.

import { imageOf } from "../draw/panels.ts";
import type { Cells } from "../draw/draw_types.ts";
import type { Measure, Picture, Surface } from "./export_types.ts";
import { type SvgImage, SvgContext } from "./svg.ts";

const JPEG_QUALITY = 0.92;
// A picture as small as this costs little without loss.
const LOSSLESS_PIXELS = 256 * 256;

/** A canvas of `density` pixels a unit. */
export function canvasSurface(
  { width, height }: { width: number; height: number }, picture: Picture, density: number, language: string,
): Surface & { canvas: HTMLCanvasElement } {
  const canvas = canvasOf(width * density, height * density);
  const context = contextOf(canvas, language);
  context.scale(density, density);
  // Panels are copied pixel by pixel, and cells stay flat.
  context.imageSmoothingEnabled = false;
  return {
    canvas, context, density, picture, cells: (cells) => imageOf(cells),
    child(childWidth, childHeight) {
      const child = canvasOf(childWidth, childHeight);
      return { image: child, context: contextOf(child, language) };
    },
  };
}

/** SVG, one unit a unit; photographs stand in it as data. */
export function svgSurface(picture: Picture<SvgImage>): Surface & { context: SvgContext } {
  const context = new SvgContext();
  return {
    context, density: 1, picture, cells: (cells: Cells) => cells,
    child() {
      const child = context.child();
      return { image: child, context: child };
    },
  };
}

/** A picture of the page as SvgContext draws it: its photograph and the faint grey of it as data. */
export function embedded({ bitmap, faint, width, height }: Picture): Picture<SvgImage> {
  const small = width * height <= LOSSLESS_PIXELS;
  const dataOf = (image: CanvasImageSource) => {
    // Through a canvas: turned upright, without what a camera wrote, in a form every program reads.
    const canvas = canvasOf(width, height);
    canvas.getContext("2d")!.drawImage(image, 0, 0, width, height);
    return { href: small ? canvas.toDataURL() : canvas.toDataURL("image/jpeg", JPEG_QUALITY), width, height };
  };
  return { bitmap: dataOf(bitmap), faint: dataOf(faint), width, height };
}

/** How wide a text becomes in a font, as the browser sets it. */
export function measurer(language: string): Measure {
  const context = contextOf(canvasOf(1, 1), language);
  return (text, font) => {
    context.font = font;
    return context.measureText(text).width;
  };
}

function canvasOf(width: number, height: number): HTMLCanvasElement {
  return Object.assign(document.createElement("canvas"), { width, height });
}

/** Chinese characters look different in different languages. */
function contextOf(canvas: HTMLCanvasElement, language: string): CanvasRenderingContext2D {
  canvas.lang = language;
  const context = canvas.getContext("2d")!;
  if ("lang" in context) (context as { lang: string }).lang = language;
  return context;
}
