// The steps of the lesson: when each is done, its formula with the numbers of the moment, and what
// "show me" does. Nothing is drawn here, so that a test can take a step without a page.

import { AS_TRAINED, BACK, CHOSEN, LOCAL, groupOf, isChanged, similarity, windowOf } from "../core/attention.ts";
import {
  choosingAlone, countOf, halvingFactor, isOneSided, keysOf, largestClass,
  localOnlyCell, middleOf, peakOf, readingCell, sampleOf, strongestKey, strongestRead, supportOf, targetFrom,
} from "./examples.ts";
import { overlapOf } from "../core/numbers.ts";
import { cellOf, centreOf, countedPlace } from "../core/geometry.ts";
import { number, percent } from "../core/texts.ts";
import { byFamily, inCommon, likeliest, signOf, signed, small, sumOf } from "./formulas.ts";
import type { Comparison, LessonMoment, Memory, Step } from "./lesson_types.ts";
import type { AnsweredRow, Session, State } from "../types.ts";

const BOTH = CHOSEN | BACK;
// How much stronger or weaker the other row has to be.
const CONTRAST = 1.5;

/**
 * The steps in their order; lesson_types.ts says what a step is.
 */
export const STEPS: Step[] = [
  {
    id: "point",
    done({ session, row }, memory) {
      memory.target ??= targetFrom(session, row.i);
      return session.cellLabels[row.i] === memory.target;
    },
    task: ({ session }, { target }) => ({ label: session.classes[target] }),
    formula: ({ session, row }) => ({
      rows: session.height, columns: session.width, n: session.n, ...countedPlace(session, row.i),
      label: session.classes[session.cellLabels[row.i]],
    }),
    show: ({ session }, { target }) => ({ state: lockedAt(session, middleOf(session, target!)) }),
  },
  {
    id: "lock",
    done({ row, now, hovered }, memory) {
      if (!now.locked) return false;
      memory.cell ??= row.i;
      return isElsewhere(row, hovered) || row.i !== memory.cell;
    },
    formula({ session, row, hovered }) {
      const j = isElsewhere(row, hovered) ? hovered : strongestKey(row);
      return {
        ...countedPlace(session, j),
        similarity: signed(similarity(session.query, row.i, session.key, j, session.depth)),
        normaliser: signed(session.logNormaliser[row.i]),
        affinity: small(row.dense[j]),
      };
    },
    show: ({ session, row }) => ({ state: lockedAt(session, row.i), hover: strongestKey(row) }),
  },
  {
    id: "uniform",
    done({ session, row }, memory) {
      const peak = row.numbers.dense.largest * session.n;
      memory.first ??= peak;
      return peak >= CONTRAST * memory.first || peak <= memory.first / CONTRAST;
    },
    task: (_, { first }) => ({
      first: number(first), high: number(first * CONTRAST), low: number(first / CONTRAST),
    }),
    formula: ({ session: { n }, row: { numbers: { dense: { largest } } } }) => ({
      n, uniform: small(1 / n), affinity: small(largest), times: number(largest * n),
    }),
    show({ session }, { first }) {
      const cells = sampleOf(session);
      const away = cells.map((cell) => Math.abs(Math.log(peakOf(session, cell) / first!)));
      return { state: lockedAt(session, cells[away.indexOf(Math.max(...away))]) };
    },
  },
  {
    id: "predict",
    question: "reads",
    isGuess: true,
    done: ({ guessed }) => guessed === "reads",
    formula({ session, row: { i, numbers: { support, sparse } }, guessed }) {
      if (guessed !== "reads") return { ending: "none" };
      return { support, n: session.n, share: percent(sparse.own), label: session.classes[session.cellLabels[i]] };
    },
    show: () => ({ guess: true }),
  },
  {
    id: "threshold",
    needsThresholds: true,
    done({ session, row, state }, memory) {
      if (!isChanged(state.whatIf)) Object.assign(memory, { cell: row.i, trained: row.numbers.support });
      if (memory.cell !== row.i) Object.assign(memory, { cell: row.i, trained: supportOf(session, row.i) });
      const trained = memory.trained ?? 0, isHalf = trained > 1 && 2 * row.numbers.support <= trained;
      return state.whatIf.nonlocalFactor > 1 && isHalf;
    },
    task: (_, { trained }) => (trained > 1 ? { trained, half: Math.floor(trained / 2) } : { ending: "few" }),
    formula({ session, row, hovered }) {
      const j = isElsewhere(row, hovered) ? hovered : strongestKey(row);
      const least = row.threshold / session.n;
      return {
        ...countedPlace(session, j), n: session.n, support: row.numbers.support,
        affinity: small(row.dense[j]), sign: signOf(row.relation[j] & CHOSEN),
        threshold: number(row.threshold), least: small(least),
      };
    },
    show({ session, row }) {
      // Where hardly anything is kept, or all of it by the local rule, no threshold halves it.
      const cell = [row.i, ...sampleOf(session)].find((each) => halvingFactor(session, each)) ?? row.i;
      const nonlocalFactor = halvingFactor(session, cell) ?? 1;
      return { state: { ...lockedAt(session, cell), whatIf: { ...AS_TRAINED, nonlocalFactor } } };
    },
  },
  {
    id: "back",
    needsThresholds: true,
    question: "back",
    isGuess: true,
    done: ({ row, state, now, hovered }) =>
      now.locked && hovered !== null && state.whatIf.reciprocity && isOneSided(row.relation[hovered]),
    formula({ session, row, hovered }) {
      const j = isElsewhere(row, hovered) ? hovered : keysOf(row, isOneSided)[0];
      if (j === undefined) return { ending: "none" };
      return {
        ...countedPlace(session, j),
        affinity: small(row.dense[j]), sign: signOf(row.relation[j] & CHOSEN),
        least: small(row.threshold / session.n),
        incoming: small(row.incoming[j]), signBack: signOf(row.relation[j] & BACK),
        leastBack: small(row.incoming[j] / row.incomingRatio[j] || 0),
      };
    },
    show({ session, row, state }, memory) {
      // Where reciprocity is not asked for, no cell is left out for the lack of it.
      const whatIf = { ...state.whatIf, reciprocity: true };
      const found = keysOf(row, isOneSided);
      if (!found.length) {
        return { state: { ...lockedAt(session, choosingAlone(session) ?? row.i), whatIf: AS_TRAINED } };
      }
      memory.turn = ((memory.turn ?? -1) + 1) % found.length;
      return { state: { ...lockedAt(session, row.i), whatIf, stage: "back" }, hover: found[memory.turn] };
    },
  },
  {
    id: "reciprocity",
    needsThresholds: true,
    done: thereAndBack(({ state }) => !state.whatIf.reciprocity),
    formula: ({ row }) => ({
      chosen: countOf(row, (each) => each & CHOSEN),
      back: countOf(row, (each) => (each & BOTH) === BOTH),
      kept: countOf(row, (each) => (each & BOTH) === BOTH || each & LOCAL),
      without: countOf(row, (each) => each & (CHOSEN | LOCAL)),
    }),
    show: ({ now }) => turned(now, "reciprocity"),
  },
  {
    id: "local",
    needsThresholds: true,
    done({ row, state }, memory) {
      const { localRule } = state.whatIf;
      if (localRule && localOnlyIn(row, state) > 0) memory.seen = true;
      if (!localRule && memory.seen) memory.away = true;
      return Boolean(memory.away) && localRule;
    },
    formula({ session, row, state }) {
      const near = windowOf(session, row.i, state.whatIf);
      return {
        count: near.length,
        mean: small(near.reduce((total, j) => total + row.dense[j], 0) / near.length),
        scale: number(row.localScale),
        least: small(row.localThreshold / session.n),
        amount: localOnlyIn(row, state),
      };
    },
    show({ session, now }, { seen }) {
      if (seen) return turned(now, "localRule");
      const { cell, whatIf } = localOnlyCell(session);
      return { state: { ...lockedAt(session, cell), whatIf } };
    },
  },
  {
    id: "values",
    done: ({ row, now, hovered }) => now.locked && isElsewhere(row, hovered) && row.weights[hovered] > 0,
    formula({ session, row, hovered }) {
      const j = isElsewhere(row, hovered) && row.weights[hovered] > 0 ? hovered : strongestRead(row);
      if (j === null) return { ending: "none" };
      const values = { ...countedPlace(session, j), weight: small(row.weights[j]), count: row.numbers.support || 1 };
      if (!row.classes) return { ...values, ending: "unread" };
      const { sparse, without } = row.classes, [says, alone] = [likeliest(sparse), likeliest(without)];
      return {
        ...values, label: session.classes[says], share: percent(sparse[says]),
        other: session.classes[alone], otherShare: percent(without[alone]),
      };
    },
    show({ session, row }) {
      const strongest = strongestRead(row);
      if (strongest !== null) return { state: lockedAt(session, row.i), hover: strongest };
      return { state: { ...lockedAt(session, readingCell(session)), whatIf: AS_TRAINED } };
    },
  },
  {
    id: "without",
    question: "flips",
    done: ({ now }) => now.layer === "without",
    formula({ session }) {
      const { withoutAttention, workingLabels } = session;
      if (!withoutAttention) return { ending: "unknown" };
      const count = workingLabels.reduce((sum: number, label, p) => sum + Number(label !== withoutAttention[p]), 0);
      return { count, share: percent(count / workingLabels.length) };
    },
    show: () => ({ state: { layer: "without", stage: "result" } }),
  },
  {
    id: "column",
    done: thereAndBack(({ now }) => now.direction === "column"),
    formula: ({ row }) => ({ row: number(sumOf(row.dense)), column: number(sumOf(row.incoming)) }),
    show: ({ now }) => ({ state: { direction: now.direction === "column" ? "row" : "column" } }),
  },
  {
    id: "compare",
    done({ session, now }) {
      const pins = (now.compare ?? []).map((k) => cellOf(session, now.pins[k]));
      return session.cellLabels[pins[0]] !== session.cellLabels[pins[1]];
    },
    formula({ compared, now }) {
      if (!compared) return { ending: "pins", count: now.pins.length };
      const { counts: [both, first, second], sharedMass } = overlapOf(compared[0], compared[1]);
      return { first: both + first, second: both + second, both, mass: percent(sharedMass) };
    },
    show({ session, row }) {
      const other = largestClass(session, session.cellLabels[row.i]);
      const pins = [row.i, middleOf(session, other)].map((cell) => centreOf(session, cell));
      return { state: { pins, compare: [0, 1] } };
    },
  },
  {
    id: "rerun",
    done({ now, rerun, canRerun }, memory) {
      if (canRerun ? rerun : isChanged(now.whatIf)) memory.away = true;
      return Boolean(memory.away) && !isChanged(now.whatIf);
    },
    formula({ rerun, canRerun }) {
      if (rerun) return { count: rerun.count, share: percent(rerun.share) };
      return canRerun ? { ending: "none" } : null;
    },
    show({ now, canRerun }, { away }) {
      if (away) return { state: { whatIf: AS_TRAINED, layer: "classes", compare: null } };
      return canRerun && isChanged(now.whatIf) ? { rerun: true } : turned(now, "reciprocity");
    },
  },
  // A page to read, done once it is open.
  { id: "toy", isPage: true, done: () => true },
  // What today's sparse designs do, beside reciprocal thresholds.
  { id: "designs", isPage: true, done: () => true },
  {
    id: "families",
    done({ session, comparison, canCompare }, memory) {
      if (!comparison) return !canCompare;
      memory.answered ??= comparison;
      return session.cellLabels[comparison.cell] !== session.cellLabels[memory.answered.cell];
    },
    formula({ comparison, canCompare }, { answered: first }) {
      if (!comparison) return canCompare ? { ending: "none" } : null;
      if (!first || comparison.cell === first.cell) {
        return { ending: "one", list: byFamily(comparison, ({ effective }) => effective, number) };
      }
      const before = new Map(first.rows.map(({ name, row }) => [name, row]));
      const common = ({ name, row }: Comparison["rows"][number]) => {
        const earlier = before.get(name);
        return earlier ? inCommon(row, earlier) : null;
      };
      return { list: byFamily(comparison, common, percent) };
    },
    show({ session, row, now, comparison }, { answered: first }) {
      if (now.methods === null || !comparison || !first) return { state: { ...lockedAt(session, row.i), methods: "usual" } };
      const away = session.cellLabels[first.cell];
      return { state: lockedAt(session, middleOf(session, largestClass(session, away))) };
    },
  },
  // The other page to read.
  { id: "limits", isPage: true, done: () => true },
];

/** Done once it was away and is back. */
function thereAndBack(isAway: (moment: LessonMoment) => boolean) {
  return (moment: LessonMoment, memory: Memory): boolean => {
    const away = isAway(moment);
    if (away) memory.away = true;
    return Boolean(memory.away) && !away;
  };
}

const isElsewhere = (row: AnsweredRow, hovered: number | null): hovered is number => hovered !== null && hovered !== row.i;
const lockedAt = (session: Session, cell: number) => ({ query: centreOf(session, cell), locked: true });
const turned = ({ whatIf }: State, name: "reciprocity" | "localRule") => ({ state: { whatIf: { ...whatIf, [name]: !whatIf[name] } } });
const localOnlyIn = (row: AnsweredRow, { whatIf }: State) => countOf(row, (each) => groupOf(each, whatIf.reciprocity) === 1);
