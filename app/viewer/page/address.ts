// The address of the page: what a link asks for, and the state written back into it.

import { isUpload, toQueryString } from "../core/state.ts";
import type { Host } from "../core/host_types.ts";
import type { State } from "../types.ts";

// A change is written at once: a reload may follow. Of many in a row, which browsers refuse after
// some hundred in half a minute, the last is written when they end.
const SETTLED = 150;
const MOST_WRITES = 30, WRITES_WITHIN = 10_000;
// Parts of the state that belong to a picture: left out together with one that is not there.
const OF_A_PICTURE = ["picture", "query", "locked", "pins", "compare", "set", "zoom"] as const;

/** Leave out of what a link asks for (`words`) what this page does not have; returns the keys of what is to be said of it. */
export function checked(asked: Partial<State>, words: URLSearchParams, { gallery, networks }: Pick<Host, "gallery" | "networks">): string[] {
  const said: string[] = [];
  const isThere = gallery.some(({ id }) => id === asked.picture) || isUpload(asked.picture);
  if (words.has("picture") && !isThere) {
    said.push("error.no_picture");
    for (const name of OF_A_PICTURE) delete asked[name];
  }
  if (words.has("network") && !networks.some(({ name }) => name === asked.network)) {
    said.push("error.no_network");
    delete asked.network;
  }
  return said;
}

/** Write a state into the address of the page; returns the words that stand there. */
export function writeAddress(state: State): string {
  // A film that plays is no state to come back to, and the language is each visitor's own.
  const words = toQueryString({ ...state, stage: null, language: null }, true);
  history.replaceState(history.state, "", words ? `?${words}` : location.pathname);
  return words;
}

/** Returns a function that keeps the address in step with a state, so that a reload or a bookmark comes back to it. */
export function addressKeeper(): (state: State) => void {
  let written: number[] = [], timer = 0;

  function write(state: State): void {
    written.push(performance.now());
    const words = writeAddress(state);
    // Around a Space there is a page whose address the visitor sees; it takes over what it is told.
    if (window.parent !== window) window.parent.postMessage({ queryString: words }, "*");
  }

  return (state) => {
    clearTimeout(timer);
    const now = performance.now();
    written = written.filter((time) => now - time < WRITES_WITHIN);
    if (written.length < MOST_WRITES) write(state);
    else timer = window.setTimeout(() => write(state), SETTLED);
  };
}
