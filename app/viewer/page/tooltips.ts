// Explanations that appear beside what they explain: the terms of the glossary and the titles of controls.

import { html, nothing, render } from "lit/html.js";
import { make } from "./dom.ts";

const EXPLAINED = "[data-term], [title]";
// A tap on these does something else than to explain.
const ACTING = "button, select, input, label, summary, a";
const WAIT_MS = 350, LEAVE_MS = 120, GAP = 6, MARGIN = 8;

interface Explaining {
  element: HTMLElement;
  say(key: string): string;
}

/**
 * Show what a term or a `title` says: after a moment under the pointer or with the focus, and after a tap.
 *
 * It stays while the pointer is over it; Escape, a press and scrolling take it away.
 */
export function connectTooltips(viewer: Explaining): void {
  const { element } = viewer;
  const tip = element.appendChild(make("div", "tooltip"));
  tip.setAttribute("role", "tooltip");
  tip.popover = "manual";
  let place: HTMLElement | null = null, title: string | null = null, timer = 0;

  /** What explains an element: that of a list is what explains its choice. */
  function explanation(of: HTMLElement): { name: string; text: string } | null {
    const chosen = of instanceof HTMLSelectElement ? of.selectedOptions[0] : of, { term } = chosen?.dataset ?? {};
    if (term) return { name: viewer.say(`term.${term}`), text: viewer.say(`term.${term}.text`) };
    return of.title ? { name: "", text: of.title } : null;
  }

  function aim(next: HTMLElement | null, wait: number): void {
    clearTimeout(timer);
    if (next === place) return;
    timer = window.setTimeout(() => {
      hide();
      if (next?.isConnected) show(next);
    }, wait);
  }

  function show(next: HTMLElement): void {
    const told = explanation(next);
    if (!told) return;
    place = next;
    // The browser would show it as well.
    title = next.getAttribute("title");
    next.removeAttribute("title");
    render(html`${told.name ? html`<b>${told.name}</b>` : nothing}<span>${told.text}</span>`, tip);
    tip.showPopover();
    const at = next.getBoundingClientRect(), { offsetWidth: width, offsetHeight: height } = tip;
    const below = at.bottom + GAP, isBelow = below + height + MARGIN <= innerHeight;
    tip.style.left = `${Math.max(MARGIN, Math.min(at.left, innerWidth - width - MARGIN))}px`;
    tip.style.top = `${isBelow ? below : Math.max(MARGIN, at.top - GAP - height)}px`;
  }

  function hide(): void {
    clearTimeout(timer);
    if (!place) return;
    // It may have been given another one meanwhile.
    if (title !== null && !place.hasAttribute("title")) place.setAttribute("title", title);
    place = null;
    tip.hidePopover();
  }

  const explainedAt = (target: EventTarget | null) => {
    const found = target instanceof Element ? target.closest<HTMLElement>(`select, ${EXPLAINED}`) : null;
    return found && explanation(found) ? found : found === place ? place : null;
  };
  element.addEventListener("pointerover", ({ target, pointerType }) => {
    if (pointerType === "touch") return;
    if (target instanceof Node && tip.contains(target)) return clearTimeout(timer);
    const next = explainedAt(target);
    aim(next, next ? WAIT_MS : LEAVE_MS);
  });
  element.addEventListener("pointerleave", () => aim(null, LEAVE_MS));
  element.addEventListener("focusin", ({ target }) => {
    if (target instanceof HTMLElement && target.matches(":focus-visible")) aim(explainedAt(target), WAIT_MS);
  });
  element.addEventListener("focusout", () => aim(null, LEAVE_MS));
  element.addEventListener("pointerdown", hide);
  element.addEventListener("click", ({ target }) => {
    const found = target instanceof Element ? target.closest<HTMLElement>("[data-term]") : null;
    if (found && !found.closest(ACTING)) show(found);
  });
  document.addEventListener("keydown", ({ key }) => { if (key === "Escape") hide(); });
  document.addEventListener("scroll", hide, { capture: true, passive: true });
}
