// The metadata of exported files: titles, captions, the link back, and a manifest for programs.

import { AS_TRAINED, isChanged } from "../core/attention.ts";
import { cellOf, centreOf, countedPlace, placeOf } from "../core/geometry.ts";
import { isUpload } from "../core/state.ts";
import { number } from "../core/texts.ts";
import type { Pixel, Session, State, WhatIf } from "../types.ts";
import type { Described } from "./export_types.ts";

/** What the picture is called. */
export function pictureTitle({ opened: { picture }, texts }: Pick<Described, "opened" | "texts">): string {
  if (isUpload(picture)) return texts.say("export.own_picture");
  const key = `gallery.${picture}`, title = texts.say(key);
  return title === key ? picture : title;
}

/** What the network is called. */
export function networkTitle({ host, opened }: Pick<Described, "host" | "opened">): string {
  return host.networks.find(({ name }) => name === opened.network)?.title ?? opened.network;
}

/** What a file is called by those who read: picture and network. */
export const titleOf = (viewer: Pick<Described, "opened" | "texts" | "host">): string => `${pictureTitle(viewer)} · ${networkTitle(viewer)}`;

/** The pixel of the file that a point lies in. */
const realPixel = ({ lattice }: Session, point: Pixel) => point.map((each) => Math.floor(each / lattice));

/** A cell by its number, with a pixel in it: the one that was pointed at, or its centre. */
export function describedCell(session: Session, cell: number, pixel: Pixel | null = null) {
  const { classes, cellLabels } = session;
  const point = pixel && cellOf(session, pixel) === cell ? pixel : centreOf(session, cell);
  const [x, y] = realPixel(session, point);
  return { ...placeOf(session, cell), x, y, label: classes[cellLabels[cell]] };
}

/** The lines under a figure of the panels `names`: the query, what was changed, how to read it. */
export function captionLines(viewer: Described, names: string[]): string[] {
  const { moment, texts } = viewer;
  const { state, session, row } = moment;
  const where = (key: string, cell: number, pixel: Pixel, values = {}) => {
    const { label, ...place } = describedCell(session, cell, pixel);
    return texts.say(key, { ...place, ...countedPlace(session, cell), ...values, label: texts.className(label) });
  };
  const lines = [where("export.query", row.i, state.query)];
  for (const pin of state.pins.keys()) {
    lines.push(where("export.pin", cellOf(session, state.pins[pin]), state.pins[pin], { pin: pin + 1 }));
  }
  if (moment.set) lines.push(texts.say("export.set", { count: moment.set.cells.length }));
  if (isChanged(state.whatIf)) lines.push(texts.say("export.what_if", { changes: changesOf(viewer) }));
  if (names.some((name) => viewer.scenes[name].bar)) lines.push(texts.say(scaleKey(state, names)));
  if (state.zoom[0] > 1) lines.push(texts.say("export.zoomed", { factor: number(state.zoom[0]) }));
  return lines;
}

/** How numbers are turned into colours; of the two rows also whether in the same way. */
function scaleKey({ scale, shared, compare }: State, names: string[]): string {
  if (!names.includes("dense") && !names.includes("sparse")) return `export.scale.${scale}`;
  return `export.scale.${scale}.${shared ? "shared" : compare ? "alone" : "own"}`;
}

/** What a what-if changes, in words. */
function changesOf({ moment: { state: { whatIf } }, texts }: Described): string {
  const changed = (Object.keys(AS_TRAINED) as (keyof WhatIf)[]).filter((name) => whatIf[name] !== AS_TRAINED[name]);
  const shown = (name: keyof WhatIf) => (name === "nonlocalFactor" || name === "localFactor" ? number(whatIf[name]) : whatIf[name]);
  const said = changed.map((name) => texts.say(`export.what_if.${name}`, { value: shown(name) }));
  return said.join(texts.say("export.comma"));
}

/** The link to what is shown; none where it would open something else. */
export function linkOf(viewer: Described): string | null {
  return viewer.host.fixed || isUpload(viewer.opened.picture) ? null : viewer.link().url;
}

/** Everything there is to know of what is shown, for programs. */
export function manifestOf(viewer: Described) {
  const { state, session, row } = viewer.moment;
  const { whatIf } = state;
  const { label, x, y, ...cell } = describedCell(session, row.i, state.query);
  return {
    format: "asa-viz query",
    version: 1,
    network: viewer.opened.network,
    network_title: networkTitle(viewer),
    picture: isUpload(viewer.opened.picture) ? null : viewer.opened.picture,
    picture_title: pictureTitle(viewer),
    link: linkOf(viewer),
    grid: {
      height: session.height, width: session.width,
      image_height: session.imageHeight / session.lattice, image_width: session.imageWidth / session.lattice,
    },
    query: { cell, pixel: { x, y }, class: label },
    pins: state.pins.map((pin) => realPixel(session, pin)).map(([px, py]) => ({ x: px, y: py })),
    what_if: {
      changed: isChanged(whatIf),
      nonlocal_factor: whatIf.nonlocalFactor, local_factor: whatIf.localFactor,
      reciprocity: whatIf.reciprocity, local_rule: whatIf.localRule,
      window: whatIf.window, top_k: whatIf.topK,
    },
    thresholds: {
      learned: session.learned,
      window: whatIf.window ?? session.window,
      nonlocal_times_uniform: row.threshold,
      local_times_window_mean: row.localScale,
      local_times_uniform: row.localThreshold,
    },
    uniform: 1 / session.n,
    classes: session.classes,
    palette: session.palette,
    half: session.half,
    notes: session.notes,
    state: { ...state, ...viewer.opened },
  };
}

/** A name for a file: what it shows, in letters that every file system takes. */
export function fileName(viewer: Described, part: string, ending: string): string {
  const { row, column } = countedPlace(viewer.session, viewer.moment.row.i);
  const name = ["asa-viz", viewer.opened.picture, `r${row}c${column}`, part].filter(Boolean).join("_");
  return `${name.replace(/[^\w.-]+/g, "-")}.${ending}`;
}
