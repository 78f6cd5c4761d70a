// The chapter on sparse designs on the page: counters over n and k, and the sweep of k on the row of now.

import { html, nothing, render, svg } from "lit/html.js";

import { number, percent } from "../core/texts.ts";
import { make } from "../page/dom.ts";
import { type Sweep, costsOf, shortCount, sweepOf } from "./designs.ts";
import type { LessonViewer } from "./lesson_types.ts";

const WIDTH = 340, HEIGHT = 170, LEFT = 34, RIGHT = 8, TOP = 8, BOTTOM = 24;
const SMALLEST = 8, LARGEST = 17;

/** Build the chapter; `update` writes what belongs to the query of now. */
export function buildDesigns(viewer: LessonViewer): { element: HTMLElement; update(): void } {
  const element = make("div", "designs");
  let n = viewer.session?.n ?? 2700, k: number | null = null;
  const word = (key: string, values?: Record<string, unknown>) => viewer.say(`designs.${key}`, values);

  function update(): void {
    const { session, moment } = viewer;
    const row = moment && moment.session === session ? moment.row : null;
    const kept = row?.numbers.support || 1, here = k ?? kept;
    const most = session?.n ?? 2700;
    const sweep = row && session ? sweepOf(session, row) : null;
    render(html`
      <div class="sliders">
        <label>${word("cells", { n: n.toLocaleString("en") })}
          <input type="range" min=${SMALLEST} max=${LARGEST} step="0.1" .value=${String(Math.log2(n))}
            aria-valuetext=${String(n)} @input=${(event: Event) => { n = Math.round(2 ** valueOf(event)); update(); }}></label>
        <label>${word("keys", { k: here.toLocaleString("en") })}
          <input type="range" min="0" max=${Math.log2(most)} step="0.05" .value=${String(Math.log2(here))}
            aria-valuetext=${String(here)} @input=${(event: Event) => { k = Math.max(Math.round(2 ** valueOf(event)), 1); update(); }}></label>
      </div>
      <div class="scroller" tabindex="0" role="region" aria-label=${word("table")}>
        <table>
          <tr>${["design", "compared", "read", "bytes"].map((name) => html`<th scope="col">${word(`column.${name}`)}</th>`)}</tr>
          ${costsOf(n, here).map(({ design, compared, read, bytes }) => html`<tr class=${design}>
            <th scope="row">${word(`${design}.title`)}</th><td>${shortCount(compared)}${design === "indexer" ? "*" : ""}</td>
            <td>${shortCount(read)}</td><td>${bytes ? `${shortCount(bytes)}B`.replace(/ ?(\w?)B$/, " $1B") : "–"}</td></tr>`)}
        </table>
      </div>
      <p class="note">${word("narrow")}</p>
      ${sweep && row ? html`<h3>${word("sweep")}</h3>
        ${chartOf(sweep, here, { kept, mass: row.numbers.keptMass, own: row.numbers.sparse.own }, word)}
        <p>${word("at", { k: here, mass: percent(sweep.mass[Math.min(here, sweep.mass.length) - 1]), own: percent(sweep.own[Math.min(here, sweep.own.length) - 1]) })}
          ${word("beside", { kept, mass: percent(row.numbers.keptMass), own: percent(row.numbers.sparse.own), threshold: number(row.threshold) })}</p>` : nothing}
      <p>${word("what")}</p>
      <dl>${costsOf(n, here).map(({ design }) => html`<dt>${word(`${design}.title`)}</dt><dd>${word(`${design}.what`)}</dd>`)}</dl>
      <p>${word("difference")}</p>
      <p class="note">${word("sources")}</p>`, element);
  }

  update();
  return { element, update };
}

const valueOf = ({ target }: Event): number => Number((target as HTMLInputElement).value);

/** The sweep as a chart over the logarithm of k, with what the thresholds keep as two points. */
function chartOf({ mass, own }: Sweep, k: number, kept: { kept: number; mass: number; own: number }, word: (key: string) => string) {
  const across = (count: number) => LEFT + (Math.log(count) / Math.log(Math.max(mass.length, 2))) * (WIDTH - LEFT - RIGHT);
  const down = (share: number) => TOP + (1 - share) * (HEIGHT - TOP - BOTTOM);
  const places = [...new Set(Array.from({ length: 120 }, (_, step) => Math.round(mass.length ** (step / 119))))];
  const lineOf = (shares: Float64Array) => places.map((place, step) => `${step ? "L" : "M"}${across(place).toFixed(1)} ${down(shares[place - 1]).toFixed(1)}`).join("");
  const ticks = [1, 10, 100, 1000, 10000].filter((tick) => tick <= mass.length);
  return html`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label=${word("chart")}>
    ${[0, 0.5, 1].map((share) => svg`<path class="grid" d="M${LEFT} ${down(share)}H${WIDTH - RIGHT}"/><text x=${LEFT - 4} y=${down(share) + 4} text-anchor="end">${percent(share)}</text>`)}
    ${ticks.map((tick) => svg`<text x=${across(tick)} y=${HEIGHT - 8} text-anchor="middle">${tick}</text>`)}
    <path class="mass" d=${lineOf(mass)}/><path class="own" d=${lineOf(own)}/>
    <path class="here" d="M${across(k)} ${TOP}V${HEIGHT - BOTTOM}"/>
    <circle class="mass" cx=${across(kept.kept)} cy=${down(kept.mass)} r="5"/><circle class="own" cx=${across(kept.kept)} cy=${down(kept.own)} r="5"/>
  </svg>
  <ul class="key"><li class="mass">${word("key.mass")}</li><li class="own">${word("key.own")}</li><li class="point">${word("key.point")}</li></ul>`;
}
