// Words and numbers for people: one dictionary for the page, the canvases, the exports and errors.

import { explain } from "./terms.ts";
import type { Words, WordsPart } from "./host_types.ts";

/** A piece of a text; a value that was filled in has a name. */
export interface Part {
  text: string;
  name?: string;
}

/** Loads the words of a language for a part of the page. */
type Load = (language: string, part: WordsPart) => Promise<Words>;

/** The words of one language at a time. A missing key shows itself, and fails a test. */
export class Texts {
  language: string;
  words: Words;
  // No worker has screens.
  readonly #touch = globalThis.matchMedia?.("(pointer: coarse)");
  readonly #asked = new Set<WordsPart>(["page"]);
  private readonly known = new Map<string, Words>();

  /** `words` are those of the page in `language`; others are loaded when they are asked for. */
  constructor(language: string, words: Words) {
    this.language = language;
    this.words = words;
    this.known.set(`${language} page`, words);
  }

  /** Speak another language from now on; its words come from `load` where they are not known yet. */
  async speak(language: string, load: Load): Promise<void> {
    // Another part may be learned meanwhile.
    while (this.#missing(language).length) await this.#learn(language, load);
    this.#use(language);
  }

  /** Know the words of another part from now on, in every language that is spoken. */
  async learn(part: WordsPart, load: Load): Promise<void> {
    this.#asked.add(part);
    // Another language may be spoken meanwhile.
    while (this.#missing(this.language).length) await this.#learn(this.language, load);
    this.#use(this.language);
  }

  #missing(language: string): WordsPart[] {
    return [...this.#asked].filter((part) => !this.known.has(`${language} ${part}`));
  }

  async #learn(language: string, load: Load): Promise<void> {
    const learned = this.#missing(language).map(async (part) => this.known.set(`${language} ${part}`, await load(language, part)));
    await Promise.all(learned);
  }

  #use(language: string): void {
    this.language = language;
    this.words = Object.assign({}, ...[...this.#asked].map((part) => this.known.get(`${language} ${part}`)));
  }

  /** The text under `key`, with {names} filled in. */
  say(key: string, values: Record<string, unknown> = {}): string {
    return this.parts(key, values).map(({ text }) => text).join("");
  }

  /**
   * The text under `key` in parts: what was filled in has the `name` of its place. Where the screen is touched it is the text under
   * `<key>.finger`, if there is one.
   */
  parts(key: string, values: Record<string, unknown> = {}): Part[] {
    const touching = this.#touch?.matches ? this.words[`${key}.finger`] : undefined;
    const pieces = (touching ?? this.words[key] ?? key).split(/\{(\w+)\}/);
    return pieces.map((text, k) => (k % 2 ? { text: String(values[text] ?? `{${text}}`), name: text } : { text }))
      .filter(({ text }) => text !== "");
  }

  /** The name of a class of the network, translated where it is known. */
  className(name: string): string {
    return this.words[`class.${name}`] ?? name;
  }

  /** Fill all elements under `root` that name their text, tooltip or label. */
  fill(root: HTMLElement): void {
    for (const [attribute, apply] of FILLERS) {
      const marked = [...root.querySelectorAll<HTMLElement>(`[${attribute}]`)];
      if (root.hasAttribute(attribute)) marked.push(root);
      for (const element of marked) {
        const key = element.getAttribute(attribute) ?? "";
        apply(element, this.say(key), key);
      }
    }
    root.setAttribute("lang", this.language);
  }
}

const FILLERS: [string, (element: HTMLElement, text: string, key: string) => void][] = [
  ["data-text", (element, text, key) => {
    element.textContent = text;
    explain(element, key);
  }],
  ["data-href", (element, text) => { (element as HTMLAnchorElement).href = text; }],
  ["data-title", (element, text) => { element.title = text; }],
  ["data-label", (element, text) => element.setAttribute("aria-label", text)],
];

/** The language of the dictionary that suits a browser's wishes best. */
export function preferredLanguage(wishes: readonly string[]): string {
  for (const wish of wishes) {
    const tag = wish.toLowerCase();
    if (tag.startsWith("en")) return "en";
    if (/^zh(-hant|-tw|-hk|-mo)/.test(tag)) return "zh-TW";
    if (tag.startsWith("zh")) return "zh-CN";
  }
  return "en";
}

/** A number to three figures, without exponents. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return "∞";
  if (value >= 99.95) return value.toFixed(0);
  if (value >= 9.995) return value.toFixed(1);
  if (value >= 0.9995 || value === 0) return value.toFixed(2);
  return value >= 0.0005 ? value.toFixed(3) : "< 0.001";
}

/** A share in whole per cents; 0 % and 100 % only where they are true. */
export function percent(share: number): string {
  if (share > 0 && share < 0.01) return "< 1 %";
  if (share > 0.99 && share < 1 - 1e-6) return "> 99 %";
  return `${(100 * share).toFixed(0)} %`;
}
