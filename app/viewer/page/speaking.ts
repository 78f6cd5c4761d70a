// The language of the page.

import { sayRefusal } from "./host.ts";
import type { Viewer } from "./viewer.ts";

/** Speak the state's language, once its words are there; where they do not come, the one before. */
export async function speak(viewer: Viewer): Promise<void> {
  const { texts, host, store } = viewer, language = viewer.state.language ?? texts.language;
  try {
    await texts.speak(language, (...asked) => host.words(...asked));
  } catch (error) {
    store.set({ language: texts.language });
    return sayRefusal(viewer, error);
  }
  if (language !== viewer.state.language) return speak(viewer);
  texts.fill(viewer.element);
  nameDocument(viewer);
  viewer.tell("asa:language");
  if (viewer.moment) viewer.draw();
}

/** Give the document of the served page its title and language; a saved file and a notebook keep their own. */
export function nameDocument(viewer: Viewer): void {
  if (viewer.host.fixed) return;
  document.title = viewer.say("app.document");
  document.documentElement.lang = viewer.texts.language;
}
