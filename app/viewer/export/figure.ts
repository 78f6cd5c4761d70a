// The layout of an exported figure: panels with their bars and legends over a caption.

import { captionLines, titleOf } from "./metadata.ts";
import { INK, QUIET, TEXT, TITLE, colourBar, legend, runs, stack, words } from "./figure_blocks.ts";
import { barWords, legendWords, photoWords, summaryWords } from "../page/captions.ts";
import { type Picture, paint } from "../draw/panels.ts";
import { inFileColours } from "../draw/segmentation.ts";
import { cellOf } from "../core/geometry.ts";
import type { Bar, LegendEntry, Scene } from "../draw/draw_types.ts";
import type { Block, Described, Measure, Surface } from "./export_types.ts";

const ONE = 720, OF_SIX = 480;
const MARGIN = 24, GAP = 20, BETWEEN = 5;
const COLUMNS = 3;

/**
 * The figure of the panels `names`: `width`, `height`, `title`, `lines` (the caption) and
 * `draw(surface)`. `measure(text, font)` says how wide a text becomes.
 */
export function figureOf(viewer: Described, names: string[], measure: Measure) {
  const columns = Math.min(names.length, COLUMNS);
  const side = names.length > 1 ? OF_SIX : ONE;
  const blocks = names.map((name) => panelBlock(viewer, name, side, measure));
  const rows: Block[] = [];
  for (let k = 0; k < blocks.length; k += columns) rows.push(beside(blocks.slice(k, k + columns), side));
  const inner = columns * side + (columns - 1) * GAP;
  const title = titleOf(viewer);
  const lines = captionLines(viewer, names);
  const whole = stack([
    words(title, inner, measure, { font: TITLE }),
    ...rows,
    stack(lines.map((line) => words(line, inner, measure, { colour: QUIET }))),
  ], GAP);
  const [width, height] = [inner + 2 * MARGIN, Math.ceil(whole.height) + 2 * MARGIN];
  return {
    width, height, title, lines,
    draw(surface: Surface) {
      surface.context.fillStyle = "#fff";
      surface.context.fillRect(0, 0, width, height);
      whole.draw(surface, MARGIN, MARGIN);
    },
  };
}

function beside(blocks: Block[], side: number): Block {
  return {
    height: Math.max(...blocks.map(({ height }) => height)),
    draw: (surface, x, y) => blocks.forEach((block, k) => block.draw(surface, x + k * (side + GAP), y)),
  };
}

/** One panel: what it shows and in which unit, the picture, and how to read it. */
function panelBlock(viewer: Described, name: string, width: number, measure: Measure): Block {
  const scene = inFileColours(viewer.scenes[name], viewer.session);
  const what = scene.bar ? viewer.say(scene.bar.unit) : viewer.say(`${scene.title}.what`);
  const heading = runs([[`${viewer.say(scene.title)} `, TITLE, INK], [what, TEXT, QUIET]], width, measure);
  const note = (text: string) => words(text, width, measure, { colour: QUIET });
  const below: Block[] = [];
  if (scene.bar) {
    below.push(colourBar(scene.bar, viewer.moment.state.opacity, width), note(barWords(viewer, scene.bar as Required<Bar>)));
  }
  if (scene.legend?.length) {
    const entries = scene.legend.map((entry) => ({ colour: entry.colour, ...legendWords(viewer, entry as Required<LegendEntry>) }));
    below.push(legend(entries, width, measure));
  }
  if (scene.summary) below.push(note(summaryWords(viewer, scene.summary)));
  if (scene.note) below.push(note(viewer.say(scene.note)));
  if (!scene.cells && !scene.note) below.push(note(photoWords(viewer)));
  return stack([heading, pictureBlock(viewer, scene, width), ...below], BETWEEN);
}

/** The picture of a panel, drawn as on the page, without the pointer's mark. */
function pictureBlock({ moment: { state, session, row } }: Described, scene: Scene, width: number): Block {
  const height = Math.min(Math.round((width * session.imageHeight) / session.imageWidth), width);
  const pins = state.pins.map((pin) => cellOf(session, pin));
  const marks = { grid: session, query: row.i, hover: null, pins };
  return {
    height,
    draw(surface, x, y) {
      const { density, picture } = surface;
      const child = surface.child(width * density, height * density);
      paint(child.context, width * density, height * density, {
        scene, picture: picture as Picture, marks, density, opacity: state.opacity, zoom: state.zoom,
        cells: scene.cells ? surface.cells(scene.cells) as CanvasImageSource : null,
      });
      surface.context.drawImage(child.image, x, y, width, height);
    },
  };
}
