// The arithmetic's own thread: one session, rows at once, maps of the whole image between them.

import { logThresholds, rowOf } from "./attention.js";
import { columnOf, kthLargestOf, mapsOf } from "./maps.js";
import { columnNumbersOf, numbersOf, probabilitiesOf } from "./numbers.js";
import { surveyOf } from "./opening.js";
import { readPacket } from "./packet.js";

/** Answer the messages of `scope`, a worker's global scope or anything with the same two names. */
export function serve(scope) {
  let session = null, kthLargest = null;
  let maps = null, mapsFor = "", passes = 0;

  /** The levels of a rule for the session there is; null where another has been opened meanwhile. */
  async function levelsOf(whatIf) {
    const mine = session;
    if (whatIf.topK) kthLargest ??= spread(kthLargestOf(session), () => session === mine);
    const known = whatIf.topK ? await kthLargest : null;
    if (session !== mine) return null;
    return logThresholds(session, whatIf, known?.get(whatIf.topK));
  }

  const answers = {
    // Whoever waits for long asks whether somebody is here.
    ping: () => ({}),
    open({ buffer }) {
      session = readPacket(buffer);
      kthLargest = maps = null;
      passes++;
      return surveyOf(session);
    },
    async row({ i, whatIf }) {
      const levels = await levelsOf(whatIf);
      if (!levels) return { late: true };
      const row = rowOf(session, i, whatIf, levels);
      const known = mapsFor === JSON.stringify(whatIf) ? maps : null;
      const column = columnOf(session, row, whatIf, known);
      const { readout, n } = session;
      const itself = Uint8Array.from({ length: n }, (_, j) => Number(j === i));
      const classes = readout && {
        dense: probabilitiesOf(readout, row.dense),
        sparse: probabilitiesOf(readout, row.weights),
        without: probabilitiesOf(readout, itself),
      };
      return {
        ...row,
        column: { ...column, numbers: columnNumbersOf(session, i, column) },
        numbers: numbersOf(session, row, whatIf.reciprocity),
        classes,
      };
    },
    async maps({ whatIf }) {
      const pass = ++passes;
      maps = null;
      const levels = await levelsOf(whatIf);
      const result = levels && (await spread(mapsOf(session, whatIf, levels), () => pass === passes));
      if (!result) return { late: true };
      [maps, mapsFor] = [result, JSON.stringify(whatIf)];
      return result;
    },
  };

  scope.onmessage = async ({ data: { id, kind, ...question } }) => {
    try {
      scope.postMessage({ id, answer: await answers[kind](question) });
    } catch (error) {
      scope.postMessage({ id, error: String(error) });
    }
  };
}

/** Run a pass piece by piece, messages answered between; null once it is not `wanted` any more. */
async function spread(pass, wanted) {
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
