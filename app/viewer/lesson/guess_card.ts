// The card of a guess: its question, how much is marked, and the score in words.

import { html, nothing } from "lit/html.js";

import { percent } from "../core/texts.ts";
import type { Question, Score } from "./guess.ts";

/** What the card shows. */
export interface GuessCard {
  question: Question;
  /** The questions to choose from; none where the card belongs to a step of the lesson. */
  questions: Question[];
  phase: "offered" | "marking" | "answered";
  marked: number;
  score: Score | null;
  /** The class that the query is of. */
  label: string;
}

export interface GuessActions {
  ask(question: Question): void;
  start(): void;
  look(): void;
  clear(): void;
  close?(): void;
}

type Say = (key: string, values?: Record<string, unknown>) => string;

/** The card as a template. */
export function guessTemplate(card: GuessCard, act: GuessActions, say: Say) {
  const { question, questions, phase, marked, score, label } = card;
  const choice = questions.length > 1 ? html`<div class="guess-questions" role="group" aria-label=${say("guess.questions")}>
    ${questions.map((each) => html`<button type="button" aria-pressed=${String(each === question)}
      @click=${() => act.ask(each)}>${say(`guess.${each}.title`)}</button>`)}</div>` : nothing;
  return html`
    <div class="guess-head"><h3>${say("guess.title")}</h3>${act.close ? html`
      <button type="button" class="close" aria-label=${say("guess.close")} title=${say("guess.close")} @click=${act.close}>×</button>` : nothing}</div>
    ${choice}
    <p>${say(`guess.${question}.task`, { label })}</p>
    ${phase === "marking" ? html`<p class="note">${say("guess.how")}</p>` : nothing}
    ${score ? scoreTemplate(question, score, say) : nothing}
    <div class="guess-walk">
      ${phase === "offered" ? html`<button type="button" class="look" @click=${act.start}>${say("guess.start")}</button>` : nothing}
      ${phase === "marking" ? html`
        <button type="button" class="look" ?disabled=${!marked} @click=${act.look}>${say("guess.look")}</button>
        <button type="button" ?disabled=${!marked} @click=${act.clear}>${say("guess.clear")}</button>` : nothing}
      ${phase === "answered" ? html`<button type="button" class="again" @click=${act.start}>${say("guess.again")}</button>` : nothing}
      <span class="note" role="status">${phase === "marking" ? say("guess.marked", { count: marked }) : ""}</span>
    </div>`;
}

/** The score: one number, what it counts, and the three sets in the colours that they have on the picture. */
function scoreTemplate(question: Question, { both, markedOnly, answerOnly, overlap }: Score, say: Say) {
  const sets = { both, marked: markedOnly, missed: answerOnly };
  return html`<div class="guess-score" role="status">
    <p><b>${percent(overlap)}</b> ${say("guess.overlap", { both, all: both + markedOnly + answerOnly })}</p>
    <ul>${Object.entries(sets).map(([name, count]) => html`<li class=${name}>${say(`guess.${question}.${name}`, { count })}</li>`)}</ul>
    <p class="note">${say("guess.iou")}</p>
  </div>`;
}
