// The viewer: what the visitor does changes the state, and every change of the state is shown.

import { isChanged, AS_TRAINED } from "../core/attention.ts";
import { connectControls } from "./controls.ts";
import { Engine, newestOnly } from "../core/engine.ts";
import { connectExport } from "../export/export.js";
import { showHistory } from "./history.js";
import { connectLesson } from "../lesson/lesson.js";
import { connectMethods } from "../compare/methods.js";
import { Packets, firstState, fitting, isInside } from "../core/opening.ts";
import { readPacket } from "../core/packet.ts";
import { buildPanels, caption } from "./captions.js";
import { Picture } from "../draw/panels.js";
import { cellOf, centreOf, zoomed } from "../core/geometry.ts";
import { PANELS, scenesOf } from "../draw/scenes.js";
import { shownStage } from "../core/stages.ts";
import { scenesAt } from "../draw/film.ts";
import { connectStages } from "./stages.ts";
import { connectSide, showPins, showSide } from "./side.js";
import { MOST_PINS, START, Store, fromQueryString, isUpload, toQueryString } from "../core/state.ts";
import { Texts } from "../core/texts.ts";

const SETTLED = 150;
// How many changes of the address are written at once, and within how many milliseconds.
const MOST_WRITES = 30, WRITES_WITHIN = 10_000;

/**
 * Start the viewer in `element`.
 *
 * `host` is where pictures come from: `gallery` and `networks` to choose from, `packet(picture,
 * network)` for an ArrayBuffer, and where a server answers `add(file)`, `rerun(...)` and
 * `pairPlane(...)`. `port` speaks to the worker, `portHere()` to the same arithmetic in this thread.
 * `words` are those of `language`; the words of others come from the host when they are chosen.
 */
export class Viewer {
  constructor(element, { host, port, portHere, language, words, address }) {
    this.element = element;
    this.host = host;
    const asked = fromQueryString(address.search);
    this.texts = new Texts(language, words);
    this.engine = new Engine(port, portHere, () => {
      this.#said = this.say("error.worker");
      if (!this.answered) return;
      this.status(this.#said);
      this.#said = "";
      // What the worker had made of the whole image is lost with it.
      this.#map().catch((error) => this.#failed(error));
    });
    this.#check(asked, new URLSearchParams(address.search));
    this.store = new Store({ ...firstState(host), ...asked, language });
    this.session = this.picture = this.moment = null;
    this.maps = this.rerun = null;
    this.hovered = null;
    this.packets = new Packets(host);
    this.painted = () => {};
    // How far the film has come within a stage.
    this.progress = 1;

    element.classList.toggle("fixed", Boolean(host.fixed));
    this.panels = buildPanels(this);
    connectControls(this);
    connectSide(this);
    connectExport(this);
    connectLesson(this);
    connectMethods(this);
    this.stages = connectStages(this, !address.search);
    this.texts.fill(element);
    this.store.subscribe((state, before) => this.#changed(state, before));
    const wish = newestOnly((time) => this.#answer(time));
    this.#wish = (time) => wish(time).catch((error) => this.#failed(error));
    new ResizeObserver(() => this.draw()).observe(this.find(".panels"));
    // Another density of the screen, or another theme, is another drawing.
    window.addEventListener("resize", () => this.draw());
    this.ready = this.#open(!asked.query);
  }

  #wish;
  #opening = 0;
  #settling = 0;
  #addressing = 0;
  // When the address was written of late.
  #written = [];
  // What was shown of the open picture last, before another was asked for.
  #last = null;
  // What is still to be said once a picture is there.
  #said = "";

  get state() {
    return this.store.state;
  }

  find(selector) {
    return this.element.querySelector(selector);
  }

  say(key, values) {
    return this.texts.say(key, values);
  }

  /** Show a line about what is happening, or what went wrong, until the visitor does something else. */
  status(text) {
    this.find(".status").textContent = text;
  }

  /** Leave out of a link what this page does not have, and say so. */
  #check(asked, words) {
    const { gallery, networks } = this.host;
    const isThere = gallery.some(({ id }) => id === asked.picture) || isUpload(asked.picture);
    const isKnown = networks.some(({ name }) => name === asked.network);
    if (words.has("picture") && !isThere) {
      this.#said = this.say("error.no_picture");
      // What was pointed at there is nothing here.
      for (const name of ["picture", "query", "locked", "pins", "compare", "zoom"]) delete asked[name];
    }
    if (words.has("network") && !isKnown) {
      this.#said = [this.#said, this.say("error.no_network")].filter(Boolean).join(" ");
      delete asked.network;
    }
  }

  /** Say that something went wrong which nobody waits for. */
  #failed(error) {
    console.warn(error);
    this.status(this.say("error.failed"));
  }

  // What the pointer and the keys do -------------------------------------------------------------

  /** Mark the cell under a pixel in all panels; a free query moves there where the pointer `leads`. */
  hover(pixel, time = performance.now(), leads = true) {
    const cell = pixel && cellOf(this.session, pixel);
    if (cell === this.hovered) return;
    this.hovered = cell;
    if (leads && !this.state.locked && pixel) {
      this.hoverTime = time;
      this.store.set({ query: pixel }, { passing: true });
    } else {
      this.draw();
    }
  }

  lock(pixel) {
    this.store.set({ query: pixel, locked: true }, { recorded: true });
  }

  free() {
    this.store.set({ locked: false });
  }

  undo() {
    this.store.undo();
  }

  /** Pin the query, or take its pin away; the oldest pin makes room. */
  pin() {
    const { pins, query } = this.state;
    const cell = cellOf(this.session, query);
    const others = pins.filter((pin) => cellOf(this.session, pin) !== cell);
    const after = others.length < pins.length ? others : [...others, query].slice(-MOST_PINS);
    this.store.set({ pins: after, compare: null }, { recorded: true });
  }

  zoom(zoom) {
    // As it stands in a link, which opens exactly the same.
    this.store.set({ zoom: zoom.map((each) => +each.toFixed(4)) });
  }

  zoomBy(factor) {
    const { session, state: { zoom, query } } = this;
    this.zoom(zoomed(zoom, factor, (query[0] + 0.5) / session.imageWidth, (query[1] + 0.5) / session.imageHeight));
  }

  // Changes of the state --------------------------------------------------------------------------

  #changed(state, before) {
    const differs = (name) => JSON.stringify(state[name]) !== JSON.stringify(before[name]);
    const others = Object.keys(state).filter((name) => name !== "query" && differs(name));
    // What was said is over once the visitor goes on, but not because the pointer moves.
    if (this.answered && others.some((name) => name !== "stage")) this.status("");
    if (differs("language")) this.#speak();
    if (differs("picture") || differs("network")) {
      if (this.#isOpen(before)) this.#last = before;
      this.ready = this.#open(false);
    } else if (this.session) {
      if (differs("whatIf")) {
        this.maps = this.rerun = null;
        clearTimeout(this.#settling);
        this.#settling = setTimeout(() => this.#map().catch((error) => this.#failed(error)), SETTLED);
      }
      if (["query", "whatIf", "compare", "pins"].some(differs)) this.#wish(this.hoverTime);
      else this.draw();
    }
    this.hoverTime = undefined;
    this.element.dispatchEvent(new CustomEvent("asa:state", { detail: { state, before } }));
    if (others.length || state.locked) this.#address();
  }

  /** Speak the state's language, once its words are there; where they do not come, the one before. */
  async #speak() {
    const { language } = this.state;
    try {
      await this.texts.speak(language, (other) => this.host.words(other));
    } catch (error) {
      this.store.set({ language: this.texts.language });
      return this.status(this.say(error.key ?? "error.failed"));
    }
    if (language !== this.state.language) return this.#speak();
    this.texts.fill(this.element);
    this.element.dispatchEvent(new CustomEvent("asa:language"));
    if (this.moment) this.draw();
  }

  /** Keep the address in step, so that a reload or a bookmark comes back to the same state. */
  #address() {
    if (this.host.fixed) return;
    clearTimeout(this.#addressing);
    // A change is written at once: a reload may follow. Of many in a row, which browsers refuse
    // after some hundred in half a minute, the last is written when they end.
    const now = performance.now();
    this.#written = this.#written.filter((time) => now - time < WRITES_WITHIN);
    if (this.#written.length < MOST_WRITES) this.#writeAddress();
    else this.#addressing = setTimeout(() => this.#writeAddress(), SETTLED);
  }

  #writeAddress() {
    this.#written.push(performance.now());
    // A film that plays is no state to come back to.
    const words = toQueryString({ ...this.state, stage: null }, true);
    history.replaceState(history.state, "", words ? `?${words}` : location.pathname);
    // Around a Space there is a page whose address the visitor sees; it takes over what it is told.
    if (window.parent !== window) window.parent.postMessage({ queryString: words }, "*");
  }

  /** Fetch and show the state's picture; where that fails the state before stays. */
  async #open(atItsStart) {
    const opening = ++this.#opening;
    const { picture, network } = this.state;
    const said = this.#said;
    this.#said = "";
    if (this.#isOpen(this.state)) {
      // Back before another picture was there: this one is still shown.
      this.element.removeAttribute("aria-busy");
      this.status(said);
      return this.#wish();
    }
    this.status(said || this.say("status.reading"));
    this.element.setAttribute("aria-busy", "true");
    try {
      const buffer = await this.packets.get(picture, network, (place) => {
        if (opening === this.#opening) this.status(this.say("status.place", place));
      });
      const session = readPacket(buffer);
      const shown = await Picture.of(session.picture);
      if (opening !== this.#opening) return;
      const zoom = this.session ? START.zoom : this.state.zoom;
      // From here on the worker answers for the new picture, and rows on their way are dropped.
      const opened = this.engine.open(buffer);
      Object.assign(this, { session, picture: shown, opened: { picture, network } });
      this.maps = this.rerun = this.answered = this.hovered = null;
      this.store.set({ ...fitting(session, this.state, atItsStart), zoom });
      session.survey = await opened;
      if (session !== this.session) return;
      if (!isInside(session, this.state.query)) this.store.set({ query: centreOf(session, session.survey.start) });
      this.status(this.#said || said);
      this.#said = "";
      this.element.dispatchEvent(new CustomEvent("asa:opened"));
      this.#map().catch((error) => this.#failed(error));
      await this.#wish();
      const { layer, whatIf } = this.state;
      if (layer === "flips" && isChanged(whatIf) && this.host.rerun) await this.runAgain();
    } catch (error) {
      if (opening !== this.#opening) return;
      if (!error.key) console.warn(error);
      const { language } = this.state;
      this.#said = this.say(error.key ?? "error.failed", error.values);
      this.store.retreat({ ...START, ...firstState(this.host), ...this.#last, language });
      // Unless another picture is being opened, which says it in its turn.
      if (this.#said) this.status(this.#said);
      this.#said = "";
    } finally {
      if (opening === this.#opening) this.element.removeAttribute("aria-busy");
    }
  }

  #isOpen({ picture, network }) {
    return this.opened?.picture === picture && this.opened.network === network;
  }

  /** Choose a photograph of the gallery, or one's own. */
  choose(picture) {
    const isShown = this.#isOpen({ ...this.state, picture }) && this.session.survey;
    const query = isShown ? centreOf(this.session, isShown.start) : START.query;
    this.store.set({ picture, query, locked: false, pins: [], compare: null }, { recorded: true });
  }

  async add(file) {
    try {
      this.status(this.say("status.sending"));
      const { id, isKept } = await this.host.add(file);
      this.#said = isKept ? "" : this.say("status.not_kept");
      this.choose(id);
    } catch (error) {
      this.status(this.say(error.key ?? "error.failed", error.values));
    }
  }

  async #map() {
    const { session, state: { whatIf } } = this;
    const maps = await this.engine.maps(whatIf);
    if (maps.late || session !== this.session || whatIf !== this.state.whatIf) return;
    this.maps = maps;
    await this.#wish();
  }

  /** Let the server run the head again under the what-if, and show the pixels that flip. */
  async runAgain() {
    const { whatIf, picture, network } = this.state;
    const isWanted = () => whatIf === this.state.whatIf && this.#isOpen({ picture, network }) && this.#isOpen(this.state);
    this.status(this.say("status.rerun"));
    try {
      const rerun = await this.host.rerun(picture, network, whatIf);
      if (!isWanted()) return;
      this.rerun = rerun;
      this.status("");
      this.store.set({ layer: "flips" }, { recorded: true });
      this.draw();
    } catch (error) {
      if (isWanted()) this.status(this.say(error.key ?? "error.failed", error.values));
    }
  }

  // Showing --------------------------------------------------------------------------------------

  async #answer(time) {
    const { session, state } = this;
    const { query, whatIf, pins } = state;
    const row = await this.engine.row(cellOf(session, query), whatIf);
    const pair = state.compare && (await Promise.all(
      state.compare.map((k) => this.engine.row(cellOf(session, pins[k]), whatIf)),
    ));
    if (session !== this.session) return;
    this.answered = { row, compared: pair };
    this.draw(time);
    this.element.dispatchEvent(new CustomEvent("asa:drawn", { detail: { row, state, session } }));
  }

  /** Draw everything from what is known now. */
  draw(time) {
    const { state, session, picture, maps, rerun, answered } = this;
    if (!answered) return;
    // The comparison may have been ended since it was answered.
    const compared = state.compare && answered.compared;
    this.moment = { state, session, maps, rerun, ...answered, compared };
    const stage = shownStage(session, state), scenes = scenesOf(this.moment);
    this.scenes = stage ? scenesAt(stage, scenes, this.moment, this.progress) : scenes;
    const marks = {
      grid: session,
      query: answered.row.i,
      hover: this.hovered,
      pins: state.pins.map((pin) => cellOf(session, pin)),
    };
    // The canvases first: their sizes are asked for, and after a change of the words the page would
    // have to be laid out anew for each answer.
    for (const name of PANELS) {
      this.panels[name].panel.draw(this.scenes[name], picture, marks, state.opacity, state.zoom);
    }
    this.painted(time);
    for (const name of PANELS) caption(this, name);
    this.stages.show();
    showSide(this);
    showPins(this);
    showHistory(this);
    this.element.dataset.cell = answered.row.i;
    this.element.dispatchEvent(new CustomEvent("asa:shown"));
  }

  /** The link to the state; a picture of one's own is in no link. */
  link() {
    return { url: `${location.origin}${location.pathname}?${toQueryString(this.state)}`, upload: isUpload(this.state.picture) };
  }

  /** Change the rule; as trained nothing flips, and no layer of flips is left. */
  setRule(whatIf, how = { recorded: true }) {
    const { layer } = this.state;
    this.store.set({ whatIf, layer: layer === "flips" && !isChanged(whatIf) ? "classes" : layer }, how);
  }

  asTrained() {
    this.setRule(AS_TRAINED);
  }
}
