// The page on a phone: the attention lies as light on the photo, one more panel is swiped through the stages and the map,
// and controls come up from a bar at the bottom.

import { html, render } from "lit/html.js";
import { PANEL_OF, isFilmed, shownStage } from "../core/stages.ts";
import { percent } from "../core/texts.ts";
import type { PanelName, Scenes } from "../draw/draw_types.ts";
import type { Moment, Session, State } from "../types.ts";
import type { Cover } from "./back.ts";
import { lightOn } from "./phone_light.ts";
import { mapAfter } from "./phone_map.ts";
import { share } from "./phone_share.ts";
import { turnsOf } from "./phone_turns.ts";

const PHONES = "(pointer: coarse) and (max-width: 719px), (pointer: coarse) and (max-height: 480px)";
// The panel beside the photo while the film is nowhere.
const AT_REST: PanelName = "neighbours";
// A swipe is so long, and so much longer than high.
const SWIPE = 48, FLAT = 1.5;

type Sheet = "pictures" | "rule" | "numbers";
const SIGNS = { pictures: "▦", rule: "≟" };

export interface OnPhone {
  element: HTMLElement;
  host: { fixed?: boolean };
  session: Session | null;
  state: State;
  moment: Moment | null;
  scenes: Scenes;
  picture: { width: number; height: number } | null;
  panels: Record<string, { section: HTMLElement; canvas: HTMLCanvasElement }>;
  store: { set(patch: Partial<State>, how?: { passing?: boolean }): void };
  find<T extends HTMLElement>(selector: string): T;
  say(key: string, values?: Record<string, unknown>): string;
  status(text: string): void;
  link(): { url: string; upload: boolean };
}

/** Let the page be one of a phone wherever the screen is one, and turn back where it is none any more; sheets `cover` the page. */
export function connectPhone(viewer: OnPhone, cover: Cover): void {
  const { element } = viewer;
  const screen = matchMedia(PHONES);
  const bar = element.appendChild(document.createElement("nav"));
  bar.className = "phone-bar";
  const light = lightOn(viewer), turns = turnsOf(viewer, AT_REST, show), map = mapAfter(viewer, show);

  function show(): void {
    const isPhone = screen.matches;
    element.classList.toggle("phone", isPhone);
    light.show(isPhone);
    if (!isPhone) return void element.removeAttribute("data-sheet");
    const stage = viewer.session && shownStage(viewer.session, viewer.state);
    const panel = !isFilmed(viewer.state) ? turns.panel() : map.isShown() ? "map" : stage && stage !== "ask" ? PANEL_OF[stage] : AT_REST;
    element.classList.toggle("is-turned", !isFilmed(viewer.state));
    turns.show();
    map.show();
    for (const [name, { section }] of Object.entries(viewer.panels)) {
      section.classList.toggle("away", name !== "photo" && name !== panel);
      section.classList.toggle("swiped", name !== "photo");
    }
    showBar();
  }

  function showBar(): void {
    const open = element.dataset.sheet;
    const numbers = (viewer.moment?.set ?? viewer.moment?.row)?.numbers;
    const sign = (name: Sheet) =>
      (name === "numbers" ? String(numbers?.support ?? "∑") : SIGNS[name]);
    const button = (name: Sheet) => html`<button type="button" data-sheet=${name}
      aria-expanded=${String(open === name)} @click=${() => turn(open === name ? null : name)}>
      <b aria-hidden=${name === "numbers" ? "false" : "true"}>${sign(name)}</b>
      <span>${name === "numbers" && numbers ? viewer.say("phone.kept", { mass: percent(numbers.keptMass) }) : viewer.say(`phone.${name}`)}</span></button>`;
    bar.setAttribute("aria-label", viewer.say("phone.bar"));
    render(html`${button("pictures")}
      <button type="button" class="film" ?disabled=${!isFilmed(viewer.state)} @click=${play}><b aria-hidden="true">▶</b><span>${viewer.say("phone.play")}</span></button>
      ${button("rule")}${button("numbers")}
      <button type="button" class="share" @click=${() => share(viewer)}><b aria-hidden="true">↗</b><span>${viewer.say("phone.share")}</span></button>`, bar);
  }

  /** Open a sheet, or none; the focus goes with it. */
  function turn(name: string | null): void {
    const before = element.dataset.sheet;
    if (name) element.dataset.sheet = name;
    else delete element.dataset.sheet;
    if (name) cover.opened(() => turn(null));
    else cover.closed();
    showBar();
    const place = name ? element.querySelector<HTMLElement>(name === "numbers" ? ".said button" : name === "rule" ? ".what-if input:enabled" : ".choose .thumbnail, .choose input")
      : bar.querySelector<HTMLElement>(`[data-sheet="${before}"]`);
    place?.focus({ preventScroll: true });
  }

  function play(): void {
    turn(null);
    viewer.find(".stages .play").click();
  }

  for (const event of ["asa:opened", "asa:language", "asa:shown", "asa:state"]) element.addEventListener(event, show);
  screen.addEventListener("change", show);
  element.addEventListener("keydown", ({ key }) => {
    if (key === "Escape" && element.dataset.sheet) turn(null);
  });
  element.addEventListener("click", (event) => {
    // A button may have been replaced by what it has done: the path is that of before.
    const isIn = (selector: string) => event.composedPath().some((each) => each instanceof Element && each.matches(selector));
    if (element.dataset.sheet && (!isIn(".phone-bar, .choose, .said") || isIn(".thumbnail"))) turn(null);
  });
  // A new picture is not covered by the sheet it was chosen in.
  element.addEventListener("change", ({ target }) => {
    if (target instanceof HTMLInputElement && target.type === "file") turn(null);
  });
  swipe(viewer.find(".panels"), (step) => {
    if (!element.classList.contains("phone") || !viewer.session) return;
    (isFilmed(viewer.state) ? map : turns).go(step);
  });
  queueMicrotask(show);
}

/** Call `turn` with 1 for a swipe to the left, as to a next page, and with -1 to the right. */
function swipe(place: HTMLElement, turn: (step: 1 | -1) => void): void {
  let start: [x: number, y: number] | null = null;
  place.addEventListener("touchstart", ({ touches, target }) => {
    // The handle of the wipe is drawn along as well.
    const isIn = target instanceof Element && target.closest(".swiped") && !target.closest("input");
    start = isIn && touches.length === 1 ? [touches[0].clientX, touches[0].clientY] : null;
  }, { passive: true });
  place.addEventListener("touchend", ({ changedTouches: [finger] }) => {
    if (!start || !finger) return;
    const [across, down] = [finger.clientX - start[0], finger.clientY - start[1]];
    start = null;
    if (Math.abs(across) >= SWIPE && Math.abs(across) > FLAT * Math.abs(down)) turn(across < 0 ? 1 : -1);
  }, { passive: true });
}
