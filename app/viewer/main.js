// Where the viewer starts: in a Gradio page, in a file opened from disk, and in its own worker.
// HTML, CSS and TEXTS are put before the modules by app/viewer/__init__.py.
/* global HTML, CSS, TEXTS */

import { keep, kept } from "./kept.js";
import { bytesOf } from "./packet.js";
import { isUpload } from "./state.js";
import { dictionariesOf } from "./texts.js";
import { Viewer } from "./viewer.js";
import { serve } from "./worker.js";

// As much as the server takes; more is not sent at all.
const MOST_BYTES = 10 * 2 ** 20;
const PLACE_MS = 800;

/** Start in a `gr.HTML`. `program` is the function that all of this stands in; see `openPort`. */
export function page({ element, props, server, upload, program }) {
  element.innerHTML = HTML;
  show(element);
  const host = gradioHost({ ...props.offer, server, upload });
  host.program = program;
  window.asaViz = new Viewer(element.querySelector(".asa"), {
    host, port: openPort(program), portHere, dictionaries: dictionariesOf(TEXTS), address: location,
  });
}

/** Start in a file that holds one picture; `given` is what saved.js wrote into it. */
export function offline({ element, packet, networkTitle, state, program }) {
  element.innerHTML = HTML;
  show(element);
  const host = {
    fixed: true,
    program,
    gallery: [{ id: state.picture }],
    networks: [{ name: state.network, title: networkTitle }],
    packet: async () => packet,
  };
  window.asaViz = new Viewer(element.querySelector(".asa"), {
    host, port: openPort(program), portHere, dictionaries: dictionariesOf(TEXTS), address: { search: `?${state.words}` },
  });
}

/** Start as the worker. */
export const worker = serve;

function show(element) {
  const style = document.createElement("style");
  style.textContent = CSS;
  element.prepend(style);
}

/** Start the program again in a worker: its source is the text of its own function; null where there may be none. */
function openPort(program) {
  const source = new Blob([`(${program})("worker", self);`], { type: "text/javascript" });
  try {
    return new Worker(URL.createObjectURL(source));
  } catch {
    return null;
  }
}

/** The same arithmetic in this thread. */
function portHere() {
  const { port1, port2 } = new MessageChannel();
  serve(port2);
  return port1;
}

/** The server as the viewer sees it. Every answer has `ok`; a refusal has the key of its sentence. */
function gradioHost({ gallery, networks, plotly, compares, server, upload }) {
  const refusal = (key, values) => Object.assign(new Error(key), { key, values });
  const ask = async (name, question) => {
    // Gradio turns every error of a server function into null.
    const answer = await server[name](question).catch(() => null);
    if (!answer) throw refusal("error.server");
    if (!answer.ok) throw refusal(answer.error, answer.values);
    return answer;
  };
  const uploads = new Map();
  const sent = async (file) => {
    const answer = await upload(file).catch(() => null);
    if (!answer?.path) throw refusal("error.server");
    return { path: answer.path };
  };
  /** What the server knows a picture by; one's own is sent again where only this browser has it. */
  const sourceOf = async (picture) => {
    if (!isUpload(picture)) return picture;
    if (!uploads.has(picture)) {
      const file = await kept(picture);
      if (!file) throw refusal("error.gone");
      uploads.set(picture, await sent(file));
    }
    return uploads.get(picture);
  };
  const askAbout = async (name, picture, question) => {
    const asked = async () => ask(name, { source: await sourceOf(picture), ...question });
    return asked().catch((error) => {
      if (error.key !== "error.gone" || !uploads.delete(picture)) throw error;
      return asked();
    });
  };
  // The path alone: a proxy may show the page under another host than the server knows of.
  const root = new URL(window.gradio_config?.root || "/", location.href).pathname.replace(/\/$/, "");
  const urlOf = (file) => `${root}/gradio_api/file=${file}`;
  const fetched = async (file) => {
    const response = await fetch(urlOf(file)).catch(() => null);
    if (!response) throw refusal("error.server");
    if (!response.ok) throw refusal("error.gone");
    return response.arrayBuffer();
  };
  /** Let a picture be encoded; `tell` hears the place in line while others come before. */
  const encoded = async (picture, network, tell) => {
    let waits = true;
    const timer = setInterval(async () => {
      const place = await server.place({}).catch(() => null);
      if (waits && place?.before) tell(place);
    }, PLACE_MS);
    const { file } = await askAbout("encode", picture, { network }).finally(() => {
      waits = false;
      clearInterval(timer);
    });
    return fetched(file);
  };
  // Where no heads are there to be compared the page has no such view.
  const comparing = compares && {
    methods: (language) => ask("methods", { language }),
    compare: (picture, network, place, methods) => askAbout("compare", picture, { network, ...place, methods }),
  };
  return {
    gallery,
    networks,
    ...comparing,
    plotly: urlOf(plotly),
    async packet(picture, network, tell) {
      const stored = gallery.find(({ id }) => id === picture)?.stored ?? {};
      if (Object.hasOwn(stored, network)) return fetched(stored[network]);
      const asked = () => encoded(picture, network, tell);
      // A packet may have had to make room before it was fetched.
      return asked().catch((error) => {
        if (error.key !== "error.gone") throw error;
        return asked();
      });
    },
    /** Send a picture of one's own; says what it is called, and whether this browser keeps it. */
    async add(file) {
      if (file.size > MOST_BYTES) throw refusal("error.IMG_BYTES");
      const source = await sent(file);
      const id = `upload:${Date.now().toString(36)}${uploads.size}`;
      uploads.set(id, source);
      return { id, isKept: await keep(id, file) };
    },
    async rerun(picture, network, whatIf) {
      const answer = await askAbout("rerun", picture, { network, what_if: whatIf });
      return { ...answer, labels: bytesOf(answer.labels) };
    },
    pairPlane(picture, network, place, whatIf, language) {
      return askAbout("pair_plane", picture, { network, ...place, what_if: whatIf, language });
    },
  };
}
