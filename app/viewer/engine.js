// The way from the page to the worker: questions go out, the newest answers come back.

const REMEMBERED_ROWS = 64;

/** One session in a worker. `openPort` returns something with postMessage and onmessage. */
export class Engine {
  constructor(port) {
    this.port = port;
    this.waiting = new Map();
    this.rows = new Map();
    this.number = 0;
    port.onmessage = ({ data: { id, answer, error } }) => {
      const { resolve, reject } = this.waiting.get(id);
      this.waiting.delete(id);
      if (error) reject(new Error(error));
      else resolve(answer);
    };
  }

  ask(kind, question, transfer = []) {
    const id = ++this.number;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.port.postMessage({ id, kind, ...question }, transfer);
    });
  }

  /** Hand over the packet of another picture. */
  open(buffer) {
    this.rows.clear();
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
