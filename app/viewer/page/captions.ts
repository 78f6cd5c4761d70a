// The six panels on the page: heading, canvas, and under it the bar or legend of its scene.

import { cellOf } from "../core/geometry.ts";
import { type TemplateResult, html, nothing, render } from "lit/html.js";
import { live } from "lit/directives/live.js";
import { styleMap } from "lit/directives/style-map.js";
import { make } from "./dom.ts";
import { STRENGTHS } from "../core/maps.ts";
import { Panel, rampOf } from "../draw/panels.ts";
import { photographOf } from "./host.ts";
import { listen } from "./pointer.ts";
import { PANELS } from "../draw/scenes.ts";
import { strengthOf } from "../draw/segmentation.ts";
import { LAYERS, MAPS } from "../core/state.ts";
import { explain, termOf } from "../core/terms.ts";
import { number, percent } from "../core/texts.ts";
import type { Bar, LegendEntry, PanelName, ScaleLike, Scene } from "../draw/draw_types.ts";
import type { Pixel } from "../types.ts";
import type { Drawn, Viewer } from "./viewer.ts";

/** One panel on the page, with its elements. */
export interface PanelParts {
  panel: Panel;
  section: HTMLElement;
  canvas: HTMLCanvasElement;
  below: HTMLElement;
  heading: HTMLElement;
}

type Speaker = Pick<Drawn, "say" | "texts">;
/** What captions are written from. */
type Captioned = Speaker & Pick<Drawn, "host" | "opened" | "session" | "state" | "moment" | "maps" | "scenes" | "panels" | "lock" | "alone" | "wiped" | "mark" | "find">;

// A picture that is squeezed more than this is seen to be.
const SQUEEZED = 1.25;

/** Build the panels into the page; returns them by name, each with its elements. */
export function buildPanels(viewer: Viewer): Record<PanelName, PanelParts> {
  return Object.fromEntries(PANELS.map((name) => {
    const section = make("section", "panel", { panel: name });
    const heading = make("h2");
    heading.append(make("span", "title"), " ", make("span", "what"));
    const canvas = make("canvas");
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "application");
    const below = make("div", "caption");
    section.append(heading, canvas, below);
    if (name === "segmentation") {
      // The handle of the wipe lies over the picture.
      const screen = make("div", "screen");
      screen.append(canvas, make("div", "over"));
      heading.after(screen);
    }
    if (name === "map") heading.replaceChildren(choice("map", MAPS, (key) => `map.${key}`), make("span", "title"), " ", make("span", "what"));
    if (name === "segmentation") {
      heading.replaceChildren(choice("layer", LAYERS, (key) => `layer.${key}`), " ", choice("strength", STRENGTHS, (key) => `strength.${key}`), make("span", "title"));
    }
    viewer.find(".panels").append(section);
    listen(canvas, viewer);
    return [name, { panel: new Panel(name, canvas), section, canvas, below, heading }];
  })) as unknown as Record<PanelName, PanelParts>;
}

function choice(name: string, values: readonly (string | number)[], keyOf: (value: string | number) => string): HTMLSelectElement {
  const select = make("select", "", { set: name, label: `choice.${name}` });
  for (const value of values) {
    const option = make("option", "", { text: keyOf(value) });
    option.value = String(value);
    select.append(option);
  }
  return select;
}

/** Say what a panel shows now: heading, bar or legend, and the words for who cannot see it. */
export function caption(viewer: Captioned, name: PanelName): void {
  const scene = viewer.scenes[name];
  const { heading, canvas, below } = viewer.panels[name];
  const title = viewer.say(scene.title), isTold = Boolean(viewer.moment.compared ?? viewer.moment.set ?? viewer.moment.twin);
  write(heading.querySelector(".title"), (name === "map" && !isTold) || (name === "segmentation" && !viewer.moment.twin) ? "" : title);
  explain(heading.querySelector<HTMLElement>(".title")!, scene.title);
  const looks = name === "photo" ? looksOf(viewer) : [];
  // A panel that the film has not reached has a title alone.
  const what = scene.isVeiled ? "" : scene.bar ? viewer.say(scene.bar.unit) : looks.length ? photoWords(viewer) : viewer.say(`${scene.title}.what`);
  const unit = heading.querySelector<HTMLElement>(".what");
  write(unit, what);
  if (unit) explain(unit, scene.isVeiled ? "" : scene.bar?.unit ?? "");
  for (const select of heading.querySelectorAll("select")) {
    select.hidden = (select.dataset.set === "map" && isTold)
      || (select.dataset.set === "layer" && Boolean(viewer.moment.twin))
      || (select.dataset.set === "strength" && viewer.state.layer !== "groups");
    if (select.dataset.set === "strength") select.value = String(strengthOf(viewer.state, viewer.session, viewer.maps));
    for (const option of select.querySelectorAll<HTMLOptionElement>('[value="without"], [value="wipe"]')) {
      option.hidden = !viewer.session.withoutAttention;
    }
  }
  render(scene.bar ? barOf(viewer, scene.bar)
    : scene.legend ? legendOf(viewer, scene)
    : looks.length ? looksLine(viewer, looks)
    : noteOf(scene.isVeiled ? "" : scene.note ? viewer.say(scene.note) : photoWords(viewer)), below);
  if (name === "segmentation") showWipe(viewer, scene);
  const words = [...below.querySelectorAll("li, p")].map((each) => each.textContent);
  const told = [title, what, ...words].filter(Boolean).join(", ");
  if (canvas.getAttribute("aria-label") !== told) canvas.setAttribute("aria-label", told);
}

/** The handle of the wipe, over the picture: the left hand is with attention, the right hand without. */
function showWipe(viewer: Captioned, { beside }: Scene): void {
  const over = viewer.find(".over"), { rerun, twin } = viewer.moment;
  const [left, right] = twin ? ["twin.left", "twin.right"] : [rerun ? "wipe.what_if" : "wipe.with", "wipe.without"];
  const moved = ({ target }: Event) => viewer.mark({ wiped: Number((target as HTMLInputElement).value) / 100 });
  render(beside ? html`<span>${viewer.say(left)}</span><span>${viewer.say(right)}</span>
    <input type="range" min="0" max="100" .value=${live(String(Math.round(100 * viewer.wiped)))} aria-label=${viewer.say("wipe.label")} @input=${moved}>` : "", over);
}

/** What stands under the photo: its size, that of the grid, and what was decided on its way in. */
export function photoWords(viewer: Speaker & Pick<Drawn, "session">): string {
  const { imageWidth, imageHeight, lattice, height, width, n, notes, inner } = viewer.session;
  const [across, along] = [imageWidth / lattice, imageHeight / lattice];
  const own = inner ? { width: inner.pixelsAcross, height: inner.pixelsAlong } : { width: across, height: along };
  const words = [viewer.say("note.photo", { ...own, rows: height, columns: width, n })];
  // The network sees every picture in the shape of its grid.
  const squeezed = (across * height) / (along * width);
  if (Math.max(squeezed, 1 / squeezed) > SQUEEZED) {
    words.push(viewer.say(squeezed > 1 ? "note.squeezed" : "note.squeezed_down", { times: number(Math.max(squeezed, 1 / squeezed)) }));
  }
  return [...words, ...notes.map((each) => viewer.say(`picture.${each}`))].join(" · ");
}

const write = (element: Element | null, text: string | undefined): void => {
  if (element && element.textContent !== text) element.textContent = text ?? "";
};

/** The points of the open picture that are worth a look. */
export const looksOf = (viewer: Pick<Viewer, "host" | "opened">): Pixel[] => photographOf(viewer)?.looks ?? [];

/** Buttons for these points, and what they tell. */
function looksLine(viewer: Captioned, looks: Pixel[]): TemplateResult {
  const { opened, session, state } = viewer, query = cellOf(session, state.query);
  const buttons = looks.map((pixel, k) => html`<button type="button" aria-label=${viewer.say("look.point", { number: k + 1 })}
    aria-pressed=${state.locked && cellOf(session, pixel) === query} @click=${() => viewer.lock(pixel)}>${k + 1}</button>`);
  return html`<p class="note looks">${buttons}<span>${viewer.say(`gallery.${opened.picture}.look`)}</span></p>`;
}

const noteOf = (text: string): TemplateResult => html`<p class="note">${text}</p>`;

/** A bar of colours with round numbers under it, a line on it, and what is clipped. */
function barOf(viewer: Captioned, bar: Bar): TemplateResult {
  const { scale, colormap, line } = bar, isMarked = line !== null && scale.holds(line);
  const colours = { "--ramp": rampOf(colormap), "--map-opacity": String(viewer.state.opacity) };
  return html`<div class="ramp" style=${styleMap(colours)}><i ?hidden=${!isMarked}
    style=${styleMap({ left: isMarked ? `${100 * scale.position(line)}%` : "0" })}></i></div>
    <div class="ticks">${scale.ticks().map((value) => tickOf(scale, value))}</div>${noteOf(barWords(viewer, bar))}`;
}

function tickOf(scale: ScaleLike, value: number): TemplateResult {
  const position = scale.position(value);
  const side = position < 0.04 ? "first" : position > 0.96 ? "last" : "";
  return html`<span class=${side} style=${styleMap({ left: `${100 * position}%` })}>${`${+value.toPrecision(6)}`.replace("-", "−")}</span>`;
}

/** What stands under a bar: the threshold or the query's own number, and what is clipped. */
export function barWords(viewer: Speaker & Pick<Drawn, "moment">, { scale, line, here }: Omit<Bar, "colormap" | "unit">): string {
  const words: string[] = [];
  if (here !== undefined) words.push(viewer.say("bar.here", { value: number(here) }));
  else if (line !== null) {
    const { threshold, numbers: { keptMass } } = viewer.moment.row;
    const values = { value: number(line), threshold: number(threshold), mass: percent(keptMass) };
    words.push(viewer.say(line === threshold ? "bar.threshold" : "bar.renormalised", values));
  }
  const clip = scale.clippedBelow ? (scale.clipped ? "bar.both" : "bar.below") : scale.clipped ? "bar.clipped" : "bar.unclipped";
  words.push(viewer.say(clip, { low: number(scale.low), high: number(scale.high), largest: number(scale.largest) }));
  return words.join(" · ");
}

/** Entries of a legend with their amounts; one of a class shows it alone while it is pointed at or has the focus. */
function legendOf(viewer: Captioned, { legend = [], summary }: Scene): TemplateResult {
  const entries = legend.map((entry) => {
    const { name, amount } = legendWords(viewer, entry), { colour, label } = entry;
    const said = html`<i style=${styleMap({ background: colour })}></i>${name} <b>${amount}</b>`;
    if (label === undefined) return html`<li data-term=${termOf(entry.key ?? "") ?? nothing}>${said}</li>`;
    const show = () => viewer.mark({ alone: label }), hide = () => viewer.mark({ alone: null });
    return html`<li><button type="button" aria-pressed=${viewer.alone === label} title=${viewer.say("legend.alone")}
      @pointerenter=${show} @pointerleave=${hide} @focus=${show} @blur=${hide}>${said}</button></li>`;
  });
  // The summary first: a long legend runs out of room.
  return html`${summary ? noteOf(summaryWords(viewer, summary)) : ""}<ul class="legend">${entries}</ul>`;
}

/** An entry of a legend as words: its name and its amount. */
export function legendWords(viewer: Speaker, { key, name = "", from, to = "", amount, share, beside }: LegendEntry): { name: string; amount: string } {
  const className = (each: string) => viewer.texts.className(each);
  return {
    name: key ? viewer.say(key) : from ? `${className(from)} → ${className(to)}` : className(name),
    amount: share === undefined ? String(amount) : beside === undefined ? percent(share) : `${percent(share)} → ${percent(beside)}`,
  };
}

/** The line under a legend. */
export function summaryWords(viewer: Speaker, { key, values }: NonNullable<Scene["summary"]>): string {
  const { share, names, ...counts } = values as { share?: number; names?: string[] };
  return viewer.say(key, {
    ...counts,
    share: share === undefined ? "" : percent(share),
    names: (names ?? []).map((each) => viewer.texts.className(each)).join(viewer.say("list.comma")),
  });
}
