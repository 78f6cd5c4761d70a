// The way from the page to the worker: questions go out, the newest answers come back.

import type { AnsweredRow, Late, Maps, SetRow, Survey, WhatIf } from "../types.ts";
import type { Port } from "./host_types.ts";
import type { Answers } from "./worker.ts";

const REMEMBERED_ROWS = 64;

// So long a question may wait until somebody asks whether the worker is still there, and then its answer.
const PATIENCE = 3000;

type Timer = ReturnType<typeof setTimeout>;

interface Waiting {
  resolve: (answer: unknown) => void;
  reject: (error: Error) => void;
  question: { kind: keyof Answers } & Record<string, unknown>;
}

/**
 * One session in a worker: `port` has postMessage and onmessage, and may have onerror and terminate.
 *
 * Where the worker is forbidden, has stopped or does not answer, `replace()` gives another port, which
 * is told all that was asked, and `lost()` is called.
 */
export class Engine {
  port: Port | null = null;
  private replace: (() => Port) | null;
  private readonly lost: () => void;
  private readonly patience: number;
  private number = 0;
  private heard = 0;
  private watching: Timer | 0 = 0;
  private buffer: ArrayBuffer | null = null;
  private readonly waiting = new Map<number, Waiting>();
  private lastSet: { name: string; row: Promise<SetRow | Late> } | null = null;
  private readonly rows = new Map<string, Promise<AnsweredRow | Late>>();

  constructor(port: Port | null, replace: (() => Port) | null = null, lost = () => {}, patience = PATIENCE) {
    this.replace = replace;
    this.lost = lost;
    this.patience = patience;
    if (port) this.#use(port);
    else this.#lose();
  }

  #use(port: Port): Port {
    this.port = port;
    port.onmessage = ({ data: { id, answer, error } }) => {
      this.heard++;
      const asked = this.waiting.get(id);
      this.waiting.delete(id);
      if (error) asked?.reject(new Error(error));
      else asked?.resolve(answer);
    };
    port.onerror = (event) => {
      event.preventDefault?.();
      this.#lose(port);
    };
    return port;
  }

  /** Ask everything that waits somewhere else. */
  #lose(port: Port | null = null): void {
    const { replace } = this;
    if (port !== this.port || !replace) return;
    this.replace = null;
    port?.terminate?.();
    const other = this.#use(replace());
    const questions = [...this.waiting].map(([id, { question }]) => ({ id, ...question }));
    if (this.buffer && !questions.some(({ kind }) => kind === "open")) {
      other.postMessage({ id: 0, kind: "open", buffer: this.buffer });
    }
    for (const question of questions) other.postMessage(question);
    this.lost();
  }

  /** A worker that was ended, by whomever, tells nobody: one that is silent for long is asked. */
  #watch(): void {
    if (this.watching || !this.replace) return;
    const { port } = this;
    this.watching = setTimeout(() => {
      const { heard } = this;
      if (this.waiting.size) port?.postMessage({ id: 0, kind: "ping" });
      this.watching = setTimeout(() => {
        this.watching = 0;
        if (!this.waiting.size) return;
        if (heard === this.heard) this.#lose(port);
        this.#watch();
      }, this.waiting.size ? this.patience : 0);
    }, this.patience);
  }

  ask<Kind extends keyof Answers>(kind: Kind, question: Parameters<Answers[Kind]>[0] & object): Promise<Awaited<ReturnType<Answers[Kind]>>> {
    const id = ++this.number;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve: resolve as Waiting["resolve"], reject, question: { kind, ...question } });
      this.port?.postMessage({ id, kind, ...question });
      this.#watch();
    });
  }

  /** Hand over the packet of another picture; answers with what opening.ts's `surveyOf` finds. */
  open(buffer: ArrayBuffer): Promise<Survey> {
    this.rows.clear();
    this.lastSet = null;
    this.buffer = buffer;
    return this.ask("open", { buffer });
  }

  /** The row of cell `i`; rows asked for lately are remembered. */
  row(i: number, whatIf: WhatIf): Promise<AnsweredRow | Late> {
    const name = `${i} ${JSON.stringify(whatIf)}`;
    let answer = this.rows.get(name);
    if (answer) this.rows.delete(name);
    else {
      answer = this.ask("row", { i, whatIf });
      answer.catch(() => this.rows.delete(name));
    }
    this.rows.set(name, answer);
    if (this.rows.size > REMEMBERED_ROWS) this.rows.delete([...this.rows.keys()][0]);
    return answer;
  }

  /** The row of a set of cells; the one that was asked for last is remembered. */
  set(cells: number[], whatIf: WhatIf): Promise<SetRow | Late> {
    const name = `${cells} ${JSON.stringify(whatIf)}`;
    if (this.lastSet?.name === name) return this.lastSet.row;
    const row = this.ask("set", { cells, whatIf });
    this.lastSet = { name, row };
    row.catch(() => (this.lastSet = null));
    return row;
  }

  /** Maps of the whole image, or `{ late: true }` where others have been asked for since. */
  async maps(whatIf: WhatIf): Promise<Maps | Late> {
    const maps = await this.ask("maps", { whatIf });
    // Rows answered before lack their column's sparse weights.
    if (!("late" in maps)) this.rows.clear();
    return maps;
  }
}

/**
 * Run `work` for the newest of the wishes that come in while it is busy; those between are left out.
 */
export function newestOnly<T>(work: (value: T) => Promise<unknown>): (value: T) => Promise<void> {
  let busy = false, next: { value: T } | null = null;
  return async function wish(value: T) {
    next = { value };
    if (busy) return;
    busy = true;
    let failure: { error: unknown } | null = null;
    while (next) {
      const { value: newest }: { value: T } = next;
      next = null;
      // What comes after a failure is another wish.
      failure = await work(newest).then(() => null, (error: unknown) => ({ error }));
    }
    busy = false;
    if (failure) throw failure.error;
  };
}
