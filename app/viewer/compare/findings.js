// What the compare view says beside its maps: on one method and on the heads' agreement.

import { make } from "../page/dom.ts";
import { percent } from "../core/texts.ts";

const FACTS = ["note", "formula", "support_per_pass", "effective_support", "cost", "paper", "unchecked"];

/** A card with everything that is known of one method; Escape and its button close it. */
export function buildCard(texts) {
  const card = make("div", "card");
  card.setAttribute("role", "dialog");
  card.tabIndex = -1;
  card.hidden = true;
  let opener = null;
  const close = () => {
    card.hidden = true;
    opener?.focus();
  };
  card.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    close();
  });

  function open(method, family, button) {
    opener = button;
    const heading = make("h3", "", {}, method.title), list = make("dl");
    const kind = texts.say(`methods.exact.${method.exact}`);
    for (const [name, text] of [["family", family], ...FACTS.map((each) => [each, method[each]]), ["exact", kind]]) {
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

/** What heads are called: by the methods that live in them. */
export function headTitles(methods, heads) {
  const titles = (head) => methods.filter((each) => each.head === head).map(({ title }) => title);
  return new Map(heads.map((head) => [head, titles(head).join(" / ") || head]));
}

/** List for every head the share of cells to which it gives the page's class, the largest first. */
export function showHeads(list, texts, heads, titles) {
  const sorted = Object.entries(heads).sort(([, a], [, b]) => b.share - a.share);
  list.replaceChildren(...sorted.map(([head, { label, share }]) => {
    const item = make("li");
    item.style.setProperty("--share", share);
    item.append(make("span", "", {}, titles.get(head)), " ", make("span", "what", {}, texts.className(label)), " ", make("b", "", {}, percent(share)));
    return item;
  }));
}
