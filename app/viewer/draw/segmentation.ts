// The segmentation as a panel shows it, and what differs in it.

import { STRENGTHS } from "../core/maps.ts";
import type { Maps, Moment, Rerun, Scene, Session, State } from "../types.ts";
import { hueOf, packed, painted } from "./colours.ts";

/** What the last panel shows: classes, what differs from them, or groups. */
export function segmentationScene({ state, session, maps, rerun }: Moment): Scene {
  if (state.layer === "groups") return connectedScene(state, session, maps);
  if (state.layer === "flips") return flipScene("layer.flips", session, rerun);
  if (state.layer === "without" && session.withoutAttention) {
    return remembered(withoutScenes, session, () => flipScene("layer.without", session, flipsTo(session, session.withoutAttention!)));
  }
  return remembered(classScenes, session, () => classScene("layer.classes", session, session.workingLabels));
}

// The classes stay the same while the query moves, and have more pixels than all the cells together.
const classScenes = new WeakMap<Session, Scene>(), withoutScenes = new WeakMap<Session, Scene>();

function remembered(scenes: WeakMap<Session, Scene>, session: Session, make: () => Scene): Scene {
  const scene = scenes.get(session) ?? make();
  scenes.set(session, scene);
  return scene;
}

/** The pixels whose class is another under other labels, as the server tells those of a re-run. */
function flipsTo({ workingLabels: before }: Session, labels: Uint8Array): Rerun {
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

function classScene(title: string, session: Session, labels: Uint8Array): Scene {
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

function flipScene(title: string, session: Session, rerun: Rerun | null): Scene {
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

/** The strength of the pairs that groups are shown for: the chosen one, or the first at which no group holds half of the cells. */
export function strengthOf(state: State, session: Session, maps: Maps | null): number {
  const telling = (groups: Int32Array) => groups.filter((each) => each === 0).length <= session.n / 2;
  return state.strength ?? STRENGTHS[Math.max(maps?.groups.findIndex(telling) ?? 0, 0)];
}
