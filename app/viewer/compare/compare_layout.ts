// The parts of the compare view, built once: its bar, the reference beside the multiples, what follows them.

import { Panel } from "../draw/panels.ts";
import { make } from "../page/dom.ts";
import type { Texts } from "../core/texts.ts";
import { buildChooser } from "./chooser.ts";
import { buildExperiment } from "./experiment.ts";
import { buildCard } from "./method_card.ts";
import { buildMultiple } from "./multiple_view.ts";

/** Build the view into `section`; `choose(word)` is called with the state's word for the methods that were chosen. */
export function buildLayout(section: HTMLElement, texts: Texts, choose: (methods: string) => void) {
  const title = Object.assign(make("h2", "", { text: "methods.title" }), { tabIndex: -1 });
  const status = make("p", "where"), source = make("p", "note");
  status.setAttribute("role", "status");
  const chooser = buildChooser(choose);
  const one = make("label", "check", { title: "methods.one.title" });
  const input = Object.assign(make("input", "", { set: "scales", on: "one", off: "own" }), { type: "checkbox" });
  one.append(input, " ", make("span", "", { text: "methods.one" }));
  const close = Object.assign(make("button", "", { text: "methods.close" }), { type: "button" });
  const top = make("div", "bar");
  top.append(title, chooser.button, one, close, chooser.menu);
  const photoCanvas = make("canvas");
  const photo = { element: make("article", "multiple photo"), canvas: photoCanvas, panel: new Panel("photo", photoCanvas) };
  photo.canvas.tabIndex = 0;
  photo.canvas.setAttribute("role", "application");
  photo.canvas.dataset.label = "methods.photo";
  photo.element.append(make("h3", "", { text: "panel.photo" }), make("div", "about-head"), photo.canvas, make("p", "note", { text: "methods.photo.what" }));
  // Not one of the methods that are chosen: it has no card, and listens once there is a target.
  const own = buildMultiple({ name: "page", exact: "none" }, null, () => {});
  own.element.classList.replace("gates", "first");
  delete own.element.dataset.method;
  own.button.remove();
  // The photo and the page's own row stay in sight while the others are read.
  const reference = make("div", "reference"), grid = make("div", "multiples"), body = make("div", "compared");
  reference.append(photo.element, own.element);
  body.append(reference, grid);
  const card = buildCard(texts);
  const agreement = make("section", "agreement"), heads = make("ol", "heads");
  const votesCanvas = make("canvas");
  const votes = {
    canvas: votesCanvas, panel: new Panel("votes", votesCanvas),
    ends: make("div", "ends"), what: make("p", "what"), reading: make("p", "reading"),
  };
  votes.canvas.setAttribute("role", "img");
  votes.ends.append(make("span"), make("div", "ramp"), make("span"));
  const map = make("div", "votes"), list = make("div");
  map.append(votes.what, votes.canvas, votes.ends, votes.reading);
  list.append(make("p", "what", { text: "methods.agreement.list" }), heads);
  agreement.append(make("h3", "", { text: "methods.agreement" }), map, list);
  const experiment = buildExperiment(texts);
  section.append(top, status, source, body, agreement, experiment.element, card.card);
  return { title, status, source, chooser, close, photo, own, grid, card, agreement, votes, heads, experiment };
}
