// What the viewer asks the worker and the server about the open picture, and where the answers go.

import { newestOnly } from "../core/engine.ts";
import { cellOf } from "../core/geometry.ts";
import type { AnsweredRow, Pixel } from "../types.ts";
import { refusalOf } from "./host.ts";
import type { Viewer } from "./viewer.ts";

export class Asker {
  private readonly viewer: Viewer;
  private readonly wish = newestOnly((time: number | undefined) => this.#answer(time));

  constructor(viewer: Viewer) {
    this.viewer = viewer;
  }

  /** Ask for the row of the state's query, and draw it. */
  answer(time?: number): Promise<void> {
    return this.wish(time).catch((error: unknown) => this.#failed(error));
  }

  async #answer(time: number | undefined): Promise<void> {
    const { viewer } = this, { session, state, engine } = viewer;
    if (!session) return;
    const { query, whatIf, pins, compare } = state;
    const rowAt = (pixel: Pixel) => engine.row(cellOf(session, pixel), whatIf) as Promise<AnsweredRow>;
    const row = await rowAt(query);
    const compared = compare && await Promise.all(compare.map((k) => rowAt(pins[k])));
    if (session !== viewer.session) return;
    viewer.answered = { row, compared };
    viewer.draw(time);
    viewer.tell("asa:drawn", { row, state, session });
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
    const { viewer } = this, { host, opened } = viewer, { whatIf } = viewer.state;
    if (!host.rerun || !opened || !viewer.isOpen(viewer.state)) return;
    const isWanted = () => whatIf === viewer.state.whatIf && opened === viewer.opened && viewer.isOpen(viewer.state);
    viewer.status(viewer.say("status.rerun"));
    try {
      const rerun = await host.rerun(opened.picture, opened.network, whatIf);
      if (!isWanted()) return;
      viewer.rerun = rerun;
      viewer.status("");
      viewer.store.set({ layer: "flips" }, { recorded: true });
      viewer.draw();
    } catch (error) {
      const { key, values } = refusalOf(error);
      if (isWanted()) viewer.status(viewer.say(key, values));
    }
  }

  /** Say that something went wrong which nobody waits for. */
  #failed(error: unknown): void {
    console.warn(error);
    this.viewer.status(this.viewer.say("error.failed"));
  }
}
