// The column of numbers: the sentence, the cell under the pointer, the pins, the table, one chart.

import { BACK, CHOSEN, groupKey, groupOf, keepsAll } from "../core/attention.ts";
import { make } from "./dom.ts";
import { type Charted, showClasses, showCurve, showHistogram, showSays } from "../draw/charts.ts";
import { oneStop } from "./roving.ts";
import { type Stage, shownStage } from "../core/stages.ts";
import { showPairs } from "./pairs.ts";
import { sparseKey } from "../draw/scenes.ts";
import { PIN_COLOURS } from "../core/scale.ts";
import { OF_THE_SENTENCE, sentenceOf, writeWords } from "./sentence.ts";
import { cellOf, countedPlace } from "../core/geometry.ts";
import { cellsOf, runsOf, segmentOf } from "../core/sets.ts";
import { explain } from "../core/terms.ts";
import { number, percent } from "../core/texts.ts";
import type { ColumnNumbers, ColumnSums, Moment, SetRow, Sums } from "../types.ts";
import type { Drawn, Viewer } from "./viewer.ts";

type Speaker = Pick<Drawn, "say" | "texts">;
/** What the column is written from, once there is an answer. */
type Sided = Charted & Speaker & Pick<Drawn, "host" | "session" | "state" | "chart" | "find" | "hovered">;

const CHARTS: Record<string, (viewer: Sided, box: HTMLElement) => void> = { curve: showCurve, histogram: showHistogram, classes: showClasses, says: showSays, pairs: showPairs };
const STILL = 400;
let speaking = 0;

export function connectSide(viewer: Viewer): void {
  viewer.chart = "curve";
  const tabs = [...viewer.element.querySelectorAll<HTMLElement>("[data-tab]")];
  const choose = (tab: HTMLElement) => {
    viewer.chart = tab.dataset.tab!;
    for (const each of tabs) each.setAttribute("aria-selected", String(each === tab));
    viewer.find(".chart").replaceChildren();
    viewer.draw();
  };
  for (const tab of tabs) tab.addEventListener("click", () => choose(tab));
  oneStop(viewer.find(".tabs"), "[data-tab]", choose);
  if (!viewer.host.pairPlane) tabs.find(({ dataset }) => dataset.tab === "pairs")!.hidden = true;
  viewer.element.addEventListener("asa:language", () => viewer.find(".chart").replaceChildren());
}

export function showSide(viewer: Sided): void {
  speak(viewer);
  viewer.find(".under").textContent = underPointer(viewer);
  showTable(viewer);
  CHARTS[viewer.chart](viewer, viewer.find(".chart"));
}

/** Show the sentence at once, and have it read out when the pointer rests. */
function speak(viewer: Sided): void {
  const parts = sentenceOf(viewer);
  if (!writeWords(viewer.find(".sentence"), parts, OF_THE_SENTENCE)) return;
  clearTimeout(speaking);
  const spoken = viewer.find(".spoken"), sentence = parts.map(({ text }) => text).join("");
  speaking = window.setTimeout(() => (spoken.textContent = sentence), STILL);
}

/** The numbers of the cell under the pointer, while the query is locked elsewhere. */
export function underPointer(viewer: Speaker & Pick<Sided, "moment" | "hovered">): string {
  const { session, row, state, set } = viewer.moment;
  const cell = viewer.hovered;
  if (set) return cell === null ? viewer.say("under.set.none") : setWords(viewer, set, cell);
  const stage = shownStage(session, state);
  if (stage) return stageWords(viewer, stage, cell ?? row.i);
  if (cell === null || cell === row.i) return viewer.say(state.locked ? "under.locked" : "under.free");
  const { reciprocity } = state.whatIf;
  const all = keepsAll(session, state.whatIf);
  const group = groupOf(row.relation[cell], reciprocity);
  const times = (weight: number) => number(weight * session.n);
  const column = row.column.weights;
  return viewer.say(state.direction === "column" ? "under.cell.column" : all ? "under.cell.all" : "under.cell", {
    ...countedPlace(session, cell),
    label: viewer.texts.className(session.classes[session.cellLabels[cell]]),
    dense: times(row.dense[cell]),
    sparse: times(row.weights[cell]),
    incoming: times(row.incoming[cell]),
    column_weight: column ? times(column[cell]) : "…",
    group: viewer.say(groupKey(group, reciprocity, all)),
  });
}

/** What a cell is to the set that is the query. */
function setWords(viewer: Speaker & Pick<Sided, "moment">, set: SetRow, cell: number): string {
  const { session } = viewer.moment;
  return viewer.say("under.set", {
    ...countedPlace(session, cell),
    label: viewer.texts.className(session.classes[session.cellLabels[cell]]),
    dense: number(set.dense[cell] * session.n), sparse: number(set.weights[cell] * session.n),
    kept: percent(set.support[cell]), chooses: percent(set.back[cell]),
  });
}

/** The formula of a stage with the numbers of a cell. */
export function stageWords(viewer: Speaker & Pick<Sided, "moment">, stage: Stage, cell: number): string {
  const { session, row } = viewer.moment;
  const { n } = session, { keptMass } = row.numbers, sparse = row.weights[cell];
  const [dense, incoming, ratio] = [row.dense[cell], row.incoming[cell], row.incomingRatio[cell]];
  const reached = row.relation[cell] & (stage === "back" ? BACK : CHOSEN);
  const key = stage === "kept" && !sparse ? "none" : stage;
  return viewer.say("stage.where", {
    ...countedPlace(session, cell),
    label: viewer.texts.className(session.classes[session.cellLabels[cell]]),
    rest: viewer.say(`stage.${key}.cell`, {
      dense: number(dense * n), incoming: number(incoming * n), theirs: number((incoming * n) / ratio),
      threshold: number(row.threshold), local: number(row.localThreshold), sign: reached ? "≥" : "<",
      mass: percent(keptMass), sparse: number(sparse * n),
    }),
  });
}

/** The rows of the table of numbers, of the row or of the column: key, dense, sparse. */
export function tableOf({ session: { n }, state, row, set }: Moment, say: (key: string) => string): string[][] {
  const isColumn = !set && state.direction === "column";
  const { dense, sparse } = set ? set.numbers : isColumn ? row.column.numbers : row.numbers;
  const { support, keptMass } = set ? set.numbers : row.numbers;
  const both = (key: string, written: (sums: Sums) => string) => [key, written(dense), sparse ? written(sparse) : "…"];
  return [
    ...(isColumn
      ? columnRows(row.column.numbers)
      : [["table.cells", String(n), support ? String(support) : say("table.itself")], ["table.mass", percent(1), percent(keptMass)]]),
    both("table.own", ({ own }) => percent(own)),
    both("table.largest", ({ largest }) => number(largest * n)),
    both("table.entropy", ({ entropy }) => entropy.toFixed(2)),
    both("table.effective", ({ entropy }) => number(2 ** entropy)),
  ];
}

/** How many read a cell, and how much in all. */
function columnRows({ dense, sparse }: ColumnNumbers): string[][] {
  const both = (key: string, written: (sums: ColumnSums) => string) => [key, written(dense), sparse ? written(sparse) : "…"];
  return [both("table.readers", ({ count }) => String(count)), both("table.sum", ({ total }) => number(total))];
}

function showTable(viewer: Sided): void {
  const table = viewer.find<HTMLTableElement>(".numbers");
  const head = ["", "table.dense", sparseKey(viewer.moment)], lines = tableOf(viewer.moment, (key) => viewer.say(key));
  const rows = [head.map((key) => key && viewer.say(key)), ...lines.map(([key, ...values]) => [viewer.say(key), ...values])];
  rows.forEach((texts, r) => {
    const line = table.rows[r] ?? table.insertRow();
    texts.forEach((text, c) => {
      const cell = line.cells[c] ?? line.appendChild(make(r === 0 && c ? "th" : c === 0 && r ? "th" : "td"));
      if (cell.tagName === "TH") (cell as HTMLTableCellElement).scope = r === 0 ? "col" : "row";
      if (!c || !r) explain(cell, r ? lines[r - 1][0] : head[c]);
      if (c) cell.className = c === 1 ? "idea-dense" : "idea-kept";
      if (cell.textContent !== text) cell.textContent = text;
    });
  });
}

/** The pins, and which two of them are compared. */
export function showPins(viewer: Speaker & Pick<Drawn, "session" | "state" | "find" | "pin" | "lock" | "store" | "query">): void {
  const { session, state } = viewer;
  const box = viewer.find(".pins");
  const told = JSON.stringify([state.pins, state.compare, state.query, state.set, viewer.texts.language]);
  if (box.dataset.told === told) return;
  box.dataset.told = told;
  const focused = box.contains(document.activeElement) ? (document.activeElement as HTMLElement).dataset.name : null;
  const button = (name: string, text: string, act: () => void, pressed?: boolean) => {
    const element = make("button", "", { name }, text);
    element.type = "button";
    if (pressed !== undefined) element.setAttribute("aria-pressed", String(pressed));
    element.addEventListener("click", act);
    return element;
  };
  const pinned = state.pins.some((pin) => cellOf(session, pin) === cellOf(session, state.query));
  const parts = [button("pin", viewer.say(pinned ? "pins.unpin" : "pins.pin"), () => viewer.pin())];
  state.pins.forEach((pin, k) => {
    const cell = cellOf(session, pin);
    const label = viewer.texts.className(session.classes[session.cellLabels[cell]]);
    const go = button(`go${k}`, label, () => viewer.lock(pin));
    go.prepend(badge(k), " ");
    go.title = viewer.say("pins.go", { ...countedPlace(session, cell), label });
    parts.push(go);
  });
  for (const [a, b] of pairsOf(state.pins.length)) {
    const on = JSON.stringify(state.compare) === JSON.stringify([a, b]);
    const pair = button(`${a}${b}`, "", () => viewer.store.set({ compare: on ? null : [a, b] }, { recorded: true }), on);
    pair.append(badge(a), viewer.say("pins.against"), badge(b));
    pair.title = viewer.say("pins.compare", { first: a + 1, second: b + 1 });
    parts.push(pair);
  }
  if (state.pins.length) {
    parts.push(button("clear", viewer.say("pins.clear"), () => viewer.store.set({ pins: [], compare: null }, { recorded: true })));
  }
  const runs = runsOf(segmentOf(session, cellOf(session, state.query)));
  const segment = button("segment", viewer.say("set.segment"), () => viewer.query(runs), JSON.stringify(runs) === JSON.stringify(state.set));
  segment.title = viewer.say("set.segment.title");
  parts.push(segment);
  if (state.set) parts.push(button("no-set", viewer.say("set.end", { count: cellsOf(state.set).length }), () => viewer.query(null)));
  box.replaceChildren(...parts);
  box.querySelector<HTMLElement>(`[data-name="${focused}"]`)?.focus();
}

const pairsOf = (count: number): [number, number][] => {
  const pairs: [number, number][] = [];
  for (let a = 0; a < count; a++) for (let b = a + 1; b < count; b++) pairs.push([a, b]);
  return pairs;
};

function badge(k: number): HTMLElement {
  const element = make("i", "badge-of-pin", {}, String(k + 1));
  element.style.background = PIN_COLOURS[k];
  if (PIN_COLOURS[k] === "#f0e442") element.style.color = "#000";
  return element;
}

