// A card with everything that is known of one method.

import { make } from "../page/dom.ts";
import type { Texts } from "../core/texts.ts";
import type { Method } from "./compare_types.ts";

const FACTS = ["note", "formula", "support_per_pass", "effective_support", "cost", "paper", "unchecked"] as const;

/** Build the card; Escape and its button close it. */
export function buildCard(texts: Pick<Texts, "say">) {
  const card = make("div", "card");
  card.setAttribute("role", "dialog");
  card.tabIndex = -1;
  card.hidden = true;
  let opener: HTMLElement | null = null;
  const close = () => {
    card.hidden = true;
    opener?.focus();
  };
  card.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    close();
  });

  function open(method: Method, family: string, button: HTMLElement): void {
    opener = button;
    const heading = make("h3", "", {}, method.title), list = make("dl");
    const kind = texts.say(`methods.exact.${method.exact}`);
    const facts: [name: string, text: string][] = [["family", family], ...FACTS.map((each): [string, string] => [each, method[each]]), ["exact", kind]];
    for (const [name, text] of facts) {
      if (text) list.append(make("dt", "", {}, texts.say(`methods.fact.${name}`)), make("dd", name, {}, text));
    }
    const shut = make("button", "", {}, texts.say("methods.close"));
    shut.type = "button";
    shut.addEventListener("click", close);
    card.setAttribute("aria-label", method.title);
    card.replaceChildren(heading, list, shut);
    card.hidden = false;
    card.focus();
  }
  return { card, open, close };
}
