// What holds at every visit: the language and the theme that were chosen, and what has been seen.

import { LANGUAGES } from "../core/state.ts";
import { preferredLanguage } from "../core/texts.ts";
import type { Events } from "../types.ts";

const LANGUAGE = "asa-viz language", THEME = "asa-viz theme";

/** The text under a name in a store of the browser; null where there is none, or the browser keeps nothing. */
function read(store: "localStorage" | "sessionStorage", name: string): string | null {
  try {
    return window[store].getItem(name);
  } catch {
    return null;
  }
}

/** Keep a text under a name, or none. */
function write(store: "localStorage" | "sessionStorage", name: string, text: string | null): void {
  try {
    if (text === null) window[store].removeItem(name);
    else window[store].setItem(name, text);
  } catch {
    // Private windows and frames may keep nothing.
  }
}

/** Whether something was noted at a visit before; a browser that keeps nothing, as in many private windows, never knows. */
export const isNoted = (name: string): boolean => read("localStorage", `asa-viz ${name}`) !== null;

/** Note something for all later visits. */
export const note = (name: string): void => write("localStorage", `asa-viz ${name}`, "1");

/**
 * The language that the page begins in: the one that a link asks for, which then holds in this tab, or the one that was chosen
 * at a visit before, or what the browser prefers.
 */
export function firstLanguage(asked: string | null | undefined): string {
  if (asked) write("sessionStorage", LANGUAGE, asked);
  const known = [asked, read("sessionStorage", LANGUAGE), read("localStorage", LANGUAGE)];
  return known.find((each) => each && LANGUAGES.includes(each)) ?? preferredLanguage(navigator.languages);
}

/** Remember a language once it is chosen. */
export function rememberLanguage(element: HTMLElement): void {
  element.addEventListener("asa:state", (event) => {
    const { state, before } = (event as CustomEvent<Events["asa:state"]>).detail;
    if (state.language === before.language) return;
    write("localStorage", LANGUAGE, state.language);
    write("sessionStorage", LANGUAGE, null);
  });
}

/** Let the page have the theme that was chosen at a visit before; where none was, it has that of the system. */
export function applyTheme(): void {
  const theme = read("localStorage", THEME);
  // Gradio's own switch: everything takes its colours from this class.
  if (theme) document.body.classList.toggle("dark", theme === "dark");
}

/** Keep the chosen theme where the system changes its own, to which Gradio listens too, and before. */
export function keepTheme(): void {
  applyTheme();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", applyTheme);
}

/** Change between light and dark, and remember it. */
export function switchTheme(): void {
  const isDark = document.body.classList.toggle("dark");
  write("localStorage", THEME, isDark ? "dark" : "light");
  window.dispatchEvent(new Event("resize"));
}
