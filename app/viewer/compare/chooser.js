// The menu in which methods are chosen for the compare view, one by one or by the family.

import { make } from "../page/dom.ts";
import { openAndClose } from "../page/menu.ts";
import { chosenOf, wordFor } from "./multiples.js";

const SETS = ["usual", "all", "none"];

/** A button and its menu; `choose(word)` is called with the state's word for what was chosen. */
export function buildChooser(choose) {
  const button = make("button"), menu = make("div", "menu", { menu: "methods", label: "methods.choose.label" });
  button.type = "button";
  button.setAttribute("aria-expanded", "false");
  menu.hidden = true;
  menu.setAttribute("role", "group");
  openAndClose(button, menu);
  let all = [];
  const ticked = () => [...menu.querySelectorAll("[name=method]:checked")].map(({ value }) => value);
  menu.addEventListener("change", ({ target }) => {
    for (const each of target.closest("fieldset").querySelectorAll("[name=method]")) {
      if (target.name === "family") each.checked = target.checked;
    }
    choose(wordFor(ticked(), all));
  });
  menu.addEventListener("click", ({ target }) => target.value && target.name === "set" && choose(target.value));

  /** Fill the menu with the methods there are, by family. */
  function fill(texts, families, methods) {
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
  function show(texts, methods) {
    const chosen = chosenOf(methods, all);
    for (const each of menu.querySelectorAll("[name=method]")) each.checked = chosen.includes(each.value);
    for (const each of menu.querySelectorAll("[name=family]")) {
      const boxes = [...each.closest("fieldset").querySelectorAll("[name=method]")];
      const count = boxes.filter(({ checked }) => checked).length;
      each.checked = count === boxes.length;
      each.indeterminate = count > 0 && count < boxes.length;
    }
    button.textContent = texts.say("methods.choose", { count: chosen.length, all: all.length });
  }
  return { button, menu, fill, show };
}

function tick(name, value, text) {
  const label = make("label", "check"), input = make("input");
  Object.assign(input, { type: "checkbox", name, value });
  label.append(input, ` ${text}`);
  return label;
}
