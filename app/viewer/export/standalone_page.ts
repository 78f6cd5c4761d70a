// A stand-alone page: one picture with the whole viewer in one HTML file, which needs no server.

import { toQueryString } from "../core/state.ts";
import type { Words } from "../core/host_types.ts";
import type { Pixel, State } from "../types.ts";

/**
 * The file. `program` is the source of the function `asaViz`, `lesson` that of `asaLesson`, `packet` the ArrayBuffer of the
 * picture, `title` that of the file, the viewer begins in `state`, `words` are those of its language,
 * `looks` the points that are worth a look, and `credit` says whose photograph it is.
 */
export function standalonePage({ program, lesson, packet, title, networkTitle, state, words, looks = [], credit }: {
  program: string; lesson: string; packet: ArrayBuffer; title: string; networkTitle: string; state: State; words: Words; looks?: Pixel[]; credit?: string;
}): string {
  // The numbers of a re-run and of other methods stay with the server; a lesson is the page's.
  const kept = { ...state, layer: state.layer === "flips" ? "classes" : state.layer, lesson: null, methods: null };
  const given = {
    networkTitle,
    language: state.language,
    words,
    looks,
    credit,
    state: { picture: state.picture, network: state.network, query: state.query, words: toQueryString(kept) },
  };
  return [
    "<!doctype html>",
    `<html lang="${state.language}">`,
    "<head>",
    '<meta charset="utf-8">',
    // Nothing outside this file is ever asked for, whatever stands in it.
    `<meta http-equiv="Content-Security-Policy" content="${POLICY}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${asHtml(title)}</title>`,
    `<style>${STYLE}</style>`,
    "</head>",
    "<body>",
    '<main id="viewer"></main>',
    `<script id="packet" type="text/plain">${base64(new Uint8Array(packet))}${END}`,
    `<script>\n${asScript(program)}\n${asScript(lesson)}\n${END}`,
    `<script>\nconst given = ${asScript(JSON.stringify(given))};\n${START}\n${END}`,
    "</body>",
    "</html>",
    "",
  ].join("\n");
}

// In two parts: this source may itself stand in a script of an HTML file.
const END = "<" + "/script>";

const POLICY = [
  "default-src 'none'", "script-src 'unsafe-inline'", "worker-src blob:",
  "style-src 'unsafe-inline'", "img-src data: blob:", "base-uri 'none'", "form-action 'none'",
].join("; ");

// The paper of viewer.css, which on the page is Gradio's.
const STYLE = `body { margin: 0; padding: 14px 18px; background: #fff }
body.dark { background: #0f1318; color-scheme: dark }`;

const START = `document.body.classList.toggle("dark", matchMedia("(prefers-color-scheme: dark)").matches);
const bytes = atob(document.getElementById("packet").textContent);
asaViz("offline", {
  ...given,
  element: document.getElementById("viewer"),
  packet: Uint8Array.from(bytes, (each) => each.charCodeAt(0)).buffer,
  program: asaViz,
  lesson: asaLesson,
});`;

/** Source that may stand in an HTML file: in it, these can only be inside strings and comments. */
export function asScript(source: string): string {
  return source.replace(/<(?=\/script|script|!--)/gi, "\\x3c");
}

const asHtml = (text: string) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

/** Bytes in base64; in pieces, for a call takes no million arguments. */
export function base64(bytes: Uint8Array): string {
  const pieces: string[] = [];
  // Whole groups of three bytes, so that the pieces fit together.
  for (let start = 0; start < bytes.length; start += 0x6000) {
    pieces.push(btoa(String.fromCharCode(...bytes.subarray(start, start + 0x6000))));
  }
  return pieces.join("");
}
