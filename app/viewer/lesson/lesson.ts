// The lesson on the page: a tour in which the reader does each step, and two pages to read.

import { make } from "../page/dom.ts";
import { writeWords } from "../page/sentence.ts";
import { connectLink } from "../page/link.ts";
import { centreOf } from "../core/geometry.ts";
import { START, isUpload, toQueryString } from "../core/state.ts";
import { STEPS } from "./steps.js";
import { showToy } from "./worked.js";

// What is read on a page of its own, point by point.
const POINTS = {
  limits: ["why", "values", "cells", "what_if", "one"],
  families: [
    "content", "dense", "pattern", "window", "pooled", "low_rank", "predicted", "shared", "classic", "gates",
  ],
};
// What the page calls the controls that the lesson speaks of.
export const LABELS = {
  what_if: "whatif.title", nonlocal_scale: "whatif.nonlocal", local_scale: "whatif.local",
  choose_back: "whatif.reciprocity", local_rule: "whatif.local_rule",
  run_again: "whatif.rerun", as_trained: "whatif.reset",
  view: "view.title", look_back: "view.column", neighbours: "panel.neighbours", pin: "pins.pin",
  compare_methods: "tools.methods", query_only: "group.query_only", local_only: "group.local", show: "lesson.back.show",
};
const KEPT_AS = "asa-viz lesson";

/** Let the lesson's button open the tour; `state.lesson` is the number of the step, from 1, or null. */
export function connectLesson(viewer) {
  const section = viewer.find(".lesson"), opener = viewer.find('[data-do="lesson"]');
  const parts = build(viewer, section);
  const finished = remembered();
  let step = null, memory = {}, drawn = null, result = null, pointed = false;

  const number = () => STEPS.indexOf(step) + 1;
  const say = (key, values) => viewer.say(key, { ...labels(viewer), ...values });
  // What stands for an idea has its colour, as on the panels.
  const tell = (element, key, values) => (
    writeWords(element, key ? viewer.texts.parts(key, { ...labels(viewer), ...values }) : []));

  /** What a step looks at, or null while there is nothing to look at. */
  function moment() {
    if (!drawn || drawn.session !== viewer.session) return null;
    return {
      ...drawn, now: viewer.state, hovered: viewer.hovered, rerun: viewer.rerun,
      compared: viewer.state.compare && viewer.moment?.compared, comparison: compared(),
      canRerun: Boolean(viewer.host.rerun), canCompare: Boolean(viewer.host.compare),
    };
  }

  /** What other methods answered for this picture, while that is shown. */
  function compared() {
    const { comparison, session, state } = viewer;
    return state.methods !== null && comparison?.session === session ? comparison : null;
  }

  function turn() {
    const { lesson } = viewer.state;
    section.hidden = lesson === null;
    opener.setAttribute("aria-expanded", String(lesson !== null));
    const next = lesson === null ? null : STEPS[Math.min(Math.max(lesson, 1), STEPS.length) - 1];
    if (next !== step) {
      step = next;
      [memory, result] = [{}, null];
      // A cell that the step before has pointed at is under no pointer.
      if (pointed) viewer.hover(null);
      pointed = false;
    }
    if (step) write();
  }

  /** Write what stays the same for as long as the step is shown. */
  function write() {
    parts.title.textContent = say("lesson.name", { number: number(), title: say(`lesson.${step.id}.title`) });
    tell(parts.text, offline(`lesson.${step.id}.text`));
    showPage(viewer, step.id, parts.page);
    // Where numbers will come and go there is room for them from the start.
    for (const part of [parts.task, parts.formula, parts.result]) part.hidden = !step.formula;
    parts.previous.disabled = number() === 1;
    parts.next.disabled = number() === STEPS.length;
    watch();
  }

  // A step that needs the server has other words where there is none.
  const needs = { rerun: "rerun", families: "compare" };
  const isOffline = () => step.id in needs && !viewer.host[needs[step.id]];
  const offline = (key) => (isOffline() ? `${key}_offline` : key);

  /** See whether the step is done, and fill in the numbers of the moment. */
  function watch() {
    if (!step) return;
    const now = moment();
    const able = !step.needsThresholds || !now || now.session.learned;
    const taken = able && (now || !step.formula) && step.done(now, memory);
    const values = able && now ? named(step.formula?.(now, memory)) : null;
    if (taken && !result) {
      result = values ?? {};
      finished.add(step.id);
      remember(finished);
    }
    tell(parts.task, ...taskWords(now, able));
    tell(parts.formula, values ? `lesson.${step.id}.${values.ending ?? "formula"}` : "", values);
    put(parts.result, result && step.formula ? say("lesson.finished", { text: ending() }) : "");
    parts.show.hidden = !step.show || (step.id === "families" && isOffline());
    parts.show.disabled = !now || !able;
    put(parts.show, say(step.id === "back" ? "lesson.back.show" : "lesson.show"));
    parts.next.classList.toggle("ready", finished.has(step.id));
    list();
  }

  const ending = () => say(`lesson.${step.id}.done`, result);

  /** What is to be done, as a key and its values. */
  function taskWords(now, able) {
    if (!step.show) return [""];
    if (!able) return ["lesson.no_thresholds"];
    if (step.task && !now) return [""];
    const values = step.task ? named(step.task(now, memory)) : {};
    return [offline(`lesson.${step.id}.${values.ending ?? "task"}`), values];
  }

  /** Call a class by its name in the visitor's language. */
  const named = (values) =>
    (values?.label ? { ...values, label: viewer.texts.className(values.label) } : values);

  function list() {
    STEPS.forEach(({ id }, k) => {
      const button = parts.steps[k], done = finished.has(id);
      const values = { number: k + 1, title: say(`lesson.${id}.title`) };
      put(button, values.title);
      button.classList.toggle("done", done);
      button.setAttribute("aria-label", say(done ? "lesson.name.done" : "lesson.name", values));
      if (step.id === id) button.setAttribute("aria-current", "step");
      else button.removeAttribute("aria-current");
    });
    put(parts.progress, say("lesson.progress", { done: finished.size, all: STEPS.length }));
  }

  /** Go to a step, and take the keyboard there. */
  function go(lesson) {
    viewer.store.set({ lesson });
    (step ? parts.title : opener).focus();
  }

  function show() {
    const { state, hover, rerun } = step.show(moment(), memory);
    if (state) viewer.store.set(state, { recorded: true });
    pointed = hover !== undefined;
    if (pointed) viewer.hover(centreOf(viewer.session, hover));
    if (rerun) viewer.runAgain();
    watch();
  }

  function open() {
    const first = STEPS.findIndex(({ id }) => !finished.has(id));
    go(step ? null : Math.max(first, 0) + 1);
  }

  opener.addEventListener("click", open);
  parts.steps.forEach((button, k) => button.addEventListener("click", () => go(k + 1)));
  parts.previous.addEventListener("click", () => go(number() - 1));
  parts.next.addEventListener("click", () => go(number() + 1));
  parts.close.addEventListener("click", () => go(null));
  parts.show.addEventListener("click", show);
  parts.photo.addEventListener("click", () => viewer.panels.photo.canvas.focus());
  parts.again.addEventListener("click", () => {
    finished.clear();
    remember(finished);
    step = null;
    viewer.store.set({ lesson: 1 });
    turn();
    parts.title.focus();
  });
  section.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.defaultPrevented && event.target.tagName !== "INPUT") go(null);
  });
  viewer.find(".panels").addEventListener("keydown", ({ key, target, ctrlKey, metaKey, altKey }) => {
    const plain = !ctrlKey && !metaKey && !altKey && target.tagName === "CANVAS";
    if (step && plain && key.toLowerCase() === "l") parts.title.focus();
  });
  // The panels have listened first: by now the cell under the pointer is known.
  viewer.find(".panels").addEventListener("pointermove", () => viewer.state.locked && watch());
  viewer.element.addEventListener("asa:state", ({ detail: { state, before } }) => {
    if (state.lesson !== before.lesson) turn();
    else watch();
  });
  viewer.element.addEventListener("asa:drawn", ({ detail }) => {
    // What a step has seen of one picture says nothing of another.
    if (drawn && drawn.session !== detail.session) memory = {};
    drawn = detail;
    watch();
  });
  viewer.element.addEventListener("asa:compared", watch);
  viewer.element.addEventListener("asa:language", () => step && write());
  turn();
}

function build(viewer, section) {
  const steps = STEPS.map(() => button());
  const list = make("ol", "steps");
  list.append(...steps.map((each) => {
    const item = make("li");
    item.append(each);
    return item;
  }));
  const nav = make("nav", "", { label: "lesson.steps" });
  nav.append(list);
  const parts = {
    steps,
    title: Object.assign(make("h2"), { tabIndex: -1 }),
    text: make("p"), task: make("p", "task"), formula: make("p", "formula"), result: make("p", "result"),
    page: make("div", "page"),
    previous: button("lesson.previous"), next: button("lesson.next"), show: button(),
    photo: button("lesson.photo"), link: button("lesson.link"), again: button("lesson.again"),
    close: button("lesson.close"), progress: make("span", "note"),
  };
  parts.show.dataset.title = "lesson.show.title";
  parts.result.setAttribute("role", "status");
  const walk = make("div", "walk");
  const { previous, next, show, photo, link, again, close, progress } = parts;
  walk.append(previous, next, show, photo, link, progress, again, close);
  section.append(nav, parts.title, parts.text, parts.task, parts.formula, parts.result, parts.page, walk);
  connectLink({
    host: viewer.host,
    find: () => parts.link,
    link: () => linkToStep(viewer.state),
    say: (key) => viewer.say(key),
    status: (text) => viewer.status(text),
  });
  return parts;
}

function button(text) {
  const element = make("button", "", text ? { text } : {});
  element.type = "button";
  return element;
}

/** A link for a class: the step on this picture, with everything else as it is at the start. */
function linkToStep({ picture, network, language, lesson }) {
  const words = toQueryString({ ...START, picture, network, language, lesson });
  return { url: `${location.origin}${location.pathname}?${words}`, upload: isUpload(picture) };
}

/** Show the worked example, a list of points, or nothing. */
function showPage(viewer, id, page) {
  page.hidden = id !== "toy" && !POINTS[id];
  if (id === "toy") showToy(viewer, page);
  else page.replaceChildren(...(POINTS[id] ? [points(viewer, id)] : []));
}

function points(viewer, id) {
  const list = make("ul", "limits");
  list.append(...POINTS[id].map((each) => make("li", "", {}, viewer.say(`lesson.${id}.${each}`))));
  return list;
}

const labels = (viewer) =>
  Object.fromEntries(Object.entries(LABELS).map(([name, key]) => [name, viewer.say(key)]));

function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** The steps that were done on this browser; where it keeps nothing, none were. */
function remembered() {
  try {
    const ids = JSON.parse(localStorage.getItem(KEPT_AS)) ?? [];
    return new Set(STEPS.map(({ id }) => id).filter((id) => ids.includes(id)));
  } catch {
    return new Set();
  }
}

function remember(finished) {
  try {
    localStorage.setItem(KEPT_AS, JSON.stringify([...finished]));
  } catch {
    // Private windows and files on disk may keep nothing; the marks last as long as the page.
  }
}
