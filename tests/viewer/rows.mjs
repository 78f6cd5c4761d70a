// Rows of a packet as the viewer computes them, for test_parity.py:
// node rows.mjs packet.safetensors question.json answer.safetensors

import { readFileSync, writeFileSync } from "node:fs";

import { AS_TRAINED, rowOf } from "../../app/viewer/core/attention.ts";
import { columnOf } from "../../app/viewer/core/maps.ts";
import { readPacket } from "../../app/viewer/core/packet.ts";
import { setRowOf } from "../../app/viewer/core/sets.ts";
import { allMapsOf, finished, thresholdsOf } from "./passes.mjs";
import { fileOf } from "./sessions.mjs";

const [packet, question, answer] = process.argv.slice(2);
const { what_if: change, cells, maps: wanted, set } = JSON.parse(readFileSync(question, "utf8"));
const session = readPacket(Uint8Array.from(readFileSync(packet)).buffer);
const whatIf = { ...AS_TRAINED, ...change };
const thresholds = thresholdsOf(session, whatIf);
const maps = wanted ? allMapsOf(session, whatIf) : null;

const { n } = session;
const shape = [cells.length, n];
const tensors = {
  relation: ["U8", shape, new Uint8Array(cells.length * n)],
  ...Object.fromEntries(["dense", "incoming", "incoming_ratio", "weights", ...(maps ? ["column"] : [])].map(
    (name) => [name, ["F32", shape, new Float32Array(cells.length * n)]],
  )),
  thresholds: ["F64", [cells.length, 3], new Float64Array(3 * cells.length)],
};
cells.forEach((i, index) => {
  const row = rowOf(session, i, whatIf, thresholds);
  const parts = {
    relation: row.relation, dense: row.dense, incoming: row.incoming, incoming_ratio: row.incomingRatio,
    weights: row.weights, thresholds: [row.threshold, row.localScale, row.localThreshold],
    ...(maps && { column: columnOf(session, row, whatIf, maps).weights }),
  };
  for (const [name, values] of Object.entries(parts)) tensors[name][2].set(values, index * values.length);
});
if (set) {
  const mean = finished(setRowOf(session, set, whatIf, thresholds));
  for (const name of ["dense", "incoming", "weights", "chosen", "back", "reciprocal", "local", "support"]) {
    tensors[`set_${name}`] = ["F64", [n], mean[name]];
  }
}
if (maps) {
  const { support, inDegree: in_degree, keptMass: kept_mass, ownShare: own_share } = maps;
  for (const [name, values] of Object.entries({ support, in_degree, kept_mass, own_share })) {
    tensors[name] = ["F64", [n], Float64Array.from(values)];
  }
}
writeFileSync(answer, new Uint8Array(fileOf(tensors, {})));
