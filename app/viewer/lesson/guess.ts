// Guessing what the network does: the questions, their answers as sets of cells, and the score of a guess.

import { BACK, CHOSEN, KEPT } from "../core/attention.ts";
import { placeOf } from "../core/geometry.ts";
import { rectangle } from "../core/sets.ts";
import type { Grid, Row, Session, State } from "../types.ts";

export const QUESTIONS = ["reads", "back", "flips"] as const;
/** Which cells a point reads, which choose it back, and which change their class without attention. */
export type Question = (typeof QUESTIONS)[number];

/** How a question is asked: on which panel, at which stage of the film, and what is shown with its answer. */
export interface Asking {
  panel: string;
  before: Partial<State>;
  after: Partial<State>;
}

const CLASSES: Partial<State> = { direction: "row", compare: null, set: null, twin: false, layer: "classes" };

export const ASKING: Readonly<Record<Question, Asking>> = {
  reads: { panel: "photo", before: { ...CLASSES, stage: "ask" }, after: { stage: "kept" } },
  back: { panel: "neighbours", before: { ...CLASSES, stage: "chosen" }, after: { stage: "back" } },
  flips: { panel: "segmentation", before: { ...CLASSES, stage: "result" }, after: { layer: "without" } },
};

/** The questions that a session and a rule answer: no one chooses back without thresholds. */
export function questionsOf(session: Pick<Session, "learned" | "withoutAttention">, { whatIf }: Pick<State, "whatIf">): Question[] {
  return QUESTIONS.filter((question) => {
    if (question === "back") return session.learned && whatIf.reciprocity;
    return question === "reads" || session.withoutAttention !== null;
  });
}

/** The answer as 1 and 0, a cell each. */
export function answerOf(question: Question, session: Session, { relation }: Pick<Row, "relation">): Uint8Array {
  const has = (bits: number) => Uint8Array.from(relation, (each) => Number((each & bits) === bits));
  if (question === "reads") return has(KEPT);
  return question === "back" ? has(CHOSEN | BACK) : flippedCells(session);
}

/** The cells that may be marked: of those who choose back, the ones that are chosen; else all. */
export function askedCells(question: Question, { n }: Pick<Session, "n">, { relation }: Pick<Row, "relation">): Uint8Array {
  if (question !== "back") return new Uint8Array(n).fill(1);
  return Uint8Array.from(relation, (each) => Number((each & CHOSEN) !== 0));
}

/** The cells of which at least half of the pixels have another class without attention. */
export function flippedCells(
  { n, height, width, workingHeight, workingWidth, workingLabels, withoutAttention }:
  Pick<Session, "n" | "height" | "width" | "workingHeight" | "workingWidth" | "workingLabels" | "withoutAttention">,
): Uint8Array {
  const flipped = new Uint32Array(n), all = new Uint32Array(n);
  if (withoutAttention) {
    workingLabels.forEach((label, p) => {
      const down = Math.floor((Math.floor(p / workingWidth) * height) / workingHeight);
      const cell = down * width + Math.floor(((p % workingWidth) * width) / workingWidth);
      all[cell]++;
      if (withoutAttention[p] !== label) flipped[cell]++;
    });
  }
  return Uint8Array.from(all, (count, cell) => Number(count > 0 && 2 * flipped[cell] >= count));
}

export interface Score {
  /** Cells that were marked and are in the answer, were marked only, and are in the answer only. */
  both: number;
  markedOnly: number;
  answerOnly: number;
  /** Intersection over union: the share of both in all cells that are in either; 1 where both are empty. */
  overlap: number;
}

/** How well marked cells meet the answer. */
export function scoreOf(marked: Uint8Array, answer: Uint8Array): Score {
  let both = 0, markedOnly = 0, answerOnly = 0;
  marked.forEach((mark, cell) => {
    if (mark && answer[cell]) both++;
    else if (mark) markedOnly++;
    else if (answer[cell]) answerOnly++;
  });
  const either = both + markedOnly + answerOnly;
  return { both, markedOnly, answerOnly, overlap: either ? both / either : 1 };
}

/** The cells within `reach` rows and columns of a cell. */
export function brushOf({ height, width }: Pick<Grid, "height" | "width">, cell: number, reach: number): number[] {
  const { row, column } = placeOf({ width }, cell);
  const first = Math.max(0, row - reach) * width + Math.max(0, column - reach);
  const last = Math.min(height - 1, row + reach) * width + Math.min(width - 1, column + reach);
  return rectangle({ width }, first, last);
}

/** The cells of the brush all along the straight way between two cells, so that a quick stroke has no holes. */
export function strokeOf(grid: Pick<Grid, "height" | "width">, from: number, to: number, reach: number): Set<number> {
  const [a, b] = [from, to].map((cell) => placeOf(grid, cell));
  const steps = Math.max(Math.abs(b.row - a.row), Math.abs(b.column - a.column), 1);
  const cells = new Set<number>();
  for (let k = 0; k <= steps; k++) {
    const row = Math.round(a.row + ((b.row - a.row) * k) / steps), column = Math.round(a.column + ((b.column - a.column) * k) / steps);
    for (const each of brushOf(grid, row * grid.width + column, reach)) cells.add(each);
  }
  return cells;
}
