// The compare view: the same query asked of many methods, as small multiples linked to the panels.

import { AS_TRAINED } from "../core/attention.ts";
import { make } from "../page/dom.ts";
import { buildChooser } from "./chooser.js";
import { newestOnly } from "../core/engine.ts";
import { buildCard, headTitles, showHeads } from "./findings.js";
import { buildExperiment } from "./experiment.js";
import { chosenOf, multiplesOf, readingOf } from "./multiples.js";
import { bytesOf } from "../core/packet.ts";
import { Panel, rampOf, smallOf } from "../draw/panels.ts";
import { cellOf, countedPlace, placed } from "../core/geometry.ts";
import { listen } from "../page/pointer.ts";
import { buildTile, paintTile, readTile, tellTile, write } from "./tiles.js";

// A free query is asked for once the pointer rests.
const RESTED = 200;
// Pixels of the picture under the small maps: enough for a dense screen.
const SIDE = 400;
// Heads of the same designs as the page's networks.
const OF_THE_PAGE = ["asa", "nonlocal_embedded_gaussian"];

/** Let the button open the view; `state.methods` says which methods it shows, null that it is shut. */
export function connectMethods(viewer) {
  const { host, element, store, texts } = viewer;
  const section = viewer.find(".methods"), opener = viewer.find('[data-do="methods"]');
  opener.hidden = !host.compare;
  if (!host.compare) return;
  const parts = build(viewer, section);
  const seen = new WeakMap(), small = new WeakMap();
  const watching = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) seen.set(target, isIntersecting);
    paintSoon();
  }, { rootMargin: "200px" });
  let facts = null, answer = null, tiles = [];
  let built = "", asked = null, painting = 0, resting = 0;

  const isOpen = () => viewer.state.methods !== null;
  // A link leads to what it names, once that is there.
  let leads = isOpen();
  const all = () => facts.methods.map(({ name }) => name);
  const chosen = () => chosenOf(viewer.state.methods, all());
  const titleOf = (network) => host.networks.find(({ name }) => name === network)?.title ?? network;
  const methodOf = (name) => facts.methods.find((each) => each.name === name);
  const isOfThis = () => answer !== null && answer.session === viewer.session;

  function turn() {
    section.hidden = !isOpen();
    opener.setAttribute("aria-expanded", String(isOpen()));
    if (!isOpen()) parts.card.card.hidden = true;
  }

  // Asking ----------------------------------------------------------------------------------------

  const wish = newestOnly(async () => {
    if (!isOpen() || !viewer.session) return;
    const { session, state: { query }, opened } = viewer;
    // Once there is an answer its words stay, and nothing moves.
    if (!isOfThis()) write(parts.status, viewer.say("methods.asking"));
    try {
      if (facts?.language !== texts.language) {
        const { language } = texts;
        facts = { ...(await host.methods(language)), language };
        // Smaller than the networks of the page that have the same name, and with other numbers.
        for (const method of facts.methods) {
          if (OF_THE_PAGE.includes(method.name)) method.title = viewer.say("methods.small", { title: method.title });
        }
      }
      layOut();
      const names = chosen(), cell = cellOf(session, query);
      const word = JSON.stringify([opened, cell, names]);
      if (asked !== word || !isOfThis()) {
        section.setAttribute("aria-busy", "true");
        const [got, row] = await Promise.all([
          host.compare(opened.picture, opened.network, placed(session, query), names),
          viewer.engine.row(cell, AS_TRAINED),
        ]);
        // The picture may be another by now; its own wish follows.
        if (session !== viewer.session) return;
        asked = word;
        const readings = new Map(got.methods.map((each) => [each.name, readingOf(each)]));
        answer = { ...got, readings, session, cell, own: ownReading(session, row) };
      }
      show();
    } catch (error) {
      if (!error.key) console.warn(error);
      parts.status.textContent = viewer.say(error.key ?? "error.failed", error.values);
    } finally {
      section.removeAttribute("aria-busy");
    }
  });

  // Showing ---------------------------------------------------------------------------------------

  /** Build the tiles where others are wanted than there are. */
  function layOut() {
    const names = chosen(), wanted = JSON.stringify([facts.language, names]);
    parts.chooser.show(texts, viewer.state.methods);
    if (built === wanted) return;
    if (!built.startsWith(`["${facts.language}"`)) {
      parts.chooser.fill(texts, facts.families, facts.methods);
      parts.chooser.show(texts, viewer.state.methods);
      parts.experiment.fill(facts, titleOf);
    }
    built = wanted;
    const known = new Map(tiles.map((tile) => [tile.name, tile]));
    tiles = names.map((name) => known.get(name) ?? buildTile(methodOf(name), desk, openCard));
    for (const { canvas } of known.values()) watching.unobserve(canvas);
    const groups = facts.families.map(({ name, title }) => {
      const members = tiles.filter((tile) => methodOf(tile.name).family === name);
      const group = make("section", "family");
      group.setAttribute("role", "group");
      group.setAttribute("aria-label", title);
      members.forEach((tile, k) => {
        write(tile.family, k ? "" : title);
        tile.family.hidden = k > 0;
        tile.element.classList.toggle("first", k === 0);
        group.append(tile.element);
      });
      return group;
    });
    parts.grid.replaceChildren(parts.photo.element, parts.own.element, ...groups.filter((group) => group.children.length));
    for (const { canvas } of tiles) watching.observe(canvas);
    for (const tile of tiles) if (!known.has(tile.name)) tellTile(tile, told(), methodOf(tile.name), null, null, {});
  }

  const told = () => ({ texts, session: viewer.session, opacity: viewer.state.opacity });

  /** Say and draw the answer there is. */
  function show() {
    if (!facts || !isOfThis()) return paintSoon();
    const { state, session } = viewer;
    const shown = tiles.filter(({ name }) => answer.readings.has(name));
    const scenes = multiplesOf([answer.own, ...shown.map(({ name }) => answer.readings.get(name))], state);
    const mine = { title: titleOf(viewer.opened.network), exact: "exact" };
    tellTile(parts.own, told(), mine, answer.own, scenes.get("page"), {});
    write(parts.own.family, viewer.say("methods.own_network"));
    write(parts.own.lines.querySelector(".says"), "");
    for (const tile of tiles) {
      tellTile(tile, told(), methodOf(tile.name), answer.readings.get(tile.name), scenes.get(tile.name) ?? null, answer.heads);
    }
    showAgreement();
    const label = texts.className(session.classes[session.cellLabels[answer.cell]]);
    parts.status.textContent = viewer.say("methods.where", {
      ...countedPlace(session, answer.cell), label, count: shown.length, scale: viewer.say(`methods.scale.${state.scales}`),
    });
    const source = facts.network === viewer.opened.network ? "methods.backbone" : "methods.encoded";
    parts.source.textContent = viewer.say(source, { network: titleOf(facts.network), labels: titleOf(answer.labels_of) });
    viewer.comparison = { session, cell: answer.cell, rows: rowsOf(shown) };
    element.dispatchEvent(new CustomEvent("asa:compared"));
    if (leads) section.scrollIntoView({ block: "start" });
    leads = false;
    paintSoon();
  }

  /** What the lesson looks at: each row with the title of its family. */
  const rowsOf = (shown) => shown.flatMap(({ name }) => {
    const { row, effective_support: effective } = answer.readings.get(name);
    const family = facts.families.find((each) => each.name === methodOf(name).family);
    return row ? [{ name, row, effective, family: family.title }] : [];
  });

  function showAgreement() {
    const { agreeing, heads, grid: [height, width] } = answer;
    const count = Object.keys(heads).length;
    parts.agreement.hidden = !count;
    if (!count) return;
    const values = bytesOf(agreeing), { palette } = viewer.state;
    const votes = { name: "votes", row: null, gates: { cells: { values, shape: [height, width] } } };
    const scene = multiplesOf([votes], { palette, scale: "linear", scales: "own" }).get("votes");
    Object.assign(parts.votes, { heard: votes, scene });
    const [low, ramp, high] = parts.votes.ends.children;
    const [fewest, most] = scene.range;
    write(low, String(Math.ceil(fewest)));
    write(high, String(Math.floor(most)));
    ramp.style.setProperty("--ramp", rampOf(palette));
    ramp.style.setProperty("--map-opacity", viewer.state.opacity);
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

  function paint() {
    const { session, state, hovered } = viewer;
    if (!small.has(viewer.picture)) small.set(viewer.picture, smallOf(viewer.picture, SIDE));
    const picture = state.zoom[0] > 1 ? viewer.picture : small.get(viewer.picture);
    const here = { grid: session, query: cellOf(session, state.query), hover: hovered, pins: [], fine: true };
    parts.photo.panel.draw({ title: "" }, picture, here, 1, state.zoom);
    const isThere = isOfThis();
    // Until the next answer comes the maps are those of the query before, and marked so.
    const marks = isThere ? { ...here, query: answer.cell } : here;
    readTile(parts.own, told(), isThere ? answer.own : null, marks);
    paintTile(isThere ? parts.own : { ...parts.own, scene: null }, picture, marks, state);
    for (const tile of tiles) {
      readTile(tile, told(), isThere ? answer.readings.get(tile.name) : null, marks);
      if (seen.get(tile.canvas)) paintTile(isThere ? tile : { ...tile, scene: null }, picture, marks, state);
    }
    if (isThere && parts.votes.scene) {
      paintTile(parts.votes, picture, marks, state);
      readTile(parts.votes, told(), parts.votes.heard, marks);
    }
  }

  // What is done in it ----------------------------------------------------------------------------

  // As in every panel, but for the pointer: it reads the maps here, and does not lead the query.
  const desk = {
    get session() { return viewer.session; },
    get picture() { return viewer.picture; },
    get state() { return viewer.state; },
    hover: (pixel, time) => viewer.hover(pixel, time, false),
    lock: (pixel) => viewer.lock(pixel),
    free: () => viewer.free(),
    pin: () => viewer.pin(),
    undo: () => viewer.undo(),
    zoom: (zoom) => viewer.zoom(zoom),
    zoomBy: (factor) => viewer.zoomBy(factor),
  };
  for (const { canvas } of [parts.photo, parts.own, parts.votes]) listen(canvas, desk);

  function openCard(name, button) {
    const method = methodOf(name);
    parts.card.open(method, facts.families.find((each) => each.name === method.family).title, button);
  }

  /** Open the view, and lead there; or shut it. */
  function toggle(open) {
    store.set({ methods: open ? "usual" : null, ...(open && { locked: true }) });
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
  element.addEventListener("asa:state", ({ detail: { state, before } }) => {
    const differs = (name) => state[name] !== before[name];
    if (differs("methods")) turn();
    if (!isOpen()) return;
    clearTimeout(resting);
    if (differs("query") && !state.locked) resting = setTimeout(wish, RESTED);
    else if (["query", "methods", "locked"].some(differs)) wish();
    if (["scale", "scales", "palette", "opacity"].some(differs)) show();
  });
  element.addEventListener("asa:opened", () => wish());
  element.addEventListener("asa:language", () => wish());
  element.addEventListener("asa:shown", paintSoon);
  turn();
}

/** The row of the page's own network, as the heads' answers are read. */
function ownReading({ n, height, width }, { weights, numbers: { support, sparse } }) {
  return {
    name: "page", row: weights.map((each) => each * n), keys: [height, width], gates: {}, total: 1, dead_below: null,
    support: support || 1, effective_support: 2 ** sparse.entropy, own_class: sparse.own,
  };
}

function build(viewer, section) {
  const { texts, store } = viewer;
  const title = Object.assign(make("h2", "", { text: "methods.title" }), { tabIndex: -1 });
  const status = make("p", "where"), source = make("p", "note");
  status.setAttribute("role", "status");
  const chooser = buildChooser((methods) => store.set({ methods }, { recorded: true }));
  const one = make("label", "check", { title: "methods.one.title" });
  const input = Object.assign(make("input", "", { set: "scales", on: "one", off: "own" }), { type: "checkbox" });
  one.append(input, " ", make("span", "", { text: "methods.one" }));
  const close = Object.assign(make("button", "", { text: "methods.close" }), { type: "button" });
  const top = make("div", "bar");
  top.append(title, chooser.button, one, close, chooser.menu);
  const photo = { element: make("article", "multiple photo"), canvas: make("canvas") };
  photo.panel = new Panel("photo", photo.canvas);
  photo.canvas.tabIndex = 0;
  photo.canvas.setAttribute("role", "application");
  photo.canvas.dataset.label = "methods.photo";
  photo.element.append(make("h3", "", { text: "panel.photo" }), make("div", "about-head"), photo.canvas, make("p", "note", { text: "methods.photo.what" }));
  // Not one of the methods that are chosen: it has no card, and listens once the desk is there.
  const own = buildTile({ name: "page", exact: "none" });
  own.element.classList.replace("gates", "first");
  delete own.element.dataset.method;
  own.button.remove();
  const grid = make("div", "multiples");
  grid.append(photo.element);
  const card = buildCard(texts);
  const agreement = make("section", "agreement"), heads = make("ol", "heads");
  const votes = { canvas: make("canvas"), ends: make("div", "ends"), what: make("p", "what"), reading: make("p", "reading") };
  votes.panel = new Panel("votes", votes.canvas);
  votes.canvas.setAttribute("role", "img");
  votes.ends.append(make("span"), make("div", "ramp"), make("span"));
  const map = make("div", "votes"), list = make("div");
  map.append(votes.what, votes.canvas, votes.ends, votes.reading);
  list.append(make("p", "what", { text: "methods.agreement.list" }), heads);
  agreement.append(make("h3", "", { text: "methods.agreement" }), map, list);
  const experiment = buildExperiment(texts);
  section.append(top, status, source, grid, agreement, experiment.element, card.card);
  return { title, status, source, chooser, close, photo, own, grid, card, agreement, votes, heads, experiment };
}
