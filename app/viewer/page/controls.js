// The controls: what is chosen in them goes into the state, and what the state holds stands in them.

import { AS_TRAINED, isChanged } from "../core/attention.ts";
import { make } from "./dom.ts";
import { TOP_KS } from "../core/maps.ts";
import { heldEnds } from "../draw/scenes.ts";
import { number, percent } from "../core/texts.ts";

export function connectControls(viewer) {
  buildGallery(viewer);
  buildNetworks(viewer);
  for (const k of TOP_KS) {
    const option = make("option", "", {}, String(k));
    option.value = k;
    viewer.find('[data-what-if="topK"]').append(option);
  }
  viewer.element.addEventListener("input", ({ target }) => change(viewer, target, { passing: true }));
  viewer.element.addEventListener("change", ({ target }) => change(viewer, target, { recorded: true }));
  viewer.element.addEventListener("click", ({ target }) => {
    const { do: name } = target.closest?.("[data-do]")?.dataset ?? {};
    ACTIONS[name]?.(viewer);
  });
  for (const event of ["asa:language", "asa:opened"]) viewer.element.addEventListener(event, () => show(viewer));
  viewer.element.addEventListener("asa:state", ({ detail: { state, before } }) => {
    // The pointer moves a free query all the time, and no control shows it.
    const moved = !state.locked && Object.keys(state).every((name) => name === "query" || state[name] === before[name]);
    if (!moved) show(viewer);
  });
  connectFiles(viewer);
  queueMicrotask(() => show(viewer));
}

const ACTIONS = {
  undo: (viewer) => viewer.store.undo(),
  redo: (viewer) => viewer.store.redo(),
  rerun: (viewer) => viewer.runAgain(),
  "as-trained": (viewer) => viewer.asTrained(),
  "zoom-in": (viewer) => viewer.zoomBy(1.5),
  "zoom-out": (viewer) => viewer.zoomBy(1 / 1.5),
  "zoom-all": (viewer) => viewer.zoom([1, 0, 0]),
  theme() {
    // Gradio's own switch: everything takes its colours from this class.
    document.body.classList.toggle("dark");
    window.dispatchEvent(new Event("resize"));
  },
};

function buildGallery(viewer) {
  if (viewer.host.fixed) return;
  const gallery = viewer.find(".gallery");
  for (const { id, thumbnail } of viewer.host.gallery) {
    const button = make("button", "thumbnail", { picture: id, title: `gallery.${id}`, label: `gallery.${id}` });
    button.type = "button";
    const image = make("img");
    image.src = thumbnail;
    image.alt = "";
    button.append(image);
    button.addEventListener("click", () => viewer.choose(id));
    gallery.append(button);
  }
}

function buildNetworks(viewer) {
  for (const { name, title } of viewer.host.networks) {
    const label = make("label", "check");
    const input = make("input", "", { set: "network" });
    Object.assign(input, { type: "radio", name: "network", value: name });
    label.append(input, ` ${title}`);
    viewer.find(".networks").append(label);
  }
}

/** A picture comes by the button, by dropping it on the page, or from the clipboard. */
function connectFiles(viewer) {
  if (!viewer.host.add) return;
  const input = viewer.find('input[type="file"]');
  input.addEventListener("change", () => {
    if (input.files[0]) viewer.add(input.files[0]);
    // The same file chosen again is another wish.
    input.value = "";
  });
  viewer.element.addEventListener("dragover", (event) => event.preventDefault());
  viewer.element.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files[0]) viewer.add(event.dataTransfer.files[0]);
  });
  window.addEventListener("paste", ({ clipboardData }) => {
    const image = [...clipboardData.files].find(({ type }) => type.startsWith("image/"));
    if (image) viewer.add(image);
  });
}

/** Take over what was chosen in a control that names a part of the state. */
function change(viewer, target, how) {
  const { set, whatIf } = target.dataset;
  if (how.passing && target.type !== "range") return;
  if (set === "hold") viewer.store.set({ hold: target.checked ? heldEnds(viewer.scenes) : null }, how);
  else if (set) viewer.store.set({ [set]: valueOf(target, viewer.state[set]) }, how);
  if (whatIf) {
    const value = valueOf(target, AS_TRAINED[whatIf]);
    const trained = whatIf === "window" && value === viewer.session?.window ? null : value;
    viewer.setRule({ ...viewer.state.whatIf, [whatIf]: trained }, how);
  }
}

function valueOf(target, like) {
  if (target.type === "checkbox") {
    const { on, off } = target.dataset;
    return on ? (target.checked ? on : off) : target.checked;
  }
  if (target.type === "range" || typeof like === "number" || target.dataset.set === "strength") return Number(target.value);
  if (like === null && target.dataset.whatIf) return target.value === "" ? null : Number(target.value);
  return target.value;
}

/** Let every control show the state. */
function show(viewer) {
  const { state } = viewer;
  for (const control of viewer.element.querySelectorAll('[data-set]:not([data-set="strength"])')) put(control, state[control.dataset.set]);
  for (const control of viewer.element.querySelectorAll("[data-what-if]")) {
    const { whatIf: name } = control.dataset;
    const value = state.whatIf[name] ?? (name === "window" ? viewer.session?.window : "");
    put(control, value);
    if (name === "nonlocal" || name === "local") control.disabled = !viewer.session?.learned || (name === "nonlocal" && Boolean(state.whatIf.topK));
  }
  for (const button of viewer.element.querySelectorAll(".thumbnail")) {
    button.setAttribute("aria-pressed", String(button.dataset.picture === state.picture));
  }
  const disable = (name, disabled) => {
    for (const button of viewer.element.querySelectorAll(`[data-do="${name}"]`)) {
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
}

function put(control, value) {
  const output = control.closest("label")?.querySelector("output");
  if (control.type === "checkbox") control.checked = control.dataset.on ? value === control.dataset.on : value;
  else if (control.type === "radio") control.checked = control.value === value;
  else if (control.value !== String(value)) control.value = value;
  if (output) output.textContent = control.dataset.set === "opacity" ? percent(value) : `× ${number(value)}`;
}
