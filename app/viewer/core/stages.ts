// The algorithm as a film: the stages of one row in the order in which they are computed.

import type { AnsweredRow, Session, State } from "../types.ts";
import { BACK, CHOSEN, KEPT, keepsAll } from "./attention.ts";

export const STAGES = ["ask", "dense", "chosen", "back", "local", "kept", "result"] as const;
export type Stage = (typeof STAGES)[number];

/** Which panel each stage is about. */
export const PANEL_OF: Readonly<Record<Stage, string>> = {
  ask: "photo", dense: "dense", chosen: "neighbours", back: "neighbours", local: "neighbours",
  kept: "sparse", result: "segmentation",
};

/** The stages that a rule has: without thresholds nobody chooses, without reciprocity nobody chooses back. */
export function stagesOf(session: Session, { whatIf }: State): Stage[] {
  const all = keepsAll(session, whatIf);
  return STAGES.filter((stage) => {
    if (stage === "chosen" || stage === "kept") return !all;
    if (stage === "back") return !all && whatIf.reciprocity;
    return stage !== "local" || (!all && whatIf.localRule);
  });
}

/** The stage after or before one of `stages`; null stands for the whole row, before the first stage and after the last. */
export function stageBeside<Each extends string = Stage>(stages: readonly Each[], stage: Each | null, by: 1 | -1): Each | null {
  const here = stages.findIndex((each) => each === stage);
  const next = here < 0 ? (by > 0 ? 0 : stages.length - 1) : here + by;
  return stages[next] ?? null;
}

/** Whether what is shown has stages: the row of one cell in one network. */
export const isFilmed = ({ direction, compare, set, twin }: State): boolean => direction === "row" && !compare && !set && !twin;

/** The stage that is shown; null where everything is, as where columns or two pins are looked at. */
export function shownStage(session: Session, state: State): Stage | null {
  if (!isFilmed(state)) return null;
  return stagesOf(session, state).find((stage) => stage === state.stage) ?? null;
}

/** Whether a key of a relation to the query is still there at a stage. */
export function remains(stage: Stage, relation: number, reciprocity: boolean): boolean {
  if (stage === "ask" || stage === "dense") return true;
  if (stage === "kept" || stage === "result") return (relation & KEPT) !== 0;
  const chosen = (relation & CHOSEN) !== 0, both = chosen && (!reciprocity || (relation & BACK) !== 0);
  if (stage === "chosen") return chosen;
  return stage === "back" ? both : (relation & KEPT) !== 0;
}

/** The live numbers of the stages. `near` is how many cells the local rule adds, `becomes` the class that is read. */
export interface Counts {
  n: number;
  chosen: number;
  back: number;
  near: number;
  kept: number;
  keptMass: number;
  becomes: number;
  without: number | null;
}

/** Count what remains of a row at each stage. */
export function countsOf(session: Session, row: AnsweredRow, { whatIf }: State): Counts {
  let chosen = 0, back = 0, near = 0;
  for (const relation of row.relation) {
    const both = remains("back", relation, whatIf.reciprocity);
    if (remains("chosen", relation, whatIf.reciprocity)) chosen++;
    if (both) back++;
    else if (relation & KEPT) near++;
  }
  const { support, keptMass } = row.numbers;
  const { classes } = row;
  return {
    n: session.n, chosen, back, near, kept: support, keptMass,
    becomes: classes ? likeliest(classes.sparse) : session.cellLabels[row.i],
    without: classes && likeliest(classes.without),
  };
}

const likeliest = (shares: Float64Array): number => shares.indexOf(Math.max(...shares));
