// Words and numbers for people.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Texts, number, percent, preferredLanguage } from "../../app/viewer/core/texts.ts";

const DICTIONARIES = {
  en: { keeps: "Keeps {kept} of {n} cells, {kept} in all.", plain: "Undo" },
  "zh-CN": { keeps: "{n} 个单元中保留 {kept} 个。", plain: "撤销", kept: "保留", "class.road": "道路" },
};

const spoken = (language) => new Texts(language, DICTIONARIES[language]);

test("another language is loaded once, when it is spoken first", async () => {
  const texts = spoken("en"), asked = [];
  const load = async (language) => {
    asked.push(language);
    return DICTIONARIES[language];
  };
  for (const language of ["zh-CN", "en", "zh-CN"]) await texts.speak(language, load);
  assert.equal(texts.say("plain"), "撤销");
  assert.deepEqual(asked, ["zh-CN"]);
});

const PARTS = {
  "en page": { plain: "Undo" }, "en lesson": { step: "Step" },
  "zh-CN page": { plain: "撤销" }, "zh-CN lesson": { step: "步骤" },
};

test("the words of another part come once it is asked for, and then in every language", async () => {
  const texts = new Texts("en", PARTS["en page"]), asked = [];
  const load = async (language, part) => {
    asked.push(`${language} ${part}`);
    return PARTS[`${language} ${part}`];
  };
  assert.equal(texts.say("step"), "step");
  await texts.learn("lesson", load);
  assert.deepEqual([texts.say("step"), texts.say("plain")], ["Step", "Undo"]);
  await texts.speak("zh-CN", load);
  assert.deepEqual([texts.say("step"), texts.say("plain")], ["步骤", "撤销"]);
  await texts.learn("lesson", load);
  assert.deepEqual(asked, ["en lesson", "zh-CN page", "zh-CN lesson"]);
});

test("a part that is learned while another language is on its way is known in that one too", async () => {
  for (const order of [["page", "lesson"], ["lesson", "page"]]) {
    const texts = new Texts("en", PARTS["en page"]), arrive = {};
    const load = (language, part) => new Promise((come) => (arrive[`${language} ${part}`] = () => come(PARTS[`${language} ${part}`])));
    const both = [texts.speak("zh-CN", load), texts.learn("lesson", load)];
    const tick = () => new Promise((over) => setTimeout(over));
    const first = { page: "zh-CN page", lesson: "en lesson" };
    for (const part of order) { arrive[first[part]](); await tick(); }
    arrive["zh-CN lesson"]?.();
    await Promise.all(both);
    assert.deepEqual([texts.language, texts.say("step"), texts.say("plain")], ["zh-CN", "步骤", "撤销"], order.join());
  }
});

test("where the words of a language do not come the one before is spoken", async () => {
  const texts = spoken("en");
  await assert.rejects(texts.speak("zh-CN", () => Promise.reject(new Error("no"))), /no/);
  assert.equal(texts.language, "en");
  assert.equal(texts.say("plain"), "Undo");
});

test("a text says its values, in the order of its language", () => {
  const values = { kept: 37, n: 2700 };
  assert.equal(spoken("en").say("keeps", values), "Keeps 37 of 2700 cells, 37 in all.");
  assert.equal(spoken("zh-CN").say("keeps", values), "2700 个单元中保留 37 个。");
  assert.equal(spoken("en").say("plain"), "Undo");
});

test("a text in parts says which of them were filled in", () => {
  const parts = spoken("en").parts("keeps", { kept: 37, n: 2700 });
  assert.deepEqual(parts.filter(({ name }) => name), [
    { text: "37", name: "kept" }, { text: "2700", name: "n" }, { text: "37", name: "kept" },
  ]);
  assert.equal(parts.map(({ text }) => text).join(""), "Keeps 37 of 2700 cells, 37 in all.");
});

test("where the screen is touched the words for a finger are said, if there are any", () => {
  const words = { lock: "Click.", "lock.finger": "Tap.", free: "Esc." };
  assert.equal(new Texts("en", words).say("lock"), "Click.");
  globalThis.matchMedia = (query) => ({ matches: query === "(pointer: coarse)" });
  try {
    const texts = new Texts("en", words);
    assert.deepEqual([texts.say("lock"), texts.say("free")], ["Tap.", "Esc."]);
  } finally {
    delete globalThis.matchMedia;
  }
});

test("values are words, never patterns, and are filled in once", () => {
  const texts = new Texts("en", { where: "on {label} at {place}" });
  assert.equal(texts.say("where", { label: "{place} $& $1", place: "" }), "on {place} $& $1 at ");
  assert.equal(texts.say("where", { label: 0, place: "<b>" }), "on 0 at <b>");
});

test("what is missing shows its key, and a value its name", () => {
  const texts = spoken("zh-CN");
  assert.equal(texts.say("no.such.key"), "no.such.key");
  assert.equal(texts.say("keeps", { n: 1 }), "1 个单元中保留 {kept} 个。");
});

test("a class is named in the visitor's language where that is known", () => {
  assert.equal(spoken("zh-CN").className("road"), "道路");
  assert.equal(spoken("zh-CN").className("pole"), "pole");
  assert.equal(spoken("en").className("road"), "road");
});

test("every element under a root says its text, its tooltip, its label and where it leads, and a term which it is", () => {
  const element = (attributes) => ({
    textContent: "", title: "", href: "", dataset: {},
    getAttribute: (name) => attributes[name] ?? null,
    hasAttribute: (name) => name in attributes,
    setAttribute: (name, value) => { attributes[name] = value; },
  });
  const inside = [element({ "data-text": "plain" }), element({ "data-title": "kept" }), element({ "data-href": "plain" }), element({ "data-text": "table.mass" })];
  const root = {
    ...element({ "data-label": "plain" }),
    querySelectorAll: (selector) => inside.filter((each) => each.hasAttribute(selector.slice(1, -1))),
  };
  spoken("zh-CN").fill(root);
  assert.deepEqual([inside[0].textContent, inside[1].title], ["撤销", "保留"]);
  assert.equal(inside[2].href, "撤销");
  assert.deepEqual([inside[0].dataset, inside[3].dataset], [{}, { term: "kept_mass" }]);
  assert.deepEqual([root.getAttribute("aria-label"), root.getAttribute("lang")], ["撤销", "zh-CN"]);
});

test("the language that suits a browser's wishes, in their order", () => {
  const cases = [
    [["en-GB"], "en"], [["zh"], "zh-CN"], [["zh-CN", "en"], "zh-CN"], [["zh-Hans-HK"], "zh-CN"],
    [["zh-TW"], "zh-TW"], [["zh-Hant"], "zh-TW"], [["zh-HK"], "zh-TW"], [["ZH-hant-MO"], "zh-TW"],
    [["de-DE", "fr"], "en"], [["fr", "zh-SG", "en"], "zh-CN"], [["de", "en", "zh"], "en"], [[], "en"],
  ];
  for (const [wishes, language] of cases) assert.equal(preferredLanguage(wishes), language, `${wishes}`);
});

test("a number has three figures at most, and no exponent", () => {
  const cases = {
    0: "0.00", 1: "1.00", 1.2345: "1.23", 9.994: "9.99", 9.996: "10.0", 23.14: "23.1", 99.94: "99.9",
    99.96: "100", 12345.6: "12346", 0.9994: "0.999", 0.9996: "1.00", 0.0214: "0.021", 0.0006: "0.001",
    0.0004: "< 0.001", 1e-30: "< 0.001", Infinity: "∞",
  };
  for (const [value, text] of Object.entries(cases)) assert.equal(number(+value), text, value);
});

test("a share in per cent is 0 or 100 only where it is true", () => {
  const cases = {
    0: "0 %", 1e-9: "< 1 %", 0.009: "< 1 %", 0.01: "1 %", 0.345: "35 %", 0.99: "99 %", 0.994: "> 99 %",
    0.9999: "> 99 %", 1: "100 %",
  };
  for (const [share, text] of Object.entries(cases)) assert.equal(percent(+share), text, share);
  // A sum of float32 weights is 1 up to its roundings.
  assert.equal(percent(1 - 1e-7), "100 %");
  assert.equal(percent(1 + 1e-7), "100 %");
});
