// The maps of the whole picture on a phone: a button at the end of the stages, and one swipe on from the last of them.

import { html, render } from "lit/html.js";
import { type Stage, stageBeside, stagesOf } from "../core/stages.ts";
import type { Session, State } from "../types.ts";

interface Mapped {
  session: Session | null;
  state: State;
  store: { set(patch: Partial<State>, how?: { passing?: boolean }): void };
  find<T extends HTMLElement>(selector: string): T;
  say(key: string, values?: Record<string, unknown>): string;
}

/** Put a button for the map at the end of the stages; `turned` is called when it is turned to, or away from. */
export function mapAfter(viewer: Mapped, turned: () => void) {
  const place = document.createElement("div");
  place.className = "map-after";
  viewer.find(".stages").append(place);
  let isOn = false;

  /** Show the map, or what a stage is about. */
  function go(next: Stage | "map" | null): void {
    isOn = next === "map";
    viewer.store.set({ stage: next === "map" ? null : next }, { passing: true });
    turned();
  }

  return {
    /** Whether the map is shown; a stage that is shown otherwise, as by the film, takes its place. */
    isShown: (): boolean => (isOn &&= viewer.state.stage === null),
    show(): void {
      render(html`<button type="button" aria-pressed=${String(isOn)} @click=${() => go(isOn ? null : "map")}>${viewer.say("choice.map")}</button>`, place);
    },
    /** Go to the next of the stages and the map, or the one before; before the first and after the map is the whole row. */
    go(step: 1 | -1): void {
      if (!viewer.session) return;
      const stages = stagesOf(viewer.session, viewer.state).filter((each) => each !== "ask");
      go(stageBeside<Stage | "map">([...stages, "map"], isOn ? "map" : viewer.state.stage, step));
    },
  };
}
