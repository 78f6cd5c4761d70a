// What the viewer asks the worker and the server about the open picture, and where the answers go.

import { newestOnly } from "../core/engine.ts";
import { cellOf } from "../core/geometry.ts";
import { cellsOf } from "../core/sets.ts";
import type { AnsweredRow, Opened, Pixel, Twin } from "../types.ts";
import { sayRefusal } from "./host.ts";
import { Twins } from "./twins.ts";
import type { Viewer } from "./viewer.ts";

export class Asker {
  private readonly viewer: Viewer;
  private readonly twins: Twins;
  private readonly wish = newestOnly((time: number | undefined) => this.#answer(time));

  constructor(viewer: Viewer) {
    this.viewer = viewer;
    this.twins = new Twins(viewer.host, viewer.packets);
  }

  /** Ask for the row of the state's query, and draw it. */
  answer(time?: number): Promise<void> {
    return this.wish(time).catch((error: unknown) => this.#failed(error));
  }

  async #answer(time: number | undefined): Promise<void> {
    const { viewer } = this, { session, state, engine } = viewer;
    if (!session) return;
    const { query, whatIf, pins, compare, set: runs, twin: isTwin } = state;
    const rowAt = (pixel: Pixel) => engine.row(cellOf(session, pixel), whatIf) as Promise<AnsweredRow>;
    const row = await rowAt(query);
    const compared = compare && await Promise.all(compare.map((k) => rowAt(pins[k])));
    const set = runs && await engine.set(cellsOf(runs), whatIf);
    const twin = isTwin && viewer.opened ? await this.#twinRow(viewer.opened, query) : null;
    if (session !== viewer.session || (set && "late" in set)) return;
    viewer.answered = { row, compared, set, twin };
    viewer.draw(time);
    viewer.tell("asa:drawn", { row, state, session });
  }

  /** The row by the twin; where it cannot be had that is said, and the view of both is left. */
  async #twinRow(opened: Opened, query: Pixel): Promise<Twin | null> {
    const { viewer } = this;
    try {
      return await this.twins.row(opened, query);
    } catch (error) {
      viewer.store.set({ twin: false });
      sayRefusal(viewer, error);
      return null;
    }
  }

  /** Ask for the maps of the whole image, and draw them. */
  map(): Promise<void> {
    return this.#map().catch((error: unknown) => this.#failed(error));
  }

  async #map(): Promise<void> {
    const { viewer } = this, { session, state: { whatIf } } = viewer;
    const maps = await viewer.engine.maps(whatIf);
    if ("late" in maps || session !== viewer.session || whatIf !== viewer.state.whatIf) return;
    viewer.maps = maps;
    await this.answer();
  }

  /** Let the server run the head again under the what-if, and show the pixels that flip. */
  async runAgain(): Promise<void> {
    const { viewer } = this;
    viewer.status(viewer.say("status.rerun"));
    const isShown = await this.#run();
    if (!isShown) return;
    viewer.status("");
    viewer.store.set({ layer: "flips" }, { recorded: true });
    viewer.draw();
  }

  /** The same without a status line, in whichever layer is shown. */
  async runQuietly(): Promise<void> {
    if (!this.viewer.rerun && await this.#run()) this.viewer.draw();
  }

  /** Run the head again; says whether the answer is still wanted. */
  async #run(): Promise<boolean> {
    const { viewer } = this, { host, opened } = viewer, { whatIf } = viewer.state;
    if (!host.rerun || !opened || !viewer.isOpen(viewer.state)) return false;
    const isWanted = () => whatIf === viewer.state.whatIf && opened === viewer.opened && viewer.isOpen(viewer.state);
    try {
      const rerun = await host.rerun(opened.picture, opened.network, whatIf);
      if (!isWanted()) return false;
      viewer.rerun = rerun;
      return true;
    } catch (error) {
      if (isWanted()) sayRefusal(viewer, error);
      return false;
    }
  }

  /** Say that something went wrong which nobody waits for. */
  #failed(error: unknown): void {
    console.warn(error);
    this.viewer.status(this.viewer.say("error.failed"));
  }
}
