// The diagram of the block: from features over the dense row and the two rules to what the query reads.

import { type TemplateResult, svg } from "lit/html.js";

import type { Idea } from "../core/ideas.ts";

type Say = (key: string) => string;
type Point = [x: number, y: number];

interface Box {
  text: string;
  at: Point;
  width: number;
  idea?: Idea;
}

const WIDTH = 900, HEIGHT = 300, HIGH = 34;
// What decides which cells are kept.
const RULES = { left: 456, right: 596 };

/** The diagram as SVG; its text is that of the boxes in the order of the computation. */
export function blockDiagram(say: Say): TemplateResult {
  const word = (name: string) => say(`overview.${name}`);
  const boxes: Record<string, Box> = {
    x: { text: word("features"), at: [8, 133], width: 92 },
    q: { text: word("q"), at: [142, 22], width: 92 },
    k: { text: word("k"), at: [142, 78], width: 92 },
    t: { text: word("t"), at: [142, 133], width: 118, idea: "threshold" },
    v: { text: word("v"), at: [142, 244], width: 92 },
    dense: { text: word("dense"), at: [298, 50], width: 126, idea: "dense" },
    chosen: { text: word("chosen"), at: [472, 22], width: 108, idea: "chosen" },
    back: { text: word("back"), at: [472, 78], width: 108, idea: "choosing" },
    local: { text: word("local"), at: [472, 133], width: 108, idea: "local" },
    row: { text: word("arnn"), at: [646, 78], width: 118, idea: "kept" },
    sum: { text: word("sum"), at: [646, 244], width: 118 },
    output: { text: word("output"), at: [806, 244], width: 86 },
  };
  const arrows: Point[][] = [
    from(boxes.x, boxes.q), from(boxes.x, boxes.k), from(boxes.x, boxes.t), from(boxes.x, boxes.v),
    from(boxes.q, boxes.dense), from(boxes.k, boxes.dense),
    [[424, 67], [RULES.left, 67]], [[260, 150], [RULES.left, 150]], [[RULES.right, 95], [646, 95]],
    [[705, 112], [705, 244]], from(boxes.v, boxes.sum), from(boxes.sum, boxes.output),
  ];
  const path = (points: Point[]) => svg`<path d=${`M${points.map((each) => each.join(" ")).join("L")}`} marker-end="url(#asa-arrow)"/>`;
  const note = (text: string, [x, y]: Point) => svg`<text class="note" x=${x} y=${y}>${text}</text>`;
  return svg`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" width=${WIDTH} height=${HEIGHT}>
    <defs><marker id="asa-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>
    <rect class="rules" x=${RULES.left} y="6" width=${RULES.right - RULES.left} height="176" rx="8"/>
    ${arrows.map(path)}
    ${Object.values(boxes).map(boxOf)}
    ${note(word("softmax"), [361, 40])}${note(word("both"), [526, 67])}${note(word("or"), [526, 123])}
    ${note(word("divide"), [705, 68])}${note(word("class"), [834, 292])}
  </svg>`;
}

const middle = ({ at: [, y] }: Box): number => y + HIGH / 2;

/** An arrow between two boxes, with one bend half-way where they are not level. */
function from(box: Box, next: Box): Point[] {
  const start: Point = [box.at[0] + box.width, middle(box)], end: Point = [next.at[0], middle(next)], half = (start[0] + end[0]) / 2;
  return start[1] === end[1] ? [start, end] : [start, [half, start[1]], [half, end[1]], end];
}

function boxOf({ text, at: [x, y], width, idea }: Box): TemplateResult {
  return svg`<g class=${idea ? `idea-${idea}` : ""}><rect x=${x} y=${y} width=${width} height=${HIGH} rx="5"/>
    <text x=${x + width / 2} y=${y + HIGH / 2}>${text}</text></g>`;
}
