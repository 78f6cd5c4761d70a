// A group of controls as one Tab stop.

const STEPS: Record<string, number> = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
// In a field that is chosen from, these keys choose.
const OF_A_SELECT = ["ArrowDown", "ArrowUp", "Home", "End"];

/**
 * Make the controls of `group` that match `selector` one Tab stop; arrows, Home and End go between them.
 *
 * The stop is the current or selected control where the group has one, else the one that had the focus last. `choose` is called
 * with the control that a key leads to: where it is given, the choice follows the focus.
 */
export function oneStop(group: HTMLElement, selector = "button", choose?: (control: HTMLElement) => void): void {
  let last: HTMLElement | null = null;
  const able = () => [...group.querySelectorAll<HTMLElement>(selector)].filter((each) => !each.hidden && !each.matches(":disabled"));

  function settle(): void {
    const all = able();
    const stop = all.find((each) => each === document.activeElement) ?? all.find((each) => each.ariaCurrent ?? each.ariaSelected === "true")
      ?? all.find((each) => each === last) ?? all[0];
    for (const each of all) each.tabIndex = each === stop ? 0 : -1;
  }

  new MutationObserver(settle).observe(group, {
    childList: true, subtree: true, attributes: true, attributeFilter: ["hidden", "disabled", "aria-current", "aria-selected"],
  });
  group.addEventListener("focusin", ({ target }) => {
    if (!(target instanceof HTMLElement) || !target.matches(selector)) return;
    last = target;
    settle();
  });
  group.addEventListener("keydown", (event) => {
    const { key, target, ctrlKey, metaKey, altKey } = event;
    if (event.defaultPrevented || ctrlKey || metaKey || altKey || !(target instanceof HTMLElement)) return;
    if (target instanceof HTMLSelectElement && OF_A_SELECT.includes(key)) return;
    // What the style hides cannot have the focus.
    const all = able().filter((each) => each.getClientRects().length), here = all.indexOf(target);
    const next = here < 0 ? undefined : key === "Home" ? all[0] : key === "End" ? all.at(-1)
      : STEPS[key] ? all[(here + STEPS[key] + all.length) % all.length] : undefined;
    if (!next) return;
    event.preventDefault();
    next.focus();
    choose?.(next);
  });
  settle();
}
