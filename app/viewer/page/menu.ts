// A button that opens and closes a menu of ordinary controls.

const STEPS: Record<string, number> = { ArrowDown: 1, ArrowUp: -1 };

/**
 * Let `button` open and close `menu`; `opening` is called before it opens.
 *
 * Escape, a click elsewhere and the button close it, and so does Tab when it leads out of it.
 * Arrow keys go round its controls.
 */
export function openAndClose(button: HTMLElement, menu: HTMLElement, opening = () => {}): { close: () => void } {
  const show = (open: boolean) => {
    if (open) opening();
    menu.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
  };
  const controls = () => [...menu.querySelectorAll<HTMLButtonElement | HTMLSelectElement | HTMLInputElement>("button, select, input")].filter((each) => !each.disabled);
  const isInside = (node: EventTarget | null) => node instanceof Node && (menu.contains(node) || button.contains(node));

  button.addEventListener("click", () => {
    show(menu.hidden === true);
    if (!menu.hidden) controls()[0]?.focus();
  });
  document.addEventListener("pointerdown", ({ target }) => {
    if (!menu.hidden && !isInside(target)) show(false);
  });
  for (const element of [button, menu]) {
    element.addEventListener("focusout", ({ relatedTarget }) => {
      if (!menu.hidden && relatedTarget && !isInside(relatedTarget)) show(false);
    });
    element.addEventListener("keydown", act);
  }

  function act(event: KeyboardEvent): void {
    const { key, target } = event;
    if (menu.hidden || !(target instanceof HTMLElement)) return;
    if (key === "Escape") {
      show(false);
      button.focus();
    } else if (STEPS[key] && target.tagName !== "SELECT" && target.tagName !== "INPUT") {
      const all = controls(), place = all.findIndex((each) => each === target);
      all.at((place + STEPS[key]) % all.length)?.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
  return { close: () => show(false) };
}
