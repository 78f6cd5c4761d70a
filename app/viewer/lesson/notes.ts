// The teacher's notes and a worksheet of one page, as a page to print.

import { escaped } from "../export/svg.ts";
import { centreOf, countedPlace } from "../core/geometry.ts";
import { countsOf } from "../core/stages.ts";
import { labelsOf } from "./labels.ts";
import type { LessonViewer } from "./lesson_types.ts";
import { LIMITS } from "./pages.ts";
import { STEPS } from "./steps.ts";

const SIDE = 900, FRAME = 14;
const TASKS = ["mark", "count", "refused", "threshold", "changes", "own"];
const HINTS = ["time", "before", "guess", "ask", "wrong"];
// How long a browser may take to begin reading what is opened.
const KEPT = 60_000;

const STYLE = `
@page { size: A4; margin: 14mm }
* { box-sizing: border-box }
body { max-width: 182mm; margin: 0 auto; padding: 10px; color: #000; background: #fff; font: 11pt/1.4 system-ui, sans-serif }
h1 { font-size: 18pt; margin: 0 0 4mm } h2 { font-size: 13pt; margin: 5mm 0 1mm } p { margin: 0 0 2mm } ol, ul { margin: 0; padding-left: 6mm }
.steps li { margin-bottom: 2mm; break-inside: avoid } .sheet { break-before: page } .name { float: right; font-size: 11pt; font-weight: 400 }
.sheet img { display: block; width: 100%; max-height: 92mm; object-fit: contain; border: 1px solid #888 }
.sheet li { margin-top: 3mm; break-inside: avoid } .line { display: block; height: 8mm; border-bottom: 1px solid #888 }
.link { overflow-wrap: anywhere; font-size: 9pt } button { padding: 6px 14px; font: inherit }
@media print { button { display: none } }`;

/** The page as HTML: notes on every step, and the worksheet for the point that is shown. */
export function notesPage(viewer: LessonViewer, photo: string, url: string): string {
  const { texts, moment } = viewer;
  const say = (key: string, values?: Record<string, unknown>) => escaped(viewer.say(key, { ...labelsOf(viewer), ...values }));
  const items = (keys: string[]) => keys.map((key) => `<li>${say(key)}</li>`).join("");
  const steps = STEPS.map(({ id }) => `<li><b>${say(`lesson.${id}.title`)}.</b> ${say(`lesson.${id}.text`)}</li>`).join("");
  let answers = "";
  if (moment) {
    const { session, row, state } = moment, { chosen, back, near, kept } = countsOf(session, row, state);
    const label = texts.className(session.classes[session.cellLabels[row.i]]);
    answers = `<h2>${say("notes.answers")}</h2><p>${say("notes.answer", { ...countedPlace(session, row.i), label, n: session.n, chosen, back, near, kept })}</p>`;
  }
  const hints = HINTS.map((each) => `notes.hint.${each}`);
  const limits = LIMITS.map((each) => `lesson.limits.${each}`);
  const lines = '<span class="line"></span><span class="line"></span>';
  return [
    "<!doctype html>", `<html lang="${texts.language}"><head><meta charset="utf-8"><title>${say("notes.title")}</title><style>${STYLE}</style></head><body>`,
    `<button onclick="print()">${say("notes.print")}</button>`,
    `<h1>${say("notes.title")}</h1><p>${say("notes.what")}</p><ul>${items(hints)}</ul>`,
    `<h2>${say("notes.steps")}</h2><ol class="steps">${steps}</ol>${answers}`,
    `<h2>${say("lesson.limits.title")}</h2><ul>${items(limits)}</ul>`,
    `<p class="link">${escaped(url)}</p>`,
    `<section class="sheet"><h1>${say("notes.sheet")} <span class="name">${say("notes.name")} ______________________</span></h1>`,
    photo && `<img src="${photo}" alt="">`,
    `<ol>${TASKS.map((each) => `<li>${say(`notes.task.${each}`)}${each === "mark" ? "" : lines}</li>`).join("")}</ol>`,
    `<p class="link">${escaped(url)}</p></section></body></html>`,
  ].filter(Boolean).join("\n");
}

/** Open the page in a window of its own. */
export function openNotes(viewer: LessonViewer, url: string): void {
  const page = URL.createObjectURL(new Blob([notesPage(viewer, photoOf(viewer), url)], { type: "text/html" }));
  window.open(page, "_blank", "noopener");
  setTimeout(() => URL.revokeObjectURL(page), KEPT);
}

/** The photograph with the query framed, light enough to be drawn on. */
function photoOf({ picture, session, moment }: LessonViewer): string {
  const canvas = document.createElement("canvas"), context = canvas.getContext("2d");
  if (!picture || !session || !context) return "";
  const scale = Math.min(1, SIDE / Math.max(picture.width, picture.height));
  Object.assign(canvas, { width: Math.round(picture.width * scale), height: Math.round(picture.height * scale) });
  context.drawImage(picture.bitmap, 0, 0, canvas.width, canvas.height);
  context.fillStyle = "rgba(255,255,255,0.35)";
  context.fillRect(0, 0, canvas.width, canvas.height);
  if (moment) {
    const [x, y] = centreOf(session, moment.row.i);
    const place = [((x + 0.5) / session.imageWidth) * canvas.width, ((y + 0.5) / session.imageHeight) * canvas.height];
    for (const [line, width] of [["#fff", 7], ["#000", 3]] as const) {
      Object.assign(context, { strokeStyle: line, lineWidth: width });
      context.strokeRect(place[0] - FRAME, place[1] - FRAME, 2 * FRAME, 2 * FRAME);
    }
  }
  return canvas.toDataURL("image/jpeg", 0.9);
}
