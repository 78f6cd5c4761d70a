// Frames the panels and controls that a step of the lesson speaks of.

const CLASS = "in-spotlight";

/**
 * Frame what the selectors name under `root`, and nothing else; a control that is folded away is unfolded or its opener framed.
 * Returns whether other panels are framed than before.
 */
export function spotlight(root: HTMLElement, selectors: readonly string[]): boolean {
  const panels = () => [...root.querySelectorAll<HTMLElement>(`.panel.${CLASS}`)].map(({ dataset }) => dataset.panel).join();
  const before = panels();
  const targets = selectors.flatMap((selector) => {
    const found = root.querySelector<HTMLElement>(selector);
    return found ? [visibleFor(root, found)] : [];
  });
  for (const old of root.querySelectorAll(`.${CLASS}`)) if (!targets.includes(old as HTMLElement)) old.classList.remove(CLASS);
  for (const target of targets) target.classList.add(CLASS);
  root.classList.toggle("has-lit-panel", targets.some((target) => target.matches(".panel")));
  // The panels stay where they are; a control may lie below them. Over a sheet the panel is looked at.
  const first = (isSheet(root) && targets.find((target) => target.matches(".panel"))) || targets[0];
  if (first && !isInView(root, first)) first.scrollIntoView({ block: isSheet(root) ? "start" : "nearest" });
  return panels() !== before;
}

/** The element to frame for a target: its label, or what opens the menu that it lies in. */
function visibleFor(root: HTMLElement, target: HTMLElement): HTMLElement {
  const folded = target.closest("details:not([open])");
  if (folded) (folded as HTMLDetailsElement).open = true;
  const hidden = target.closest<HTMLElement>("[hidden], [popover]:not(:popover-open)");
  const opener = hidden?.id
    ? root.querySelector<HTMLElement>(`[aria-controls="${hidden.id}"], [popovertarget="${hidden.id}"]`) : null;
  // On a phone controls lie in sheets.
  const place = target.getClientRects().length ? null : target.closest(".choose, .said");
  const sheet = place && root.querySelector<HTMLElement>(`.phone .phone-bar [data-sheet="${place.matches(".said") ? "numbers" : "rule"}"]`);
  return opener ?? sheet ?? target.closest<HTMLElement>("label") ?? target;
}

function isInView(root: HTMLElement, element: HTMLElement): boolean {
  const { top, bottom } = element.getBoundingClientRect(), dock = root.querySelector(".lesson");
  return top >= 0 && bottom <= (dock && isSheet(root) ? dock.getBoundingClientRect().top : window.innerHeight);
}

/** Whether the lesson covers the lower part of the screen, or on a phone half of it. */
function isSheet(root: HTMLElement): boolean {
  return root.matches(".phone") || root.querySelector(".lesson")?.getBoundingClientRect().left === 0;
}
