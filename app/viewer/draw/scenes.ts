// What each panel shows, as data: colours of cells, the scale they are on, and what is said of them.
// Nothing is drawn here, so that a test and an export can look at the same thing as the visitor.

import { KEPT, groupKey, groupOf, keepsAll } from "../core/attention.ts";
import { overlapOf } from "../core/numbers.ts";
import { knownOf } from "../core/opening.ts";
import { GROUP_COLOURS, PIN_COLOURS, Scale, denseScale, keptScale, mapScale, rowScale } from "../core/scale.ts";
import type { AnsweredRow, Moment, Row, Session, SetRow, State, Twin } from "../types.ts";
import type { Line, PanelName, ScaleLike, Scene, Scenes } from "./draw_types.ts";
import { coloured, painted } from "./colours.ts";
import { segmentationScene } from "./segmentation.ts";

type Numbers = Float64Array | Float32Array;

export const PANELS: PanelName[] = ["photo", "dense", "neighbours", "sparse", "segmentation", "map"];

/**
 * The six scenes of a moment. A scene has a `title`, a key of the dictionary, and may have cells, a bar or
 * a legend, and a note.
 */
export function scenesOf(moment: Moment): Scenes {
  const rows = moment.compared ? comparisonScenes(moment, moment.compared)
    : moment.set ? setScenes(moment, moment.set)
    : moment.twin ? twinScenes(moment, moment.twin) : queryScenes(moment);
  return {
    photo: { title: "panel.photo" },
    ...rows,
    segmentation: segmentationScene(moment),
  };
}

type Rows = Pick<Scenes, "dense" | "sparse" | "map" | "neighbours">;

function queryScenes(moment: Moment): Rows {
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

/** The mean row of a set, how many of its cells keep each key, and how many of them each key chooses. */
function setScenes({ state, session }: Moment, set: SetRow): Rows {
  const [dense, sparse] = [times(set.dense, session.n), times(set.weights, session.n)];
  const scales = scalesOf(state, session, dense, sparse, null, null);
  const shares = (title: string, values: Float64Array): Scene => ({
    ...weightScene(title, values, new Scale(0, 1, values.reduce((a, b) => Math.max(a, b), 0)), state, null, session, true),
    bar: { scale: new Scale(0, 1), colormap: state.colormap, line: null, unit: "unit.set" },
  });
  return {
    dense: weightScene("set.dense", dense, scales.dense, state, null, session),
    sparse: { ...weightScene("set.sparse", sparse, scales.sparse, state, null, session, true), outlined: true },
    neighbours: shares("set.keeps", set.support),
    map: shares("set.choosing", set.back),
  };
}

/** What the sparse network reads, what its dense twin reads, on one scale, and the difference of both. */
function twinScenes({ state, session, row, ...moment }: Moment, other: Twin): Rows {
  const own: Twin = { session, row };
  const [sparse, dense] = session.learned ? [own, other] : [other, own];
  const [a, b] = [sparse, dense].map((each) => times(each.row.weights, session.n));
  const { low, high, kind } = rowScale(a, 0, state.scale, b);
  const scaleOf = (values: Numbers) => new Scale(low, high, Math.max(...values), kind);
  const difference = a.map((each, j) => each - b[j]);
  const span = Math.max(rowScale(a, 0, "linear", a).high, rowScale(b, 0, "linear", b).high);
  const both = new Scale(-span, span, difference.reduce((most, each) => Math.max(most, Math.abs(each)), 0));
  const colormap = "pins 0 1";
  return {
    dense: weightScene("twin.dense", b, scaleOf(b), state, null, session, true),
    neighbours: groupScene({ ...moment, state, session: sparse.session, row: sparse.row }),
    sparse: { ...weightScene("twin.sparse", a, scaleOf(a), state, null, session, true), outlined: true },
    map: {
      title: "twin.difference",
      cells: coloured(session, difference, both, colormap),
      values: difference,
      bar: { scale: both, colormap, line: null, unit: "unit.uniform" },
    },
  };
}

/** What the second of both rows is called in short. */
export const sparseKey = ({ session, state }: Pick<Moment, "session" | "state">): string => (keepsAll(session, state.whatIf) ? "table.read" : "table.sparse");

/** The scales of both rows: one for both, those that are held, or each its own; each with its own largest. */
function scalesOf(
  { shared, hold, scale: kind }: State, session: Session, dense: Float64Array, sparse: Numbers | null, line: number | null, mark: number | null,
): { dense: Scale; sparse: Scale } {
  const most = (values: Numbers) => (values as Float64Array).reduce((a, b) => (a > b ? a : b), 0);
  const kept = sparse ?? dense;
  if (shared) {
    const { low, high } = rowScale(dense, line ?? 0, kind, sparse);
    return { dense: new Scale(low, high, most(dense), kind), sparse: new Scale(low, high, most(kept), kind) };
  }
  const own = { dense: denseScale(dense, line ?? 0, kind, knownOf(session)), sparse: keptScale(kept, mark) };
  if (!hold) return own;
  const held = (scale: Scale, low: number, high: number) => new Scale(low, high, scale.largest, scale.kind, scale.smallest);
  return { dense: held(own.dense, own.dense.low, hold[0]), sparse: held(own.sparse, hold[1], hold[2]) };
}

/** The ends of the scales that are shown now, to be held; null where they are not those of a row. */
export const heldEnds = ({ dense, sparse }: Pick<Scenes, "dense" | "sparse">): State["hold"] =>
  // As they stand in a link, which opens exactly the same.
  (dense.bar && sparse.bar ? [asInLink(dense.bar.scale.high), asInLink(sparse.bar.scale.low), asInLink(sparse.bar.scale.high)] : null);

const asInLink = (value: number): number => +value.toPrecision(6);

function weightScene(
  title: string, values: Numbers, scale: ScaleLike, state: State, line: number | null, session: Session, sparse = false,
): Scene {
  const shown = sparse ? (j: number) => values[j] > 0 : () => true;
  return {
    title,
    cells: coloured(session, values, scale, state.colormap, shown),
    values,
    bar: { scale, colormap: state.colormap, line, unit: "unit.uniform" },
  };
}

function mapScene({ state, session, row, maps }: Moment): Scene {
  const title = `map.${state.map}`;
  const { learned } = session;
  const { nonlocalFactor, localFactor } = state.whatIf;
  const known: Record<string, () => Numbers | null | undefined> = {
    nonlocal: () => (learned ? session.nonlocalScale.map((each) => each * nonlocalFactor) : null),
    local: () => (learned ? session.localScale.map((each) => each * localFactor) : null),
    support: () => maps && Float32Array.from(maps.support),
    chosen: () => maps && Float32Array.from(maps.inDegree),
    kept: () => maps?.keptMass,
    own: () => maps?.ownShare,
  };
  const values = known[state.map]();
  if (!values) {
    const threshold = state.map === "nonlocal" || state.map === "local";
    return { title, note: threshold ? "note.no_thresholds" : "note.computing" };
  }
  const scale = mapScale(values, state.scale);
  return {
    title,
    cells: coloured(session, values, scale, state.colormap),
    values,
    bar: { scale, colormap: state.colormap, line: values[row.i], here: values[row.i], unit: `unit.${state.map}` },
  };
}

function groupScene({ state, session, row }: Pick<Moment, "state" | "session"> & { row: Twin["row"] }): Scene {
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

/** Lines to the kept keys with the largest weights, the query left out, the largest first. */
function strongest(row: Row, groups: Int8Array, count = 8): Line[] {
  const keys = [...row.weights.keys()]
    .filter((j) => row.relation[j] & KEPT && groups[j] === 0 && j !== row.i)
    .sort((a, b) => row.weights[b] - row.weights[a])
    .slice(0, count);
  return keys.map((key) => ({ key, share: row.weights[key] / (row.weights[keys[0]] || 1) }));
}

function comparisonScenes({ state, session }: Moment, [first, second]: readonly AnsweredRow[]): Rows {
  const [a, b] = [times(first.weights, session.n), times(second.weights, session.n)];
  const together = rowScale(a, 0, state.scale, b);
  const alone = (values: Numbers) => (state.shared ? together : rowScale(values, 0, state.scale, values));
  const difference = a.map((each, j) => each - b[j]);
  // As the shared scale of the rows, so that a difference is as strong as what it comes from.
  const span = Math.max(rowScale(a, 0, "linear", a).high, rowScale(b, 0, "linear", b).high);
  const largest = difference.reduce((most, each) => Math.max(most, Math.abs(each)), 0);
  const { sets, counts } = overlapOf(first, second), pins = state.compare ?? [];
  const colours = [GROUP_COLOURS[0], ...pins.map((pin) => PIN_COLOURS[pin])];
  const scale = new Scale(-span, span, largest);
  const colormap = ["pins", ...pins].join(" ");
  const either = (j: number) => a[j] > 0 || b[j] > 0;
  return {
    dense: weightScene("compare.first", a, alone(a), state, null, session, true),
    sparse: weightScene("compare.second", b, alone(b), state, null, session, true),
    map: {
      title: "compare.difference",
      cells: coloured(session, difference, scale, colormap, either),
      values: difference,
      bar: { scale, colormap, line: null, unit: "unit.uniform" },
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

const times = <T extends Float64Array | Float32Array>(weights: T, n: number): T => weights.map((each) => each * n) as T;
