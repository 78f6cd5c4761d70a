// The blocks of an exported figure, each with its height: words, bars and legends.

import { THRESHOLD_COLOUR, colormapOf } from "../core/scale.ts";
import { packed } from "../draw/colours.ts";
import type { Bar } from "../draw/draw_types.ts";
import type { Block, Context, Measure } from "./export_types.ts";

const FAMILY = "system-ui, sans-serif";
export const TITLE = `600 13px ${FAMILY}`;
export const STRONG = `600 11.5px ${FAMILY}`;
export const TEXT = `11.5px ${FAMILY}`;
export const INK = "#1b1b1b";
export const QUIET = "#5b5b5b";
const LINE = 16;
// What lies under the cells on average: a colour seen through them is seen so in the bar too.
const FAINT = "#474747";

/** Blocks one under the other, `gap` between them. */
export function stack(blocks: Block[], gap = 0): Block {
  return {
    height: blocks.reduce((sum: number, { height }) => sum + height, gap * Math.max(blocks.length - 1, 0)),
    draw(surface, x, y) {
      for (const block of blocks) {
        block.draw(surface, x, y);
        y += block.height + gap;
      }
    },
  };
}

/** Text in lines at most `width` long. */
export function words(text: string, width: number, measure: Measure, { font = TEXT, colour = INK } = {}): Block {
  return runs([[text, font, colour]], width, measure);
}

type Run = [text: string, font: string, colour: string];
interface Piece {
  text: string;
  font: string;
  colour: string;
  across: number;
}

/** Runs of [text, font, colour] one after the other, in lines at most `width` long. */
export function runs(parts: Run[], width: number, measure: Measure): Block {
  const lines: Piece[][] = [[]];
  let across = 0;
  for (const [text, font, colour] of parts) {
    for (const token of tokensOf(text, font, width, measure)) {
      const length = measure(token, font);
      if (across && across + measure(token.trimEnd(), font) > width) {
        lines.push([]);
        across = 0;
      }
      if (!across && !token.trim()) continue;
      const line = lines[lines.length - 1], last = line.at(-1);
      if (last && last.font === font && last.colour === colour) last.text += token;
      else line.push({ text: token, font, colour, across });
      across += length;
    }
  }
  return {
    height: LINE * lines.length,
    draw({ context }, x, y) {
      context.textBaseline = "middle";
      lines.forEach((line, k) => {
        for (const { text, font, colour, across: right } of line) {
          write(context, text.trimEnd(), x + right, y + LINE * (k + 0.5), font, colour);
        }
      });
    },
  };
}

// Chinese breaks between any two characters, but not before a stop or after an opening bracket.
const TOKENS = /[（「『《“]*[⺀-鿿豈-﫿][、。，；：？！）」』》”…]*\s*|[^\s⺀-鿿豈-﫿（「『《“]+\s*|\S\s*|\s+/gu;

/** The parts of a text that stay on one line; one too long for any is cut. */
function tokensOf(text: string, font: string, width: number, measure: Measure): string[] {
  return [...(text.match(TOKENS) ?? [])].flatMap((token) => (measure(token, font) > width ? [...token] : [token]));
}

function write(context: Context, text: string, x: number, y: number, font: string, colour: string, align = "left"): void {
  Object.assign(context, { font, fillStyle: colour, textAlign: align });
  context.fillText(text, x, y);
}

/** A bar of colours with its line, and round numbers under it. */
export function colourBar({ scale, colormap, line }: Bar, opacity: number, width: number): Block {
  const table = colormapOf(colormap);
  const cells = { pixels: Uint32Array.from(table, packed), height: 1, width: table.length };
  const [top, height] = [3, 9];
  return {
    height: top + height + 18,
    draw(surface, x, y) {
      const { context } = surface;
      context.fillStyle = FAINT;
      context.fillRect(x, y + top, width, height);
      context.globalAlpha = opacity;
      context.drawImage(surface.cells(cells), x, y + top, width, height);
      context.globalAlpha = 1;
      context.textBaseline = "middle";
      for (const tick of scale.ticks()) {
        const position = scale.position(tick), place = x + position * width;
        context.fillStyle = QUIET;
        context.fillRect(Math.min(Math.max(place - 0.5, x), x + width - 1), y + top + height, 1, 3);
        const align = position < 0.04 ? "left" : position > 0.96 ? "right" : "center";
        write(context, tickText(tick), place, y + top + height + 11, TEXT, QUIET, align);
      }
      if (line !== null && scale.holds(line)) {
        context.fillStyle = THRESHOLD_COLOUR;
        context.fillRect(x + scale.position(line) * width - 1, y, 2, height + 2 * top);
      }
    },
  };
}

const tickText = (value: number) => `${+value.toPrecision(6)}`.replace("-", "−");

const SWATCH = 10;

interface Entry {
  colour: string;
  name: string;
  amount: string;
}

/** A legend: `entries` of colour, name and amount, as many beside each other as there is room for. */
export function legend(entries: Entry[], width: number, measure: Measure): Block {
  const places: (Entry & { across: number; down: number; nameWidth: number })[] = [];
  let across = 0, down = 0;
  for (const { colour, name, amount } of entries) {
    const nameWidth = measure(`${name} `, TEXT);
    const length = SWATCH + 5 + nameWidth + measure(amount, STRONG);
    if (across && across + length > width) {
      across = 0;
      down += LINE;
    }
    places.push({ colour, name, amount, across, down, nameWidth });
    across += length + 14;
  }
  return {
    height: down + LINE,
    draw({ context }, x, y) {
      context.textBaseline = "middle";
      for (const { colour, name, amount, across: right, down: below, nameWidth } of places) {
        const [left, middle] = [x + right, y + below + LINE / 2];
        context.fillStyle = colour;
        context.fillRect(left, middle - SWATCH / 2, SWATCH, SWATCH);
        write(context, name, left + SWATCH + 5, middle, TEXT, QUIET);
        write(context, amount, left + SWATCH + 5 + nameWidth, middle, STRONG, INK);
      }
    },
  };
}
