// Where the lesson starts, in a program of its own that the page loads when it is first needed.

import { make } from "../page/dom.ts";
import overviewStyle from "./overview.css";
import guessStyle from "./guess.css";
import lessonStyle from "./lesson.css";
import { connectLesson } from "./lesson.ts";
import type { LessonProgram } from "./lesson_types.ts";
import presenterStyle from "./presenter.css";

/** Add the lesson's style and elements to the page of a viewer. */
export const start: LessonProgram = (viewer, seen) => {
  // Before the page's own sheet, which changes some of it on a phone.
  viewer.element.parentElement!.prepend(make("style", "", {}, [lessonStyle, guessStyle, presenterStyle, overviewStyle].join("")));
  const lesson = connectLesson(viewer, seen);
  for (const part of viewer.element.querySelectorAll<HTMLElement>(".guess-card.is-floating, .class-link")) {
    part.ariaLabel = viewer.say(part.dataset.label!);
  }
  return lesson;
};
