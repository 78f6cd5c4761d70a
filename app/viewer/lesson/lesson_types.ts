// The shapes of the lesson: what a step is, and what it is told of the page.

import type { Store } from "../core/state.ts";
import type { Texts } from "../core/texts.ts";
import type { Host } from "../core/host_types.ts";
import type { AnsweredRow, Events, Moment, Opened, Pixel, Rerun, Session, State } from "../types.ts";
import type { Question } from "./guess.ts";

/** What other methods answered for one query: each row with the title of its method's family. */
export interface Comparison {
  session: Session;
  cell: number;
  rows: { name: string; row: Float32Array; effective: number; family: string }[];
}

/** What a step looks at. */
export interface LessonMoment {
  session: Session;
  row: AnsweredRow;
  /** The state that the row was asked for under. */
  state: State;
  /** The state that there is now. */
  now: State;
  /** The cell under the pointer. */
  hovered: number | null;
  rerun: Rerun | null;
  /** The rows of two pins that are compared. */
  compared: readonly AnsweredRow[] | null;
  comparison: Comparison | null;
  /** The question that the reader has guessed at the query, where it is answered. */
  guessed: Question | null;
  /** Whether there is a server that runs the head again, and one that compares methods. */
  canRerun: boolean;
  canCompare: boolean;
}

/** What a step has seen since it was opened. */
export interface Memory {
  target?: number;
  cell?: number;
  first?: number;
  trained?: number;
  turn?: number;
  away?: boolean;
  seen?: boolean;
  answered?: Comparison;
}

/** What is filled into a text of the dictionary; `ending` names another text of the step than the usual one. */
export type Values = Record<string, unknown> & { ending?: string; label?: string; other?: string };

/** What "show me" does: a change of the state, a cell to point at, or another run of the head. */
export interface Shown {
  state?: Partial<State>;
  hover?: number;
  rerun?: boolean;
  /** Guess by the class of the cells. */
  guess?: boolean;
}

export interface Step {
  id: string;
  /** What may be guessed in it; `isGuess` says that it begins with the guess. */
  question?: Question;
  isGuess?: boolean;
  /** A page to read, which is done once it is open. */
  isPage?: boolean;
  /** The step has nothing to show on a network without learned thresholds. */
  needsThresholds?: boolean;
  /** Whether the reader has done it; called before the others, it writes what they need into `memory`. */
  done(moment: LessonMoment, memory: Memory): boolean;
  /** The values of `lesson.<id>.task`. */
  task?(moment: LessonMoment, memory: Required<Memory>): Values;
  /** The values of `lesson.<id>.formula`; null: there are no numbers. */
  formula?(moment: LessonMoment, memory: Memory): Values | null;
  show?(moment: LessonMoment, memory: Memory): Shown;
}

/** What the lesson needs of the viewer. */
export interface LessonViewer {
  element: HTMLElement;
  host: Host;
  store: Store;
  texts: Texts;
  state: State;
  session: Session | null;
  picture: { bitmap: CanvasImageSource; width: number; height: number } | null;
  moment: Moment | null;
  opened: Opened | null;
  hovered: number | null;
  rerun: Rerun | null;
  comparison?: Comparison;
  panels: Record<string, { canvas: HTMLCanvasElement; section: HTMLElement }>;
  find<T extends HTMLElement>(selector: string): T;
  say(key: string, values?: Record<string, unknown>): string;
  status(text: string): void;
  hover(pixel: Pixel | null): void;
  runAgain(): unknown;
}

/** What the page has seen before the lesson was loaded. */
export interface Seen {
  /** What the link asked for that the page was opened with. */
  asked: Partial<State>;
  /** Whether the lesson chooses the pictures: neither the link nor the reader has. */
  leads: boolean;
  drawn: Events["asa:drawn"] | null;
}

/** What the page may ask of the lesson at its start. */
export interface Lesson {
  open(): void;
  guess(): void;
  present(): void;
  /** Open the overview of the page, from its part of that name on. */
  overview(part?: string): void;
}

/** Everything of the lesson as one function. */
export type LessonProgram = (viewer: LessonViewer, seen: Seen) => Lesson;
