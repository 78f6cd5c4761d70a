// The lesson: a dock beside the panels in which the reader does each step, and pages to read.

import { render } from "lit/html.js";

import { cellOf, centreOf } from "../core/geometry.ts";
import { isUpload } from "../core/state.ts";
import { centre, make } from "../page/dom.ts";
import { connectLink } from "../page/link.ts";
import { oneStop } from "../page/roving.ts";
import { writeWords } from "../page/sentence.ts";
import type { Events, State } from "../types.ts";
import { type Guessing, connectGuessing } from "./guessing.ts";
import { labelsOf } from "./labels.ts";
import type { Comparison, Lesson, LessonMoment, LessonViewer, Memory, Seen, Step, Values } from "./lesson_types.ts";
import { type LessonActions, lessonTemplate } from "./lesson_view.ts";
import { OPENINGS, openingState } from "./openings.ts";
import { buildOverview } from "./overview.ts";
import { buildClassLink, linkToStep } from "./class_link.ts";
import { openNotes } from "./notes.ts";
import { showPage } from "./pages.ts";
import { connectPresenter } from "./presenter.ts";
import { rememberSteps, rememberedSteps } from "./progress.ts";
import { spotlight } from "./spotlight.ts";
import { STEPS } from "./steps.ts";

type Told = [key: string, values?: Values];

// A step that needs the server has other words where there is none.
const NEEDS: Record<string, "rerun" | "compare"> = { rerun: "rerun", families: "compare" };

/** Let the lesson's button open the tour; `state.lesson` is the number of the step, from 1, or null. */
export function connectLesson(viewer: LessonViewer, seen: Seen): Lesson {
  const { element, store, texts, host } = viewer;
  const section = viewer.find(".lesson"), opener = viewer.find('[data-do="lesson"]');
  const parts = {
    text: make("p", "text"), task: make("p", "task"), formula: make("p", "formula"), result: make("p", "result"),
    page: make("div", "page"), guess: make("div", "guess-card"),
    link: Object.assign(make("button", "link"), { type: "button" }),
  };
  parts.result.setAttribute("role", "status");
  oneStop(section, ".steps button");
  const finished = rememberedSteps();
  const guessing: Guessing = connectGuessing(viewer, () => watch(), seen.drawn?.row ?? null);
  let step: Step | null = null, memory: Memory = {}, { drawn, leads } = seen;
  let result: Values | null = null, isPointed = false, updatePage = () => {};
  // The lesson chooses the pictures until the reader, or a link, has chosen one.
  let isLeading = false;

  const number = () => (step ? STEPS.indexOf(step) + 1 : 0);
  const say = (key: string, values?: Values) => viewer.say(key, { ...labelsOf(viewer), ...values });
  // What stands for an idea has its colour, as on the panels.
  const tell = (place: HTMLElement, key: string, values?: Values) => (
    writeWords(place, key ? texts.parts(key, { ...labelsOf(viewer), ...values }) : []));
  const isOffline = () => step !== null && step.id in NEEDS && !host[NEEDS[step.id]];
  const offline = (key: string) => (isOffline() ? `${key}_offline` : key);

  /** What a step looks at, or null while there is nothing to look at. */
  function moment(): LessonMoment | null {
    const { session, opened, state } = viewer;
    if (!drawn || drawn.session !== session) return null;
    // Another picture is on its way, and the query is one of that.
    if (opened?.picture !== state.picture || opened?.network !== state.network) return null;
    return {
      ...drawn, now: state, hovered: viewer.hovered, rerun: viewer.rerun,
      compared: (state.compare && viewer.moment?.compared) ?? null, comparison: compared(),
      guessed: guessing.answered()?.question ?? null,
      canRerun: Boolean(host.rerun), canCompare: Boolean(host.compare),
    };
  }

  /** Whether what was drawn last is of another query or rule than the state's: what comes is on its way. */
  function isOutdated(): boolean {
    const { session, state } = viewer;
    if (!drawn || !session) return true;
    return drawn.row.i !== cellOf(session, state.query) || JSON.stringify(drawn.state.whatIf) !== JSON.stringify(state.whatIf);
  }

  /** What other methods answered for this picture, while that is shown. */
  function compared(): Comparison | null {
    const { comparison, session, state } = viewer;
    return state.methods !== null && comparison?.session === session ? comparison : null;
  }

  function turn(): void {
    const { lesson } = viewer.state;
    section.hidden = lesson === null;
    element.classList.toggle("is-taught", lesson !== null);
    opener.setAttribute("aria-expanded", String(lesson !== null));
    const next = lesson === null ? null : STEPS[Math.min(Math.max(lesson, 1), STEPS.length) - 1];
    if (next !== step) {
      step = next;
      [memory, result] = [{}, null];
      guessing.close();
      // A cell that the step before has pointed at is under no pointer.
      if (isPointed) viewer.hover(null);
      isPointed = false;
      section.scrollTop = 0;
      if (isOutdated()) drawn = null;
    }
    const taught = step ? OPENINGS[step.id].panels : "", isOther = element.dataset.taught !== taught;
    element.dataset.taught = taught;
    if (step) write();
    light();
    // A panel that was hidden has been drawn in no size.
    if (isOther) window.dispatchEvent(new Event("resize"));
    const here = section.querySelector<HTMLElement>(".steps [aria-current]"), strip = here?.closest<HTMLElement>(".steps");
    // Of steps in one line that is scrolled the present one is in sight.
    if (here && strip) centre(strip, here);
  }

  function light(): void {
    if (spotlight(element, step ? OPENINGS[step.id].spotlight : [])) window.dispatchEvent(new Event("resize"));
  }

  /** Write what stays the same for as long as the step is shown. */
  function write(): void {
    if (!step) return;
    tell(parts.text, offline(`lesson.${step.id}.text`));
    updatePage = showPage(viewer, step.id, parts.page);
    // Where numbers will come and go there is room for them from the start.
    put(parts.link, say("lesson.link"));
    for (const part of [parts.task, parts.formula, parts.result]) part.hidden = !step.formula;
    parts.guess.hidden = !step.question;
    if (step.question) guessing.offer(parts.guess, step.question, Boolean(step.isGuess));
    watch();
  }

  /** See whether the step is done, and fill in the numbers of the moment. */
  function watch(): void {
    if (!step) return;
    const now = moment();
    const isAble = !step.needsThresholds || !now || now.session.learned;
    const isTaken = step.isPage || (isAble && now !== null && step.done(now, memory));
    const values = isAble && now ? named(step.formula?.(now, memory) ?? null) : null;
    if (isTaken && !result) {
      result = values ?? {};
      finished.add(step.id);
      rememberSteps(finished);
    }
    tell(parts.task, ...taskWords(now, isAble));
    tell(parts.formula, values ? `lesson.${step.id}.${values.ending ?? "formula"}` : "", values ?? {});
    put(parts.result, result && step.formula ? say("lesson.finished", { text: say(`lesson.${step.id}.done`, result) }) : "");
    render(lessonTemplate({
      step, number: number(), finished, parts, say,
      canShow: Boolean(step.show) && !(step.id === "families" && isOffline()), isReady: now !== null && isAble,
      hasCode: Boolean(host.qr),
    }, actions), section);
  }

  /** What is to be done, as a key and its values. */
  function taskWords(now: LessonMoment | null, isAble: boolean): Told {
    if (!step?.show) return [""];
    if (!isAble) return ["lesson.no_thresholds"];
    if (step.task && !now) return [""];
    const values = step.task && now ? named(step.task(now, memory as Required<Memory>)) ?? {} : {};
    return [offline(`lesson.${step.id}.${values.ending ?? "task"}`), values];
  }

  /** Call classes by their names in the reader's language. */
  const named = (values: Values | null): Values | null => {
    const classes = (["label", "other"] as const).flatMap((name) => {
      const value = values?.[name];
      return value ? [[name, texts.className(value)]] : [];
    });
    return values && { ...values, ...Object.fromEntries(classes) };
  };

  /** Go to a step in its own state, and take the keyboard there; null ends the lesson. */
  function go(lesson: number | null): void {
    guessing.close();
    isLeading = true;
    const next = lesson === null ? null : STEPS[lesson - 1];
    const pictures = host.fixed ? [] : host.gallery.map(({ id }) => id);
    const opening: Partial<State> = next
      ? openingState(next.id, viewer.state, viewer.session, { leads, pictures })
      : { stage: null, layer: viewer.state.layer === "without" ? "classes" : viewer.state.layer };
    store.set({ ...opening, lesson });
    isLeading = false;
    focusTitle();
  }

  function focusTitle(): void {
    (step ? section.querySelector<HTMLElement>("h2") ?? opener : opener).focus({ preventScroll: true });
  }

  function show(): void {
    const now = moment();
    if (!step?.show || !now) return;
    const { state, hover, rerun, guess } = step.show(now, memory);
    if (!guess && step.isGuess) guessing.stop();
    if (state) store.set(state, { recorded: true });
    isPointed = hover !== undefined;
    if (hover !== undefined && viewer.session) viewer.hover(centreOf(viewer.session, hover));
    if (rerun) viewer.runAgain();
    if (guess) guessing.guessByClass();
    watch();
  }

  const actions: LessonActions = {
    go,
    show,
    present: () => presenter.enter(),
    code: () => classLink.open(),
    notes: () => openNotes(viewer, linkToStep(viewer.state, false).url),
    photo: () => { if (!guessing.focus()) viewer.panels.photo.canvas.focus(); },
    again() {
      finished.clear();
      rememberSteps(finished);
      leads = !isUpload(viewer.state.picture);
      step = null;
      go(1);
      turn();
      focusTitle();
    },
  };

  const presenter = connectPresenter(viewer, go);
  const classLink = buildClassLink(viewer, () => viewer.state);
  const overview = buildOverview(viewer);
  const open = () => go(Math.max(STEPS.findIndex(({ id }) => !finished.has(id)), 0) + 1);
  opener.addEventListener("click", () => { step ? go(null) : open(); });
  section.addEventListener("keydown", (event) => {
    const isField = event.target instanceof HTMLInputElement;
    if (event.key === "Escape" && !event.defaultPrevented && !isField) go(null);
  });
  const panels = viewer.find(".panels");
  panels.addEventListener("keydown", ({ key, target, ctrlKey, metaKey, altKey }) => {
    const isPlain = !ctrlKey && !metaKey && !altKey && (target as HTMLElement).tagName === "CANVAS";
    if (step && isPlain && key.toLowerCase() === "l") focusTitle();
  });
  // The panels have listened first: by now the cell under the pointer is known.
  panels.addEventListener("pointermove", () => { if (viewer.state.locked) watch(); });
  element.addEventListener("asa:state", (event) => {
    const { state, before } = (event as CustomEvent<Events["asa:state"]>).detail;
    if (state.picture !== before.picture && before.picture && !isLeading) leads = false;
    if (state.lesson !== before.lesson) turn();
    else watch();
  });
  element.addEventListener("asa:drawn", (event) => {
    const { detail } = event as CustomEvent<Events["asa:drawn"]>;
    // What a step has seen of one picture says nothing of another.
    if (drawn && drawn.session !== detail.session) memory = {};
    drawn = detail;
    watch();
  });
  // Where things stand is known once the picture is there.
  element.addEventListener("asa:opened", () => requestAnimationFrame(light));
  element.addEventListener("asa:compared", watch);
  element.addEventListener("asa:shown", () => { if (step) updatePage(); });
  element.addEventListener("asa:language", () => write());
  connectLink({
    host,
    find: <T extends HTMLElement>() => parts.link as HTMLElement as T,
    link: () => linkToStep(viewer.state, false),
    say: (key) => viewer.say(key),
    status: (text) => viewer.status(text),
  });
  turn();
  openLinked();
  return {
    // A step that the state has named meanwhile is open already.
    open: () => { if (!step) open(); },
    guess: () => guessing.toggle(),
    present: () => presenter.enter(),
    overview: (part) => overview.open(part),
  };

  /** A link that names a step, and no point, opens the step as it opens in the lesson. */
  function openLinked(): void {
    const { asked } = seen;
    if (!step || !asked.lesson || host.fixed || asked.query || asked.stage) return;
    const { id } = step, pictures = host.gallery.map((each) => each.id);
    const begin = () => {
      isLeading = true;
      store.set(openingState(id, viewer.state, viewer.session, { leads, pictures }));
      isLeading = false;
    };
    begin();
    const { opened, state: { picture, network } } = viewer, isOpen = opened?.picture === picture && opened.network === network;
    // A picture that opens without a point begins where it tells most, and then goes on to the step's.
    if (!isOpen) element.addEventListener("asa:opened", begin, { once: true });
  }
}

function put(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

