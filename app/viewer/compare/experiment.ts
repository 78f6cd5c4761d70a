// The experiment: its declared contrasts, and a table of every head trained and measured alike.

import { make } from "../page/dom.ts";
import { headTitles } from "./agreement.ts";
import type { Texts } from "../core/texts.ts";
import type { AttentionNumber, Contrast, Experiment, Facts, MeasuredHead } from "./compare_types.ts";

type Speaker = Pick<Texts, "say">;
type Column = [valueOf: (head: MeasuredHead) => number | null | undefined, written: (value: number) => string];

const PLAIN = (digits: number) => (value: number) => value.toFixed(digits);
const PER_CENT = (value: number) => (100 * value).toFixed(1);
const plus = (share: number) => `${share < 0 ? "−" : "+"}${Math.abs(100 * share).toFixed(1)}`;

/** The columns: the number in a row of the card, and how it is written; shares in per cent. */
const COLUMNS: Record<string, Column> = {
  miou: [(row) => row.mIoU, PER_CENT],
  deviation: [(row) => row.mIoU_deviation, PER_CENT],
  accuracy: [(row) => row.pixel_accuracy, PER_CENT],
  without: [(row) => row.without_attention?.mIoU, PER_CENT],
  flips: [(row) => row.without_attention?.flips, PER_CENT],
  support: [meanOf("support"), PER_CENT],
  effective: [meanOf("effective_support"), PER_CENT],
  entropy: [meanOf("entropy"), PLAIN(2)],
  own: [meanOf("own_class"), (value: number) => (100 * value).toFixed(0)],
  parameters: [(row) => scaled(row.parameters, 1e-3), PLAIN(0)],
  multiply_adds: [(row) => scaled(row.multiply_adds, 1e-6), PLAIN(0)],
  milliseconds: [(row) => row.milliseconds, PLAIN(0)],
  megabytes: [(row) => row.megabytes, PLAIN(0)],
};

const scaled = (value: number | undefined, factor: number) => (value === undefined ? null : value * factor);

/** The mean over the methods of a head that have rows; null where none has. */
function meanOf(name: AttentionNumber) {
  return ({ attention }: MeasuredHead): number | null => {
    const values = Object.values(attention ?? {}).map((each) => each[name]);
    return values.length ? values.reduce((total, each) => total + each, 0) / values.length : null;
  };
}

/** A line of the table: what it is sorted by, and what it shows, by column. */
export interface Line {
  title: string;
  values: Record<string, number | null>;
  texts: Record<string, string>;
}

/** The arms and the other designs as `title`, `values` to sort by and `texts` to show, by column. */
export function linesOf({ arms = [], rows }: Pick<Experiment, "arms" | "rows">, titleOf: (head: string) => string): Line[] {
  return [...arms, ...rows].map((row) => {
    const line: Line = { title: titleOf(row.head), values: {}, texts: {} };
    for (const [column, [valueOf, written]] of Object.entries(COLUMNS)) {
      const value = valueOf(row) ?? NaN, isThere = Number.isFinite(value);
      line.values[column] = isThere ? value : null;
      line.texts[column] = isThere ? written(value) : "–";
    }
    return line;
  });
}

/** Lines by a column, its numbers from the largest down unless `rising`; what is missing comes last. */
export function sortedLines(lines: Line[], column: string, rising: boolean): Line[] {
  if (column === "head") return [...lines].sort((a, b) => (rising ? 1 : -1) * a.title.localeCompare(b.title));
  return [...lines].sort(({ values: { [column]: a } }, { values: { [column]: b } }) => {
    if (a === null || b === null) return Number(a === null) - Number(b === null);
    return rising ? a - b : b - a;
  });
}

/** What an arm is called: "asa_top_k_read_only" is "ASA, top k instead, read only". */
function armTitle(head: string, texts: Speaker): string {
  const [, part, form] = /^(.*)_(published|read_only)$/.exec(head) ?? ["", head, ""];
  return texts.say(`experiment.${part}`) + texts.say(`experiment.form.${form}`);
}

/** A declared contrast in a sentence: the difference, its interval, and what they establish. */
export function contrastLine({ first, second, difference, low, high, seeds, verdict }: Contrast, texts: Speaker): string {
  return texts.say("experiment.contrast", {
    first: armTitle(first, texts), second: armTitle(second, texts), seeds,
    difference: plus(difference), low: plus(low), high: plus(high),
    verdict: texts.say(`experiment.verdict.${verdict.split(" ")[0]}`),
  });
}

/** Build the table; `fill(facts, titleOf)` writes it in the words of `texts`. */
export function buildExperiment(texts: Speaker) {
  const element = make("section", "experiment"), heading = make("h3", "", { text: "methods.experiment" });
  const scroller = make("div", "scroller"), note = make("p", "note");
  // What may be scrolled has to be reached by the keyboard.
  scroller.tabIndex = 0;
  scroller.setAttribute("role", "region");
  scroller.dataset.label = "methods.experiment";
  const contrasts = make("ul", "contrasts");
  element.append(heading, note, contrasts, scroller);
  element.hidden = true;
  let sorting = "miou", rising = false;

  function fill({ experiment, methods }: Pick<Facts, "experiment" | "methods">, networkTitle: (name: string) => string): void {
    element.hidden = !experiment.rows?.length;
    if (element.hidden) return;
    const known = headTitles(methods, experiment.rows.map(({ head }) => head));
    const arms = new Set((experiment.arms ?? []).map(({ head }) => head));
    const titleOf = (head: string) => (arms.has(head) ? armTitle(head, texts) : known.get(head) ?? head);
    const { setting } = experiment;
    note.textContent = texts.say("methods.setting", {
      ...setting, arms: setting.arms.width, rate: setting.arms.rate, backbone: networkTitle(setting.backbone),
    });
    contrasts.replaceChildren(...(experiment.contrasts ?? []).map((each) => (
      make("li", "", {}, contrastLine(each, texts))
    )));
    const table = make("table"), head = make("tr");
    head.append(...["head", ...Object.keys(COLUMNS)].map((column) => {
      const cell = Object.assign(make("th"), { scope: "col" });
      const button = make("button", "", { column }, texts.say(`experiment.column.${column}`));
      button.type = "button";
      button.addEventListener("click", () => {
        rising = sorting === column ? !rising : column === "head";
        sorting = column;
        fill({ experiment, methods }, networkTitle);
        scroller.querySelector<HTMLElement>(`[data-column="${column}"]`)?.focus();
      });
      if (sorting === column) cell.setAttribute("aria-sort", rising ? "ascending" : "descending");
      cell.append(button);
      return cell;
    }));
    table.append(head, ...sortedLines(linesOf(experiment, titleOf), sorting, rising).map(({ title, texts: cells }) => {
      const line = make("tr");
      line.append(Object.assign(make("th", "", {}, title), { scope: "row" }));
      line.append(...Object.keys(COLUMNS).map((column) => make("td", "", {}, cells[column])));
      return line;
    }));
    scroller.replaceChildren(table);
  }
  return { element, fill };
}
