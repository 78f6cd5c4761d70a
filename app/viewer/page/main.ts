// Where the viewer starts: in a Gradio page, in a file opened from disk, and in its own worker.

import compareStyle from "../compare/methods.css";
import { ideaStyle } from "../core/ideas.ts";
import { serve } from "../core/worker.ts";
import { fromQueryString } from "../core/state.ts";
import exportStyle from "../export/export.css";
import type { LessonProgram } from "../lesson/lesson_types.ts";
import type { Host, Port, Program, Words } from "../core/host_types.ts";
import type { Pixel } from "../types.ts";
import { gradioHost, type Offer, type Server, type Upload } from "./host.ts";
import phoneStyle from "./phone.css";
import picturesStyle from "./pictures.css";
import { firstLanguage, keepTheme } from "./remembered.ts";
import { nameDocument } from "./speaking.ts";
import HTML from "./viewer.html";
import style from "./viewer.css";
import stagesStyle from "./stages.css";
import { Viewer } from "./viewer.ts";

const CSS = [
  ideaStyle(), exportStyle, compareStyle, style, stagesStyle, picturesStyle, phoneStyle,
].join("");

/** Where no words came, nothing can be said in the reader's language. */
const NO_WORDS = "The words of this page could not be loaded. Please reload it.";

declare global {
  interface Window {
    asaViz?: Viewer;
    /** The lesson's program, once it is loaded. */
    asaLesson?: LessonProgram;
  }
}

/** Start in a `gr.HTML`. `program` is the function that all of this stands in; see `openPort`. */
export async function page(given: {
  element: HTMLElement; props: { offer: Offer }; server: Server; upload: Upload; program: Program;
}): Promise<void> {
  const { element, props, server, upload, program } = given;
  // Both marks stand on the browser's own time line, and are read by the benchmark.
  performance.mark("asa:program");
  const host = gradioHost({ ...props.offer, server, upload, program });
  const language = firstLanguage(fromQueryString(location.search).language);
  const words = await host.words(language, "page").catch(() => host.words(language, "page")).catch(() => null);
  if (words) start(element, host, { language, words }, location.search);
  else element.textContent = NO_WORDS;
}

/** Start in a file that holds one picture; `given` is what standalone_page.ts wrote into it. */
export function offline({ element, packet, networkTitle, state, language, words, looks, credit, program, lesson, isThreadless = false }: {
  element: HTMLElement; packet: ArrayBuffer; networkTitle: string; program: Program; lesson: LessonProgram; isThreadless?: boolean;
  state: { picture: string; network: string; words: string }; language: string; words: Words; looks?: Pixel[]; credit?: string;
}): void {
  const host: Host = {
    fixed: true,
    isThreadless,
    program,
    gallery: [{ id: state.picture, looks, credit }],
    networks: [{ name: state.network, title: networkTitle }],
    packet: async () => packet,
    words: async () => words,
    lesson: async () => lesson,
  };
  start(element, host, { language, words }, `?${state.words}`);
}

/** Start as the worker. */
export const worker = serve;

function start(element: HTMLElement, host: Host, speaks: { language: string; words: Words }, search: string): void {
  element.innerHTML = HTML;
  keepTheme();
  const sheet = document.createElement("style");
  sheet.textContent = CSS;
  element.prepend(sheet);
  const viewer = new Viewer(element.querySelector<HTMLElement>(".asa")!, {
    host, port: openPort(host.program), portHere, ...speaks, address: { search },
  });
  window.asaViz = viewer;
  nameDocument(viewer);
  void viewer.ready.then(() => performance.mark("asa:picture"));
}

/** Start the program again in a worker: its source is the text of its own function; null where there may be none. */
function openPort(program: Program): Worker | null {
  const source = new Blob([`(${program})("worker", self);`], { type: "text/javascript" });
  try {
    return new Worker(URL.createObjectURL(source));
  } catch {
    return null;
  }
}

/** The same arithmetic in this thread. */
function portHere(): Port {
  const { port1, port2 } = new MessageChannel();
  serve(port2);
  return port1;
}
