// The viewer as an MCP app (SEP-1865, version 2026-01-26): it stands in a frame of a host, such as a chat, and
// shows the picture and the pixel of one call of the tool `attention`. app/mcp_app.py makes the page.

import { AS_TRAINED } from "../core/attention.ts";
import { cellOf, centreOf } from "../core/geometry.ts";
import { bytesOf, readPacket } from "../core/packet.ts";
import { START, toQueryString } from "../core/state.ts";
import { preferredLanguage, Texts } from "../core/texts.ts";
import type { Program, Words } from "../core/host_types.ts";
import type { LessonProgram } from "../lesson/lesson_types.ts";
import type { Pixel, WhatIf } from "../types.ts";
import { HostLine, type Named } from "./host.ts";

const VERSION = "2026-01-26";
// The panels are as high as their window allows: a window as high as the page would grow without end.
const HEIGHT = 900;
// The names that picture and network have in a page that holds one of each.
const PICTURE = "picture", NETWORK = "network";

/** What stands in the page: programs, the words of every language, the networks, and the tool that gives packets. */
export interface Given {
  element: HTMLElement;
  program: Program;
  lesson: LessonProgram;
  words: Record<string, Words>;
  networks: { name: string; title: string }[];
  tool: string;
}

interface Context {
  theme?: "light" | "dark";
  locale?: string;
}

interface ToolResult {
  isError?: boolean;
  content?: { type: string; text?: string }[];
}

/** Shake hands with the host, and show what it says of the tool's call. */
export async function start({ element, program, lesson, words, networks, tool }: Given): Promise<void> {
  let texts = new Texts("en", words.en), asked: Named | null = null, told: ToolResult | null = null, isShown = false;
  let mayCall = false;
  const say = (text: string) => {
    if (!isShown) element.replaceChildren(Object.assign(document.createElement("p"), { role: "status", textContent: text }));
  };

  /** Put on the host's colours, and speak its language. */
  function dress({ theme, locale }: Context): void {
    if (theme) document.body.classList.toggle("dark", theme === "dark");
    if (!locale || isShown) return;
    const language = preferredLanguage([locale]);
    texts = new Texts(language, words[language]);
    document.documentElement.lang = language;
  }

  /** Fetch the picture that was asked about and show it, once question and answer are there. */
  async function show(): Promise<void> {
    if (!asked || !told || isShown) return;
    if (told.isError) return say(textOf(told));
    if (!mayCall) return say(texts.say("mcp.no_calls"));
    try {
      const { picture, network = networks[0].name } = asked;
      const answer = await line.ask<ToolResult>("tools/call", { name: tool, arguments: { picture, network } });
      if (answer.isError) throw new Error(textOf(answer));
      const packet = bytesOf(textOf(answer)).buffer, query = queryOf(packet, asked);
      const { language } = texts, whatIf = ruleOf(asked);
      const state = { ...START, picture: PICTURE, network: NETWORK, query, locked: true, language, whatIf };
      isShown = true;
      element.replaceChildren();
      program("offline", {
        element, packet, program, lesson, language, words: texts.words, isThreadless: true,
        networkTitle: networks.find(({ name }) => name === network)?.title ?? network,
        state: { picture: PICTURE, network: NETWORK, query, words: toQueryString(state) },
      });
    } catch (error) {
      say(texts.say("mcp.failed", { reason: (error as Error).message }));
    }
  }

  const line = new HostLine(window.parent, {
    "ui/notifications/tool-input": (params) => { asked = (params.arguments ?? {}) as Named; show(); },
    "ui/notifications/tool-result": (params) => { told = params as ToolResult; show(); },
    "ui/notifications/tool-cancelled": () => say(texts.say("mcp.cancelled")),
    "ui/notifications/host-context-changed": dress,
  });
  const host = await line.ask<{ hostContext?: Context; hostCapabilities?: { serverTools?: object } }>("ui/initialize", {
    protocolVersion: VERSION,
    appInfo: { name: "asa-viz", version: "1" },
    appCapabilities: { availableDisplayModes: ["inline", "fullscreen"] },
  });
  mayCall = Boolean(host.hostCapabilities?.serverTools);
  dress(host.hostContext ?? {});
  say(texts.say("mcp.waiting"));
  line.tell("ui/notifications/initialized", {});
  line.tell("ui/notifications/size-changed", { width: document.documentElement.clientWidth, height: HEIGHT });
}

const textOf = ({ content = [] }: ToolResult) => content.find(({ type }) => type === "text")?.text ?? "";

/** The pixel that was asked about, in the picture as the viewer has it: one with fewer pixels than cells is enlarged. */
function queryOf(packet: ArrayBuffer, { x, y }: Named): Pixel {
  const session = readPacket(packet), { lattice, imageHeight, imageWidth } = session, pixel: Pixel = [Number(x), Number(y)];
  if (lattice === 1) return pixel;
  const own = { ...session, imageHeight: imageHeight / lattice, imageWidth: imageWidth / lattice };
  return centreOf(session, cellOf(own, pixel));
}

/** The rule of the question, by the viewer's names; what is left out is as trained. */
function ruleOf(asked: Named): WhatIf {
  const { nonlocalFactor, localFactor, reciprocity, localRule, window, topK } = AS_TRAINED;
  const given = <T>(name: string, trained: T) => (asked[name] ?? trained) as T;
  return {
    nonlocalFactor: given("nonlocal_factor", nonlocalFactor),
    localFactor: given("local_factor", localFactor),
    reciprocity: given("reciprocity", reciprocity),
    localRule: given("local_rule", localRule),
    window: given("window", window),
    topK: given("top_k", topK),
  };
}
