// The sentence over the panels: what the row, or the column, of the query says in plain words.

import { keepsAll } from "../core/attention.ts";
import { countedPlace } from "../core/geometry.ts";
import type { Idea } from "../core/ideas.ts";
import { termOfValue } from "../core/terms.ts";
import { type Part, number, percent } from "../core/texts.ts";
import type { Moment } from "../types.ts";
import { make } from "./dom.ts";

interface Speaker {
  moment: Moment;
  texts: { className(name: string): string; parts(key: string, values?: Record<string, unknown>): Part[] };
}

type Marks = Readonly<Record<string, Idea | "">>;

// What stands out of a text by the name of its place, and in whose colour.
const MARKS: Marks = {
  n: "dense", dense: "dense", kept: "kept", sparse: "kept", label: "",
  threshold: "threshold", nonlocal_scale: "threshold", local_scale: "threshold", query_only: "refused", local_only: "local",
};
/** In the sentence all shares are of what is kept. */
export const OF_THE_SENTENCE: Marks = { ...MARKS, mass: "kept", share: "kept", sum: "kept" };

/** The sentence in parts: its share is always that of the query's own class. */
export function sentenceOf({ moment: { session, row, state, set, twin }, texts }: Speaker): Part[] {
  if (set) {
    const { own, cells, support, choosing, keptMass, sparse } = set.numbers;
    return texts.parts("sentence.set", {
      cells, label: texts.className(session.classes[own]), n: session.n,
      kept: support, choosing, mass: percent(keptMass), share: percent(sparse.own),
    });
  }
  if (twin) {
    const [sparse, dense] = session.learned ? [row, twin.row] : [twin.row, row];
    return texts.parts("sentence.twin", {
      ...countedPlace(session, row.i), n: dense.numbers.support, kept: sparse.numbers.support,
      label: texts.className(session.classes[sparse.numbers.own]), other: texts.className(session.classes[dense.numbers.own]),
      share: percent(sparse.numbers.sparse.own), dense: percent(dense.numbers.sparse.own),
    });
  }
  const { numbers } = row;
  const label = texts.className(session.classes[numbers.own]);
  const values: Record<string, unknown> = { n: session.n, label };
  let key = "sentence.keeps";
  if (state.direction === "column") {
    const { sparse } = row.column.numbers;
    key = sparse ? "sentence.read" : "note.computing";
    if (sparse) Object.assign(values, { kept: sparse.count, sum: number(sparse.total), share: percent(sparse.own) });
  } else {
    Object.assign(values, { kept: numbers.support, mass: percent(numbers.keptMass), share: percent(numbers.sparse.own) });
    if (numbers.support === 0) key = "sentence.itself";
    else if (keepsAll(session, state.whatIf)) key = "sentence.all";
  }
  const halves: Record<string, Part[]> = {
    where: texts.parts("sentence.where", { ...countedPlace(session, row.i), label }), rest: texts.parts(key, values),
  };
  return texts.parts("sentence.join").flatMap((part) => halves[part.name ?? ""] ?? [part]);
}

/** Write a text, what stands for an idea in its colour; says whether it is another one. */
export function writeWords(element: HTMLElement, parts: Part[], marks: Marks = MARKS): boolean {
  if (element.textContent === parts.map(({ text }) => text).join("")) return false;
  element.replaceChildren(...parts.map(({ text, name }) => {
    const idea = name === undefined ? undefined : marks[name];
    if (idea === undefined) return document.createTextNode(text);
    const term = termOfValue(name!);
    return make("b", idea ? `idea-${idea}` : "", term ? { term } : {}, text);
  }));
  return true;
}
