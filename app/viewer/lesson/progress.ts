// Which steps of the lesson were done in this browser.

import { STEPS } from "./steps.ts";

const KEPT_AS = "asa-viz lesson";

/** The steps that were done on this browser; where it keeps nothing, none were. */
export function rememberedSteps(): Set<string> {
  try {
    const ids: unknown = JSON.parse(localStorage.getItem(KEPT_AS) ?? "[]");
    return new Set(STEPS.map(({ id }) => id).filter((id) => Array.isArray(ids) && ids.includes(id)));
  } catch {
    return new Set();
  }
}

/** Keep the steps that are done; where the browser keeps nothing, they last as long as the page. */
export function rememberSteps(finished: Set<string>): void {
  try {
    localStorage.setItem(KEPT_AS, JSON.stringify([...finished]));
  } catch {
    // Private windows and files on disk may keep nothing.
  }
}
