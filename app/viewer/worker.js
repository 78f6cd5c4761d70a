// The arithmetic's own thread: one session, rows at once, maps of the whole image between them.

import { logThresholds, rowOf } from "./attention.js";
import { columnOf, kthLargestOf, mapsOf } from "./maps.js";
import { numbersOf } from "./numbers.js";
import { readPacket } from "./packet.js";

/** Answer the messages of `scope`, a worker's global scope or anything with the same two names. */
export function serve(scope) {
  let session = null, kthLargest = null;
  let maps = null, mapsFor = "", passes = 0;

  const levelsOf = (whatIf) => {
    if (whatIf.topK && !kthLargest) kthLargest = finish(kthLargestOf(session));
    return logThresholds(session, whatIf, kthLargest?.get(whatIf.topK));
  };

  const answers = {
    open({ buffer }) {
      session = readPacket(buffer);
      kthLargest = maps = null;
      passes++;
      return {};
    },
    row({ i, whatIf }) {
      const levels = levelsOf(whatIf);
      const row = rowOf(session, i, whatIf, levels);
      const known = mapsFor === JSON.stringify(whatIf) ? maps : null;
      return {
        ...row,
        column: columnOf(session, row, whatIf, known),
        numbers: numbersOf(session, row, whatIf.reciprocity),
      };
    },
    async maps({ whatIf }) {
      const pass = ++passes;
      maps = null;
      const result = await spread(mapsOf(session, whatIf, levelsOf(whatIf)), () => pass === passes);
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

/** Run a pass to its end at once. */
function finish(pass) {
  let step = pass.next();
  while (!step.done) step = pass.next();
  return step.value;
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
