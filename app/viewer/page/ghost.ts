// A pointer that moves over the photo by itself until the visitor points at something for the first time.

import { svg, html, render } from "lit/html.js";
import { placeIn } from "../core/geometry.ts";
import type { Host } from "../core/host_types.ts";
import type { Opened, Pixel, Session, State } from "../types.ts";
import { looksOf } from "./captions.ts";
import { isCalm, make } from "./dom.ts";
import { isNoted, note } from "./remembered.ts";

const TOUCHED = "touched";
// It rests where a row is to be looked at, and moves to the next point.
const REST_MS = 2400, MOVE_MS = 2600;
const ARROW = svg`<svg viewBox="0 0 20 26" width="20" height="26"><path d="M2 2v19l5-5 3 8 4-2-3-7h7z" fill="#fff" stroke="#000" stroke-width="1.5"/></svg>`;

interface Led {
  element: HTMLElement;
  host: Host;
  state: State;
  session: Session | null;
  opened: Opened | null;
  picture: { width: number; height: number } | null;
  panels: { photo: { canvas: HTMLCanvasElement; section: HTMLElement } };
  find<T extends HTMLElement>(selector: string): T;
  say(key: string): string;
  hover(pixel: Pixel | null): void;
}

/**
 * Let a pointer lead the query from one point worth a look to the next, until the first touch or key, which is noted.
 *
 * `isFirst` says that the page was opened without a link. It waits for the end of the film. Where nothing shall move it stands at
 * the query.
 */
export function connectGhost(viewer: Led, isFirst: boolean): void {
  if (!isFirst || viewer.host.fixed || isNoted(TOUCHED)) return;
  const { canvas, section } = viewer.panels.photo;
  const ghost = section.appendChild(make("div", "ghost"));
  ghost.ariaHidden = "true";
  const over = new AbortController(), { signal } = over;
  let from: Pixel = viewer.state.query, last = from, turn = 0, since = 0, frame = 0;

  /** The points of the open picture in turn, but where it stands. */
  function next([x, y]: Pixel): Pixel {
    const others = looksOf(viewer).filter((each) => each[0] !== x || each[1] !== y);
    return others.length ? others[turn % others.length] : [x, y];
  }

  /** Put the pointer's tip on a pixel, once a picture is there and no film covers it. */
  function put([x, y]: Pixel): void {
    const { picture, session, state } = viewer;
    ghost.hidden = !picture || !session || state.stage !== null;
    if (!picture || !session || ghost.hidden) return;
    const place = placeIn(canvas.clientWidth, canvas.clientHeight, picture, state.zoom);
    const [left, top] = place.toBox((x + 0.5) / session.imageWidth, (y + 0.5) / session.imageHeight);
    ghost.style.transform = `translate(${canvas.offsetLeft + left}px, ${canvas.offsetTop + top}px)`;
  }

  function move(now: number): void {
    frame = requestAnimationFrame(move);
    const { state } = viewer, [x, y] = state.query;
    // Where another picture, or its opening, has put the query it begins anew.
    if (x !== last[0] || y !== last[1] || !viewer.session || state.stage !== null || isCalm()) {
      [from, last, since] = [state.query, state.query, now];
      return put(state.query);
    }
    const to = next(from), share = Math.min(Math.max((now - since - REST_MS) / MOVE_MS, 0), 1), eased = share * share * (3 - 2 * share);
    const between = (k: 0 | 1) => Math.round(from[k] + (to[k] - from[k]) * eased);
    const at: Pixel = [between(0), between(1)];
    if (share > 0) viewer.hover(at);
    last = viewer.state.query;
    put(at);
    if (share === 1) [from, since, turn] = [to, now, turn + 1];
  }

  function end(): void {
    over.abort();
    cancelAnimationFrame(frame);
    ghost.remove();
    note(TOUCHED);
  }

  const speak = () => render(html`${ARROW}<span>${viewer.say("app.ghost")}</span>`, ghost);
  viewer.element.addEventListener("asa:language", speak, { signal });
  for (const event of ["pointerdown", "keydown"]) viewer.element.addEventListener(event, end, { signal });
  viewer.find(".panels").addEventListener("pointermove", end, { signal });
  speak();
  ghost.hidden = true;
  frame = requestAnimationFrame(move);
}
