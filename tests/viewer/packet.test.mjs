// Packets written by hand, byte by byte, and read back.

import assert from "node:assert/strict";
import { test } from "node:test";

import { readPacket } from "../../app/viewer/core/packet.ts";
import { fileOf, packetOf, randomSession } from "./sessions.mjs";

const small = randomSession({ height: 2, width: 3, depth: 4 });

test("a packet gives back the session that was written", () => {
  const session = {
    ...small, imageHeight: 427, imageWidth: 640, workingHeight: 3, workingWidth: 5, notes: ["turned upright"],
    workingLabels: Uint8Array.from({ length: 15 }, (_, p) => p % 3),
    withoutAttention: Uint8Array.from({ length: 15 }, (_, p) => p % 2), picture: Uint8Array.of(0, 255, 7),
  };
  assert.deepEqual(readPacket(packetOf(session)), { ...session, inner: null });
});

test("names and notes in any language", () => {
  const session = { ...small, classes: ["天空", "straße", "🚗"], notes: ["“说明”"] };
  const { classes, notes } = readPacket(packetOf(session));
  assert.deepEqual([classes, notes], [session.classes, session.notes]);
});

test("tensors are where the header says, in any order and at odd places", () => {
  // The header's length and the picture's decide where the numbers begin: no multiple of four.
  for (let length = 0; length < 5; length++) {
    const session = { ...small, network: "n".repeat(length), picture: new Uint8Array(length) };
    assert.deepEqual(readPacket(packetOf(session)), { ...session, inner: null });
  }
});

test("reading leaves the file as it is, and what is read is no part of it", () => {
  const file = packetOf(small);
  const before = file.slice(0);
  const { query } = readPacket(file);
  query.fill(0);
  assert.deepEqual(new Uint8Array(file), new Uint8Array(before));
});

test("every one of the 65 536 numbers of half precision is widened exactly", () => {
  const patterns = Uint16Array.from({ length: 65536 }, (_, pattern) => pattern);
  const session = { ...small, n: 16384, half: true };
  const projections = { query: patterns, key: patterns };
  const { query } = readPacket(packetOf(session, { half: true, projections }));
  const view = new DataView(new ArrayBuffer(4));
  for (let pattern = 0; pattern < 65536; pattern++) {
    view.setUint32(0, singleOf(pattern));
    const expected = view.getFloat32(0);
    assert.ok(Object.is(query[pattern], expected), `${pattern}: ${query[pattern]} for ${expected}`);
  }
  const at = (pattern) => query[pattern];
  assert.deepEqual(
    [0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001, 0x8001, 0x7c00, 0xfc00].map(at),
    [1, -2, 65504, 2 ** -14, 2 ** -24, -(2 ** -24), Infinity, -Infinity],
  );
  assert.ok(Object.is(at(0x8000), -0) && Object.is(at(0), 0) && Number.isNaN(at(0x7e00)));
});

/** The bits of a number of half precision as those of the same number in single precision. */
function singleOf(half) {
  const sign = (half & 0x8000) << 16;
  let exponent = (half >> 10) & 31, fraction = half & 1023;
  if (exponent === 31) return (sign | 0x7f800000 | (fraction << 13)) >>> 0;
  if (exponent === 0) {
    if (fraction === 0) return sign >>> 0;
    // A subnormal has its leading bit moved to where a normal number has it, which is left out.
    exponent = 1;
    while (!(fraction & 1024)) {
      fraction <<= 1;
      exponent--;
    }
    fraction &= 1023;
  }
  return (sign | ((exponent + 112) << 23) | (fraction << 13)) >>> 0;
}

test("a packet of another version, or with tensors of another type, is refused", () => {
  const about = JSON.stringify({ ...JSON.parse(headerOf(packetOf(small)).__metadata__.session), version: 2 });
  assert.throws(() => readPacket(fileOf({}, { session: about })), /2/);
  const projections = { query: BigInt64Array.from(small.query, () => 1n) };
  const file = packetOf(small, { projections });
  const text = new TextDecoder("latin1").decode(file).replace('"dtype":"F32"', '"dtype":"I64"');
  const other = Uint8Array.from(text, (each) => each.charCodeAt(0)).buffer;
  assert.throws(() => readPacket(other), /query.*I64/);
});

test("what is no packet is refused", () => {
  for (const bytes of [[], [1, 2, 3], new Array(100).fill(255), new Array(100).fill(0)]) {
    assert.throws(() => readPacket(Uint8Array.from(bytes).buffer));
  }
  const file = packetOf(small);
  assert.throws(() => readPacket(file.slice(0, 40)));
});

test("a packet that was cut short is refused", () => {
  const file = packetOf(small);
  for (const missing of [1, 4, 40]) {
    assert.throws(() => readPacket(file.slice(0, file.byteLength - missing)), `${missing} bytes are missing`);
  }
});

function headerOf(file) {
  const length = Number(new DataView(file).getBigUint64(0, true));
  return JSON.parse(new TextDecoder().decode(new Uint8Array(file, 8, length)));
}
