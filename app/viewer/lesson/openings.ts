// The state in which each step of the lesson opens: its picture, its query and the stage of the film.

import { AS_TRAINED } from "../core/attention.ts";
import { centreOf } from "../core/geometry.ts";
import type { Pixel, Session, State } from "../types.ts";

export interface Example {
  picture: string;
  pixel: Pixel;
}

// Chosen by numbers for the network that is shown first; a test holds them: more than 90 % of the weight on the own
// class, 100 to 600 cells kept, off the border.
const FENCE: Example = { picture: "dogs", pixel: [302, 33] };
const DOG: Example = { picture: "dogs", pixel: [405, 224] };
const PASSER_BY: Example = { picture: "parking_sign", pixel: [740, 553] };
const CAP: Example = { picture: "hopper", pixel: [199, 75] };
const ROAD: Example = { picture: "leuven_lane", pixel: [444, 469] };
/** The network that the examples are chosen for. */
export const EXAMPLES_OF = "asa_mobilenetv2_outdoor";

/** What a step opens with, besides its example. */
interface Opening {
  example?: Example;
  stage?: State["stage"];
  locked?: boolean;
  layer?: string;
  /** What is framed: the first selector is scrolled into view. */
  spotlight: string[];
  /** Which panels stand beside the lesson: those of rows, those of the result, or all. */
  panels: "rows" | "result" | "all";
}

const panel = (name: string) => `[data-panel="${name}"]`;
const whatIf = (name: string) => `[data-what-if="${name}"]`;

/** The openings, by the step. */
export const OPENINGS: Record<string, Opening> = {
  point: { example: FENCE, stage: "ask", spotlight: [panel("photo")], panels: "rows" },
  lock: { example: DOG, stage: "dense", spotlight: [panel("dense")], panels: "rows" },
  uniform: { example: DOG, stage: "dense", spotlight: [panel("dense")], panels: "rows" },
  predict: { example: DOG, stage: "ask", locked: true, spotlight: [panel("photo")], panels: "rows" },
  threshold: { example: PASSER_BY, stage: "chosen", locked: true, spotlight: [whatIf("nonlocalFactor"), panel("dense")], panels: "rows" },
  back: { example: PASSER_BY, stage: "chosen", locked: true, spotlight: [panel("neighbours")], panels: "rows" },
  reciprocity: { example: PASSER_BY, stage: "kept", locked: true, spotlight: [whatIf("reciprocity"), panel("sparse")], panels: "rows" },
  local: { example: CAP, stage: "local", locked: true, spotlight: [whatIf("localRule"), panel("neighbours")], panels: "rows" },
  values: { example: ROAD, stage: "result", locked: true, spotlight: [panel("sparse"), panel("segmentation")], panels: "result" },
  without: { example: ROAD, stage: "result", locked: true, spotlight: [panel("segmentation")], panels: "result" },
  column: { example: DOG, locked: true, spotlight: ['[data-set="direction"]', panel("dense")], panels: "rows" },
  compare: { example: DOG, spotlight: [".pins"], panels: "all" },
  rerun: { example: PASSER_BY, locked: true, spotlight: ['[data-do="rerun"]', panel("segmentation")], panels: "result" },
  toy: { spotlight: [], panels: "rows" },
  families: { example: DOG, spotlight: ['[data-do="methods"]'], panels: "rows" },
  designs: { spotlight: [], panels: "rows" },
  limits: { spotlight: [], panels: "rows" },
};

/**
 * The state that a step opens in. `leads` says that the lesson chooses the picture; with another picture, or another
 * network than its own, the step opens where the picture's rows tell most.
 */
export function openingState(
  id: string, { network, picture }: Pick<State, "network" | "picture">, session: Session | null,
  { leads, pictures }: { leads: boolean; pictures: readonly string[] },
): Partial<State> {
  const { example, stage = null, locked = false, layer = "classes" } = OPENINGS[id];
  const state: Partial<State> = { stage, locked, layer, whatIf: AS_TRAINED, direction: "row", compare: null, methods: null, set: null, twin: false };
  if (!example) return state;
  const isOwn = leads && network === EXAMPLES_OF && pictures.includes(example.picture);
  if (isOwn) return { ...state, picture: example.picture, query: example.pixel, pins: [] };
  const start = session?.survey?.start;
  return { ...state, picture, ...(session && start !== undefined && { query: centreOf(session, start) }) };
}
