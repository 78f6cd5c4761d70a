// What the viewer reads from a packet, for test_parity.py:
// node reading.mjs packet.safetensors answer.safetensors

import { readFileSync, writeFileSync } from "node:fs";

import { readPacket } from "../../app/viewer/core/packet.ts";
import { fileOf } from "./sessions.mjs";

const [packet, answer] = process.argv.slice(2);
const { readout, ...session } = readPacket(Uint8Array.from(readFileSync(packet)).buffer);
// The values and the layers behind the rows, under the names that they have in the file.
const layers = readout.layers.flatMap(({ weight, bias }, k) => [[`weight_${k}`, weight], [`bias_${k}`, bias]]);
Object.assign(session, { value: readout.values, ...Object.fromEntries(layers) });
const arrays = Object.entries(session).filter(([, value]) => ArrayBuffer.isView(value));
const tensors = Object.fromEntries(arrays.map(([name, values]) => (
  [name, [values instanceof Uint8Array ? "U8" : "F32", [values.length], values]]
)));
const rest = Object.fromEntries(Object.entries(session).filter(([, value]) => !ArrayBuffer.isView(value)));
writeFileSync(answer, new Uint8Array(fileOf(tensors, { session: JSON.stringify(rest) })));
