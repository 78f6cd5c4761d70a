// Cells and pixels in colours, as the panels lie on the picture.

import type { Rgb, Session } from "../types.ts";
import type { Cells, ScaleLike } from "./draw_types.ts";
import { colormapOf, rgbOf } from "../core/scale.ts";

/** A colour of three bytes as one number of ImageData, opaque; 0 is transparent. */
export const packed = ([r, g, b]: Rgb): number => (0xff000000 | (b << 16) | (g << 8) | r) >>> 0;

/** The cells in the colours of their numbers; those that are not `shown` stay open. */
export function coloured(
  session: Session, values: ArrayLike<number>, scale: ScaleLike, colormap: string, shown: (cell: number) => boolean = () => true,
): Cells {
  const table = colormapOf(colormap).map(packed);
  const pixels = new Uint32Array(session.n);
  for (let j = 0; j < pixels.length; j++) {
    if (shown(j)) pixels[j] = table[Math.round(scale.position(values[j]) * (table.length - 1))];
  }
  return { pixels, height: session.height, width: session.width };
}

/** The cells in the colours that their indices name; below 0 they stay open. */
export function painted(session: Session, indices: ArrayLike<number>, colours: string[]): Cells {
  const table = colours.map((colour) => packed(rgbOf(colour)));
  const pixels = Uint32Array.from(indices, (index) => (index < 0 ? 0 : table[index]));
  return { pixels, height: session.height, width: session.width };
}
