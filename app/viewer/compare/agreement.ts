// How far the trained heads agree with the page on a picture: their names and a list of shares.

import { make } from "../page/dom.ts";
import { type Texts, percent } from "../core/texts.ts";
import type { Heads, Method } from "./compare_types.ts";

/** What heads are called: by the methods that live in them. */
export function headTitles(methods: Pick<Method, "head" | "title">[], heads: string[]): Map<string, string> {
  const titles = (head: string) => methods.filter((each) => each.head === head).map(({ title }) => title);
  return new Map(heads.map((head) => [head, titles(head).join(" / ") || head]));
}

/** List for every head the share of cells to which it gives the page's class, the largest first. */
export function showHeads(list: HTMLElement, texts: Pick<Texts, "className">, heads: Heads, titles: Map<string, string>): void {
  const sorted = Object.entries(heads).sort(([, a], [, b]) => b.share - a.share);
  list.replaceChildren(...sorted.map(([head, { label, share }]) => {
    const item = make("li");
    item.style.setProperty("--share", String(share));
    item.append(make("span", "", {}, titles.get(head) ?? head), " ", make("span", "what", {}, texts.className(label)), " ", make("b", "", {}, percent(share)));
    return item;
  }));
}
