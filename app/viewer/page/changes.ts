// What follows a change of the state: another picture is opened, a changed rule is computed, the rest is drawn.

import { isChanged } from "../core/attention.ts";
import type { State } from "../types.ts";
import { addressKeeper } from "./address.ts";
import type { Opener } from "./opener.ts";
import { speak } from "./speaking.ts";
import type { Viewer } from "./viewer.ts";

// After the last change of the rule its maps are computed, and the head is run again by itself.
const SETTLED = 150;
const RERUN = 300;

/** Let every change of the viewer's state be computed, drawn, told and kept in the address. */
export function connectChanges(viewer: Viewer, opener: Opener): void {
  const keepAddress = addressKeeper();
  let settling = 0, rerunning = 0;

  /** Compute what a changed rule gives for the whole image, once it changes no more. */
  function computeRule(): void {
    viewer.maps = viewer.rerun = null;
    clearTimeout(settling);
    settling = window.setTimeout(() => viewer.map(), SETTLED);
    clearTimeout(rerunning);
    if (isChanged(viewer.state.whatIf) && viewer.host.rerun) rerunning = window.setTimeout(() => viewer.runQuietly(), RERUN);
  }

  viewer.store.subscribe((state, before) => {
    const differs = (name: keyof State) => JSON.stringify(state[name]) !== JSON.stringify(before[name]);
    const others = (Object.keys(state) as (keyof State)[]).filter((name) => name !== "query" && differs(name));
    // What was said is over once the visitor goes on, but not because the pointer moves.
    if (viewer.answered && others.some((name) => name !== "stage")) viewer.status("");
    if (differs("language")) speak(viewer);
    if (differs("picture") || differs("network")) {
      opener.leave(before);
      viewer.ready = opener.open(false);
    } else if (viewer.session) {
      if (differs("whatIf")) computeRule();
      if ((["query", "whatIf", "compare", "pins", "set", "twin"] as const).some(differs)) viewer.answer(viewer.hoverTime);
      else viewer.draw();
    }
    viewer.hoverTime = undefined;
    viewer.tell("asa:state", { state, before });
    if (!viewer.host.fixed && (others.length || state.locked)) keepAddress(viewer.state);
  });
}
