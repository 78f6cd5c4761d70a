// The page's own colours for classes: calm, and told apart beside each other. Files keep the data set's.

import type { Rgb } from "../types.ts";
import { hueOf, rgbOf } from "./scale.ts";

const COLOURS: Readonly<Record<string, string>> = {
  // PASCAL VOC 2012.
  aeroplane: "#4ccae5", bicycle: "#bcbe63", bird: "#b0a4f5", boat: "#1ba995", bottle: "#87cb89", bus: "#b78934", car: "#6095d7",
  cat: "#de95ce", chair: "#97983c", cow: "#ea8c8d", "dining table": "#e5b562", dog: "#7eb4f9", horse: "#c86e6f", motorbike: "#52cfba",
  person: "#f2a271", "potted plant": "#62a565", sheep: "#0ca3be", sofa: "#8b7fcd", train: "#b770a8", "tv monitor": "#c97d4c",
  // CamVid.
  sky: "#98cceb", building: "#b49073", pole: "#b0a4f5", road: "#8e7da4", pavement: "#cc90ac", tree: "#62a565", sign: "#d5c66a",
  fence: "#cd785a", pedestrian: "#f2a271", bicyclist: "#52cfba",
  // Outdoors, beside those of both.
  vegetation: "#437a46", ground: "#e2d6ae",
};
const DARK = "#000000", LIGHT = "#ffffff";

/** Whether a class is the background, which is shown without colour, outline and name. */
export const isLeftOver = (name: string): boolean => name === "background";

/** The colours of classes on the page, as "#rrggbb"; a class that is not known gets a hue by its number. */
export function classColours(names: readonly string[]): string[] {
  return names.map((name, k) => (isLeftOver(name) ? "#8a94a3" : COLOURS[name.toLowerCase()] ?? hueOf(k)));
}

/** The relative luminance of a colour (WCAG 2). */
export function lightOf(hex: string): number {
  const [red, green, blue] = rgbOf(hex).map((each) => {
    const share = each / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as Rgb;
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** The colour of words on `hex`: dark or light, whichever stands out more. */
export function inkOn(hex: string): string {
  const light = lightOf(hex);
  return (light + 0.05) / (lightOf(DARK) + 0.05) >= 1.05 / (light + 0.05) ? DARK : LIGHT;
}
