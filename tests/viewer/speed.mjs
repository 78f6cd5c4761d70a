// How many rows a second the viewer's code computes, for app/bench.py: node speed.mjs packet.safetensors

import { readFileSync } from "node:fs";

import { AS_TRAINED, logThresholds, rowOf } from "../../app/viewer/core/attention.ts";
import { readPacket } from "../../app/viewer/core/packet.ts";

const SECONDS = 2;

const session = readPacket(Uint8Array.from(readFileSync(process.argv[2])).buffer);
const thresholds = logThresholds(session, AS_TRAINED);

/** Rows in so many seconds, at cells all over the map. */
function rowsIn(seconds) {
  const start = performance.now();
  let rows = 0;
  while (performance.now() - start < 1000 * seconds) {
    rowOf(session, (rows++ * 7919) % session.n, AS_TRAINED, thresholds);
  }
  return (1000 * rows) / (performance.now() - start);
}

// Once for the compiler.
rowsIn(SECONDS / 4);
console.log(rowsIn(SECONDS));
