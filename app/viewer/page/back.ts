// The browser's Back closes an open sheet, then undoes what leads somewhere else: another picture, the lesson, the comparison, a lock.

import { START, fromQueryString } from "../core/state.ts";
import type { Events, State } from "../types.ts";
import { writeAddress } from "./address.ts";

interface Going {
  element: HTMLElement;
  host: { fixed?: boolean };
  state: State;
  store: { set(patch: Partial<State>): void };
}

/** What lies over the page until it is closed, by Back too. */
export interface Cover {
  /** Something has been opened over the page; `close` closes it. */
  opened(close: () => void): void;
  /** It has been closed by other means than Back. */
  closed(): void;
}

/** Make a step of the browser's history of every change that leads somewhere else, and go back to the state before. */
export function connectBack(viewer: Going): Cover {
  if (viewer.host.fixed) return { opened() {}, closed() {} };
  let isGoing = false, isLeaving = false, close: (() => void) | null = null;
  const isOfCover = () => Boolean((history.state as { isCovered?: boolean } | null)?.isCovered);
  const mark = (isCovered: boolean) => ({ ...history.state as object, isCovered });
  // The address is written right after this event, into the new step.
  viewer.element.addEventListener("asa:state", (event) => {
    const { state, before } = (event as CustomEvent<Events["asa:state"]>).detail;
    if (isGoing || !leadsOn(before, state)) return;
    if (!isOfCover()) return history.pushState(history.state, "");
    // The step of what lies over the page becomes that of the change, and what stays open has one after it.
    history.replaceState(mark(false), "");
    setTimeout(() => { if (close && !isOfCover()) history.pushState(mark(true), ""); });
  });
  const first = { picture: viewer.state.picture, network: viewer.state.network };
  window.addEventListener("popstate", () => {
    if (isLeaving || close) {
      // What was changed meanwhile stays.
      writeAddress(viewer.state);
      const shut = close;
      if (!isLeaving) {
        close = null;
        shut?.();
      } else if (close) history.pushState(mark(true), "");
      isLeaving = false;
      return;
    }
    isGoing = true;
    const { language, network } = viewer.state;
    const asked = { ...first, network, ...fromQueryString(location.search) };
    // The address of a free query names no point: in the same picture it stays where it is.
    const query = asked.query ?? (asked.picture === viewer.state.picture ? viewer.state.query : START.query);
    viewer.store.set({ ...START, ...asked, query, language });
    isGoing = false;
  });
  return {
    opened(shut) {
      if (!close && !isOfCover()) history.pushState(mark(true), "");
      close = shut;
    },
    closed() {
      if (!close) return;
      close = null;
      if (!isOfCover()) return;
      isLeaving = true;
      history.back();
    },
  };
}

/** Whether a change leads somewhere else, and not back from there. */
export function leadsOn(before: State, state: State): boolean {
  // The steps of a lesson choose pictures and points by themselves.
  if (before.lesson !== null && state.lesson !== null) return false;
  const opens = (name: "lesson" | "methods") => before[name] === null && state[name] !== null;
  return before.picture !== state.picture || opens("lesson") || opens("methods") || (!before.locked && state.locked);
}
