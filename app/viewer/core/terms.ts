// The terms of the glossary, and which words of the page each of them explains.

/** In the order in which one explains the next; `term.<name>` and `term.<name>.text` are their words. */
export const TERMS = [
  "cell", "query", "key", "dense", "uniform", "nonlocal", "chosen", "back", "reciprocal", "window", "local", "local_rule",
  "support", "kept_mass", "arnn", "value", "own", "largest", "entropy", "effective", "in_degree", "column", "segmentation", "group",
  "what_if", "top_k", "flips", "without", "twin", "set", "pairs",
] as const;
export type Term = typeof TERMS[number];

/** By the key of a text on the page. */
const TERM_OF: Readonly<Record<string, Term>> = {
  "panel.photo": "query", "panel.dense.row": "dense", "panel.sparse.row": "arnn", "panel.read.row": "dense", "panel.neighbours": "reciprocal",
  "panel.dense.column": "column", "panel.sparse.column": "column", "panel.read.column": "column",
  "map.nonlocal": "nonlocal", "map.local": "local", "map.support": "support", "map.chosen": "in_degree", "map.kept": "kept_mass", "map.own": "own",
  "layer.classes": "segmentation", "layer.groups": "group", "layer.flips": "flips", "layer.without": "without", "layer.wipe": "without",
  "unit.uniform": "uniform", "unit.nonlocal": "uniform", "unit.local": "local",
  "group.reciprocal": "reciprocal", "group.chosen": "chosen", "group.local": "local_rule", "group.query_only": "chosen",
  "group.key_only": "back", "group.rest": "reciprocal", "group.connected": "group", "group.all": "dense",
  "stage.legend.chosen": "chosen", "stage.legend.back": "back", "stage.legend.refused": "reciprocal",
  "table.cells": "support", "table.mass": "kept_mass", "table.own": "own", "table.largest": "largest", "table.entropy": "entropy",
  "table.effective": "effective", "table.readers": "in_degree", "table.sum": "column",
  "table.dense": "dense", "table.sparse": "arnn", "table.read": "dense",
  "whatif.title": "what_if", "whatif.nonlocal": "nonlocal", "whatif.local": "local", "whatif.reciprocity": "reciprocal",
  "whatif.local_rule": "local_rule", "whatif.window": "window", "whatif.top_k": "top_k",
  "view.column": "column", "view.lines": "reciprocal", "twin.beside": "twin", "chart.pairs": "pairs", "set.segment": "set",
  "twin.sparse": "arnn", "twin.dense": "twin", "twin.difference": "twin", "twin.segmentation": "twin",
  "set.dense": "set", "set.sparse": "set", "set.keeps": "set", "set.choosing": "set",
};

/** By the name of a value that is filled into the sentence. */
const TERM_OF_VALUE: Readonly<Record<string, Term>> = {
  n: "cell", kept: "support", mass: "kept_mass", share: "own", sum: "column", choosing: "back", dense: "twin",
};

/** The term that explains the text under `key`, if one does. */
export const termOf = (key: string): Term | undefined => TERM_OF[key];
export const termOfValue = (name: string): Term | undefined => TERM_OF_VALUE[name];

/** Let an element say which term explains its text of `key`. */
export function explain(element: HTMLElement, key: string): void {
  const term = TERM_OF[key];
  if (element.dataset.term === term) return;
  if (term) element.dataset.term = term;
  else delete element.dataset.term;
}
