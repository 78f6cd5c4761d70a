// The colours, scales and threshold marks of the scenes of packets as the page starts, for
// ../figures/test_page.py: node scenes.mjs question.json answer.json

import { readFileSync, writeFileSync } from "node:fs";

import { AS_TRAINED, rowOf } from "../../app/viewer/core/attention.ts";
import { numbersOf } from "../../app/viewer/core/numbers.ts";
import { knownOf } from "../../app/viewer/core/opening.ts";
import { readPacket } from "../../app/viewer/core/packet.ts";
import { colormapOf } from "../../app/viewer/core/scale.ts";
import { START } from "../../app/viewer/core/state.ts";
import { curvesOf } from "../../app/viewer/draw/curves.ts";
import { scenesOf } from "../../app/viewer/draw/scenes.ts";
import { inFileColours } from "../../app/viewer/draw/segmentation.ts";
import { thresholdsOf } from "./passes.mjs";

const [question, answer] = process.argv.slice(2);

/** What the page knows of a packet's dense rows, and the scenes of some of its queries. */
function shown({ packet, cells: queries }) {
  const session = readPacket(Uint8Array.from(readFileSync(packet)).buffer);
  const thresholds = thresholdsOf(session, AS_TRAINED);
  const { bottom, top } = knownOf(session), aspect = session.imageWidth / session.imageHeight;
  const scenes = queries.map((i) => {
    const row = rowOf(session, i, AS_TRAINED, thresholds);
    const moment = {
      state: START, session, row: { ...row, numbers: numbersOf(session, row) }, maps: null, compared: null, rerun: null,
    };
    return Object.fromEntries(Object.entries(scenesOf(moment)).filter(([, { cells }]) => cells).map(([name, scene]) => {
      const { cells, bar = null, outlined = false, lines = [] } = inFileColours(scene, session);
      const scale = bar && { ...bar.scale, ticks: bar.scale.ticks(), clipped: bar.scale.clipped, clippedBelow: bar.scale.clippedBelow };
      return [name, { rgba: [...new Uint8Array(cells.pixels.buffer)], scale, mark: bar?.line ?? null, outlined, lines, curves: curvesOf(session, aspect, i, lines) }];
    }));
  });
  return { ends: [bottom, top], scenes };
}

const sessions = JSON.parse(readFileSync(question, "utf8")).map(shown);
writeFileSync(answer, JSON.stringify({ colormap: colormapOf(START.colormap), opacity: START.opacity, sessions }));
