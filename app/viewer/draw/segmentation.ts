// The segmentation as a panel shows it, and what differs in it.

import { isChanged } from "../core/attention.ts";
import { STRENGTHS } from "../core/maps.ts";
import type { Maps, Moment, Rerun, Session, State } from "../types.ts";
import type { Scene } from "./draw_types.ts";
import { classColours, isLeftOver } from "../core/classes.ts";
import { hueOf, rgbOf } from "../core/scale.ts";
import { packed, painted } from "./colours.ts";
import { type ClassShown, Regions } from "./regions.ts";

/** What the last panel shows: classes, what differs from them, both beside each other, or groups. */
export function segmentationScene({ state, session, maps, rerun, twin }: Moment): Scene {
  const { withoutAttention: without } = session;
  if (twin) {
    const [sparse, dense] = session.learned ? [session, twin.session] : [twin.session, session];
    return remembered(twinScenes, twin.session, () => wipeScene(session, sparse.workingLabels, dense.workingLabels, "twin.segmentation"));
  }
  if (state.layer === "groups") return connectedScene(state, session, maps);
  if (state.layer === "flips") return rerun ? remembered(flipScenes, rerun, () => flipScene("layer.flips", session, rerun)) : { title: "layer.flips", note: "note.no_rerun" };
  if (state.layer === "without" && without) {
    return remembered(withoutScenes, session, () => flipScene("layer.without", session, flipsTo(session.workingLabels, without)));
  }
  if (state.layer === "wipe" && without) {
    if (rerun) return remembered(wipedRerunScenes, rerun, () => wipeScene(session, rerun.labels, without));
    return remembered(wipeScenes, session, () => wipeScene(session, session.workingLabels, without));
  }
  if (rerun) return remembered(rerunScenes, rerun, () => ({ ...classScene(session, rerun.labels), summary: flipWords(rerun) }));
  const scene = remembered(classScenes, session, () => classScene(session, session.workingLabels));
  return isChanged(state.whatIf) ? { ...scene, summary: { key: "note.as_trained", values: {} } } : scene;
}

// Marks pixels without a class; no class has this number.
const OPEN = 255;
// The classes stay the same while the query moves, and have more pixels than all the cells together.
const classScenes = new WeakMap<Session, Scene>(), withoutScenes = new WeakMap<Session, Scene>(), wipeScenes = new WeakMap<Session, Scene>();
const twinScenes = new WeakMap<Session, Scene>();
const rerunScenes = new WeakMap<Rerun, Scene>(), flipScenes = new WeakMap<Rerun, Scene>(), wipedRerunScenes = new WeakMap<Rerun, Scene>();

function remembered<T extends Session | Rerun>(scenes: WeakMap<T, Scene>, of: T, make: () => Scene): Scene {
  const scene = scenes.get(of) ?? make();
  scenes.set(of, scene);
  return scene;
}

/** The pixels whose class is another under other labels, as the server tells those of a re-run. */
function flipsTo(before: Uint8Array, labels: Uint8Array): Rerun {
  const pairs = new Map<number, number>();
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

/** The classes of a session as the page shows them. */
const shownClasses = ({ classes }: Session, all: boolean): ClassShown[] =>
  classColours(classes).map((colour, k) => ({ name: classes[k], colour, isLeftOver: !all && isLeftOver(classes[k]) }));

/** Pixels in the colours of their classes, over the photograph: all classes but what is left over, or with `shown` all pixels that it names. */
function regionsScene(title: string, session: Session, labels: Uint8Array, shown?: (pixel: number) => boolean): Scene {
  const { workingHeight: height, workingWidth: width } = session;
  const classes = shownClasses(session, Boolean(shown));
  const table = classes.map(({ colour, isLeftOver: isOpen }) => (isOpen ? 0 : packed(rgbOf(colour))));
  const pixels = new Uint32Array(labels.length), drawn = new Uint8Array(labels.length).fill(OPEN);
  labels.forEach((label, p) => {
    if (shown && !shown(p)) return;
    pixels[p] = table[label];
    drawn[p] = label;
  });
  return { title, cells: { pixels, height, width }, values: labels, regions: new Regions(drawn, height, width, classes), isFaint: Boolean(shown) };
}

/** How many pixels every class has. */
function countsOf({ classes }: Session, labels: Uint8Array): Uint32Array {
  const counts = new Uint32Array(classes.length);
  for (const label of labels) counts[label]++;
  return counts;
}

const flipWords = ({ count, share }: Rerun): Scene["summary"] => ({ key: "note.flips", values: { count, share } });

/** One segmentation to the left of the wipe, another to the right. */
function wipeScene(session: Session, labels: Uint8Array, without: Uint8Array, title = "layer.wipe"): Scene {
  const { classes } = session, colours = classColours(classes), n = labels.length;
  const [before, after] = [countsOf(session, labels), countsOf(session, without)];
  const large = [...before.keys()].filter((k) => Math.max(before[k], after[k]) / n >= 0.01).sort((a, b) => before[b] - before[a]);
  const { cells, regions } = regionsScene(title, session, without);
  return {
    ...regionsScene(title, session, labels),
    beside: { cells: cells!, regions: regions! },
    legend: large.map((k) => ({ colour: colours[k], label: k, name: classes[k], share: before[k] / n, beside: after[k] / n })),
    summary: flipWords(flipsTo(labels, without)),
  };
}

function classScene(session: Session, labels: Uint8Array): Scene {
  const { classes } = session, counts = countsOf(session, labels);
  const colours = classColours(classes);
  const present = [...counts.keys()].filter((k) => counts[k]).sort((a, b) => counts[b] - counts[a]);
  const large = present.filter((k) => counts[k] / labels.length >= 0.01);
  return {
    ...regionsScene("layer.classes", session, labels),
    legend: large.map((k) => ({ colour: colours[k], label: k, name: classes[k], share: counts[k] / labels.length })),
    summary: present.length > large.length
      ? { key: "note.small_classes", values: { names: present.slice(large.length).map((k) => classes[k]) } } : undefined,
  };
}

function connectedScene(state: State, session: Session, maps: Maps | null): Scene {
  const title = "layer.groups";
  if (!maps) return { title, note: "note.computing" };
  const groups = maps.groups[STRENGTHS.indexOf(strengthOf(state, session, maps))];
  if (!groups) return { title, note: "note.no_thresholds" };
  const count = groups.reduce((most, each) => Math.max(most, each + 1), 0);
  const sizes = new Uint32Array(count);
  for (const group of groups) if (group >= 0) sizes[group]++;
  const colours = Array.from({ length: count }, (_, k) => hueOf(k));
  return {
    title,
    cells: painted(session, groups, colours),
    values: groups,
    legend: [...sizes.slice(0, 5)].map((amount, k) => ({ colour: colours[k], amount, key: "group.connected" })),
    summary: { key: "note.groups", values: { count, alone: groups.filter((each) => each < 0).length } },
  };
}

function flipScene(title: string, session: Session, rerun: Rerun): Scene {
  const { workingLabels: before, classes } = session, colours = classColours(classes);
  return {
    ...regionsScene(title, session, rerun.labels, (p) => rerun.labels[p] !== before[p]),
    legend: rerun.flips.slice(0, 6).map(({ from, to, pixels: amount }) => ({
      colour: colours[to], label: to, from: classes[from], to: classes[to], amount,
    })),
    summary: flipWords(rerun),
  };
}

/** A scene of classes as it stands in a file: flat, in the data set's colours. */
export function inFileColours(scene: Scene, { palette }: Session): Scene {
  const { regions, cells, legend, ...rest } = scene;
  delete rest.beside;
  if (!regions || !cells) return scene;
  const table = palette.map(packed);
  return {
    ...rest,
    cells: { ...cells, pixels: Uint32Array.from(regions.labels, (label) => table[label] ?? 0) },
    legend: legend?.map((entry) => (entry.label === undefined ? entry : { ...entry, colour: `rgb(${palette[entry.label].join(" ")})` })),
  };
}

/** The strength of the pairs that groups are shown for: the chosen one, or the first at which no group holds half of the cells. */
export function strengthOf(state: State, session: Session, maps: Maps | null): number {
  const telling = (groups: Int32Array) => groups.filter((each) => each === 0).length <= session.n / 2;
  return state.strength ?? STRENGTHS[Math.max(maps?.groups.findIndex(telling) ?? 0, 0)];
}
