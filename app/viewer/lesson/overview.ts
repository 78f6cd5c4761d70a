// The overview of the page: what it shows, the block as a diagram, every term, and whose work it stands on.

import { html, nothing, render } from "lit/html.js";

import { TERMS } from "../core/terms.ts";
import { make } from "../page/dom.ts";
import { blockDiagram } from "./overview_diagram.ts";
import type { LessonViewer } from "./lesson_types.ts";
import { LIMITS } from "./pages.ts";

/** Build the overview as a dialog; `open` shows it, from the part of that name on. */
export function buildOverview(viewer: LessonViewer): { open(part?: string): void } {
  const dialog = make("dialog", "overview", { label: "overview.title" });
  dialog.id = "asa-overview";
  viewer.element.append(dialog);

  function show(): void {
    const say = (key: string, values?: Record<string, unknown>) => viewer.say(key, values);
    const link = (key: string) => html`<a href=${say(`${key}.url`)} target="_blank" rel="noopener">${say(key)}</a>`;
    const { files, gallery } = viewer.host;
    dialog.ariaLabel = say("overview.title");
    render(html`
      <header><h2 tabindex="-1">${say("overview.title")}</h2>
        <button type="button" class="close" aria-label=${say("overview.close")} @click=${() => dialog.close()}>×</button></header>
      <p>${say("overview.what")}</p><p>${say("overview.green")}</p><p>${say("overview.true")}</p>
      <h3>${say("overview.block")}</h3><p>${say("overview.block.what")}</p>
      <div class="diagram" tabindex="0" role="group" aria-label=${say("overview.block")}>${blockDiagram(say)}</div>
      <h3 id="asa-overview-terms">${say("overview.terms")}</h3>
      <dl class="terms">${TERMS.map((term) => html`<div><dt>${say(`term.${term}`)}</dt><dd>${say(`term.${term}.text`)}</dd></div>`)}</dl>
      <h3>${say("lesson.limits.title")}</h3>
      <ul>${LIMITS.map((each) => html`<li>${say(`lesson.limits.${each}`)}</li>`)}</ul>
      <h3 id="asa-overview-credits">${say("overview.sources")}</h3>
      <p>${say("overview.paper")} ${link("app.paper")} · ${link("app.code")}</p>
      <p>${say("overview.code")} ${files ? html`<a href=${files} target="_blank" rel="noopener">${say("overview.files")}</a>` : nothing}</p>
      <p>${say("overview.networks")}</p>
      <p>${say("overview.photographs")}:</p>
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
      if (part) dialog.querySelector(`#asa-overview-${part}`)?.scrollIntoView();
      dialog.querySelector<HTMLElement>("h2")?.focus({ preventScroll: true });
    },
  };
}
