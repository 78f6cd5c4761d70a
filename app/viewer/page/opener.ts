// Another picture or network: fetched, decoded, handed to the worker, and shown; or the one before stays.

import { isChanged } from "../core/attention.ts";
import { centreOf } from "../core/geometry.ts";
import { firstState, fitting, isInside } from "../core/opening.ts";
import { readPacket } from "../core/packet.ts";
import { START } from "../core/state.ts";
import { pictureOf } from "../draw/panels.ts";
import type { Opened, Pixel, Session, State } from "../types.ts";
import { looksOf } from "./captions.ts";
import { refusalOf, sayRefusal } from "./host.ts";
import type { Viewer } from "./viewer.ts";

export class Opener {
  /** What is still to be said once a picture is there. */
  said: string;
  private readonly viewer: Viewer;
  private opening = 0;
  /** What was shown of the open picture last, before another was asked for. */
  private last: State | null = null;

  constructor(viewer: Viewer, said: string) {
    this.viewer = viewer;
    this.said = said;
  }

  /** Remember what was shown, to come back to it where the next picture cannot be opened. */
  leave(state: State): void {
    if (this.viewer.isOpen(state)) this.last = state;
  }

  /** Fetch and show the state's picture; where that fails the state before stays. */
  async open(atItsStart: boolean): Promise<void> {
    const { viewer } = this, opening = ++this.opening;
    const { picture, network } = viewer.state as Opened;
    const said = this.#take();
    if (viewer.isOpen(viewer.state)) {
      // Back before another picture was there: this one is still shown.
      viewer.element.removeAttribute("aria-busy");
      viewer.status(said);
      return viewer.answer();
    }
    viewer.status(said || viewer.say("status.reading"));
    viewer.element.setAttribute("aria-busy", "true");
    try {
      const buffer = await viewer.packets.get(picture, network, (place) => {
        if (opening === this.opening) viewer.status(viewer.say("status.place", { ...place }));
      });
      const session = readPacket(buffer);
      const shown = await pictureOf(session.picture);
      if (opening !== this.opening) return;
      const zoom = viewer.session ? START.zoom : viewer.state.zoom;
      // From here on the worker answers for the new picture, and rows on their way are dropped.
      const survey = viewer.engine.open(buffer);
      Object.assign(viewer, { session, picture: shown, opened: { picture, network } });
      viewer.maps = viewer.rerun = viewer.answered = viewer.hovered = viewer.alone = null;
      viewer.store.set({ ...fitting(session, viewer.state, atItsStart), zoom });
      session.survey = await survey;
      if (session !== viewer.session) return;
      if (!isInside(session, viewer.state.query)) viewer.store.set({ query: this.#startOf(session) });
      viewer.status(this.#take() || said);
      viewer.tell("asa:opened");
      viewer.map();
      await viewer.answer();
      const { layer, whatIf } = viewer.state;
      if (isChanged(whatIf) && viewer.host.rerun) await (layer === "flips" ? viewer.runAgain() : viewer.runQuietly());
    } catch (error) {
      if (opening === this.opening) this.#retreat(error);
    } finally {
      if (opening === this.opening) viewer.element.removeAttribute("aria-busy");
    }
  }

  /** The first point of the open picture that is worth a look, if it was chosen by this network's rows; else the most telling query. */
  #startOf(session: Session): Pixel {
    const { host, opened } = this.viewer;
    const look = opened?.network === host.networks[0].name ? looksOf({ host, opened })[0] : undefined;
    return look ?? centreOf(session, session.survey!.start);
  }

  #retreat(error: unknown): void {
    const { viewer } = this, { language } = viewer.state;
    const { key, values } = refusalOf(error);
    if (key === "error.failed") console.warn(error);
    this.said = viewer.say(key, values);
    viewer.store.retreat({ ...START, ...firstState(viewer.host), ...this.last, language });
    // Unless another picture is being opened, which says it in its turn.
    const said = this.#take();
    if (said) viewer.status(said);
  }

  #take(): string {
    const { said } = this;
    this.said = "";
    return said;
  }

  /** Choose a photograph of the gallery, or one's own. */
  choose(picture: string): void {
    const { viewer } = this, { session, state, store } = viewer;
    const isThere = session?.survey && viewer.isOpen({ ...state, picture });
    const query = isThere ? this.#startOf(session) : START.query;
    store.set({ picture, query, locked: false, pins: [], compare: null, set: null }, { recorded: true });
  }

  /** Send a picture of one's own, and choose it. */
  async add(file: File): Promise<void> {
    const { viewer } = this;
    if (!viewer.host.add) return;
    try {
      viewer.status(viewer.say("status.sending"));
      const { id, isKept } = await viewer.host.add(file);
      this.said = isKept ? "" : viewer.say("status.not_kept");
      this.choose(id);
    } catch (error) {
      sayRefusal(viewer, error);
    }
  }
}
