// Another picture: where its packet comes from, where its query starts, and what of the state still fits it.

import type { Grid, Pixel, Session, State, Survey } from "../types.ts";
import type { Host, Place } from "./host_types.ts";
import { KEPT, rowOf } from "./attention.ts";
import { cellOf, isOfPicture } from "./geometry.ts";
import { probabilitiesOf } from "./numbers.ts";
import { rounded } from "./scale.ts";
import { START } from "./state.ts";

const REMEMBERED = 4;
// Rows and columns of cells that are looked at before a picture is shown: a tenth of a second.
const SIDE = 8;
// A telling query keeps so many of n cells, most of them of its own class.
const LEAST_KEPT = 100, MOST_KEPT = 600, OWN = 0.9;
// From the top of a logarithmic scale down to its bottom at most.
const SPAN = 1e7;
const FINE = [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8];

/** Packets by picture and network; the last few are kept, for undo and for the saved file. */
export class Packets {
  private readonly host: Pick<Host, "packet">;
  private readonly known = new Map<string, ArrayBuffer>();

  constructor(host: Pick<Host, "packet">) {
    this.host = host;
  }

  async get(picture: string, network: string, tell?: (place: Place) => void): Promise<ArrayBuffer> {
    const name = `${picture} ${network}`;
    const buffer = this.known.get(name) ?? (await this.host.packet(picture, network, tell));
    this.known.delete(name);
    this.known.set(name, buffer);
    if (this.known.size > REMEMBERED) this.known.delete([...this.known.keys()][0]);
    return buffer;
  }
}

/** The state that a page without a link starts in. */
export function firstState({ gallery, networks }: Pick<Host, "gallery" | "networks">): Pick<State, "picture" | "network"> {
  return { picture: gallery[0].id, network: networks[0].name };
}

/** Whether a pixel lies in the picture, and not in the bars around it. */
export const isInside = (session: Grid, [x, y]: Pixel): boolean =>
  x >= 0 && x < session.imageWidth && y >= 0 && y < session.imageHeight && isOfPicture(session, cellOf(session, [x, y]));

/** The query and the pins without those that lie beside the picture; it begins where it tells most. */
export function fitting(session: Grid, state: State, atItsStart: boolean): Pick<State, "query" | "pins" | "compare" | "set"> {
  const pins = state.pins.filter((pin) => isInside(session, pin));
  return {
    query: atItsStart || !isInside(session, state.query) ? START.query : state.query,
    pins,
    compare: pins.length === state.pins.length ? state.compare : null,
    // In the order in which they stand, the last run ends last.
    set: state.set && state.set.at(-1)![0] + state.set.at(-1)![1] <= session.height * session.width ? state.set : null,
  };
}

/**
 * What rows all over the picture say of it: `start`, the cell whose query tells most, where the
 * scales of its dense rows end (denseScale in scale.ts), and how sure the network is of its classes.
 *
 * Most telling is a query that is not on the background, keeps 100 to 600 cells nearly all of its own class, and
 * more of them so than its dense row. Cells at the border are left out.
 */
export function surveyOf(session: Session): Survey {
  const { n, classes, cellLabels, learned } = session;
  const [few, many] = [Math.min(LEAST_KEPT, n / 27), Math.min(MOST_KEPT, n / 4.5)];
  const highs: number[] = [], tops: number[] = [], thresholds: number[] = [], sure: number[] = [];
  let start = 0, best = -Infinity;
  for (const cell of spreadOver(session)) {
    const { dense, weights, relation, threshold } = rowOf(session, cell);
    const label = cellLabels[cell];
    let kept = 0, own = 0, ownDense = 0;
    for (let j = 0; j < n; j++) {
      if (relation[j] & KEPT) kept++;
      if (cellLabels[j] !== label) continue;
      own += weights[j];
      ownDense += dense[j];
    }
    const sorted = dense.slice().sort();
    highs.push(sorted[Math.ceil(0.995 * n) - 1] * n);
    tops.push(sorted[n - 1] * n);
    if (learned) thresholds.push(threshold);
    if (session.readout) sure.push(Math.max(...probabilitiesOf(session.readout, weights)));
    const beyond = Math.max(few - kept, 0) / few + Math.max(kept - many, 0) / many;
    const told = own + 0.3 * (own - ownDense) - 3 * Math.max(OWN - own, 0) - 3 * beyond - Number(beyond > 0) - (classes[label] === "background" ? 0.5 : 0);
    if (told > best) [start, best] = [cell, told];
  }
  const at = (numbers: number[], share: number) => numbers.sort((a, b) => a - b)[Math.floor(share * numbers.length)] ?? 0;
  const ceiling = rounded(Math.max(at(highs, 0.6), 1.05 * at(thresholds, 0.9)), true, FINE);
  const top = rounded(Math.max(at(tops, 0.9), 2 * ceiling));
  const least = Math.min(at(thresholds, 0) || 1, 0.2);
  const sureness = sure.length ? sure.reduce((sum, each) => sum + each, 0) / sure.length : null;
  return { start, ceiling, top, sureness, bottom: rounded(Math.max(least, top / SPAN), false) };
}

/** Cells in rows and columns all over the map, none of them at its border where it has others. */
function spreadOver({ height, width, inner }: Grid): number[] {
  const places = (first: number, end: number) => {
    const count = end - first, within = Math.max(count - 2, 1), of = Math.min(SIDE, within);
    return Array.from({ length: of }, (_, k) => first + (count > 2 ? 1 : 0) + Math.floor(((k + 0.5) * within) / of));
  };
  const { top, left, bottom, right } = inner ?? { top: 0, left: 0, bottom: height, right: width };
  return places(top, bottom).flatMap((row) => places(left, right).map((column) => row * width + column));
}

/** What is known of a session from the worker, or found here. */
export function knownOf(session: Session): Survey {
  session.survey ??= surveyOf(session);
  return session.survey;
}
