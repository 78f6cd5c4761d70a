// The button that copies the link to what is shown.

import type { Host } from "../core/host_types.ts";
import { make } from "./dom.ts";

/** What the button needs of the viewer. */
interface Linked {
  host: Pick<Host, "fixed">;
  find<T extends HTMLElement>(selector: string): T;
  say(key: string): string;
  status(text: string): void;
  link(): { url: string; upload: boolean };
}

/** Let the link's button copy the link, or show it where the browser does not allow that. */
export function connectLink(viewer: Linked): void {
  const button = viewer.find<HTMLButtonElement>('[data-do="link"]');
  // The file on a visitor's disk is its own link.
  button.hidden = Boolean(viewer.host.fixed);
  let field: HTMLInputElement | null = null;

  button.addEventListener("click", async () => {
    const { url, upload } = viewer.link();
    const told = (key: string) => viewer.say(upload ? `${key}_without_upload` : key);
    field?.remove();
    try {
      await navigator.clipboard.writeText(url);
      viewer.status(told("export.copied"));
    } catch {
      // No permission, as in many frames, or no secure connection.
      show(url);
      viewer.status(told("export.copy_yourself"));
    }
  });

  function show(url: string): void {
    const shown = make("input", "link-field");
    Object.assign(shown, { readOnly: true, value: url });
    field = shown;
    shown.setAttribute("aria-label", viewer.say("tools.link"));
    shown.addEventListener("keydown", ({ key }) => {
      if (key !== "Escape") return;
      shown.remove();
      button.focus();
    });
    button.after(shown);
    shown.focus();
    shown.select();
  }
}
