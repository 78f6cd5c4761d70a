// A small viewer without a page: a session of random projections, one query, everything known.

import { readFileSync } from "node:fs";

import { AS_TRAINED, logThresholds, rowOf } from "../../app/viewer/core/attention.ts";
import { columnOf, kthLargestOf, mapsOf } from "../../app/viewer/core/maps.ts";
import { columnNumbersOf, numbersOf } from "../../app/viewer/core/numbers.ts";
import { scenesOf } from "../../app/viewer/draw/scenes.ts";
import { START, toQueryString } from "../../app/viewer/core/state.ts";
import { Texts } from "../../app/viewer/core/texts.ts";

const SIZES = { height: 3, width: 5, lattice: 1, imageHeight: 61, imageWidth: 99, workingHeight: 12, workingWidth: 20 };

export function smallSession({ learned = true, classes = ["sky", 'a "b", <c>&'] } = {}) {
  const n = SIZES.height * SIZES.width, depth = 6;
  const random = generator(7);
  const projections = () => Float32Array.from({ length: n * depth }, () => 2 * random() - 1);
  const [query, key] = [projections(), projections()];
  const similarities = (i) => Array.from({ length: n }, (_, j) => {
    let sum = 0;
    for (let k = 0; k < depth; k++) sum += query[i * depth + k] * key[j * depth + k];
    return sum;
  });
  const logNormaliser = Float32Array.from({ length: n }, (_, i) =>
    Math.log(similarities(i).reduce((sum, each) => sum + Math.exp(each), 0)));
  const scales = (low) => Float32Array.from({ length: n }, () => (learned ? low + random() : 0));
  return {
    ...SIZES, n, depth, query, key, logNormaliser, network: "asa_small", learned, window: 3, half: false,
    classes, palette: [[70, 130, 180], [128, 64, 128]], notes: [],
    nonlocalScale: scales(0.3), localScale: scales(0.4),
    cellLabels: Uint8Array.from({ length: n }, (_, i) => (i >> 1) % 2),
    workingLabels: Uint8Array.from({ length: 240 }, (_, i) => Number(i % 20 > 12)),
  };
}

function generator(seed) {
  return () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };
}

export function finish(pass) {
  for (;;) {
    const step = pass.next();
    if (step.done) return step.value;
  }
}

/** A viewer as exports see it, of `session`, the cell `i` and the state `patch`. */
export function smallViewer({ session = smallSession(), i = 7, patch = {}, mapped = true } = {}) {
  const whatIf = { ...AS_TRAINED, ...patch.whatIf };
  const kthLargest = whatIf.topK && finish(kthLargestOf(session)).get(whatIf.topK);
  const thresholds = logThresholds(session, whatIf, kthLargest);
  const maps = mapped ? finish(mapsOf(session, whatIf, thresholds)) : null;
  const answer = (cell) => {
    const row = rowOf(session, cell, whatIf, thresholds);
    const column = columnOf(session, row, whatIf, maps);
    return { ...row, column: { ...column, numbers: columnNumbersOf(session, cell, column) }, numbers: numbersOf(session, row, whatIf.reciprocity) };
  };
  const opened = { picture: "leuven_lane", network: "asa_small" };
  const state = { ...START, ...opened, query: [50, 30], ...patch, whatIf };
  const compared = state.compare && state.compare.map((pin) => answer(pin));
  const moment = { state, session, maps, rerun: null, row: answer(i), compared };
  const texts = new Texts(state.language ?? "en", wordsOf(state.language ?? "en"));
  return {
    host: {
      gallery: [{ id: "leuven_lane" }],
      networks: [{ name: "asa_small", title: "ASA, small" }],
    },
    opened, texts, session, state, moment, scenes: scenesOf(moment),
    say: (key, values) => texts.say(key, values),
    link: () => ({ url: `https://example.org/?${toQueryString(state)}`, upload: false }),
  };
}

function wordsOf(language) {
  const read = (area) =>
    JSON.parse(readFileSync(new URL(`../../app/texts/${language}/${area}.json`, import.meta.url), "utf8"));
  return { ...read("page"), ...read("film"), ...read("export") };
}
