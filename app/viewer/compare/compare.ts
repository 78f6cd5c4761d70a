// The compare view: the same query asked of many methods, as small multiples linked to the panels.

import { AS_TRAINED } from "../core/attention.ts";
import { make } from "../page/dom.ts";
import { newestOnly } from "../core/engine.ts";
import { headTitles, showHeads } from "./agreement.ts";
import { buildLayout } from "./compare_layout.ts";
import type { Answer, CompareViewer, Facts, MultipleScene, Reading, SentAnswer, Values } from "./compare_types.ts";
import { chosenOf, multiplesOf, readingOf } from "./multiples.ts";
import { bytesOf } from "../core/packet.ts";
import { rampOf, smallOf } from "../draw/panels.ts";
import { cellOf, countedPlace, placed } from "../core/geometry.ts";
import type { AnsweredRow, Events, Pixel, Session, State, Zoom } from "../types.ts";
import { listen } from "../page/pointer.ts";
import { type Multiple, buildMultiple, paintMultiple, readMultiple, tellMultiple, write } from "./multiple_view.ts";

// A free query is asked for once the pointer rests.
const RESTED = 200;
// Pixels of the picture under the small maps: enough for a dense screen.
const SIDE = 400;
// Heads of the same designs as the page's networks.
const OF_THE_PAGE = ["asa", "nonlocal_embedded_gaussian"];

/** Let the button open the view; `state.methods` says which methods it shows, null that it is shut. */
export function connectCompare(viewer: CompareViewer): void {
  const { host, element, store, texts } = viewer;
  const section = viewer.find(".methods"), opener = viewer.find('[data-do="methods"]');
  opener.hidden = !host.compare;
  if (!host.compare || !host.methods) return;
  const parts = buildLayout(section, texts, (methods) => store.set({ methods }, { recorded: true }));
  const seen = new WeakMap<Element, boolean>(), small = new WeakMap<object, ReturnType<typeof smallOf>>();
  const watching = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) seen.set(target, isIntersecting);
    paintSoon();
  }, { rootMargin: "200px" });
  let facts: Facts | null = null, answer: Answer | null = null, multiples: Multiple[] = [];
  let votes: { reading: Pick<Reading, "row" | "keys" | "gates">; scene: MultipleScene } | null = null;
  let built = "", asked = "", painting = 0, resting = 0;

  const own: Multiple = parts.own;
  const isOpen = () => viewer.state.methods !== null;
  // A link leads to what it names, once that is there.
  let leads = isOpen();
  const all = () => facts!.methods.map(({ name }) => name);
  const chosen = () => chosenOf(viewer.state.methods ?? "none", all());
  const titleOf = (network: string) => host.networks.find(({ name }) => name === network)?.title ?? network;
  const methodOf = (name: string) => facts!.methods.find((each) => each.name === name)!;
  const answerHere = () => (answer?.session === viewer.session ? answer : null);

  function turn() {
    section.hidden = !isOpen();
    opener.setAttribute("aria-expanded", String(isOpen()));
    if (!isOpen()) parts.card.card.hidden = true;
  }

  // Asking ----------------------------------------------------------------------------------------

  const wish = newestOnly<void>(async () => {
    if (!isOpen() || !viewer.session || !viewer.opened) return;
    const { session, state: { query }, opened } = viewer;
    // Once there is an answer its words stay, and nothing moves.
    if (!answerHere()) write(parts.status, viewer.say("methods.asking"));
    try {
      if (facts?.language !== texts.language) {
        const { language } = texts;
        facts = { ...(await host.methods!(language) as Facts), language };
        // Smaller than the networks of the page that have the same name, and with other numbers.
        for (const method of facts.methods) {
          if (OF_THE_PAGE.includes(method.name)) method.title = viewer.say("methods.small", { title: method.title });
        }
      }
      layOut();
      const names = chosen(), cell = cellOf(session, query);
      const word = JSON.stringify([opened, cell, names]);
      if (asked !== word || !answerHere()) {
        section.setAttribute("aria-busy", "true");
        const [got, row] = await Promise.all([
          host.compare!(opened.picture, opened.network, placed(session, query), names) as Promise<SentAnswer>,
          viewer.engine.row(cell, AS_TRAINED),
        ]);
        // The picture may be another by now; its own wish follows.
        if (session !== viewer.session || "late" in row) return;
        asked = word;
        const readings = new Map(got.methods.map((each) => [each.name, readingOf(each)]));
        answer = { ...got, readings, session, cell, own: ownReading(session, row) };
      }
      show();
    } catch (error) {
      const { key, values } = error as { key?: string; values?: Record<string, unknown> };
      if (!key) console.warn(error);
      parts.status.textContent = viewer.say(key ?? "error.failed", values);
    } finally {
      section.removeAttribute("aria-busy");
    }
  });

  // Showing ---------------------------------------------------------------------------------------

  /** Build the multiples where others are wanted than there are. */
  function layOut(): void {
    if (!facts) return;
    const names = chosen(), wanted = JSON.stringify([facts.language, names]);
    parts.chooser.show(texts, viewer.state.methods ?? "none");
    if (built === wanted) return;
    if (!built.startsWith(`["${facts.language}"`)) {
      parts.chooser.fill(texts, facts.families, facts.methods);
      parts.chooser.show(texts, viewer.state.methods ?? "none");
      parts.experiment.fill(facts, titleOf);
    }
    built = wanted;
    const known = new Map(multiples.map((multiple) => [multiple.name, multiple]));
    multiples = names.map((name) => known.get(name) ?? buildMultiple(methodOf(name), target, openCard));
    for (const { canvas } of known.values()) watching.unobserve(canvas);
    const groups = facts.families.map(({ name, title }) => {
      const members = multiples.filter((multiple) => methodOf(multiple.name).family === name);
      const group = make("section", "family");
      group.setAttribute("role", "group");
      group.setAttribute("aria-label", title);
      members.forEach((multiple, k) => {
        write(multiple.family, k ? "" : title);
        multiple.family.hidden = k > 0;
        multiple.element.classList.toggle("first", k === 0);
        group.append(multiple.element);
      });
      return group;
    });
    parts.grid.replaceChildren(...groups.filter((group) => group.children.length));
    for (const { canvas } of multiples) watching.observe(canvas);
    for (const multiple of multiples) if (!known.has(multiple.name)) tellMultiple(multiple, told(), methodOf(multiple.name), null, null, {});
  }

  const told = () => ({ texts, session: viewer.session!, opacity: viewer.state.opacity });

  /** Say and draw the answer there is. */
  function show(): void {
    const here = answerHere();
    if (!facts || !here) return paintSoon();
    const { state } = viewer, { session } = here;
    const shown = [...here.readings.values()].filter(({ name }) => multiples.some((each) => each.name === name));
    const scenes = multiplesOf([here.own, ...shown], state);
    const mine = { title: titleOf(viewer.opened?.network ?? ""), exact: "exact", head: null };
    tellMultiple(own, told(), mine, here.own, scenes.get("page") ?? null, {});
    write(own.family, viewer.say("methods.own_network"));
    write(own.lines.querySelector(".says")!, "");
    for (const multiple of multiples) {
      tellMultiple(multiple, told(), methodOf(multiple.name), here.readings.get(multiple.name) ?? null, scenes.get(multiple.name) ?? null, here.heads);
    }
    showAgreement(here);
    const label = texts.className(session.classes[session.cellLabels[here.cell]]);
    parts.status.textContent = viewer.say("methods.where", {
      ...countedPlace(session, here.cell), label, count: shown.length, scale: viewer.say(`methods.scale.${state.scales}`),
    });
    const source = facts.network === viewer.opened?.network ? "methods.backbone" : "methods.encoded";
    parts.source.textContent = viewer.say(source, { network: titleOf(facts.network), labels: titleOf(here.labels_of) });
    viewer.comparison = { session, cell: here.cell, rows: rowsOf(shown) };
    element.dispatchEvent(new CustomEvent("asa:compared"));
    if (leads) section.scrollIntoView({ block: "start" });
    leads = false;
    paintSoon();
  }

  /** What the lesson looks at: each row with the title of its family. */
  const rowsOf = (shown: Reading[]) => shown.flatMap(({ name, row, effective_support: effective }) => (
    row ? [{ name, row, effective, family: familyOf(name) }] : []
  ));
  const familyOf = (name: string) => facts!.families.find((each) => each.name === methodOf(name).family)!.title;

  function showAgreement({ agreeing, heads, grid: [height, width] }: Answer): void {
    const count = Object.keys(heads).length;
    parts.agreement.hidden = !count;
    if (!count || agreeing === null || !facts) return;
    const values = bytesOf(agreeing), { colormap } = viewer.state;
    const cells: Values = { values, shape: [height, width] }, keys: Reading["keys"] = [height, width];
    const reading = { name: "votes", row: null, keys, gates: { cells } };
    const scene = multiplesOf([reading], { colormap, scale: "linear", scales: "own" }).get("votes")!;
    votes = { reading, scene };
    const [low, ramp, high] = [...parts.votes.ends.children] as HTMLElement[];
    const [fewest, most] = scene.range;
    write(low, String(Math.ceil(fewest)));
    write(high, String(Math.floor(most)));
    ramp.style.setProperty("--ramp", rampOf(colormap));
    ramp.style.setProperty("--map-opacity", String(viewer.state.opacity));
    write(parts.votes.what, viewer.say("methods.agreement.what", { count }));
    parts.votes.canvas.setAttribute("aria-label", parts.votes.what.textContent);
    const known = headTitles(facts.methods, Object.keys(heads));
    showHeads(parts.heads, texts, heads, known);
  }

  function paintSoon() {
    if (painting || !isOpen()) return;
    painting = requestAnimationFrame(() => {
      painting = 0;
      if (isOpen() && viewer.moment) paint();
    });
  }

  function paint(): void {
    const { session, picture: large, state, hovered } = viewer;
    if (!session || !large) return;
    if (!small.has(large)) small.set(large, smallOf(large, SIDE));
    const picture = state.zoom[0] > 1 ? large : small.get(large) ?? large;
    const here = { grid: session, query: cellOf(session, state.query), hover: hovered, pins: [] as number[], fine: true };
    parts.photo.panel.draw({ title: "" }, picture, here, 1, state.zoom);
    const shown = answerHere();
    // Until the next answer comes the maps are those of the query before, and marked so.
    const marks = shown ? { ...here, query: shown.cell } : here;
    readMultiple(own, told(), shown?.own ?? null, marks);
    paintMultiple(shown ? own : { ...own, scene: null }, picture, marks, state);
    for (const multiple of multiples) {
      readMultiple(multiple, told(), shown?.readings.get(multiple.name) ?? null, marks);
      if (seen.get(multiple.canvas)) paintMultiple(shown ? multiple : { ...multiple, scene: null }, picture, marks, state);
    }
    if (shown && votes) {
      paintMultiple({ ...parts.votes, scene: votes.scene }, picture, marks, state);
      readMultiple(parts.votes, told(), votes.reading, marks);
    }
  }

  // What is done in it ----------------------------------------------------------------------------

  // As in every panel, but for the pointer: it reads the maps here, and does not lead the query.
  const target = {
    get session() { return viewer.session; },
    get picture() { return viewer.picture; },
    get state() { return viewer.state; },
    hover: (pixel: Pixel | null, time?: number) => viewer.hover(pixel, time, false),
    lock: (pixel: Pixel) => viewer.lock(pixel),
    free: () => viewer.free(),
    pin: () => viewer.pin(),
    undo: () => viewer.undo(),
    zoom: (zoom: Zoom) => viewer.zoom(zoom),
    zoomBy: (factor: number) => viewer.zoomBy(factor),
  };
  for (const { canvas } of [parts.photo, own, parts.votes]) listen(canvas, target);

  function openCard(name: string, button: HTMLElement): void {
    parts.card.open(methodOf(name), familyOf(name), button);
  }

  /** Open the view, and lead there; or shut it. */
  function toggle(open: boolean): void {
    store.set({ methods: open ? "usual" : null, ...(open && { locked: true }) });
    // It is led there again once the maps have made it as high as it is.
    leads = open;
    if (open) {
      parts.title.focus({ preventScroll: true });
      section.scrollIntoView({ block: "start" });
    } else opener.focus();
  }

  opener.addEventListener("click", () => toggle(!isOpen()));
  parts.close.addEventListener("click", () => toggle(false));
  section.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.defaultPrevented) toggle(false);
  });
  element.addEventListener("asa:state", (event) => {
    const { state, before } = (event as CustomEvent<Events["asa:state"]>).detail;
    const differs = (name: keyof State) => state[name] !== before[name];
    if (differs("methods")) turn();
    if (!isOpen()) return;
    clearTimeout(resting);
    if (differs("query") && !state.locked) resting = window.setTimeout(wish, RESTED);
    else if ((["query", "methods", "locked"] as const).some(differs)) wish();
    if ((["scale", "scales", "colormap", "opacity"] as const).some(differs)) show();
  });
  element.addEventListener("asa:opened", () => wish());
  element.addEventListener("asa:language", () => wish());
  element.addEventListener("asa:shown", paintSoon);
  turn();
}

/** The row of the page's own network, as the heads' answers are read. */
function ownReading({ n, height, width }: Session, { weights, numbers: { support, sparse } }: AnsweredRow): Reading {
  return {
    name: "page", row: weights.map((each) => each * n), keys: [height, width], gates: {}, total: 1, dead_below: null,
    support: support || 1, effective_support: 2 ** sparse.entropy, own_class: sparse.own,
  };
}
