// Guessing on the page: asks a question at the query of now, lets the reader mark cells, and scores them.

import { render } from "lit/html.js";

import { cellOf } from "../core/geometry.ts";
import { make } from "../page/dom.ts";
import type { AnsweredRow, Events, State } from "../types.ts";
import { ASKING, type Question, type Score, answerOf, askedCells, questionsOf, scoreOf } from "./guess.ts";
import { type GuessCard, guessTemplate } from "./guess_card.ts";
import { GuessLayer } from "./guess_layer.ts";
import type { LessonViewer } from "./lesson_types.ts";

/** What the lesson needs of guessing. */
export interface Guessing {
  /** Offer a question in an element of a step, or begin with it at once. */
  offer(host: HTMLElement, question: Question, isBegun: boolean): void;
  /** Mark every cell of the query's class, and look: the guess of one who goes by the class. */
  guessByClass(): void;
  /** Take the keyboard to where cells are marked; says whether any can be. */
  focus(): boolean;
  /** Take the marks away, and leave the picture to the pointer. */
  stop(): void;
  close(): void;
  /** Open the card of its own, or close it. */
  toggle(): void;
  /** The question that has been answered for the query of now, and its score. */
  answered(): { question: Question; score: Score } | null;
}

/** Let the button in the tools open a card of its own; `changed` is called when a guess is answered, `drawn` is the row on the page. */
export function connectGuessing(viewer: LessonViewer, changed: () => void, drawn: AnsweredRow | null): Guessing {
  const { element, store } = viewer;
  const floating = make("section", "guess-card is-floating", { label: "guess.title" });
  const opener = viewer.find('[data-do="guess"]');
  floating.hidden = true;
  element.append(floating);
  const layer = new GuessLayer({ mark, look, cancel: close });

  let host: HTMLElement | null = null;
  let question: Question = "reads", phase: GuessCard["phase"] = "offered";
  let row = drawn, cell = -1;
  let marked = new Uint8Array(0), answer: Uint8Array | null = null, score: Score | null = null;
  let before: Partial<State> | null = null;
  // To begin as soon as the row of the query is there.
  let isWaiting = false;

  const isFloating = () => host === floating;
  const say = (key: string, values?: Record<string, unknown>) => viewer.say(key, values);
  const count = () => marked.reduce((sum, each) => sum + each, 0);

  /** Begin to mark, with nothing marked; `isAsked` says that the reader has pressed a button for it. */
  function start(isAsked = true): void {
    const { session, state } = viewer;
    if (!session || !row || row.i !== cellOf(session, state.query)) return;
    isWaiting = false;
    before ??= {
      stage: state.stage, layer: state.layer, direction: state.direction, locked: state.locked,
      compare: state.compare, set: state.set, twin: state.twin,
    };
    cell = row.i;
    marked = new Uint8Array(session.n);
    answer = score = null;
    phase = "marking";
    const { panel, before: shown } = ASKING[question];
    store.set({ ...shown, locked: true });
    layer.cover(viewer.panels[panel].canvas, cell);
    show();
    if (isAsked) layer.canvas.focus({ preventScroll: true });
  }

  function mark(cells: Iterable<number>, on: boolean): void {
    const { session } = viewer;
    if (phase !== "marking" || !session || !row) return;
    const asked = askedCells(question, session, row);
    for (const each of cells) if (asked[each]) marked[each] = Number(on);
    show();
  }

  function look(): void {
    const { session } = viewer;
    if (phase !== "marking" || !session || !row || !count()) return;
    const hadFocus = document.activeElement === layer.canvas;
    answer = answerOf(question, session, row);
    score = scoreOf(marked, answer);
    phase = "answered";
    store.set(ASKING[question].after);
    show();
    changed();
    if (hadFocus) host?.querySelector<HTMLElement>(".again")?.focus();
  }

  /** Take marks and answer away; `restores` says to show again what was shown before. */
  function reset(restores = true): void {
    layer.remove();
    const earlier = before;
    before = answer = score = null;
    phase = "offered";
    cell = -1;
    if (restores && earlier) store.set(earlier);
  }

  function close(): void {
    const closed = host;
    reset();
    if (isFloating()) {
      floating.hidden = true;
      opener.setAttribute("aria-expanded", "false");
      host = null;
      opener.focus();
    } else if (closed) {
      show();
      closed.querySelector<HTMLElement>("button")?.focus();
    }
  }

  function ask(next: Question): void {
    if (phase !== "offered") reset();
    question = next;
    start();
  }

  function show(): void {
    const { session, picture, state } = viewer;
    if (!host || !session || !picture) return;
    if (phase !== "offered") {
      layer.draw({ grid: session, zoom: state.zoom, picture, marked, answer, query: question === "flips" ? null : cell });
      const label = phase === "marking" ? `${say(`guess.${question}.title`)}. ${say("guess.how")} ${say("guess.marked", { count: count() })}` : "";
      layer.canvas.setAttribute("aria-label", label);
    }
    const label = viewer.texts.className(session.classes[session.cellLabels[row?.i ?? 0]]);
    const questions = isFloating() ? questionsOf(session, state) : [];
    const card: GuessCard = { question, questions, phase, marked: count(), score, label };
    render(guessTemplate(card, { ask, start: () => start(), look, clear: () => start(), ...(isFloating() && { close }) }, say), host);
  }

  function openFloating(): void {
    if (isFloating()) return close();
    if (host) leave();
    host = floating;
    floating.hidden = false;
    opener.setAttribute("aria-expanded", "true");
    question = "reads";
    show();
    start();
  }

  /** End whatever was asked, without moving the keyboard. */
  function leave(): void {
    isWaiting = false;
    reset(false);
    floating.hidden = true;
    opener.setAttribute("aria-expanded", "false");
    host = null;
  }

  opener.addEventListener("click", openFloating);
  floating.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.defaultPrevented) close();
  });
  element.addEventListener("asa:drawn", (event) => {
    const { detail } = event as CustomEvent<Events["asa:drawn"]>;
    row = detail.row;
    // A guess is about one point: for another it begins anew.
    if (phase !== "offered" && row.i !== cell) {
      reset();
      if (isFloating()) start(false);
    }
    show();
    if (isWaiting) start(false);
  });
  element.addEventListener("asa:opened", () => {
    row = null;
    if (phase !== "offered") reset();
    show();
  });
  for (const event of ["asa:language", "asa:shown"]) element.addEventListener(event, show);

  return {
    offer(place, asked, isBegun) {
      if (host === place && question === asked) return show();
      leave();
      host = place;
      question = asked;
      // The step's own picture may still be on its way.
      isWaiting = isBegun;
      if (isBegun) start(false);
      show();
    },
    focus() {
      if (phase === "marking") layer.canvas.focus();
      return phase === "marking";
    },
    guessByClass() {
      const { session } = viewer;
      if (phase !== "marking") start(false);
      if (!session || !row) return;
      const own = session.cellLabels[row.i];
      mark([...session.cellLabels.keys()].filter((each) => session.cellLabels[each] === own), true);
      look();
    },
    close: leave,
    toggle: openFloating,
    stop() {
      reset(false);
      show();
    },
    answered: () => (score ? { question, score } : null),
  };
}
