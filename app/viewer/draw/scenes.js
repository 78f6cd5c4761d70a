// What each panel shows, as data: colours of cells, the scale they are on, and what is said of them.
// Nothing is drawn here, so that a test and an export can look at the same thing as the visitor.

import { KEPT, groupKey, groupOf, keepsAll } from "../core/attention.ts";
import { STRENGTHS } from "../core/maps.ts";
import { overlapOf } from "../core/numbers.ts";
import { knownOf } from "../core/opening.ts";
import { GROUP_COLOURS, PIN_COLOURS, Scale, denseScale, keptScale, mapScale, paletteOf, rgbOf, rowScale } from "../core/scale.ts";

// In the order in which the network computes; the maps of the whole image stand beside.
export const PANELS = ["photo", "dense", "neighbours", "sparse", "segmentation", "map"];

/**
 * The six scenes of a moment. `moment` holds the state, the session, the row of the query, the maps
 * of the whole image (null until they are there), the rows of two pins that are compared (or null)
 * and the segmentation of a re-run (or null).
 *
 * A scene has `title`, a key of the dictionary, and may have `cells` ({ pixels, height, width }), a
 * `bar` ({ scale, palette, line, parts }) or a `legend` (entries of colour, key or name, amount),
 * and a `note`.
 */
export function scenesOf(moment) {
  const rows = moment.compared ? comparisonScenes(moment) : queryScenes(moment);
  return {
    photo: { title: "panel.photo" },
    ...rows,
    segmentation: segmentationScene(moment),
  };
}

function queryScenes(moment) {
  const { state, session, row } = moment;
  const looking = state.direction === "column" ? row.column : row;
  const n = session.n;
  const dense = times(looking.dense, n);
  const sparse = looking.weights && times(looking.weights, n);
  const line = state.direction === "row" && Number.isFinite(row.threshold) && row.threshold > 0 ? row.threshold : null;
  const { keptMass } = row.numbers;
  // What is kept is renormalised, and so is what it had to reach.
  const mark = line && keptMass > 0 ? line / keptMass : null;
  const scales = scalesOf(state, session, dense, sparse, line, mark);
  const all = keepsAll(session, state.whatIf);
  const read = `panel.${all ? "read" : "sparse"}.${state.direction}`;
  return {
    dense: weightScene(`panel.dense.${state.direction}`, dense, scales.dense, state, line, session),
    sparse: sparse
      ? { ...weightScene(read, sparse, scales.sparse, state, mark, session, true), outlined: !all }
      : { title: read, note: "note.computing" },
    map: mapScene(moment),
    neighbours: groupScene(moment),
  };
}

/** What the second of both rows is called in short. */
export const sparseKey = ({ session, state }) => (keepsAll(session, state.whatIf) ? "table.read" : "table.sparse");

/** The scales of both rows: one for both, those that are held, or each its own; each with its own largest. */
function scalesOf({ shared, hold, scale: kind }, session, dense, sparse, line, mark) {
  const most = (values) => values.reduce((a, b) => (a > b ? a : b), 0);
  const kept = sparse ?? dense;
  if (shared) {
    const { low, high } = rowScale(dense, line ?? 0, kind, sparse);
    return { dense: new Scale(low, high, most(dense), kind), sparse: new Scale(low, high, most(kept), kind) };
  }
  const own = { dense: denseScale(dense, line ?? 0, kind, knownOf(session)), sparse: keptScale(kept, mark) };
  if (!hold) return own;
  const held = (scale, low, high) => new Scale(low, high, scale.largest, scale.kind, scale.smallest);
  return { dense: held(own.dense, own.dense.low, hold[0]), sparse: held(own.sparse, hold[1], hold[2]) };
}

/** The ends of the scales that are shown now, to be held; null where they are not those of a row. */
export const heldEnds = ({ dense, sparse }) =>
  // As they stand in a link, which opens exactly the same.
  (sparse.bar ? [dense.bar.scale.high, sparse.bar.scale.low, sparse.bar.scale.high].map((each) => +each.toPrecision(6)) : null);

function weightScene(title, values, scale, state, line, session, sparse = false) {
  const shown = sparse ? (j) => values[j] > 0 : () => true;
  return {
    title,
    cells: coloured(session, values, scale, state.palette, shown),
    values,
    bar: { scale, palette: state.palette, line, unit: "unit.uniform" },
  };
}

/** The strength of the pairs that groups are shown for: the chosen one, or the first at which no group holds half of the cells. */
export function strengthOf(state, session, maps) {
  const telling = (groups) => groups.filter((each) => each === 0).length <= session.n / 2;
  return state.strength ?? STRENGTHS[Math.max(maps?.groups.findIndex(telling) ?? 0, 0)];
}

function mapScene({ state, session, row, maps }) {
  const title = `map.${state.map}`;
  const { learned } = session;
  const { nonlocal, local } = state.whatIf;
  const values = {
    nonlocal: () => (learned ? session.nonlocalScale.map((each) => each * nonlocal) : null),
    local: () => (learned ? session.localScale.map((each) => each * local) : null),
    support: () => maps && Float32Array.from(maps.support),
    chosen: () => maps && Float32Array.from(maps.chosenBy),
    kept: () => maps?.keptMass,
    own: () => maps?.ownShare,
  }[state.map]();
  if (!values) {
    const threshold = state.map === "nonlocal" || state.map === "local";
    return { title, note: threshold ? "note.no_thresholds" : "note.computing" };
  }
  const scale = mapScale(values, state.scale);
  return {
    title,
    cells: coloured(session, values, scale, state.palette),
    values,
    bar: { scale, palette: state.palette, line: values[row.i], here: values[row.i], unit: `unit.${state.map}` },
  };
}

function groupScene({ state, session, row }) {
  const { reciprocity } = state.whatIf;
  if (keepsAll(session, state.whatIf)) {
    // Without thresholds nobody chooses: every cell is read.
    const all = new Int8Array(session.n);
    const legend = [{ colour: GROUP_COLOURS[0], key: "group.all", amount: session.n }];
    return { title: "panel.neighbours", cells: painted(session, all, GROUP_COLOURS), values: all, legend, lines: [] };
  }
  const groups = Int8Array.from(row.relation, (each) => groupOf(each, reciprocity));
  return {
    title: "panel.neighbours",
    cells: painted(session, groups, GROUP_COLOURS),
    values: groups,
    legend: GROUP_COLOURS.map((colour, k) => ({ colour, key: groupKey(k, reciprocity), amount: row.numbers.groups[k] })),
    lines: state.lines ? strongest(row, groups) : [],
  };
}

/** The kept keys with the largest weights, the query left out. */
function strongest(row, groups, count = 8) {
  return [...row.weights.keys()]
    .filter((j) => row.relation[j] & KEPT && groups[j] === 0 && j !== row.i)
    .sort((a, b) => row.weights[b] - row.weights[a])
    .slice(0, count);
}

function comparisonScenes({ state, session, compared: [first, second] }) {
  const [a, b] = [times(first.weights, session.n), times(second.weights, session.n)];
  const together = rowScale(a, 0, state.scale, b);
  const alone = (values) => (state.shared ? together : rowScale(values, 0, state.scale, values));
  const difference = a.map((each, j) => each - b[j]);
  // As the shared scale of the rows, so that a difference is as strong as what it comes from.
  const span = Math.max(rowScale(a, 0, "linear", a).high, rowScale(b, 0, "linear", b).high);
  const largest = difference.reduce((most, each) => Math.max(most, Math.abs(each)), 0);
  const { sets, counts } = overlapOf(first, second);
  const colours = [GROUP_COLOURS[0], ...state.compare.map((pin) => PIN_COLOURS[pin])];
  const scale = new Scale(-span, span, largest);
  const palette = ["pins", ...state.compare].join(" ");
  const either = (j) => a[j] > 0 || b[j] > 0;
  return {
    dense: weightScene("compare.first", a, alone(a), state, null, session, true),
    sparse: weightScene("compare.second", b, alone(b), state, null, session, true),
    map: {
      title: "compare.difference",
      cells: coloured(session, difference, scale, palette, either),
      values: difference,
      bar: { scale, palette, line: null, unit: "unit.uniform" },
    },
    neighbours: {
      title: "compare.overlap",
      cells: painted(session, sets, colours),
      values: sets,
      legend: ["compare.both", "compare.only_first", "compare.only_second"].map((key, k) => ({
        colour: colours[k], key, amount: counts[k],
      })),
      lines: [],
    },
  };
}

function segmentationScene({ state, session, maps, rerun }) {
  if (state.layer === "groups") return connectedScene(state, session, maps);
  if (state.layer === "flips") return flipScene("layer.flips", session, rerun);
  if (state.layer === "without" && session.withoutAttention) {
    if (!withoutScenes.has(session)) withoutScenes.set(session, flipScene("layer.without", session, flipsTo(session, session.withoutAttention)));
    return withoutScenes.get(session);
  }
  if (!classScenes.has(session)) classScenes.set(session, classScene("layer.classes", session, session.workingLabels));
  return classScenes.get(session);
}

// The classes stay the same while the query moves, and have more pixels than all the cells together.
const classScenes = new WeakMap(), withoutScenes = new WeakMap();

/** The pixels whose class is another under other labels, as the server tells those of a re-run. */
function flipsTo({ workingLabels: before }, labels) {
  const pairs = new Map();
  let count = 0;
  labels.forEach((to, p) => {
    if (to === before[p]) return;
    count++;
    const name = before[p] * 256 + to;
    pairs.set(name, (pairs.get(name) ?? 0) + 1);
  });
  const flips = [...pairs].sort((a, b) => b[1] - a[1]).map(([name, pixels]) => ({ from: name >> 8, to: name & 255, pixels }));
  return { labels, count, share: count / labels.length, flips };
}

function classScene(title, session, labels) {
  const { classes, colours, workingHeight: height, workingWidth: width } = session;
  const counts = new Uint32Array(classes.length);
  for (const label of labels) counts[label]++;
  const table = colours.map(packed);
  const present = [...counts.keys()].filter((k) => counts[k]).sort((a, b) => counts[b] - counts[a]);
  const large = present.filter((k) => counts[k] / labels.length >= 0.01);
  return {
    title,
    cells: { pixels: Uint32Array.from(labels, (label) => table[label]), height, width },
    values: labels,
    legend: large.map((k) => ({
      colour: `rgb(${colours[k].join(" ")})`, name: classes[k], share: counts[k] / labels.length,
    })),
    summary: present.length > large.length
      ? { key: "note.small_classes", values: { names: present.slice(large.length).map((k) => classes[k]) } } : undefined,
  };
}

function connectedScene(state, session, maps) {
  const title = "layer.groups";
  if (!maps) return { title, note: "note.computing" };
  const groups = maps.groups[STRENGTHS.indexOf(strengthOf(state, session, maps))];
  if (!groups) return { title, note: "note.no_thresholds" };
  const count = groups.reduce((most, each) => Math.max(most, each + 1), 0);
  const sizes = new Uint32Array(count);
  for (const group of groups) if (group >= 0) sizes[group]++;
  // The golden angle keeps neighbouring numbers far apart in hue.
  const colours = Array.from({ length: count }, (_, k) => hueOf(k));
  return {
    title,
    cells: painted(session, groups, colours),
    values: groups,
    legend: [...sizes.slice(0, 5)].map((amount, k) => ({ colour: colours[k], amount, key: "group.connected" })),
    summary: { key: "note.groups", values: { count, alone: groups.filter((each) => each < 0).length } },
  };
}

function flipScene(title, session, rerun) {
  if (!rerun) return { title, note: "note.no_rerun" };
  const { workingHeight: height, workingWidth: width, workingLabels: before, colours } = session;
  const table = colours.map(packed);
  const pixels = Uint32Array.from(rerun.labels, (label, p) => (label === before[p] ? 0 : table[label]));
  return {
    title,
    cells: { pixels, height, width },
    values: rerun.labels,
    legend: rerun.flips.slice(0, 6).map(({ from, to, pixels: amount }) => ({
      colour: `rgb(${colours[to].join(" ")})`, from: session.classes[from], to: session.classes[to], amount,
    })),
    summary: { key: "note.flips", values: { count: rerun.count, share: rerun.share } },
  };
}

const times = (weights, n) => weights.map((each) => each * n);

/** A colour of three bytes as one number of ImageData, opaque; 0 is transparent. */
export const packed = ([r, g, b]) => (0xff000000 | (b << 16) | (g << 8) | r) >>> 0;

function coloured(session, values, scale, palette, shown = () => true) {
  const table = paletteOf(palette).map(packed);
  const pixels = new Uint32Array(session.n);
  for (let j = 0; j < pixels.length; j++) {
    if (shown(j)) pixels[j] = table[Math.round(scale.position(values[j]) * (table.length - 1))];
  }
  return { pixels, height: session.height, width: session.width };
}

function painted(session, indices, colours) {
  const table = colours.map((colour) => packed(rgbOf(colour)));
  const pixels = Uint32Array.from(indices, (index) => (index < 0 ? 0 : table[index]));
  return { pixels, height: session.height, width: session.width };
}

/** The `k`-th of a row of colours that differ in hue, and a little in lightness, as "#rrggbb". */
function hueOf(k) {
  const hue = (k * 137.508 + 200) % 360, light = [0.55, 0.42, 0.68][k % 3];
  const part = (shift) => {
    const place = (shift + hue / 30) % 12;
    const value = light - 0.6 * Math.min(light, 1 - light) * Math.max(-1, Math.min(place - 3, 9 - place, 1));
    return Math.round(255 * value).toString(16).padStart(2, "0");
  };
  return `#${part(0)}${part(8)}${part(4)}`;
}
