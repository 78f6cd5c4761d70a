// The panels that a phone turns to where there are no stages: in columns, two pins, a set of cells and twins.

import { html, render } from "lit/html.js";
import { PANELS } from "../draw/scenes.ts";
import type { PanelName, Scenes } from "../draw/draw_types.ts";
import type { Moment, State } from "../types.ts";
import { centre } from "./dom.ts";
import { oneStop } from "./roving.ts";

const TURNED: PanelName[] = PANELS.filter((name) => name !== "photo");

interface Turned {
  moment: Moment | null;
  scenes: Scenes;
  state: State;
  find<T extends HTMLElement>(selector: string): T;
  say(key: string, values?: Record<string, unknown>): string;
}

/** Put a button for each panel in place of the stages, `first` pressed; `turned` is called when another is. */
export function turnsOf(viewer: Turned, first: PanelName, turned: () => void) {
  const place = document.createElement("div");
  place.className = "turns";
  place.setAttribute("role", "toolbar");
  viewer.find(".stages").after(place);
  oneStop(place);
  let panel = first;

  // What the buttons say, and whether they are there: their places depend on it.
  let told = "";

  function turn(name: PanelName): void {
    panel = name;
    turned();
  }

  /** Name the panels by what they show now; the one that is shown is in sight. */
  function show(): void {
    if (!viewer.moment) return;
    write();
    const now = JSON.stringify([panel, place.clientWidth, place.textContent]);
    if (now === told) return;
    told = now;
    const button = place.querySelector<HTMLElement>(`[data-turn="${panel}"]`);
    if (button) centre(place, button);
  }

  function write(): void {
    place.setAttribute("aria-label", viewer.say("panels.label"));
    render(html`${TURNED.map((name) => html`<button type="button" data-turn=${name} aria-pressed=${String(name === panel)}
      @click=${() => turn(name)}>${viewer.say(viewer.scenes[name].title)}</button>`)}`, place);
  }

  return {
    panel: () => panel,
    show,
    /** Turn to the next panel, or the one before; after the last comes the first. */
    go: (step: 1 | -1) => turn(TURNED[(TURNED.indexOf(panel) + step + TURNED.length) % TURNED.length]),
  };
}
