// Making elements.

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
