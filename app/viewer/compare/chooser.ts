// The menu in which methods are chosen for the compare view, one by one or by the family.

import { make } from "../page/dom.ts";
import { openAndClose } from "../page/menu.ts";
import type { Texts } from "../core/texts.ts";
import { chosenOf, wordFor } from "./multiples.ts";
import type { Family, Method } from "./compare_types.ts";

type Speaker = Pick<Texts, "say">;

const SETS = ["usual", "all", "none"];

/** A button and its menu; `choose(word)` is called with the state's word for what was chosen. */
export function buildChooser(choose: (methods: string) => void) {
  const button = make("button"), menu = make("div", "menu", { menu: "methods", label: "methods.choose.label" });
  button.type = "button";
  button.setAttribute("aria-expanded", "false");
  menu.hidden = true;
  menu.setAttribute("role", "group");
  openAndClose(button, menu);
  let all: string[] = [];
  const boxesIn = (root: Element, selector: string) => [...root.querySelectorAll<HTMLInputElement>(selector)];
  const ticked = () => boxesIn(menu, "[name=method]:checked").map(({ value }) => value);
  menu.addEventListener("change", ({ target }) => {
    const box = target as HTMLInputElement, fieldset = box.closest("fieldset");
    if (box.name === "family" && fieldset) {
      for (const each of boxesIn(fieldset, "[name=method]")) each.checked = box.checked;
    }
    choose(wordFor(ticked(), all));
  });
  menu.addEventListener("click", ({ target }) => {
    if (target instanceof HTMLButtonElement && target.name === "set") choose(target.value);
  });

  /** Fill the menu with the methods there are, by family. */
  function fill(texts: Speaker, families: Family[], methods: Method[]): void {
    all = methods.map(({ name }) => name);
    const sets = make("div", "sets");
    sets.append(...SETS.map((value) => {
      const each = make("button", "", {}, texts.say(`methods.set.${value}`));
      return Object.assign(each, { type: "button", name: "set", value });
    }));
    menu.replaceChildren(sets, ...families.map(({ name, title }) => {
      const box = make("fieldset"), legend = make("legend");
      legend.append(tick("family", name, title));
      box.append(legend, ...methods.filter(({ family }) => family === name).map((each) => tick("method", each.name, each.title)));
      return box;
    }));
  }

  /** Tick what is chosen. */
  function show(texts: Speaker, methods: string): void {
    const chosen = chosenOf(methods, all);
    for (const each of boxesIn(menu, "[name=method]")) each.checked = chosen.includes(each.value);
    for (const each of boxesIn(menu, "[name=family]")) {
      const boxes = boxesIn(each.closest("fieldset")!, "[name=method]");
      const count = boxes.filter(({ checked }) => checked).length;
      each.checked = count === boxes.length;
      each.indeterminate = count > 0 && count < boxes.length;
    }
    button.textContent = texts.say("methods.choose", { count: chosen.length, all: all.length });
  }
  return { button, menu, fill, show };
}

function tick(name: string, value: string, text: string): HTMLLabelElement {
  const label = make("label", "check"), input = make("input");
  Object.assign(input, { type: "checkbox", name, value });
  label.append(input, ` ${text}`);
  return label;
}
