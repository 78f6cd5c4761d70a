// The plane of pairs, drawn by Plotly from a figure the server makes, once the query is locked.

import { make } from "./dom.ts";
import { placed } from "../core/geometry.ts";
import { loadScript } from "./scripts.ts";
import type { Drawn } from "./viewer.ts";

/** What is used of Plotly. */
interface Plotly {
  react(element: HTMLElement, data: unknown, layout: unknown, config: object): void;
}

type Paired = Pick<Drawn, "host" | "state" | "session" | "texts" | "chart" | "say">;

/** Plotly, which the page's own server sends when it is first needed. */
async function loadPlotly(url: string): Promise<Plotly> {
  await loadScript(url);
  return (window as unknown as { Plotly: Plotly }).Plotly;
}

/** Show the pair plane of a locked query; it is fetched when the query, the what-if or the words change. */
export function showPairs(viewer: Paired, box: HTMLElement): void {
  const { state, host } = viewer;
  if (!host.plotly || !host.pairPlane || state.picture === null || state.network === null) return;
  if (!state.locked) {
    delete box.dataset.told;
    return say(viewer, box, "pairs.lock");
  }
  const told = JSON.stringify([state.picture, state.network, state.query, state.whatIf, viewer.texts.language]);
  if (box.firstChild && box.dataset.told === told) return;
  box.dataset.told = told;
  if (!box.querySelector(".plane")) say(viewer, box, "pairs.loading");
  Promise.all([
    loadPlotly(host.plotly),
    host.pairPlane(state.picture, state.network, placed(viewer.session, state.query), state.whatIf, viewer.texts.language),
  ]).then(([library, { figure }]) => {
    if (box.dataset.told !== told || viewer.chart !== "pairs") return;
    let plane = box.querySelector<HTMLElement>(".plane");
    if (!plane) {
      plane = make("div", "plane");
      box.replaceChildren(plane);
    }
    const { data, layout } = JSON.parse(figure);
    library.react(plane, data, layout, { displayModeBar: false, responsive: true });
  }, (error) => {
    if (box.dataset.told === told) say(viewer, box, error.key ?? "error.failed");
  });
}

function say(viewer: Pick<Drawn, "say">, box: HTMLElement, key: string): void {
  box.replaceChildren(make("p", "note", {}, viewer.say(key)));
}
