// The passes over a whole image, run to their end.

import { logThresholds, rowOf } from "../../app/viewer/core/attention.ts";
import { kthLargestOf, mapsOf } from "../../app/viewer/core/maps.ts";

/** Run a pass; returns its result, and how far it said it was at each pause. */
export function paused(pass) {
  const pauses = [];
  let step = pass.next();
  for (; !step.done; step = pass.next()) pauses.push(step.value);
  return { result: step.value, pauses };
}

export const finished = (pass) => paused(pass).result;

/** The log thresholds of a session's queries under a what-if, as the worker has them. */
export function thresholdsOf(session, whatIf) {
  return logThresholds(session, whatIf, whatIf.topK && finished(kthLargestOf(session)).get(whatIf.topK));
}

/** All rows of a session under a what-if. */
export function rowsOf(session, whatIf) {
  const thresholds = thresholdsOf(session, whatIf);
  return Array.from({ length: session.n }, (_, i) => rowOf(session, i, whatIf, thresholds));
}

/** The maps of a session under a what-if. */
export function allMapsOf(session, whatIf) {
  return finished(mapsOf(session, whatIf, thresholdsOf(session, whatIf)));
}
