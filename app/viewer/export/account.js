// What a file that leaves the page says of itself: where it comes from, and how to come back to it.

import { AS_TRAINED, isChanged } from "../core/attention.ts";
import { cellOf, centreOf, countedPlace, placeOf } from "../core/geometry.ts";
import { isUpload } from "../core/state.ts";
import { number } from "../core/texts.ts";

/** What the picture is called. */
export function pictureTitle({ opened: { picture }, texts }) {
  if (isUpload(picture)) return texts.say("export.own_picture");
  const key = `gallery.${picture}`, title = texts.say(key);
  return title === key ? picture : title;
}

/** What the network is called. */
export function networkTitle({ host, opened }) {
  return host.networks.find(({ name }) => name === opened.network)?.title ?? opened.network;
}

/** What a file is called by those who read: picture and network. */
export const titleOf = (viewer) => `${pictureTitle(viewer)} · ${networkTitle(viewer)}`;

/** The pixel of the file that a point lies in. */
const realPixel = ({ lattice }, point) => point.map((each) => Math.floor(each / lattice));

/** A cell by its number, with a pixel in it: the one that was pointed at, or its centre. */
export function accountOf(session, cell, pixel = null) {
  const { classes, cellLabels } = session;
  const point = pixel && cellOf(session, pixel) === cell ? pixel : centreOf(session, cell);
  const [x, y] = realPixel(session, point);
  return { ...placeOf(session, cell), x, y, label: classes[cellLabels[cell]] };
}

/** The lines under a figure of the panels `names`: the query, what was changed, how to read it. */
export function captionLines(viewer, names) {
  const { moment, texts } = viewer;
  const { state, session, row } = moment;
  const where = (key, cell, pixel, values = {}) => {
    const { label, ...place } = accountOf(session, cell, pixel);
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
function scaleKey({ scale, shared, compare }, names) {
  if (!names.includes("dense") && !names.includes("sparse")) return `export.scale.${scale}`;
  return `export.scale.${scale}.${shared ? "shared" : compare ? "alone" : "own"}`;
}

/** What a what-if changes, in words. */
function changesOf({ moment: { state: { whatIf } }, texts }) {
  const changed = Object.keys(AS_TRAINED).filter((name) => whatIf[name] !== AS_TRAINED[name]);
  const shown = (name) => (name === "nonlocal" || name === "local" ? number(whatIf[name]) : whatIf[name]);
  const said = changed.map((name) => texts.say(`export.what_if.${name}`, { value: shown(name) }));
  return said.join(texts.say("export.comma"));
}

/** The link to what is shown; none where it would open something else. */
export function linkOf(viewer) {
  return viewer.host.fixed || isUpload(viewer.opened.picture) ? null : viewer.link().url;
}

/** Everything there is to know of what is shown, for programs. */
export function manifestOf(viewer) {
  const { state, session, row } = viewer.moment;
  const { whatIf } = state;
  const { label, x, y, ...cell } = accountOf(session, row.i, state.query);
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
      nonlocal_factor: whatIf.nonlocal, local_factor: whatIf.local,
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
    palette: session.colours,
    half: session.half,
    notes: session.notes,
    state: { ...state, ...viewer.opened },
  };
}

/** A name for a file: what it shows, in letters that every file system takes. */
export function fileName(viewer, part, ending) {
  const { row, column } = countedPlace(viewer.session, viewer.moment.row.i);
  const name = ["asa-viz", viewer.opened.picture, `r${row}c${column}`, part].filter(Boolean).join("_");
  return `${name.replace(/[^\w.-]+/g, "-")}.${ending}`;
}
