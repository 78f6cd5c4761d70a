// The viewer: what the visitor does changes the state, and every change of the state is shown.

import { isChanged, AS_TRAINED } from "../core/attention.ts";
import { connectControls } from "./controls.ts";
import { Engine } from "../core/engine.ts";
import { connectExport } from "../export/export_menu.ts";
import { connectCompare } from "../compare/compare.ts";
import { Packets, firstState } from "../core/opening.ts";
import { buildPanels, type PanelParts } from "./captions.ts";
import type { Picture } from "../draw/panels.ts";
import { cellOf, zoomed } from "../core/geometry.ts";
import { scenesOf } from "../draw/scenes.ts";
import { shownStage } from "../core/stages.ts";
import { scenesAt } from "../draw/film.ts";
import { connectStages } from "./stages.ts";
import { connectSets } from "./sets.ts";
import { connectSide } from "./side.ts";
import { MOST_PINS, Store, fromQueryString, isUpload, toQueryString } from "../core/state.ts";
import { Texts } from "../core/texts.ts";
import type { Host, Port, Words } from "../core/host_types.ts";
import type { PanelName, Scenes } from "../draw/draw_types.ts";
import type { AnsweredRow, Events, Maps, Moment, Opened, Pixel, Rerun, Runs, Session, SetRow, State, Twin, WhatIf, Zoom } from "../types.ts";
import { Asker } from "./asking.ts";
import { checked } from "./address.ts";
import { connectChanges } from "./changes.ts";
import { connectLesson } from "./on_demand.ts";
import { connectGhost } from "./ghost.ts";
import { Opener } from "./opener.ts";
import { show } from "./showing.ts";
import { connectTooltips } from "./tooltips.ts";

/** What the viewer is given; `portHere()` has the arithmetic of the worker in this thread. */
export interface Given {
  host: Host;
  port: Port | null;
  portHere: () => Port;
  language: string;
  words: Words;
  address: { search: string };
}

/** The viewer once a row has been drawn. */
export interface Drawn extends Viewer {
  session: Session;
  picture: Picture;
  opened: Opened;
  moment: Moment;
}

/** The viewer in an element. */
export class Viewer {
  readonly element: HTMLElement;
  readonly host: Host;
  readonly texts: Texts;
  readonly engine: Engine;
  readonly store: Store;
  readonly packets: Packets;
  readonly panels: Record<PanelName, PanelParts>;
  readonly stages: { show(): void };
  /** The open picture: null until the first is there. */
  session: Session | null = null;
  picture: Picture | null = null;
  opened: Opened | null = null;
  /** What was answered and drawn last. */
  answered: { row: AnsweredRow; compared: AnsweredRow[] | null; set: SetRow | null; twin: Twin | null } | null = null;
  moment: Moment | null = null;
  scenes!: Scenes;
  maps: Maps | null = null;
  rerun: Rerun | null = null;
  /** The cell under the pointer. */
  hovered: number | null = null;
  /** The class that the segmentation shows alone, while the legend points at it. */
  alone: number | null = null;
  /** A set that is being drawn. */
  outlined: Runs | null = null;
  /** Where the wipe stands, in shares of the width of the panel. */
  wiped = 0.5;
  /** Which chart stands beside the table. */
  chart = "curve";
  /** How far the film has come within a stage. */
  progress = 1;
  /** The time of the pointer's event that has just moved the query. */
  hoverTime: number | undefined = undefined;
  /** Called once canvases are drawn, with the time of the pointer's event. */
  painted: (time?: number) => void = () => {};
  /** Settles when the picture that was asked for last is shown, or could not be. */
  ready: Promise<void>;

  readonly #opener: Opener;
  readonly #asker: Asker;

  constructor(element: HTMLElement, { host, port, portHere, language, words, address }: Given) {
    this.element = element;
    this.host = host;
    this.texts = new Texts(language, words);
    this.engine = new Engine(port, portHere, () => this.#lost());
    const asked = fromQueryString(address.search);
    const missing = checked(asked, new URLSearchParams(address.search), host);
    this.#opener = new Opener(this, missing.map((key) => this.say(key)).join(" "));
    this.store = new Store({ ...firstState(host), ...asked, language });
    this.packets = new Packets(host);
    this.#asker = new Asker(this);

    element.classList.toggle("fixed", Boolean(host.fixed));
    this.panels = buildPanels(this);
    connectControls(this);
    connectSide(this);
    connectSets(this);
    connectExport(this);
    connectLesson(this, address.search);
    connectCompare(this);
    this.stages = connectStages(this, !address.search);
    connectGhost(this, !address.search);
    connectTooltips(this);
    this.texts.fill(element);
    connectChanges(this, this.#opener);
    new ResizeObserver(() => this.draw()).observe(this.find(".panels"));
    // Another density of the screen, or another theme, is another drawing.
    window.addEventListener("resize", () => this.draw());
    this.ready = this.#opener.open(!asked.query);
  }

  get state(): State {
    return this.store.state;
  }

  find<T extends HTMLElement>(selector: string): T {
    return this.element.querySelector<T>(selector)!;
  }

  say(key: string, values?: Record<string, unknown>): string {
    return this.texts.say(key, values);
  }

  /** Show a line about what is happening, or what went wrong, until the visitor does something else. */
  status(text: string): void {
    this.find(".status").textContent = text;
  }

  /** Dispatch one of the viewer's events. */
  tell<Name extends keyof Events>(name: Name, detail?: Events[Name]): void {
    this.element.dispatchEvent(new CustomEvent(name, { detail }));
  }

  /** Say that the worker is lost, now or with the picture that is on its way. */
  #lost(): void {
    const said = this.host.isThreadless ? "" : this.say("error.worker");
    if (!this.answered) {
      // It may be forbidden from the start: then there is no opener yet.
      return queueMicrotask(() => (this.#opener.said = said));
    }
    this.status(said);
    // What the worker had made of the whole image is lost with it.
    this.map();
  }

  // What the pointer and the keys do -------------------------------------------------------------

  /** Mark the cell under a pixel in all panels; a free query moves there where the pointer `leads`. */
  hover(pixel: Pixel | null, time = performance.now(), leads = true): void {
    const cell = pixel && this.session && cellOf(this.session, pixel);
    if (cell === this.hovered) return;
    this.hovered = cell;
    if (leads && !this.state.locked && pixel) {
      this.hoverTime = time;
      this.store.set({ query: pixel }, { passing: true });
    } else {
      this.draw();
    }
  }

  /** Change what the panels show for the moment, which is in no link. */
  mark(patch: Partial<Pick<Viewer, "alone" | "wiped" | "outlined">>): void {
    Object.assign(this, patch);
    this.draw();
  }

  /** Make a set of cells the query, or none. */
  query(set: Runs | null): void {
    this.store.set({ set, compare: null, locked: true }, { recorded: true });
  }

  lock(pixel: Pixel): void {
    this.store.set({ query: pixel, locked: true }, { recorded: true });
  }

  free(): void {
    this.store.set({ locked: false });
  }

  undo(): void {
    this.store.undo();
  }

  /** Pin the query, or take its pin away; the oldest pin makes room. */
  pin(): void {
    const { session } = this;
    if (!session) return;
    const { pins, query } = this.state;
    const cell = cellOf(session, query);
    const others = pins.filter((pin) => cellOf(session, pin) !== cell);
    const after = others.length < pins.length ? others : [...others, query].slice(-MOST_PINS);
    this.store.set({ pins: after, compare: null }, { recorded: true });
  }

  zoom(zoom: Zoom): void {
    // As it stands in a link, which opens exactly the same.
    this.store.set({ zoom: zoom.map((each) => +each.toFixed(4)) as Zoom });
  }

  zoomBy(factor: number): void {
    const { session, state: { zoom, query: [x, y] } } = this;
    if (session) this.zoom(zoomed(zoom, factor, (x + 0.5) / session.imageWidth, (y + 0.5) / session.imageHeight));
  }

  /** Choose a photograph of the gallery, or one's own. */
  choose(picture: string): void {
    this.#opener.choose(picture);
  }

  /** Send a picture of one's own, and choose it. */
  add(file: File): Promise<void> {
    return this.#opener.add(file);
  }

  // What is computed and drawn --------------------------------------------------------------------

  /** Change the rule; as trained nothing flips, and no layer of flips is left. */
  setRule(whatIf: WhatIf, how: { recorded?: boolean; passing?: boolean } = { recorded: true }): void {
    const { layer } = this.state;
    this.store.set({ whatIf, layer: layer === "flips" && !isChanged(whatIf) ? "classes" : layer }, how);
  }

  asTrained(): void {
    this.setRule(AS_TRAINED);
  }

  /** Ask for the row of the state's query, and draw it. */
  answer(time?: number): Promise<void> {
    return this.#asker.answer(time);
  }

  /** Ask for the maps of the whole image, and draw them. */
  map(): Promise<void> {
    return this.#asker.map();
  }

  /** Let the server run the head again under the what-if, and show the pixels that flip. */
  runAgain(): Promise<void> {
    return this.#asker.runAgain();
  }

  /** The same without a status line, in whichever layer is shown. */
  runQuietly(): Promise<void> {
    return this.#asker.runQuietly();
  }

  /** Whether the picture and the network of a state are those that are open. */
  isOpen({ picture, network }: Pick<State, "picture" | "network">): boolean {
    return this.opened?.picture === picture && this.opened.network === network;
  }

  /** Draw everything from what is known now. */
  draw(time?: number): void {
    const { state, session, maps, rerun, answered } = this;
    if (!answered || !session) return;
    // The comparison may have been ended since it was answered.
    const compared = state.compare && answered.compared, set = state.set && answered.set, twin = state.twin ? answered.twin : null;
    this.moment = { state, session, maps, rerun, ...answered, compared, set, twin };
    const stage = shownStage(session, state), scenes = scenesOf(this.moment);
    this.scenes = stage ? scenesAt(stage, scenes, this.moment, this.progress) : scenes;
    show(this as Drawn, time);
  }

  /** The link to the state, in whichever language it is opened; a picture of one's own is in no link. */
  link(): { url: string; upload: boolean } {
    return { url: `${location.origin}${location.pathname}?${toQueryString({ ...this.state, language: null })}`, upload: isUpload(this.state.picture) };
  }
}
