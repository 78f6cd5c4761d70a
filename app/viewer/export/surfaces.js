// Where a figure is drawn: on a canvas, for a PNG file, or as SVG.

import { imageOf } from "../draw/panels.ts";
import { SvgContext } from "./svg.js";

const JPEG_QUALITY = 0.92;
// A picture as small as this costs little without loss.
const LOSSLESS_PIXELS = 256 * 256;

/** A canvas of `density` pixels a unit. */
export function canvasSurface({ width, height }, picture, density, language) {
  const canvas = canvasOf(width * density, height * density);
  const context = contextOf(canvas, language);
  context.scale(density, density);
  // Panels are copied pixel by pixel, and cells stay flat.
  context.imageSmoothingEnabled = false;
  return {
    canvas, context, density, picture, cells: imageOf,
    child(childWidth, childHeight) {
      const child = canvasOf(childWidth, childHeight);
      return { image: child, context: contextOf(child, language) };
    },
  };
}

/** SVG, one unit a unit; photographs stand in it as data. */
export function svgSurface(picture) {
  const context = new SvgContext();
  return {
    context, density: 1, picture, cells: (cells) => cells,
    child() {
      const child = context.child();
      return { image: child, context: child };
    },
  };
}

/** A picture of the page as SvgContext draws it: its photograph and the faint grey of it as data. */
export function embedded({ bitmap, faint, width, height }) {
  const small = width * height <= LOSSLESS_PIXELS;
  const dataOf = (image) => {
    // Through a canvas: turned upright, without what a camera wrote, in a form every program reads.
    const canvas = canvasOf(width, height);
    canvas.getContext("2d").drawImage(image, 0, 0, width, height);
    return { href: small ? canvas.toDataURL() : canvas.toDataURL("image/jpeg", JPEG_QUALITY), width, height };
  };
  return { bitmap: dataOf(bitmap), faint: dataOf(faint), width, height };
}

/** How wide a text becomes in a font, as the browser sets it. */
export function measurer(language) {
  const context = contextOf(canvasOf(1, 1), language);
  return (text, font) => {
    context.font = font;
    return context.measureText(text).width;
  };
}

function canvasOf(width, height) {
  return Object.assign(document.createElement("canvas"), { width, height });
}

/** Chinese characters look different in different languages. */
function contextOf(canvas, language) {
  canvas.lang = language;
  const context = canvas.getContext("2d");
  if ("lang" in context) context.lang = language;
  return context;
}
