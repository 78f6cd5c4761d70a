// The server as the viewer sees it. Every answer has `ok`; a refusal has the key of its sentence.

import { bytesOf } from "../core/packet.ts";
import { isUpload } from "../core/state.ts";
import type { Host, Photograph, Place, Program, Words } from "../core/host_types.ts";
import type { Opened, Rerun } from "../types.ts";
import { allKept, forget, keep, kept } from "./kept.ts";
import { isHeic, reduced } from "./pictures_reduce.ts";
import { loadScript } from "./scripts.ts";

// As much as the server takes; more is not sent at all.
const MOST_BYTES = 10 * 2 ** 20;
const PLACE_MS = 800;

/** What stands in the page of what there is to choose from. */
export interface Offer {
  gallery: Photograph[];
  networks: Host["networks"];
  plotly: string;
  lesson: string;
  compares: boolean;
  files?: string | null;
}

interface Answer extends Record<string, unknown> {
  ok: boolean;
  error?: string;
  values?: Record<string, string>;
}

/** Gradio's functions of the server, by name, and its way to send a file. */
export type Server = Record<string, (question: object) => Promise<Answer | null>>;
export type Upload = (file: File) => Promise<{ path?: string } | null>;

/** What went wrong, as the key of a sentence. */
function refusal(key: string, values?: Record<string, string>): Error & { key: string } {
  return Object.assign(new Error(key), { key, values });
}

/** The key of the sentence that says what went wrong, and what is filled in. */
export function refusalOf(error: unknown): { key: string; values?: Record<string, string> } {
  const { key = "error.failed", values } = (error ?? {}) as { key?: string; values?: Record<string, string> };
  return { key, values };
}

/** Say in the status line what went wrong. */
export function sayRefusal(viewer: { say(key: string, values?: Record<string, unknown>): string; status(text: string): void }, error: unknown): void {
  const { key, values } = refusalOf(error);
  viewer.status(viewer.say(key, values));
}

/** The photograph of the gallery that is open, if it is one. */
export const photographOf = ({ host, opened }: { host: Pick<Host, "gallery">; opened: Opened | null }): Photograph | undefined =>
  host.gallery.find(({ id }) => id === opened?.picture);

const isGone = (error: unknown) => (error as { key?: string }).key === "error.gone";
const isRefused = (error: unknown) => /^error\.IMG_/.test((error as { key?: string }).key ?? "");

/** The host of a page that a server sends. */
export function gradioHost({ gallery, networks, plotly, lesson, compares, files, server, upload, program }: Offer & {
  server: Server; upload: Upload; program: Program;
}): Host {
  const ask = async <T = Answer>(name: string, question: object): Promise<T> => {
    // Gradio turns every error of a server function into null.
    const answer = await server[name](question).catch(() => null);
    if (!answer) throw refusal("error.server");
    if (!answer.ok) throw refusal(answer.error ?? "error.failed", answer.values);
    return answer as T;
  };
  const uploads = new Map<string, { path: string }>();
  const sent = async (file: File): Promise<{ path: string }> => {
    const answer = await upload(file).catch(() => null);
    if (!answer?.path) throw refusal("error.server");
    return { path: answer.path };
  };
  /** What the server knows a picture by; one's own is sent again where only this browser has it. */
  const sourceOf = async (picture: string) => {
    if (!isUpload(picture)) return picture;
    let source = uploads.get(picture);
    if (!source) {
      const own = await kept(picture);
      if (!own) throw refusal("error.gone");
      source = await sent(own.file as File);
      uploads.set(picture, source);
    }
    return source;
  };
  const askAbout = async <T = Answer>(name: string, picture: string, question: object): Promise<T> => {
    const asked = async () => ask<T>(name, { source: await sourceOf(picture), ...question });
    return asked().catch(async (error: unknown) => {
      // What no network can read is not offered again.
      if (isUpload(picture) && isRefused(error)) await forget(picture);
      if (!isGone(error) || !uploads.delete(picture)) throw error;
      return asked();
    });
  };
  // The path alone: a proxy may show the page under another host than the server knows of.
  const settings = (window as { gradio_config?: { root?: string } }).gradio_config;
  const root = new URL(settings?.root || "/", location.href).pathname.replace(/\/$/, "");
  const urlOf = (file: string) => `${root}/gradio_api/file=${file}`;
  const fetched = async (file: string) => {
    const response = await fetch(urlOf(file)).catch(() => null);
    if (!response) throw refusal("error.server");
    if (!response.ok) throw refusal("error.gone");
    return response.arrayBuffer();
  };
  /** Let a picture be encoded; `tell` hears the place in line while others come before. */
  const encoded = async (picture: string, network: string, tell: (place: Place) => void) => {
    let waits = true;
    const timer = setInterval(async () => {
      const place = await server.place({}).catch(() => null);
      if (waits && place?.before) tell(place as Answer & Place);
    }, PLACE_MS);
    const { file } = await askAbout<{ file: string }>("encode", picture, { network }).finally(() => {
      waits = false;
      clearInterval(timer);
    });
    return fetched(file);
  };
  // Where no heads are there to be compared the page has no such view.
  const comparing: Partial<Host> = compares ? {
    methods: (language) => ask("methods", { language }),
    compare: (picture, network, place, methods) => askAbout("compare", picture, { network, ...place, methods }),
  } : {};
  return {
    program,
    gallery,
    networks,
    ...comparing,
    plotly: urlOf(plotly),
    files,
    async lesson() {
      await loadScript(urlOf(lesson)).catch(() => { throw refusal("error.server"); });
      return window.asaLesson!;
    },
    async words(language, part) {
      return (await ask<{ words: Words }>("words", { language, part })).words;
    },
    async packet(picture, network, tell = () => {}) {
      const stored = gallery.find(({ id }) => id === picture)?.stored ?? {};
      if (Object.hasOwn(stored, network)) return fetched(stored[network]);
      const asked = () => encoded(picture, network, tell);
      // A packet may have had to make room before it was fetched.
      return asked().catch((error: unknown) => {
        if (!isGone(error)) throw error;
        return asked();
      });
    },
    /** Send a picture of one's own, made smaller where it is large; says what it is called, and whether this browser keeps it. */
    async add(given) {
      const { file, from } = await reduced(given);
      if (file === given && (await isHeic(given))) throw refusal("error.IMG_HEIC");
      if (file.size > MOST_BYTES) throw refusal("error.IMG_BYTES");
      const source = await sent(file);
      const id = `upload:${Date.now().toString(36)}${uploads.size}`;
      uploads.set(id, source);
      // The bytes themselves: the file on the visitor's disk may change or go.
      const copy = new File([await file.arrayBuffer()], file.name, { type: file.type });
      return { id, isKept: await keep(id, { file: copy, from }) };
    },
    own: allKept,
    async forget() {
      await forget();
    },
    async rerun(picture, network, whatIf) {
      const answer = await askAbout<Omit<Rerun, "labels"> & { labels: string }>("rerun", picture, { network, what_if: whatIf });
      return { ...answer, labels: bytesOf(answer.labels) };
    },
    async qr(text) {
      return (await ask<{ svg: string }>("qr", { text })).svg;
    },
    pairPlane(picture, network, place, whatIf, language) {
      return askAbout("pair_plane", picture, { network, ...place, what_if: whatIf, language });
    },
  };
}
