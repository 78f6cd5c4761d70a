// Where pictures, words and answers come from, and the workers and programs that compute them.

import type { LessonProgram } from "../lesson/lesson_types.ts";
import type { Pixel, Rerun, WhatIf } from "../types.ts";

/** The words of one language, by key. */
export type Words = Record<string, string>;

/** What words belong to: the page, or the lesson's program, which is loaded on demand. */
export type WordsPart = "page" | "lesson";

/** A photograph of the gallery; `stored` names the files of its packets, by network. */
export interface Photograph {
  id: string;
  thumbnail?: string;
  /** Whose photograph it is, and its licence. */
  credit?: string;
  /** Pixels whose rows tell something; the dictionary says what. */
  looks?: Pixel[];
  stored?: Record<string, string>;
}

/** Where pictures, words and answers come from: a server, or a saved file (`fixed`). */
export interface Host {
  fixed?: boolean;
  /** A thread in the background is forbidden as a rule, and its absence not worth a word. */
  isThreadless?: boolean;
  /** The function that all of the viewer stands in. */
  program: Program;
  gallery: Photograph[];
  /** `sure`: below this mean probability of its classes a picture is far from what the network knows. */
  networks: { name: string; title: string; sure?: number | null; twin?: string | null }[];
  plotly?: string;
  /** Where the files of this server's program can be read, where they are public. */
  files?: string | null;
  packet(picture: string, network: string, tell?: (place: Place) => void): Promise<ArrayBuffer>;
  words(language: string, part: WordsPart): Promise<Words>;
  /** The lesson's program, which is another than the page's. */
  lesson(): Promise<LessonProgram>;
  add?(file: File): Promise<{ id: string; isKept: boolean }>;
  /** The visitor's own pictures that this browser keeps, the oldest first. */
  own?(): Promise<{ id: string; file: Blob; from: [width: number, height: number] | null }[]>;
  /** Keep none of them any longer. */
  forget?(): Promise<void>;
  rerun?(picture: string, network: string, whatIf: WhatIf): Promise<Rerun>;
  /** A QR code of a link, as SVG. */
  qr?(text: string): Promise<string>;
  pairPlane?(picture: string, network: string, place: Placed, whatIf: WhatIf, language: string): Promise<{ figure: string }>;
  methods?(language: string): Promise<unknown>;
  compare?(picture: string, network: string, place: Placed, methods: string[]): Promise<unknown>;
}

/** How many visitors come before, and for about how long. */
export interface Place {
  before: number;
  seconds: number;
}

/** A pixel as the server is asked about it. */
export interface Placed {
  pixel: Pixel;
  lattice: number;
}

/** The whole viewer as one function, by its role: the page, a saved file, or the worker. */
export type Program = (role: string, given: unknown) => unknown;

/** What a worker has, and whatever stands for one. */
export interface Port {
  postMessage(message: unknown): void;
  onmessage: ((event: MessageEvent) => void) | null;
  onerror?: ((event: ErrorEvent) => void) | null;
  terminate?(): void;
}
