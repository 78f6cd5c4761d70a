// The link to a step for a class, and its QR code in a dialog that fills the screen.

import { html, nothing, render } from "lit/html.js";

import { START, isUpload, toQueryString } from "../core/state.ts";
import { make } from "../page/dom.ts";
import type { State } from "../types.ts";
import type { LessonViewer } from "./lesson_types.ts";

/** A link for a class: the step on this picture at this point; the language only where it is asked for. */
export function linkToStep(
  { picture, network, query, language, lesson, locked }: State, hasLanguage: boolean,
): { url: string; upload: boolean } {
  // No link contains the visitor's own picture, and so no point of it.
  const place = isUpload(picture) ? {} : { picture, query, locked };
  const words = toQueryString({ ...START, ...place, network, lesson, language: hasLanguage ? language : null });
  return { url: `${location.origin}${location.pathname}?${words}`, upload: isUpload(picture) };
}

/** Build the dialog; `open` shows the code of the state of then. */
export function buildClassLink(viewer: LessonViewer, stateOf: () => State): { open(): void } {
  const dialog = make("dialog", "class-link", { label: "present.code.title" });
  viewer.element.append(dialog);
  let hasLanguage = false, code: Element | null = null, isFailed = false;

  async function open(): Promise<void> {
    code = null;
    show();
    if (!dialog.open) dialog.showModal();
    try {
      const svg = await viewer.host.qr!(linkToStep(stateOf(), hasLanguage).url);
      const image = make("img");
      image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"'))}`;
      image.alt = viewer.say("present.code");
      [code, isFailed] = [image, false];
    } catch {
      isFailed = true;
    }
    show();
  }

  function show(): void {
    const { url, upload } = linkToStep(stateOf(), hasLanguage), say = (key: string) => viewer.say(key);
    render(html`
      <h2>${say("present.code.title")}</h2>
      <div class="code">${code ?? (isFailed ? say("present.code.failed") : nothing)}</div>
      <p class="url">${url}</p>
      ${upload ? html`<p class="note">${say("present.code.own")}</p>` : nothing}
      <label class="check"><input type="checkbox" .checked=${hasLanguage}
        @change=${({ target }: Event) => { hasLanguage = (target as HTMLInputElement).checked; open(); }}> ${say("present.code.language")}</label>
      <button type="button" class="close-code" @click=${() => dialog.close()}>${say("present.code.close")}</button>`, dialog);
  }

  // Escape closes the dialog alone, and neither the lesson nor the presentation.
  dialog.addEventListener("keydown", (event) => event.stopPropagation());
  return { open };
}
