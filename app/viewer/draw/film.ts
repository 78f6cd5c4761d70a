// What the panels show at a stage of the film: what is computed by then of the real row, and no more.

import { BACK, CHOSEN } from "../core/attention.ts";
import { IDEAS } from "../core/ideas.ts";
import { colormapOf, rgbOf } from "../core/scale.ts";
import { type Stage, STAGES, remains } from "../core/stages.ts";
import type { Moment, Session } from "../types.ts";
import type { Cells, LegendEntry, PanelName, Scene, Scenes } from "./draw_types.ts";
import { packed } from "./colours.ts";

/**
 * The scenes at a stage, made of those of the whole. `progress` from 0 to 1 is how far the kept weights
 * have been divided by their mass.
 */
export function scenesAt(stage: Stage, scenes: Scenes, moment: Moment, progress = 1): Scenes {
  const reached = (other: Stage) => STAGES.indexOf(stage) >= STAGES.indexOf(other);
  const only = (name: PanelName, first: Stage) => (reached(first) ? scenes[name] : veiled(scenes[name]));
  return {
    ...scenes,
    dense: only("dense", "dense"),
    neighbours: reached("chosen") ? choosing(stage, scenes.neighbours, moment) : veiled(scenes.neighbours),
    sparse: reached("chosen") ? remaining(stage, scenes.sparse, moment, progress) : veiled(scenes.sparse),
    segmentation: only("segmentation", "result"),
  };
}

/** A panel whose turn has not come: its title over a dark picture. */
function veiled({ title }: Scene): Scene {
  return { title, isVeiled: true };
}

/** Who chooses whom, as far as it has been asked. */
function choosing(stage: Stage, scene: Scene, { session, row, state }: Moment): Scene {
  if (stage !== "chosen" && stage !== "back") return scene;
  const { reciprocity } = state.whatIf;
  const kinds = stage === "chosen" ? [["chosen", "stage.legend.chosen"]] as const
    : [["kept", "stage.legend.back"], ["refused", "stage.legend.refused"]] as const;
  const kindOf = (relation: number) => {
    if (!(relation & CHOSEN)) return -1;
    return stage === "chosen" || !reciprocity || relation & BACK ? 0 : 1;
  };
  const values = Int8Array.from(row.relation, kindOf);
  const legend: LegendEntry[] = kinds.map(([idea, key], kind) => ({
    colour: IDEAS[idea].fill, key, amount: values.reduce((count, each) => count + Number(each === kind), 0),
  }));
  const table = kinds.map(([idea]) => packed(rgbOf(IDEAS[idea].fill)));
  return { ...scene, values, legend, lines: [], cells: cellsOf(session, (j) => table[values[j]] ?? 0) };
}

/** The weights that remain on the scale of the A-RNN row: as they are in the dense row, then divided by what is kept. */
function remaining(stage: Stage, scene: Scene, { session, row, state }: Moment, progress: number): Scene {
  const { bar } = scene;
  const isDone = stage === "result" || (stage === "kept" && progress >= 1);
  if (!bar || isDone) return scene;
  const { keptMass } = row.numbers;
  const grown = stage === "kept" && keptMass > 0 ? 1 + progress * (1 / keptMass - 1) : 1;
  const values = Float64Array.from(row.dense, (weight, j) => (
    remains(stage, row.relation[j], state.whatIf.reciprocity) ? weight * session.n * grown : 0
  ));
  const table = colormapOf(bar.colormap).map(packed);
  const colour = (j: number) => (values[j] > 0 ? table[Math.round(bar.scale.position(values[j]) * (table.length - 1))] : 0);
  const line = bar.line === null ? null : row.threshold * grown;
  return { ...scene, values, cells: cellsOf(session, colour), bar: { ...bar, line } };
}

function cellsOf({ n, height, width }: Session, colour: (cell: number) => number): Cells {
  return { pixels: Uint32Array.from({ length: n }, (_, j) => colour(j)), height, width };
}
