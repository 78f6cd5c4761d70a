// The dock of the lesson as a template: steps, words, the card of a guess, and the buttons.

import { type TemplateResult, html, nothing } from "lit/html.js";

import type { Step, Values } from "./lesson_types.ts";
import { STEPS } from "./steps.ts";

/** What the dock shows; `parts` are elements that are written elsewhere. */
export interface LessonDock {
  step: Step;
  number: number;
  finished: ReadonlySet<string>;
  parts: Record<"text" | "task" | "formula" | "result" | "page" | "guess" | "link", HTMLElement>;
  say(key: string, values?: Values): string;
  canShow: boolean;
  hasCode: boolean;
  isReady: boolean;
}

export interface LessonActions {
  go(lesson: number | null): void;
  show(): void;
  photo(): void;
  again(): void;
  present(): void;
  code(): void;
  notes(): void;
}

/** The dock as a template. */
export function lessonTemplate(dock: LessonDock, act: LessonActions): TemplateResult {
  const { step, number, finished, parts, say, canShow, isReady } = dock;
  const titleOf = (id: string) => say(`lesson.${id}.title`);
  const steps = STEPS.map(({ id }, k) => {
    const isDone = finished.has(id), values = { number: k + 1, title: titleOf(id) };
    return html`<li><button type="button" class=${isDone ? "done" : ""} title=${titleOf(id)}
      aria-current=${step.id === id ? "step" : nothing} aria-label=${say(isDone ? "lesson.name.done" : "lesson.name", values)}
      @click=${() => act.go(k + 1)}>${k + 1}</button></li>`;
  });
  return html`
    <div class="lesson-head">
      <p class="where">${say("lesson.where", { number, all: STEPS.length })}</p>
      <button type="button" class="close" aria-label=${say("lesson.close")} title=${say("lesson.close")} @click=${() => act.go(null)}>×</button>
    </div>
    <nav aria-label=${say("lesson.steps")}><ol class="steps">${steps}</ol></nav>
    <h2 tabindex="-1">${say("lesson.name", { number, title: titleOf(step.id) })}</h2>
    ${parts.text}${parts.task}${parts.guess}${parts.formula}${parts.result}${parts.page}
    <div class="more">
      <button type="button" class="photo" @click=${act.photo}>${say("lesson.photo")}</button>
      ${parts.link}
      <button type="button" class="code" ?hidden=${!dock.hasCode} @click=${act.code}>${say("present.code")}</button>
      <button type="button" class="present" @click=${act.present}>${say("present.start")}</button>
      <button type="button" class="notes" @click=${act.notes}>${say("present.notes")}</button>
      <button type="button" class="again" @click=${act.again}>${say("lesson.again")}</button>
      <p class="note">${say("lesson.progress", { done: finished.size, all: STEPS.length })}</p>
    </div>
    <div class="walk">
      <button type="button" class="previous" ?disabled=${number === 1} @click=${() => act.go(number - 1)}>${say("lesson.previous")}</button>
      <button type="button" class=${finished.has(step.id) ? "next ready" : "next"} ?disabled=${number === STEPS.length}
        @click=${() => act.go(number + 1)}>${say("lesson.next")}</button>
      <button type="button" class="show-me" ?hidden=${!canShow} ?disabled=${!isReady} title=${say("lesson.show.title")}
        @click=${act.show}>${say(step.id === "back" ? "lesson.back.show" : "lesson.show")}</button>
    </div>`;
}
