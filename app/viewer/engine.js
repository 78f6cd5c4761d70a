// The way from the page to the worker: questions go out, the newest answers come back.

const REMEMBERED_ROWS = 64;

// So long a question may wait until somebody asks whether the worker is still there, and then its answer.
const PATIENCE = 3000;

/**
 * One session in a worker: `port` has postMessage and onmessage, and may have onerror and terminate.
 *
 * Where the worker is forbidden, has stopped or does not answer, `replace()` gives another port, which
 * is told all that was asked, and `lost()` is called.
 */
export class Engine {
  constructor(port, replace = null, lost = () => {}, patience = PATIENCE) {
    Object.assign(this, { replace, lost, patience, number: 0, heard: 0, buffer: null, watching: 0 });
    this.waiting = new Map();
    this.rows = new Map();
    if (port) this.#use(port);
    else this.#lose();
  }

  #use(port) {
    this.port = port;
    port.onmessage = ({ data: { id, answer, error } }) => {
      this.heard++;
      const { resolve, reject } = this.waiting.get(id) ?? {};
      this.waiting.delete(id);
      if (error) reject?.(new Error(error));
      else resolve?.(answer);
    };
    port.onerror = (event) => {
      event.preventDefault?.();
      this.#lose(port);
    };
  }

  /** Ask everything that waits somewhere else. */
  #lose(port) {
    const { replace } = this;
    if (port !== this.port || !replace) return;
    this.replace = null;
    port?.terminate?.();
    this.#use(replace());
    const questions = [...this.waiting].map(([id, { question }]) => ({ id, ...question }));
    if (this.buffer && !questions.some(({ kind }) => kind === "open")) {
      this.port.postMessage({ id: 0, kind: "open", buffer: this.buffer });
    }
    for (const question of questions) this.port.postMessage(question);
    this.lost();
  }

  /** A worker that was ended, by whomever, tells nobody: one that is silent for long is asked. */
  #watch() {
    if (this.watching || !this.replace) return;
    const { port } = this;
    this.watching = setTimeout(() => {
      const { heard } = this;
      if (this.waiting.size) port.postMessage({ id: 0, kind: "ping" });
      this.watching = setTimeout(() => {
        this.watching = 0;
        if (!this.waiting.size) return;
        if (heard === this.heard) this.#lose(port);
        this.#watch();
      }, this.waiting.size ? this.patience : 0);
    }, this.patience);
  }

  ask(kind, question) {
    const id = ++this.number;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject, question: { kind, ...question } });
      this.port.postMessage({ id, kind, ...question });
      this.#watch();
    });
  }

  /** Hand over the packet of another picture; answers with what opening.js's `surveyOf` finds. */
  open(buffer) {
    this.rows.clear();
    this.buffer = buffer;
    return this.ask("open", { buffer });
  }

  /** The row of cell `i`; rows asked for lately are remembered. */
  row(i, whatIf) {
    const name = `${i} ${JSON.stringify(whatIf)}`;
    let answer = this.rows.get(name);
    if (answer) this.rows.delete(name);
    else {
      answer = this.ask("row", { i, whatIf });
      answer.catch(() => this.rows.delete(name));
    }
    this.rows.set(name, answer);
    if (this.rows.size > REMEMBERED_ROWS) this.rows.delete(this.rows.keys().next().value);
    return answer;
  }

  /** Maps of the whole image, or `{ late: true }` where others have been asked for since. */
  async maps(whatIf) {
    const maps = await this.ask("maps", { whatIf });
    // Rows answered before lack their column's sparse weights.
    if (!maps.late) this.rows.clear();
    return maps;
  }
}

/**
 * Run `work` for the newest of the wishes that come in while it is busy; those between are left out.
 */
export function newestOnly(work) {
  let busy = false, next = null;
  return async function wish(value) {
    next = { value };
    if (busy) return;
    busy = true;
    let failure = null;
    while (next) {
      const { value: newest } = next;
      next = null;
      // What comes after a failure is another wish.
      failure = await work(newest).then(() => null, (error) => ({ error }));
    }
    busy = false;
    if (failure) throw failure.error;
  };
}
