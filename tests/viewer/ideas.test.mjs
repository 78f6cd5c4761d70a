// One colour for each idea: told apart on pictures, and read on both pages.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { IDEAS, ideaStyle } from "../../app/viewer/core/ideas.ts";
import { GROUP_COLOURS, THRESHOLD_COLOUR, rgbOf } from "../../app/viewer/core/scale.ts";

// The papers of viewer.css.
const STYLE = readFileSync(new URL("../../app/viewer/page/viewer.css", import.meta.url), "utf8");
const [light, dark] = [...STYLE.matchAll(/--paper: (#\w+)/g)].map(([, paper]) => paper);

/** How far two colours are apart in light, as WCAG counts it. */
function contrast(first, second) {
  const [a, b] = [first, second].map((hex) => {
    const [red, green, blue] = rgbOf(hex).map((each) => {
      const share = each / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  }).sort((x, y) => y - x);
  return (a + 0.05) / (b + 0.05);
}

test("the words of every idea are read on the light and on the dark page", () => {
  assert.ok(light && dark && light !== dark);
  for (const [name, colours] of Object.entries(IDEAS)) {
    assert.ok(contrast(colours.light, light) >= 4.5, `${name} on light: ${contrast(colours.light, light)}`);
    assert.ok(contrast(colours.dark, dark) >= 4.5, `${name} on dark: ${contrast(colours.dark, dark)}`);
  }
});

test("groups and thresholds have the colours of their ideas, and no two are the same", () => {
  const { kept, local, refused, choosing, threshold } = IDEAS;
  assert.deepEqual(GROUP_COLOURS, [kept, local, refused, choosing].map(({ fill }) => fill));
  assert.equal(THRESHOLD_COLOUR, threshold.fill);
  assert.equal(new Set(Object.values(IDEAS).map(({ fill }) => fill)).size, Object.keys(IDEAS).length);
});

test("the page's style has each colour once, under its idea's name", () => {
  const style = ideaStyle();
  for (const [name, { fill, light: word, dark: other }] of Object.entries(IDEAS)) {
    assert.ok(style.includes(`--${name}:${fill};`));
    assert.ok(style.includes(`--${name}-ink:${word};`) && style.includes(`--${name}-ink:${other};`));
  }
});
