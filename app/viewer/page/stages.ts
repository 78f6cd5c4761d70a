// The strip of stages over the panels: live numbers, a play button and a scrubber.

import { percent } from "../core/texts.ts";
import { PANEL_OF, type Stage, countsOf, isFilmed, shownStage, stagesOf } from "../core/stages.ts";
import type { Moment, State } from "../types.ts";
import { centre, isCalm, make } from "./dom.ts";
import { isNoted, note } from "./remembered.ts";
import { oneStop } from "./roving.ts";

// How long each stage is shown, and how long the kept weights take to be divided by their mass.
const STAGE_MS = 1500, GROWING_MS = 700;
const SEEN = "film";

/** What the strip needs of the viewer. */
interface Filmed {
  element: HTMLElement;
  host: { fixed?: boolean };
  state: State;
  moment: Moment | null;
  texts: { language: string; className(name: string): string };
  panels: Record<string, { section: HTMLElement }>;
  progress: number;
  store: { set(patch: Partial<State>, how?: { passing?: boolean }): void };
  find<T extends HTMLElement>(selector: string): T;
  say(key: string, values?: Record<string, unknown>): string;
  draw(): void;
}

/** Fill the strip. `isFirst` says that the page was opened without a link: the film plays once by itself. */
export function connectStages(viewer: Filmed, isFirst: boolean): { show(): void } {
  const strip = viewer.find(".stages");
  const play = make("button", "play");
  play.type = "button";
  const scrubber = make("input", "scrubber", { label: "stage.scrubber" });
  Object.assign(scrubber, { type: "range", min: "0", step: "1" });
  const list = make("ol");
  strip.prepend(play, scrubber, list);
  oneStop(strip);

  let led: Stage | null = null;
  let timer = 0, frame = 0, told = "", isWaiting = isFirst && !viewer.host.fixed;
  const isPlaying = () => timer !== 0;
  const stages = () => (viewer.moment ? stagesOf(viewer.moment.session, viewer.state) : []);
  const isAtRest = () => viewer.state.stage === null;

  /** Show a stage; null is the whole, after the last one. */
  function go(stage: Stage | null): void {
    cancelAnimationFrame(frame);
    viewer.progress = 1;
    if (stage === "kept" && isPlaying() && !isCalm()) grow();
    viewer.store.set({ stage }, { passing: true });
  }

  /** Let the kept weights grow to what they are after the division. */
  function grow(): void {
    const start = performance.now();
    viewer.progress = 0;
    const step = (now: number) => {
      viewer.progress = Math.min((now - start) / GROWING_MS, 1);
      viewer.draw();
      if (viewer.progress < 1) frame = requestAnimationFrame(step);
    };
    frame = requestAnimationFrame(step);
  }

  function start(): void {
    const next = () => {
      const all = stages();
      const after = all[all.findIndex((stage) => stage === viewer.state.stage) + 1];
      if (!after) return stop();
      timer = window.setTimeout(next, STAGE_MS);
      go(after);
    };
    if (viewer.state.stage === stages().at(-1)) viewer.store.set({ stage: null }, { passing: true });
    next();
    show();
  }

  /** Stop, and show the whole again. */
  function stop(): void {
    clearTimeout(timer);
    timer = 0;
    go(null);
    show();
  }

  play.addEventListener("click", () => (isPlaying() ? stop() : start()));
  scrubber.addEventListener("input", () => {
    clearTimeout(timer);
    timer = 0;
    go(stages()[Number(scrubber.value)] ?? null);
  });
  list.addEventListener("click", ({ target }) => {
    const { stage } = (target as HTMLElement).closest<HTMLElement>("[data-stage]")?.dataset ?? {};
    if (!stage) return;
    clearTimeout(timer);
    timer = 0;
    go(stage === viewer.state.stage ? null : stage as Stage);
  });
  // Whoever does something with the picture wants to see it whole.
  for (const event of ["pointerdown", "pointermove", "keydown"]) {
    viewer.find(".panels").addEventListener(event, () => {
      isWaiting = false;
      if (isPlaying()) stop();
    });
  }
  viewer.element.addEventListener("asa:language", () => (told = ""));
  viewer.element.addEventListener("asa:drawn", () => {
    if (!isWaiting) return;
    isWaiting = false;
    if (isCalm() || isNoted(SEEN)) return;
    note(SEEN);
    start();
  });

  /** Write the live numbers, and which stage is shown. */
  function show(): void {
    const { moment } = viewer;
    if (!moment) return;
    const { session, row, state } = moment;
    const all = stages(), stage = shownStage(session, state), counts = countsOf(session, row, state);
    const isAble = isFilmed(state);
    const words = all.map((each) => wordsOf(viewer, each, counts));
    const now = JSON.stringify([words, stage, isPlaying(), isAble]);
    if (now === told) return;
    told = now;
    play.textContent = isPlaying() ? "❚❚" : "▶";
    play.setAttribute("aria-label", viewer.say(isPlaying() ? "stage.pause" : "stage.play"));
    // Its numbers are those of one cell.
    list.hidden = state.set !== null || state.twin;
    play.disabled = scrubber.disabled = !isAble;
    scrubber.max = String(all.length);
    scrubber.value = String(stage ? all.indexOf(stage) : all.length);
    scrubber.setAttribute("aria-valuetext", stage ? viewer.say(`stage.${stage}.name`) : viewer.say("stage.whole"));
    all.forEach((each, k) => {
      const item = list.children[k] ?? list.appendChild(chip());
      const button = item.firstElementChild as HTMLButtonElement;
      button.dataset.stage = each;
      button.disabled = !isAble;
      button.title = viewer.say(`stage.${each}.what`);
      button.setAttribute("aria-pressed", String(each === stage));
      const [amount, name] = words[k];
      button.firstElementChild!.textContent = amount;
      button.lastElementChild!.textContent = name;
      button.classList.toggle("coming", Boolean(stage) && k > all.indexOf(stage as Stage));
    });
    const pressed = list.querySelector<HTMLElement>("[aria-pressed=true]");
    // Of a strip that is scrolled the stage that is shown is in sight.
    if (pressed && stage !== led) centre(list, pressed);
    led = stage;
    while (list.children.length > all.length) list.lastElementChild?.remove();
    for (const [name, { section }] of Object.entries(viewer.panels)) {
      section.classList.toggle("lit", stage !== null && PANEL_OF[stage] === name);
    }
    if (isAtRest()) viewer.progress = 1;
  }
  return { show };
}

function chip(): HTMLLIElement {
  const item = make("li"), button = make("button");
  button.type = "button";
  button.append(make("b"), " ", make("span"));
  item.append(button);
  return item;
}

/** A stage as its live number and what it counts. */
function wordsOf(viewer: Filmed, stage: Stage, counts: ReturnType<typeof countsOf>): [string, string] {
  const { session } = viewer.moment!;
  const label = (k: number | null) => (k === null ? "" : viewer.texts.className(session.classes[k]));
  const differs = counts.without !== null && counts.without !== counts.becomes;
  const values = { mass: percent(counts.keptMass), label: label(counts.becomes), without: label(counts.without) };
  const amounts: Record<Stage, string> = {
    ask: "", dense: String(counts.n), chosen: String(counts.chosen), back: String(counts.back),
    local: `+ ${counts.near}`, kept: String(counts.kept), result: values.label,
  };
  const key = stage === "result" && differs ? "stage.result.differs" : `stage.${stage}`;
  return [amounts[stage], viewer.say(key, values)];
}
