// The menu of what can be taken along: pictures, numbers, and the whole viewer as one file.

import { fileName, linkOf, manifestOf, networkTitle, titleOf } from "./account.js";
import { looksOf } from "../page/captions.ts";
import { make } from "../page/dom.ts";
import { arraysNpz, neighboursCsv } from "./data.js";
import { connectLink } from "../page/link.ts";
import { openAndClose } from "../page/menu.ts";
import { withTexts } from "./png.ts";
import { savedPage } from "./saved.js";
import { PANELS } from "../draw/scenes.ts";
import { sheetOf } from "./sheet.js";
import { canvasSurface, embedded, measurer, svgSurface } from "./surfaces.js";

const DENSITY = 2;
// How long a browser may take to begin reading what it saves.
const KEPT = 60_000;

const MAKERS = { png: pngFile, svg: svgFile, csv: csvFile, npz: npzFile, html: htmlFile };

/** Fill the export menu, and let its button and the link's button work. */
export function connectExport(viewer) {
  const button = viewer.find('[data-do="export"]'), menu = viewer.find('[data-menu="export"]');
  const panels = make("select");
  for (const name of ["all", ...PANELS]) panels.append(Object.assign(make("option"), { value: name }));
  const label = make("label");
  label.append(make("span", "", { text: "export.panels" }), " ", panels);
  menu.append(
    group("export.pictures", label, choice("png"), choice("svg")),
    group("export.numbers", choice("csv"), choice("npz")),
    group("export.page", choice("html")),
  );
  menu.addEventListener("click", ({ target }) => {
    const { save } = target.closest("[data-save]")?.dataset ?? {};
    if (save) saveAs(viewer, save, panels.value === "all" ? PANELS : [panels.value]);
  });
  openAndClose(button, menu, () => nameOptions(viewer, panels));
  viewer.element.addEventListener("asa:language", () => nameOptions(viewer, panels));
  connectLink(viewer);
}

function group(key, ...parts) {
  const box = make("fieldset");
  box.append(make("legend", "", { text: key }), ...parts);
  return box;
}

function choice(format) {
  const button = make("button", "", { save: format });
  button.type = "button";
  const [name, what] = [`export.${format}`, `export.${format}.what`];
  button.append(make("b", "", { text: name }), " ", make("span", "", { text: what }));
  return button;
}

/** Call the panels by what they show now. */
function nameOptions(viewer, panels) {
  for (const option of panels.options) {
    const title = viewer.scenes?.[option.value]?.title ?? "export.all_panels";
    option.textContent = viewer.say(title);
  }
}

/** Make a file and save it; the status line says how it went. */
async function saveAs(viewer, format, names) {
  if (!viewer.moment) return viewer.status(viewer.say("export.too_early"));
  viewer.status(viewer.say("export.making"));
  try {
    const { parts, type, name } = await MAKERS[format](viewer, names);
    download(new Blob(parts, { type }), name);
    viewer.status(viewer.say("export.saved", { file: name }));
  } catch (error) {
    console.warn(error);
    viewer.status(viewer.say("export.failed"));
  }
}

function download(blob, name) {
  const link = make("a");
  const url = URL.createObjectURL(blob);
  Object.assign(link, { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), KEPT);
}

const partOf = (names) => (names.length > 1 ? "panels" : names[0]);

async function pngFile(viewer, names) {
  const { language } = viewer.texts;
  const sheet = sheetOf(viewer, names, measurer(language));
  const surface = canvasSurface(sheet, viewer.picture, DENSITY, language);
  sheet.draw(surface);
  const about = {
    Title: sheet.title,
    Description: sheet.lines.join("\n"),
    Source: linkOf(viewer),
    Comment: JSON.stringify(manifestOf(viewer)),
  };
  const name = fileName(viewer, partOf(names), "png");
  const blob = await new Promise((resolve) => surface.canvas.toBlob(resolve));
  const bytes = new Uint8Array(await blob.arrayBuffer());
  return { parts: [withTexts(bytes, about)], type: "image/png", name };
}

function svgFile(viewer, names) {
  const { language } = viewer.texts;
  const sheet = sheetOf(viewer, names, measurer(language));
  const surface = svgSurface(embedded(viewer.picture));
  sheet.draw(surface);
  const about = {
    title: sheet.title,
    description: [...sheet.lines, linkOf(viewer)].filter(Boolean).join("\n"),
    metadata: JSON.stringify(manifestOf(viewer)),
    language,
  };
  const text = surface.context.file(sheet.width, sheet.height, about);
  return { parts: [text], type: "image/svg+xml", name: fileName(viewer, partOf(names), "svg") };
}

function csvFile(viewer) {
  const name = fileName(viewer, "neighbours", "csv");
  return { parts: [neighboursCsv(viewer.moment)], type: "text/csv", name };
}

function npzFile(viewer) {
  return { parts: [arraysNpz(viewer)], type: "application/zip", name: fileName(viewer, "", "npz") };
}

async function htmlFile(viewer) {
  const { host, opened, packets, state } = viewer;
  const page = savedPage({
    program: String(host.program),
    packet: await packets.get(opened.picture, opened.network),
    title: titleOf(viewer),
    networkTitle: networkTitle(viewer),
    state: { ...state, ...opened },
    words: viewer.texts.words,
    looks: looksOf(viewer),
  });
  return { parts: [page], type: "text/html", name: fileName(viewer, "", "html") };
}
