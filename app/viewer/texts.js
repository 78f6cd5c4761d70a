// Words and numbers for people: one dictionary for the page, the canvases, the exports and errors.

/** Dictionaries by language from the words of all languages under each key; "" names the languages. */
export function dictionariesOf({ "": languages, ...words }) {
  const inOne = (k) => Object.fromEntries(Object.entries(words).map(([key, texts]) => [key, texts[k]]));
  return Object.fromEntries(languages.map((language, k) => [language, inOne(k)]));
}

/** The words of one language. A missing key shows itself, and fails a test. */
export class Texts {
  constructor(dictionaries, language) {
    this.dictionaries = dictionaries;
    this.language = dictionaries[language] ? language : "en";
  }

  /** The text under `key`, with {names} filled in. */
  say(key, values = {}) {
    const text = this.dictionaries[this.language][key] ?? this.dictionaries.en[key] ?? key;
    return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
  }

  /** The name of a class of the network, translated where it is known. */
  className(name) {
    const key = `class.${name}`;
    return this.dictionaries[this.language][key] ?? name;
  }

  /** Fill all elements under `root` that name their text, tooltip or label. */
  fill(root) {
    for (const [attribute, apply] of FILLERS) {
      const marked = [...root.querySelectorAll(`[${attribute}]`)];
      if (root.hasAttribute(attribute)) marked.push(root);
      for (const element of marked) apply(element, this.say(element.getAttribute(attribute)));
    }
    root.setAttribute("lang", this.language);
  }
}

const FILLERS = [
  ["data-text", (element, text) => { element.textContent = text; }],
  ["data-title", (element, text) => { element.title = text; }],
  ["data-label", (element, text) => element.setAttribute("aria-label", text)],
];

/** The language of the dictionary that suits a browser's wishes best. */
export function preferredLanguage(wishes) {
  for (const wish of wishes) {
    const tag = wish.toLowerCase();
    if (tag.startsWith("en")) return "en";
    if (/^zh(-hant|-tw|-hk|-mo)/.test(tag)) return "zh-TW";
    if (tag.startsWith("zh")) return "zh-CN";
  }
  return "en";
}

/** A number to three figures, without exponents. */
export function number(value) {
  if (!Number.isFinite(value)) return "∞";
  if (value >= 99.95) return value.toFixed(0);
  if (value >= 9.995) return value.toFixed(1);
  if (value >= 0.9995 || value === 0) return value.toFixed(2);
  return value >= 0.0005 ? value.toFixed(3) : "< 0.001";
}

/** A share in whole per cents; 0 % and 100 % only where they are true. */
export function percent(share) {
  if (share > 0 && share < 0.01) return "< 1 %";
  if (share > 0.99 && share < 1 - 1e-6) return "> 99 %";
  return `${(100 * share).toFixed(0)} %`;
}
