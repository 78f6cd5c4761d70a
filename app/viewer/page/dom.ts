// Making elements, scrolling strips, telling whether anything may move, and telling the keys of the page from what is typed.

const ELSEWHERE = "input, select, textarea, [contenteditable], dialog";

/** An element with a class, data attributes and a text. */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag, className = "", data: Record<string, string | number> = {}, text = "",
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  if (className) element.className = className;
  for (const [name, value] of Object.entries(data)) element.dataset[name] = String(value);
  if (text) element.textContent = text;
  return element;
}

/** Whether a key is meant for the page: pressed alone, and outside of fields and dialogs. */
export function isPlainKey({ target, ctrlKey, metaKey, altKey }: KeyboardEvent): boolean {
  return !ctrlKey && !metaKey && !altKey && !(target as HTMLElement).closest?.(ELSEWHERE);
}

/** Whether nothing shall move by itself. */
export const isCalm = (): boolean => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Scroll a strip so far across that an item of it stands in its middle. */
export function centre(strip: HTMLElement, item: HTMLElement): void {
  const [outer, inner] = [strip.getBoundingClientRect(), item.getBoundingClientRect()];
  strip.scrollLeft += inner.left - outer.left - (strip.clientWidth - inner.width) / 2;
}
