// The browser's Back undoes what leads somewhere else: another picture, the lesson, the comparison, a lock.

import { START, fromQueryString } from "../core/state.ts";
import type { Events, State } from "../types.ts";

interface Going {
  element: HTMLElement;
  host: { fixed?: boolean };
  state: State;
  store: { set(patch: Partial<State>): void };
}

/** Make a step of the browser's history of every change that leads somewhere else, and go back to the state before. */
export function connectBack(viewer: Going): void {
  if (viewer.host.fixed) return;
  let isGoing = false;
  // The address is written right after this event, into the new step.
  viewer.element.addEventListener("asa:state", (event) => {
    const { state, before } = (event as CustomEvent<Events["asa:state"]>).detail;
    if (!isGoing && leadsOn(before, state)) history.pushState(history.state, "");
  });
  const first = { picture: viewer.state.picture, network: viewer.state.network };
  window.addEventListener("popstate", () => {
    isGoing = true;
    const { language, network } = viewer.state;
    const asked = { ...first, network, ...fromQueryString(location.search) };
    // The address of a free query names no point: in the same picture it stays where it is.
    const query = asked.query ?? (asked.picture === viewer.state.picture ? viewer.state.query : START.query);
    viewer.store.set({ ...START, ...asked, query, language });
    isGoing = false;
  });
}

/** Whether a change leads somewhere else, and not back from there. */
export function leadsOn(before: State, state: State): boolean {
  // The steps of a lesson choose pictures and points by themselves.
  if (before.lesson !== null && state.lesson !== null) return false;
  const opens = (name: "lesson" | "methods") => before[name] === null && state[name] !== null;
  return before.picture !== state.picture || opens("lesson") || opens("methods") || (!before.locked && state.locked);
}
