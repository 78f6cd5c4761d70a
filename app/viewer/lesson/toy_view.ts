// The worked example of the lesson on the page: the 3 x 3 map to choose a query from, and every number of its row.

import { groupKey } from "../core/attention.ts";
import { make } from "../page/dom.ts";
import { ARROWS } from "../page/pointer.ts";
import { GROUP_COLOURS } from "../core/scale.ts";
import type { Texts } from "../core/texts.ts";
import { TOY_CELLS, TOY_START, toyRow } from "./toy.ts";

type Speaker = Pick<Texts, "say">;
type ToyRow = ReturnType<typeof toyRow>;

const COLUMNS = [
  "key", "product", "power", "affinity", "chosen", "incoming", "least", "back", "local", "group",
  "weight", "value", "part",
];
const LINES = ["vectors", "scales", "value_of"];

/** Show the example in `page`, with the query that was chosen in it before. */
export function showToy(texts: Speaker, page: HTMLElement): void {
  show(texts, page, Number(page.dataset.query ?? TOY_START));
}

function show(texts: Speaker, page: HTMLElement, query: number): void {
  const focused = page.querySelector(".toy-map")?.contains(document.activeElement);
  page.dataset.query = String(query);
  const row = toyRow(query);
  const words = make("div", "toy-words");
  words.append(...linesOf(texts, row).map((text) => make("p", "", {}, text)));
  const map = mapOf(texts, row, query, (other) => show(texts, page, other));
  page.replaceChildren(map, words, tableOf(texts, row));
  if (focused) page.querySelector<HTMLElement>('[aria-pressed="true"]')?.focus();
}

/** The map as nine buttons, framed in the colour of their group; arrow keys go from one to another. */
function mapOf(texts: Speaker, row: ToyRow, query: number, choose: (cell: number) => void): HTMLElement {
  const map = make("div", "toy-map");
  map.setAttribute("role", "group");
  map.setAttribute("aria-label", texts.say("toy.map"));
  TOY_CELLS.forEach((cell, i) => {
    const { value, nonlocalScale, localScale } = cell;
    const values = { value, nonlocal: nonlocalScale, local: localScale, query: cell.query.join(", "), key: cell.key.join(", ") };
    const button = make("button");
    button.type = "button";
    // A space before each line: what is read out of the button is what stands in it.
    const lines = LINES.flatMap((each) => [" ", make("span", "", {}, texts.say(`toy.${each}`, values))]);
    button.append(make("b", "", {}, cell.name), ...lines);
    button.style.setProperty("--group", GROUP_COLOURS[row.keys[i].group] ?? "var(--line)");
    button.setAttribute("aria-pressed", String(i === query));
    button.tabIndex = i === query ? 0 : -1;
    button.addEventListener("click", () => choose(i));
    map.append(button);
  });
  map.addEventListener("keydown", (event) => {
    const next = neighbour(query, event.key);
    if (next === null) return;
    event.preventDefault();
    choose(next);
  });
  return map;
}

/** The cell of the 3 x 3 map that an arrow key leads to, or null. */
function neighbour(cell: number, key: string): number | null {
  const step = (ARROWS as Record<string, number[]>)[key];
  if (!step) return null;
  const [down, right] = step;
  const clamp = (value: number) => Math.min(Math.max(value, 0), 2);
  return clamp(Math.floor(cell / 3) + down) * 3 + clamp((cell % 3) + right);
}

function linesOf(texts: Speaker, row: ToyRow): string[] {
  const { name, n, total, nonlocalScale: nonlocal, near, localScale: scale, kept, keptPower: power } = row;
  const say = (key: string, values: Record<string, unknown>) => texts.say(`toy.${key}`, { name, n, ...values });
  const [mixed, dense] = [row.mixed, row.dense].map(short);
  return [
    say("choice", { total, nonlocal, least: short(row.threshold) }),
    say("window", { count: near, mean: short(row.nearMean), scale, least: short(row.localThreshold) }),
    ...(kept ? [say("kept", { kept, power, total })] : []),
    say(kept ? "mixed" : "itself", { mixed, dense }),
  ];
}

/** Every number of the row: a line for each key, and their sums. */
function tableOf(texts: Speaker, row: ToyRow): HTMLElement {
  const label = texts.say("toy.table", { name: row.name });
  const head = line(COLUMNS.map((name) => texts.say(`toy.${name}`)), "col");
  const lines = row.keys.map((key) => lineOf(texts, key, row));
  const { total: power, mixed } = row;
  const sums: Record<string, unknown> = { key: texts.say("toy.sum"), power, affinity: "1", weight: "1", part: short(mixed) };
  const table = make("table");
  table.append(head, ...lines, line(COLUMNS.map((name) => sums[name] ?? ""), "row"));
  const scroller = make("div", "toy-table");
  // What may be scrolled has to be reached by the keyboard.
  scroller.tabIndex = 0;
  scroller.setAttribute("role", "region");
  scroller.setAttribute("aria-label", label);
  scroller.append(table);
  return scroller;
}

function lineOf(texts: Speaker, key: ToyRow["keys"][number], row: ToyRow): HTMLElement {
  const yes = (holds: boolean) => texts.say(holds ? "toy.yes" : "toy.no");
  const group = texts.say(groupKey(key.group));
  const element = line([
    key.name, key.product, key.power, fraction(key.power, row.total), yes(key.chosen),
    fraction(key.incomingPower, key.incomingTotal), short(key.least), yes(key.back),
    key.near ? yes(key.local) : texts.say("toy.outside"), group,
    short(key.weight), key.value, short(key.part),
  ]);
  element.style.setProperty("--group", GROUP_COLOURS[key.group] ?? "var(--line)");
  element.classList.toggle("kept", key.kept);
  return element;
}

/** A line of the table: its first cell is a heading, and with a `scope` of "col" all are. */
function line(values: unknown[], scope = "row"): HTMLElement {
  const element = make("tr");
  element.append(...values.map((value, k) => {
    const isHeading = k === 0 || scope === "col";
    const cell = make(isHeading ? "th" : "td", "", {}, String(value));
    return isHeading ? Object.assign(cell, { scope }) : cell;
  }));
  return element;
}

const fraction = (part: number, whole: number) => `${part}/${whole} = ${short(part / whole)}`;
const short = (value: number) => String(Number(value.toFixed(3)));
