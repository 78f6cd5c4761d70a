// The arithmetic's own thread: one session, rows at once, maps of the whole image between them.

import type { AnsweredRow, Late, Maps, Session, SetRow, Survey, WhatIf } from "../types.ts";
import type { Port } from "./host_types.ts";
import { isChanged, logThresholds, rowOf } from "./attention.ts";
import { columnOf, kthLargestOf, mapsOf } from "./maps.ts";
import { columnNumbersOf, numbersOf, probabilitiesOf } from "./numbers.ts";
import { surveyOf } from "./opening.ts";
import { readPacket } from "./packet.ts";
import { setRowOf } from "./sets.ts";

/** What the worker is asked, and what it answers. */
export interface Answers {
  ping: () => object;
  open: (question: { buffer: ArrayBuffer }) => Survey;
  row: (question: { i: number; whatIf: WhatIf }) => Promise<AnsweredRow | Late>;
  set: (question: { cells: number[]; whatIf: WhatIf }) => Promise<SetRow | Late>;
  maps: (question: { whatIf: WhatIf }) => Promise<Maps | Late>;
}

interface Message {
  data: { id: number; kind: keyof Answers } & Record<string, unknown>;
}

/** Answer the messages of `scope`, a worker's global scope or anything with the same two names. */
export function serve(scope: Port): void {
  let session: Session | null = null, kthLargest: Promise<Map<number, Float64Array> | null> | null = null;
  let maps: Maps | null = null, mapsFor = "", passes = 0, sets = 0;

  function opened(): Session {
    if (!session) throw new Error("No picture is open.");
    return session;
  }

  /** The log thresholds of a rule for the session there is; null where another has been opened meanwhile. */
  async function thresholdsOf(whatIf: WhatIf) {
    const mine = opened();
    if (whatIf.topK) kthLargest ??= spread(kthLargestOf(mine), () => session === mine);
    const known = whatIf.topK ? await kthLargest : null;
    if (session !== mine) return null;
    return logThresholds(mine, whatIf, known?.get(whatIf.topK ?? 0));
  }

  const answers: Answers = {
    // Whoever waits for long asks whether somebody is here.
    ping: () => ({}),
    open({ buffer }) {
      session = readPacket(buffer);
      kthLargest = maps = null;
      passes++;
      sets++;
      return surveyOf(session);
    },
    async row({ i, whatIf }) {
      const thresholds = await thresholdsOf(whatIf);
      if (!thresholds) return { late: true };
      const mine = opened();
      const row = rowOf(mine, i, whatIf, thresholds);
      const known = mapsFor === JSON.stringify(whatIf) ? maps : null;
      const column = columnOf(mine, row, whatIf, known);
      const { readout, n } = mine;
      const itself = Uint8Array.from({ length: n }, (_, j) => Number(j === i));
      const classes = readout && {
        dense: probabilitiesOf(readout, row.dense),
        sparse: probabilitiesOf(readout, row.weights),
        without: probabilitiesOf(readout, itself),
        trained: isChanged(whatIf) ? probabilitiesOf(readout, rowOf(mine, i).weights) : null,
      };
      return {
        ...row,
        column: { ...column, numbers: columnNumbersOf(mine, i, column) },
        numbers: numbersOf(mine, row, whatIf.reciprocity),
        classes,
      };
    },
    async set({ cells, whatIf }) {
      const pass = ++sets;
      const thresholds = await thresholdsOf(whatIf);
      const row = thresholds && await spread(setRowOf(opened(), cells, whatIf, thresholds), () => pass === sets);
      return row ?? { late: true };
    },
    async maps({ whatIf }) {
      const pass = ++passes;
      maps = null;
      const thresholds = await thresholdsOf(whatIf);
      const result = thresholds && (await spread(mapsOf(opened(), whatIf, thresholds), () => pass === passes));
      if (!result) return { late: true };
      [maps, mapsFor] = [result, JSON.stringify(whatIf)];
      return result;
    },
  };

  scope.onmessage = async ({ data: { id, kind, ...question } }: Message) => {
    try {
      scope.postMessage({ id, answer: await (answers[kind] as (question: unknown) => unknown)(question) });
    } catch (error) {
      scope.postMessage({ id, error: String(error) });
    }
  };
}

/** Run a pass piece by piece, messages answered between; null once it is not `wanted` any more. */
async function spread<T>(pass: Generator<number, T>, wanted: () => boolean): Promise<T | null> {
  // A message to oneself comes after those that wait; a timer would sleep 4 ms each time.
  const { port1, port2 } = new MessageChannel();
  try {
    for (;;) {
      const step = pass.next();
      if (step.done) return step.value;
      await new Promise((resolve) => {
        port1.onmessage = resolve;
        port2.postMessage(null);
      });
      if (!wanted()) return null;
    }
  } finally {
    port1.close();
  }
}
