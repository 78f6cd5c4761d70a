// Presenter mode: one or two panels over the whole screen, large words, and the keys of a clicker.

import { PANEL_OF, shownStage, stageBeside, stagesOf } from "../core/stages.ts";
import { isPlainKey, make } from "../page/dom.ts";
import type { LessonViewer } from "./lesson_types.ts";
import { OPENINGS } from "./openings.ts";
import { STEPS } from "./steps.ts";

const FORTH = ["PageDown", "ArrowRight", "ArrowDown"], BACK = ["PageUp", "ArrowLeft", "ArrowUp"];

export interface Presenter {
  enter(): void;
}

/** Let P begin and end it; `go` opens a step of the lesson. */
export function connectPresenter(viewer: LessonViewer, go: (lesson: number) => void): Presenter {
  const { element, store } = viewer;
  const blank = make("div", "blank"), hint = make("p", "hint");
  hint.setAttribute("role", "status");
  blank.hidden = true;
  element.append(hint, blank);
  let isOn = false, panels = 2, last = "", opener: Element | null = null;

  function enter(): void {
    if (isOn) return;
    isOn = true;
    opener = document.activeElement;
    element.classList.add("is-presenting");
    // A browser that gives no full screen, as a frame may not, still has the page to fill.
    document.documentElement.requestFullscreen?.().catch(() => {});
    last = "";
    show();
    const title = element.querySelector<HTMLElement>(".lesson:not([hidden]) h2") ?? viewer.find(".headline");
    title.tabIndex = -1;
    title.focus({ preventScroll: true });
  }

  function leave(): void {
    if (!isOn) return;
    isOn = false;
    blank.hidden = true;
    element.classList.remove("is-presenting");
    hint.textContent = "";
    if (document.fullscreenElement) document.exitFullscreen().catch(() => {});
    if (opener instanceof HTMLElement) opener.focus({ preventScroll: true });
    window.dispatchEvent(new Event("resize"));
  }

  /** The panels that are shown: what the step or the stage is about, and the photo beside it. */
  function presented(): string[] {
    const { state, session } = viewer;
    const step = state.lesson === null ? null : STEPS[Math.min(state.lesson, STEPS.length) - 1];
    const framed = (step ? OPENINGS[step.id].spotlight : []).flatMap((selector) => /data-panel="(\w+)"/.exec(selector)?.[1] ?? []);
    const stage = session ? shownStage(session, state) : null;
    const main = framed[0] ?? (stage ? PANEL_OF[stage] : "sparse");
    return [...new Set([main === "photo" ? "photo" : main, main === "photo" ? "sparse" : "photo"])].slice(0, panels).reverse();
  }

  function show(): void {
    if (!isOn) return;
    const shown = presented();
    for (const [name, { section }] of Object.entries(viewer.panels)) section.classList.toggle("is-presented", shown.includes(name));
    element.style.setProperty("--presented", String(shown.length));
    // A panel that was hidden has been drawn in no size.
    if (String(shown) !== last) window.dispatchEvent(new Event("resize"));
    last = String(shown);
    hint.textContent = viewer.say("present.keys");
  }

  /** Go on or back: by the steps of an open lesson, else by the stages of the film. */
  function turn(by: 1 | -1): void {
    const { state, session } = viewer;
    if (state.lesson !== null) {
      const next = state.lesson + by;
      if (next >= 1 && next <= STEPS.length) go(next);
    } else if (session) {
      store.set({ stage: stageBeside(stagesOf(session, state), state.stage, by) });
    }
  }

  function press(event: KeyboardEvent): void {
    const { key } = event;
    if (!isPlainKey(event)) return;
    if (key.toLowerCase() === "p") isOn ? leave() : enter();
    else if (!isOn) return;
    else if (key === "Escape") leave();
    else if (FORTH.includes(key)) turn(1);
    else if (BACK.includes(key)) turn(-1);
    else if (key.toLowerCase() === "b" || key === ".") blank.hidden = !blank.hidden;
    else if (key === "1" || key === "2") {
      panels = Number(key);
      show();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  // Before all others: in a room the arrows are the clicker's.
  document.addEventListener("keydown", press, { capture: true });
  document.addEventListener("fullscreenchange", () => { if (!document.fullscreenElement) leave(); });
  for (const event of ["asa:state", "asa:opened", "asa:language"]) element.addEventListener(event, show);
  return { enter };
}
