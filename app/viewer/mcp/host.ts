// Messages between an MCP app and the host whose frame it stands in: JSON-RPC 2.0 by postMessage.

export type Named = Record<string, unknown>;

interface Message {
  jsonrpc: "2.0";
  id?: number | string;
  method?: string;
  params?: Named;
  result?: unknown;
  error?: { code: number; message: string };
}

interface Waiting {
  resolve: (result: never) => void;
  reject: (error: Error) => void;
}

// The requests of a host that have an empty answer.
const ANSWERED = ["ping", "ui/resource-teardown"];
const NO_SUCH_METHOD = -32601;

/** The host, as seen from its frame; `heard` has what is done at each of its notifications. */
export class HostLine {
  private readonly host: Window;
  private readonly waiting = new Map<number, Waiting>();
  private number = 0;

  constructor(host: Window, heard: Record<string, (params: Named) => void>) {
    this.host = host;
    window.addEventListener("message", ({ source, data }: MessageEvent<Message | null>) => {
      if (source !== host || data?.jsonrpc !== "2.0") return;
      const { id, method, params = {}, result, error } = data;
      if (method === undefined) {
        const asked = this.waiting.get(id as number);
        this.waiting.delete(id as number);
        if (error) asked?.reject(new Error(error.message));
        else asked?.resolve(result as never);
      } else if (id === undefined) {
        if (Object.hasOwn(heard, method)) heard[method](params);
      } else if (ANSWERED.includes(method)) {
        this.#send({ id, result: {} });
      } else {
        this.#send({ id, error: { code: NO_SUCH_METHOD, message: `no method ${method}` } });
      }
    });
  }

  /** Ask the host; its error is thrown. */
  ask<Result>(method: string, params: Named): Promise<Result> {
    const id = ++this.number;
    return new Promise<Result>((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.#send({ id, method, params });
    });
  }

  /** Tell the host something that has no answer. */
  tell(method: string, params: Named): void {
    this.#send({ method, params });
  }

  #send(message: Omit<Message, "jsonrpc">): void {
    // The origin of a host is not known to the page in its frame.
    this.host.postMessage({ jsonrpc: "2.0", ...message }, "*");
  }
}
