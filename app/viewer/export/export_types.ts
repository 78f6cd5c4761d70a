// The shapes of the export: what it needs of the viewer, and what a figure is drawn on.

import type { Texts } from "../core/texts.ts";
import type { Host } from "../core/host_types.ts";
import type { Cells, Scene } from "../draw/draw_types.ts";
import type { Moment, Session, State } from "../types.ts";

/** What a file says of the moment that it shows. */
export interface Described {
  moment: Moment;
  session: Session;
  opened: { picture: string; network: string };
  host: Pick<Host, "fixed" | "networks" | "gallery" | "program">;
  texts: Texts;
  scenes: Record<string, Scene>;
  link(): { url: string; upload: boolean };
  say(key: string, values?: Record<string, unknown>): string;
}

/** What the export menu needs of the viewer. */
export interface ExportViewer extends Omit<Described, "moment" | "host" | "session" | "opened"> {
  session: Session | null;
  opened: { picture: string; network: string } | null;
  element: HTMLElement;
  host: Host;
  state: State;
  moment: Moment | null;
  picture: Picture | null;
  packets: { get(picture: string, network: string): Promise<ArrayBuffer> };
  find<T extends HTMLElement>(selector: string): T;
  status(text: string): void;
}

/** The photograph, and the faint grey of it that maps lie on. */
export interface Picture<Image = CanvasImageSource> {
  bitmap: Image;
  faint: Image;
  width: number;
  height: number;
}

/** What is used of a canvas's context: that, or one that writes SVG. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the same calls on two kinds of image
export type Context = any;

/** What a figure is drawn on; `context` counts in units of the figure. */
export interface Surface {
  context: Context;
  /** Pixels in a unit. */
  density: number;
  /** The photograph as the context draws it. */
  picture: Picture<unknown>;
  /** Cells as something that the context draws. */
  cells(cells: Cells): unknown;
  /** A context of so many pixels, and the image of what is drawn in it. */
  child(width: number, height: number): { image: unknown; context: Context };
}

/** How wide a text becomes in a font. */
export type Measure = (text: string, font: string) => number;

/** A piece of a figure, whose height is known before it is drawn. */
export interface Block {
  height: number;
  draw(surface: Surface, x: number, y: number): void;
}
