// The card about the page: what it shows, the block as a diagram, every term, and whose work it stands on.

import { html, nothing, render } from "lit/html.js";

import { TERMS } from "../core/terms.ts";
import { make } from "../page/dom.ts";
import { blockDiagram } from "./card_diagram.ts";
import type { LessonViewer } from "./lesson_types.ts";
import { LIMITS } from "./pages.ts";

/** Build the card as a dialog; `open` shows it, from the part of that name on. */
export function buildCard(viewer: LessonViewer): { open(part?: string): void } {
  const dialog = make("dialog", "about-page", { label: "card.title" });
  dialog.id = "asa-about";
  viewer.element.append(dialog);

  function show(): void {
    const say = (key: string, values?: Record<string, unknown>) => viewer.say(key, values);
    const link = (key: string) => html`<a href=${say(`${key}.url`)} target="_blank" rel="noopener">${say(key)}</a>`;
    const { files, gallery } = viewer.host;
    dialog.ariaLabel = say("card.title");
    render(html`
      <header><h2 tabindex="-1">${say("card.title")}</h2>
        <button type="button" class="close" aria-label=${say("card.close")} @click=${() => dialog.close()}>×</button></header>
      <p>${say("card.what")}</p><p>${say("card.green")}</p><p>${say("card.true")}</p>
      <h3>${say("card.block")}</h3><p>${say("card.block.what")}</p>
      <div class="diagram" tabindex="0" role="group" aria-label=${say("card.block")}>${blockDiagram(say)}</div>
      <h3 id="asa-about-terms">${say("card.terms")}</h3>
      <dl class="terms">${TERMS.map((term) => html`<div><dt>${say(`term.${term}`)}</dt><dd>${say(`term.${term}.text`)}</dd></div>`)}</dl>
      <h3>${say("lesson.limits.title")}</h3>
      <ul>${LIMITS.map((each) => html`<li>${say(`lesson.limits.${each}`)}</li>`)}</ul>
      <h3 id="asa-about-credits">${say("card.sources")}</h3>
      <p>${say("card.paper")} ${link("app.paper")} · ${link("app.code")}</p>
      <p>${say("card.code")} ${files ? html`<a href=${files} target="_blank" rel="noopener">${say("card.files")}</a>` : nothing}</p>
      <p>${say("card.networks")}</p>
      <p>${say("card.photographs")}:</p>
      <ul class="credits">${gallery.map(({ id, credit }) => (credit ? html`<li>${say(`gallery.${id}`)}: ${credit}</li>` : nothing))}</ul>`, dialog);
  }

  // Its keys are not those of the page; a press beside it closes it.
  dialog.addEventListener("keydown", (event) => event.stopPropagation());
  dialog.addEventListener("click", ({ target }) => { if (target === dialog) dialog.close(); });
  viewer.element.addEventListener("asa:language", () => { if (dialog.open) show(); });
  return {
    open(part) {
      show();
      if (!dialog.open) dialog.showModal();
      dialog.scrollTop = 0;
      if (part) dialog.querySelector(`#asa-about-${part}`)?.scrollIntoView();
      dialog.querySelector<HTMLElement>("h2")?.focus({ preventScroll: true });
    },
  };
}
