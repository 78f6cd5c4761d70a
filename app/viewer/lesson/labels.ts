// What the page calls the controls that the lesson speaks of.

import type { LessonViewer } from "./lesson_types.ts";

export const LABELS: Readonly<Record<string, string>> = {
  what_if: "whatif.title", nonlocal_scale: "whatif.nonlocal", local_scale: "whatif.local",
  choose_back: "whatif.reciprocity", local_rule: "whatif.local_rule",
  run_again: "whatif.rerun", as_trained: "whatif.reset",
  view: "view.title", look_back: "view.column", neighbours: "panel.neighbours", pin: "pins.pin",
  compare_methods: "tools.methods", query_only: "group.query_only", local_only: "group.local", show: "lesson.back.show",
  without_layer: "layer.without", look: "guess.look", show_me: "lesson.show",
};

/** The labels in the reader's language, by the name that stands for each in a text. */
export const labelsOf = (viewer: Pick<LessonViewer, "say">): Record<string, string> => (
  Object.fromEntries(Object.entries(LABELS).map(([name, key]) => [name, viewer.say(key)])));
