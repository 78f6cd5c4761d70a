// The controls: what is chosen in them goes into the state, and what the state holds stands in them.

import { AS_TRAINED, isChanged } from "../core/attention.ts";
import { make } from "./dom.ts";
import { TOP_KS } from "../core/maps.ts";
import { heldEnds } from "../draw/scenes.ts";
import { connectBack } from "./back.ts";
import { connectPhone, type OnPhone } from "./phone.ts";
import { connectAbout } from "./pictures_about.ts";
import { connectOwn } from "./pictures_own.ts";
import { oneStop } from "./roving.ts";
import { rememberLanguage, switchTheme } from "./remembered.ts";
import { twinOf } from "./twins.ts";
import { number, percent, type Texts } from "../core/texts.ts";
import type { Host } from "../core/host_types.ts";
import type { Events, Opened, State, WhatIf, Zoom } from "../types.ts";
import type { Store } from "../core/state.ts";

type How = { recorded?: boolean; passing?: boolean };
type Control = HTMLInputElement | HTMLSelectElement;

/** What the controls need of the viewer. */
export interface Controlled extends OnPhone {
  host: Host;
  store: Store;
  texts: Texts;
  opened?: Opened | null;
  choose(picture: string): void;
  add(file: File): void;
  setRule(whatIf: WhatIf, how?: How): void;
  asTrained(): void;
  runAgain(): void;
  zoom(zoom: Zoom): void;
  zoomBy(factor: number): void;
}

/** Let every control change the state, and show it. */
export function connectControls(viewer: Controlled): void {
  buildGallery(viewer);
  buildNetworks(viewer);
  for (const k of TOP_KS) {
    const option = make("option", "", {}, String(k));
    option.value = String(k);
    viewer.find('[data-what-if="topK"]').append(option);
  }
  viewer.element.addEventListener("input", ({ target }) => change(viewer, target as Control, { passing: true }));
  viewer.element.addEventListener("change", ({ target }) => change(viewer, target as Control, { recorded: true }));
  viewer.element.addEventListener("click", ({ target }) => {
    const button = target instanceof Element ? target.closest<HTMLElement>("[data-do]") : null;
    ACTIONS[button?.dataset.do ?? ""]?.(viewer);
  });
  for (const event of ["asa:language", "asa:opened"]) viewer.element.addEventListener(event, () => show(viewer));
  viewer.element.addEventListener("asa:state", (event) => {
    const { state, before } = (event as CustomEvent<Events["asa:state"]>).detail;
    // The pointer moves a free query all the time, and no control shows it.
    const names = Object.keys(state) as (keyof State)[];
    const moved = !state.locked && names.every((name) => name === "query" || state[name] === before[name]);
    if (!moved) show(viewer);
  });
  connectFiles(viewer);
  connectKeyboard(viewer);
  connectOwn(viewer);
  connectAbout(viewer);
  connectPhone(viewer, connectBack(viewer));
  if (!viewer.host.fixed) rememberLanguage(viewer.element);
  queueMicrotask(() => show(viewer));
}

const ACTIONS: Record<string, (viewer: Controlled) => void> = {
  undo: (viewer) => viewer.store.undo(),
  redo: (viewer) => viewer.store.redo(),
  rerun: (viewer) => viewer.runAgain(),
  "as-trained": (viewer) => viewer.asTrained(),
  "zoom-in": (viewer) => viewer.zoomBy(1.5),
  "zoom-out": (viewer) => viewer.zoomBy(1 / 1.5),
  "zoom-all": (viewer) => viewer.zoom([1, 0, 0]),
  theme: switchTheme,
};

function buildGallery(viewer: Controlled): void {
  if (viewer.host.fixed) return;
  const gallery = viewer.find(".gallery");
  for (const { id, thumbnail } of viewer.host.gallery) {
    const button = make("button", "thumbnail", { picture: id, title: `gallery.${id}`, label: `gallery.${id}` });
    button.type = "button";
    const image = make("img");
    image.src = thumbnail ?? "";
    image.alt = "";
    button.append(image);
    button.addEventListener("click", () => viewer.choose(id));
    gallery.append(button);
  }
}

function buildNetworks(viewer: Controlled): void {
  const { networks } = viewer.host, parts = networks.map(({ title }) => title.split(", "));
  // The column is narrow: what all of them are is left out.
  const isTelling = (part: string) => parts.length === 1 || !parts.every((each) => each.includes(part));
  networks.forEach(({ name, title }, k) => {
    const option = make("option", "", {}, parts[k].filter(isTelling).join(", ") || title);
    option.value = name;
    option.title = title;
    viewer.find('[data-set="network"]').append(option);
  });
}

/** Let the first Tab lead to a link to the photo, and groups of buttons be one stop each. */
function connectKeyboard(viewer: Controlled): void {
  const { canvas } = viewer.panels.photo;
  canvas.id = "asa-photo";
  viewer.find(".skip").addEventListener("click", (event) => {
    // The address is that of the state.
    event.preventDefault();
    canvas.focus();
  });
  oneStop(viewer.find(".tools"), "button, select, a");
  oneStop(viewer.find(".gallery"), "button");
  for (const group of viewer.element.querySelectorAll<HTMLElement>(".pins, .history, .caption, .zoom")) oneStop(group);
}

/** A picture comes by the button, by dropping it on the page, or from the clipboard. */
function connectFiles(viewer: Controlled): void {
  if (!viewer.host.add) return;
  const open = (files?: FileList) => {
    if (files?.[0]) viewer.add(files[0]);
  };
  for (const input of viewer.element.querySelectorAll<HTMLInputElement>('input[type="file"]')) {
    input.addEventListener("change", () => {
      open(input.files ?? undefined);
      // The same file chosen again is another wish.
      input.value = "";
    });
  }
  viewer.element.addEventListener("dragover", (event) => event.preventDefault());
  viewer.element.addEventListener("drop", (event) => {
    event.preventDefault();
    open(event.dataTransfer?.files);
  });
  window.addEventListener("paste", ({ clipboardData }) => {
    const image = [...clipboardData?.files ?? []].find(({ type }) => type.startsWith("image/"));
    if (image) viewer.add(image);
  });
}

/** Take over what was chosen in a control that names a part of the state. */
function change(viewer: Controlled, target: Control, how: How): void {
  const { set } = target.dataset, whatIf = target.dataset.whatIf as keyof WhatIf | undefined;
  if (how.passing && target.type !== "range") return;
  if (set === "hold") viewer.store.set({ hold: isChecked(target) ? heldEnds(viewer.scenes) as State["hold"] : null }, how);
  else if (set) viewer.store.set({ [set]: valueOf(target, viewer.state[set as keyof State]) }, how);
  if (whatIf) {
    const value = valueOf(target, AS_TRAINED[whatIf]);
    const trained = whatIf === "window" && value === viewer.session?.window ? null : value;
    viewer.setRule({ ...viewer.state.whatIf, [whatIf]: trained }, how);
  }
}

const isChecked = (control: Control) => control instanceof HTMLInputElement && control.checked;

/** What is chosen in a control, of the type that the value `like` has. */
function valueOf(target: Control, like: unknown): string | number | boolean | null | undefined {
  if (target.type === "checkbox") {
    const { on, off } = target.dataset, checked = isChecked(target);
    return on ? (checked ? on : off) : checked;
  }
  if (target.type === "range" || typeof like === "number" || target.dataset.set === "strength") return Number(target.value);
  if (like === null && target.dataset.whatIf) return target.value === "" ? null : Number(target.value);
  return target.value;
}

/** Let every control show the state. */
function show(viewer: Controlled): void {
  const { state } = viewer;
  for (const control of viewer.element.querySelectorAll<Control>('[data-set]:not([data-set="strength"])')) {
    put(control, state[control.dataset.set as keyof State]);
  }
  for (const control of viewer.element.querySelectorAll<Control>("[data-what-if]")) {
    const name = control.dataset.whatIf as keyof WhatIf;
    const value = state.whatIf[name] ?? (name === "window" ? viewer.session?.window : "");
    put(control, value);
    if (name === "nonlocalFactor" || name === "localFactor") control.disabled = !viewer.session?.learned || (name === "nonlocalFactor" && Boolean(state.whatIf.topK));
  }
  for (const button of viewer.element.querySelectorAll<HTMLElement>(".thumbnail")) {
    button.setAttribute("aria-pressed", String(button.dataset.picture === state.picture));
  }
  const disable = (name: string, disabled: boolean) => {
    for (const button of viewer.element.querySelectorAll<HTMLButtonElement>(`[data-do="${name}"]`)) {
      // A button that is disabled under the focus would let it fall to the page's top.
      if (disabled && button === document.activeElement) viewer.panels.photo.canvas.focus();
      button.disabled = disabled;
    }
  };
  const changed = isChanged(state.whatIf);
  disable("undo", !viewer.store.past.length);
  disable("redo", !viewer.store.future.length);
  disable("rerun", !changed || !viewer.host.rerun);
  disable("as-trained", !changed);
  viewer.find(".badge").hidden = !changed;
  // Known before there is a session: nothing moves when that comes.
  viewer.find(".twin").hidden = !twinOf(state.network, viewer.host.networks);
}

/** Let a control show a value. */
function put(control: Control, value: unknown): void {
  const output = control.closest("label")?.querySelector("output");
  if (control instanceof HTMLInputElement && control.type === "checkbox") {
    control.checked = control.dataset.on ? value === control.dataset.on : Boolean(value);
  } else if (control instanceof HTMLInputElement && control.type === "radio") control.checked = control.value === value;
  else if (control.value !== String(value)) control.value = String(value);
  if (output) output.textContent = control.dataset.set === "opacity" ? percent(Number(value)) : `× ${number(Number(value))}`;
}
