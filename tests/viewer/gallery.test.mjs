// The points of the gallery that are worth a look: each reads some cells, nearly all of its own class.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { KEPT, rowOf } from "../../app/viewer/core/attention.ts";
import { cellOf } from "../../app/viewer/core/geometry.ts";
import { isInside } from "../../app/viewer/core/opening.ts";
import { readPacket } from "../../app/viewer/core/packet.ts";

const examples = new URL("../../app/examples/", import.meta.url);
const looks = JSON.parse(readFileSync(new URL("looks.json", examples), "utf8"));
const network = "asa_mobilenetv2_outdoor";

function sessionOf(name) {
  const bytes = readFileSync(new URL(`encodings/${network}/${name}.safetensors`, examples));
  return readPacket(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

for (const [name, points] of Object.entries(looks)) {
  test(`${name} has two or three points that tell`, () => {
    const session = sessionOf(name);
    assert.ok(points.length === 2 || points.length === 3);
    assert.equal(new Set(points.map((point) => cellOf(session, point))).size, points.length);
    for (const point of points) {
      assert.ok(isInside(session, point), `${point}`);
      const cell = cellOf(session, point), { relation, weights } = rowOf(session, cell);
      const kept = relation.filter((each) => each & KEPT).length;
      const own = weights.reduce((sum, each, j) => sum + (session.cellLabels[j] === session.cellLabels[cell] ? each : 0), 0);
      assert.ok(kept >= 20 && kept <= 600, `${point} keeps ${kept}`);
      assert.ok(own >= 0.8, `${point} has ${own} on its own class`);
    }
  });
}
