// The button that copies the link to what is shown.

import { make } from "./captions.js";

/** Let the link's button copy the link, or show it where the browser does not allow that. */
export function connectLink(viewer) {
  const button = viewer.find('[data-do="link"]');
  // The file on a visitor's disk is its own link.
  button.hidden = Boolean(viewer.host.fixed);
  let field = null;

  button.addEventListener("click", async () => {
    const { url, upload } = viewer.link();
    const told = (key) => viewer.say(upload ? `${key}_without_upload` : key);
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

  function show(url) {
    field = make("input", "link-field");
    Object.assign(field, { readOnly: true, value: url });
    field.setAttribute("aria-label", viewer.say("tools.link"));
    field.addEventListener("keydown", ({ key }) => {
      if (key !== "Escape") return;
      field.remove();
      button.focus();
    });
    button.after(field);
    field.focus();
    field.select();
  }
}
