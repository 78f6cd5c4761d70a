// The lesson while it is not loaded: what asks for it, and what it has to know once it is there.

import { fromQueryString } from "../core/state.ts";
import type { Lesson, LessonViewer } from "../lesson/lesson_types.ts";
import type { Events } from "../types.ts";
import { isPlainKey } from "./dom.ts";
import { sayRefusal } from "./host.ts";

type Wish = (lesson: Lesson) => void;

/** Load the lesson's program and start it when a button, a key or a step in the state first asks for it. */
export function connectLesson(viewer: LessonViewer, search: string): void {
  const { element, host, texts } = viewer;
  const asked = fromQueryString(search), opener = viewer.find('[data-do="lesson"]');
  const waiting = new AbortController(), { signal } = waiting;
  let leads = !viewer.state.picture || !asked.picture;
  let drawn: Events["asa:drawn"] | null = null, lesson: Lesson | null = null, wish: Wish | null = null, isLoading = false;

  /** Start the lesson, and do what was wished last. */
  async function start(next: Wish | null): Promise<void> {
    if (lesson) return next?.(lesson);
    wish = next ?? wish;
    if (isLoading) return;
    isLoading = true;
    opener.ariaBusy = "true";
    try {
      const [program] = await Promise.all([host.lesson(), texts.learn("lesson", (...asked) => host.words(...asked))]);
      waiting.abort();
      lesson = program(viewer, { asked, leads, drawn: drawn?.session === viewer.session ? drawn : null });
      wish?.(lesson);
    } catch (error) {
      sayRefusal(viewer, error);
      [isLoading, wish] = [false, null];
    }
    opener.ariaBusy = null;
  }

  opener.addEventListener("click", () => start((each) => each.open()), { signal });
  viewer.find('[data-do="guess"]').addEventListener("click", () => start((each) => each.guess()), { signal });
  document.addEventListener("keydown", (event) => {
    if (isPlainKey(event) && event.key.toLowerCase() === "p") start((each) => each.present());
  }, { signal });
  // The overview is opened by these alone, before and after.
  element.addEventListener("click", ({ target }) => {
    const button = target instanceof Element ? target.closest<HTMLElement>("[data-overview]") : null;
    if (button) start((each) => each.overview(button.dataset.overview));
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "?" && isPlainKey(event)) start((each) => each.overview("terms"));
  });
  element.addEventListener("asa:drawn", (event) => (drawn = (event as CustomEvent<Events["asa:drawn"]>).detail), { signal });
  element.addEventListener("asa:state", (event) => {
    const { state, before } = (event as CustomEvent<Events["asa:state"]>).detail;
    // Whoever has chosen a picture keeps it in the lesson.
    if (state.picture !== before.picture && before.picture) leads = false;
    if (state.lesson !== null && state.lesson !== before.lesson) start(null);
  }, { signal });
  if (viewer.state.lesson !== null) start(null);
}
